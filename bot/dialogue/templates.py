"""Answer templates: per language, with variants and variables, checked when loaded."""

import hashlib
import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import yaml

from bot.types import CarelineError

LANGUAGES: Final = ("en", "zh")
BUILT_IN: Final = "t-builtin"

Texts = Mapping[str, tuple[str, ...]]


class TemplateError(CarelineError):
    """A template file is wrong; the message names the entry."""


@dataclass(frozen=True)
class Templates:
    """The texts of one home, over the built-in ones."""

    texts: Mapping[str, Texts]
    titles: Mapping[str, Mapping[str, str]]
    version: str

    @property
    def names(self) -> frozenset[str]:
        """Every template that exists in at least one language."""
        return frozenset(name for texts in self.texts.values() for name in texts)

    def has(self, name: str) -> bool:
        """Tell whether a template exists in some language."""
        return name in self.names

    def render(self, name: str, language: str, variant: int = 0, **values: str) -> str:
        """Return a variant of a template with its variables filled in.

        A text that is missing in the language comes in the other one. Raises TemplateError for a
        name that is in neither and for a variable that has no value.
        """
        order = (language, *(other for other in LANGUAGES if other != language))
        for code in order:
            if variants := self.texts.get(code, {}).get(name):
                text = variants[variant % len(variants)]
                try:
                    return text.format(**values)
                except KeyError as error:
                    message = f"template `{name}` ({code}) wants {error}, which nobody gave"
                    raise TemplateError(message) from error
        message = f"there is no template `{name}`: add it to templates/{language}.yml"
        raise TemplateError(message)

    def title(self, intent: str, language: str) -> str:
        """Return an intent's name as customers should read it on a button."""
        titles = self.titles.get(language, {})
        return titles.get(intent) or intent.replace("_", " ").capitalize()


def load(folder: Path) -> Templates:
    """Read `en.yml` and `zh.yml` of a folder; both may be absent."""
    texts = {code: dict(_built_in()[code]) for code in LANGUAGES}
    titles: dict[str, Mapping[str, str]] = {}
    digest = hashlib.sha256()
    found = False
    for code in LANGUAGES:
        path = folder / f"{code}.yml"
        if path.exists():
            try:
                raw = path.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                message = f"{path} is not UTF-8: save it as UTF-8"
                raise TemplateError(message) from error
            digest.update(raw.encode())
            own, titles[code] = _parse(raw, path)
            texts[code].update(own)
            found = True
    return Templates(texts, titles, f"t-{digest.hexdigest()[:12]}" if found else BUILT_IN)


def built_in(name: str, language: str) -> str:
    """Return a text that does not depend on the home's files, for when those are broken."""
    return _built_in()[language if language in LANGUAGES else "en"][name][0]


@cache
def _built_in() -> Mapping[str, Texts]:
    path = resources.files("bot.dialogue") / "builtin.yml"
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {code: {name: tuple(v) for name, v in loaded[code].items()} for code in LANGUAGES}


def _parse(raw: str, path: Path) -> tuple[Texts, Mapping[str, str]]:
    try:
        loaded = yaml.safe_load(raw) or {}
    except yaml.YAMLError as error:
        message = f"{path} is not YAML: {' '.join(str(error).split())}"
        raise TemplateError(message) from error
    if not isinstance(loaded, dict):
        message = f"{path} must map template names to lists of texts"
        raise TemplateError(message)
    titles = loaded.pop("titles", {})
    if not isinstance(titles, dict):
        message = f"{path}: titles must map intents to the words on a button"
        raise TemplateError(message)
    texts: dict[str, tuple[str, ...]] = {}
    for name, value in loaded.items():
        variants = [value] if isinstance(value, str) else value
        if not isinstance(variants, list) or not variants or not all(map(_is_text, variants)):
            message = f"{path}: `{name}` must be a text or a list of texts"
            raise TemplateError(message)
        for variant in variants:
            _check(variant, f"{path}: `{name}`")
        texts[str(name)] = tuple(variants)
    return texts, {str(key): str(value) for key, value in titles.items()}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _check(text: str, where: str) -> None:
    """Refuse texts whose braces are not variables: they would fail in front of a customer."""
    try:
        fields = [f for f in string.Formatter().parse(text) if f[1] is not None]
    except ValueError as error:
        message = f"{where} has a brace that is no variable: {error}"
        raise TemplateError(message) from error
    if bad := [n for _, n, spec, how in fields if spec or how or not str(n).isidentifier()]:
        message = f"{where} has the variable {{{bad[0]}}}, which is no name"
        raise TemplateError(message)
