"""The responses of a Rasa domain: texts with their language, and titles of buttons."""

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
    """A text of a template, in one language."""

    name: str
    text: str
    language: str


@dataclass
class ResponseCollector:
    """The responses of a project's files."""

    collected: list[RasaResponse] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)

    def responses(self) -> tuple[RasaResponse, ...]:
        """Return all texts, each once."""
        return tuple(dict.fromkeys(self.collected))

    def collect(self, value: Any, file: str, skipped: list[SkippedItem]) -> None:
        """Collect the `responses` of a file."""
        if value in (None, ""):
            return
        if not isinstance(value, dict):
            skipped.append(SkippedItem(f"{file}: responses", "is not a mapping"))
            return
        for full_name, variants in value.items():
            where = f"{file}: {full_name}"
            name = str(full_name).removeprefix(PREFIX)
            for variant in entries(variants, where, skipped):
                self.collected += _read_texts(name, variant, where, skipped)
                self._collect_titles(variant, where, skipped)

    def _collect_titles(
        self, variant: dict[str, Any], where: str, skipped: list[SkippedItem]
    ) -> None:
        for button in entries(variant.get("buttons"), f"{where} buttons", skipped):
            title, payload = str(button.get("title") or ""), str(button.get("payload") or "")
            match = _PAYLOAD.match(payload)
            if title and match and "{" not in payload and "(" not in payload:
                self.titles.setdefault(match[1], title)
            else:
                why = f"the payload of the button `{title}` is not just an intent"
                skipped.append(SkippedItem(where, why))


def _read_texts(
    name: str, variant: dict[str, Any], where: str, skipped: list[SkippedItem]
) -> Iterator[RasaResponse]:
    if variant.get("condition"):
        why = "a text with a condition is not imported: add it to the template with `if`"
        skipped.append(SkippedItem(where, why))
        return
    if variant.get("channel"):
        why = f"a text for the channel {variant['channel']} is not imported: add it with `if`"
        skipped.append(SkippedItem(where, why))
        return
    rich = [key for key in _RICH if variant.get(key)]
    if rich:
        skipped.append(SkippedItem(where, f"{', '.join(rich)}: templates contain only text"))
    text = str(variant.get("text") or "").strip()
    if not text:
        if not rich:
            skipped.append(SkippedItem(where, "has no text"))
        return
    metadata = variant.get("metadata")
    code = metadata.get(LANGUAGE) if isinstance(metadata, dict) else None
    yield RasaResponse(name, _template(text), code if code in _LANGUAGES else language_of(text))
    translations = variant.get("translation")
    for code, translated in (translations if isinstance(translations, dict) else {}).items():
        short = str(code).split("-")[0].split("_")[0].lower()
        if short in _LANGUAGES and str(translated).strip():
            yield RasaResponse(name, _template(str(translated).strip()), short)
        else:
            skipped.append(SkippedItem(where, f"the language {code} is not supported"))


def language_of(text: str) -> str:
    """Return the template language of a text: en or zh."""
    code = language.reply_language(language.detect(text), text)
    return code if code in _LANGUAGES else "en"


def _template(text: str) -> str:
    """Return a text as a template, with all braces doubled that are not variables."""
    try:
        fields = [part[1:] for part in string.Formatter().parse(text) if part[1] is not None]
    except ValueError:
        fields = [("?", "", "")]
    if all(str(name).isidentifier() and not spec and not flag for name, spec, flag in fields):
        return text
    return _BRACES.sub(lambda match: match[0] if len(match[0]) > 1 else match[0] * 2, text)
