"""The responses of a Rasa domain: answer texts, each in its language, and titles of buttons."""

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from bot.integrations.rasa.files import SkippedItem, entries
from bot.nlu import language

PREFIX: Final = "utter_"
LANGUAGE: Final = "language"  # in a variant's metadata
_LANGUAGES: Final = ("en", "zh")
_BRACES: Final = re.compile(r"\{\{|\}\}|\{[A-Za-z_]\w*\}|[{}]")
_PAYLOAD: Final = re.compile(r"/([^{(\s]+)")
_RICH: Final = ("image", "custom", "attachment", "elements", "quick_replies")


@dataclass(frozen=True)
class RasaResponse:
    """One text of a template, in one language."""

    name: str
    text: str
    language: str


@dataclass
class ResponseCollector:
    """The responses of a project's files."""

    found: list[RasaResponse] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)

    def responses(self) -> tuple[RasaResponse, ...]:
        """Return all texts, as often as they stand in the files."""
        return tuple(dict.fromkeys(self.found))

    def take(self, value: Any, file: str, skipped: list[SkippedItem]) -> None:
        """Read the `responses` of one file."""
        if value in (None, ""):
            return
        if not isinstance(value, dict):
            skipped.append(SkippedItem(f"{file}: responses", "is not a mapping"))
            return
        for full, variants in value.items():
            where = f"{file}: {full}"
            name = str(full).removeprefix(PREFIX)
            for variant in entries(variants, where, skipped):
                self.found += _texts(name, variant, where, skipped)
                self._buttons(variant, where, skipped)

    def _buttons(self, variant: dict[str, Any], where: str, skipped: list[SkippedItem]) -> None:
        for button in entries(variant.get("buttons"), f"{where} buttons", skipped):
            title, payload = str(button.get("title") or ""), str(button.get("payload") or "")
            match = _PAYLOAD.match(payload)
            if title and match and "{" not in payload and "(" not in payload:
                self.titles.setdefault(match[1], title)
            else:
                why = f"the button `{title}` names no bare intent"
                skipped.append(SkippedItem(where, why))


def _texts(
    name: str, variant: dict[str, Any], where: str, skipped: list[SkippedItem]
) -> Iterator[RasaResponse]:
    if variant.get("condition"):
        skipped.append(SkippedItem(where, "a text under a condition: templates know none"))
        return
    if variant.get("channel"):
        why = f"a text for the channel {variant['channel']} alone: templates serve all"
        skipped.append(SkippedItem(where, why))
        return
    rich = [key for key in _RICH if variant.get(key)]
    if rich:
        skipped.append(SkippedItem(where, f"{', '.join(rich)}: templates are text"))
    text = str(variant.get("text") or "").strip()
    if not text:
        if not rich:
            skipped.append(SkippedItem(where, "has no text"))
        return
    metadata = variant.get("metadata")
    said = metadata.get(LANGUAGE) if isinstance(metadata, dict) else None
    yield RasaResponse(name, _template(text), said if said in _LANGUAGES else language_of(text))
    translations = variant.get("translation")
    for code, translated in (translations if isinstance(translations, dict) else {}).items():
        short = str(code).split("-")[0].split("_")[0].lower()
        if short in _LANGUAGES and str(translated).strip():
            yield RasaResponse(name, _template(str(translated).strip()), short)
        else:
            skipped.append(SkippedItem(where, f"the language {code} is not spoken here"))


def language_of(text: str) -> str:
    """Return the language of templates a text belongs to: en or zh."""
    found = language.reply_language(language.detect(text), text)
    return found if found in _LANGUAGES else "en"


def _template(text: str) -> str:
    """Return a text whose braces are variables or literal ones that a template doubles."""
    try:
        fields = [part[1:] for part in string.Formatter().parse(text) if part[1] is not None]
    except ValueError:
        fields = [("?", "", "")]
    if all(str(name).isidentifier() and not spec and not how for name, spec, how in fields):
        return text
    return _BRACES.sub(lambda found: found[0] if len(found[0]) > 1 else found[0] * 2, text)
