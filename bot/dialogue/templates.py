"""Answer templates: per language, with variants, variables and conditions, checked when loaded.

```yaml
booking:
  - "Please send me the code of your booking."
  - text: "Is it about booking {booking_code}?"
    if: {slots: [booking_code], channel: widget}   # preferred where the condition holds
    buttons: [{title: "Yes", payload: /affirm}]
```
"""

import hashlib
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Final

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bot.core.types import Button, CarelineError, ConfigurationIssue
from bot.dialogue import validation

LANGUAGES: Final = ("en", "zh")
BUILT_IN: Final = "t-builtin"

CHANNEL: Final = "channel"  # the variable with the channel of the message


@dataclass(frozen=True)
class TemplateVariant:
    """A text of a template, its buttons and its condition.

    `slots` maps the slots that must be filled to their required value, or to None for any value.
    """

    text: str
    buttons: tuple[Button, ...] = ()
    channels: tuple[str, ...] = ()
    slots: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def is_conditional(self) -> bool:
        """Return whether the variant has a condition."""
        return bool(self.channels or self.slots)

    def fits(self, values: Mapping[str, str]) -> bool:
        """Return whether the variant can be used with these slots, on this channel."""
        filled = all(
            values.get(name) and required in {None, values[name]}
            for name, required in self.slots.items()
        )
        return filled and (not self.channels or values.get(CHANNEL) in self.channels)

    @property
    def variables(self) -> frozenset[str]:
        """The variables of the text."""
        return frozenset(
            name for _, name, _, _ in string.Formatter().parse(self.text) if name is not None
        )


Texts = Mapping[str, tuple[TemplateVariant, ...]]


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _as_mapping(value: object) -> object:
    """Return a list of slot names as a mapping; other values are left for the validation."""
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return dict.fromkeys(value)
    return value


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Condition(_Strict):
    channel: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()
    slots: Annotated[dict[str, str | None], BeforeValidator(_as_mapping)] = Field(
        default_factory=dict
    )


class _ButtonEntry(_Strict):
    title: str = Field(min_length=1)
    payload: str = Field(min_length=1)


class _VariantEntry(_Strict):
    text: str = Field(min_length=1)
    when: _Condition = Field(_Condition(), alias="if")
    buttons: tuple[_ButtonEntry, ...] = ()

    def variant(self) -> TemplateVariant:
        buttons = tuple(Button(button.title, button.payload) for button in self.buttons)
        return TemplateVariant(self.text, buttons, self.when.channel, self.when.slots)


class TemplateError(CarelineError):
    """A template file is wrong; the message names the entry."""


@dataclass(frozen=True)
class Templates:
    """The texts of one home; missing ones come from the built-in texts."""

    texts: Mapping[str, Texts]
    titles: Mapping[str, Mapping[str, str]]
    version: str

    @property
    def names(self) -> frozenset[str]:
        """Every template that exists in at least one language."""
        return frozenset(name for texts in self.texts.values() for name in texts)

    def has(self, name: str) -> bool:
        """Return whether a template exists in some language."""
        return name in self.names

    def render(self, name: str, language: str, variant: int = 0, **values: str) -> str:
        """Return a variant of a template with its variables filled in.

        A text that is missing in the language comes in the other one.

        Raises:
            TemplateError: no such template in any language, or a variable without a value.
        """
        code, selected = self._select(name, language, variant, values)
        try:
            return selected.text.format(**values)
        except KeyError as error:
            message = f"template `{name}` ({code}) needs {error}, which has no value"
            raise TemplateError(message) from error

    def buttons(
        self, name: str, language: str, variant: int = 0, **values: str
    ) -> tuple[Button, ...]:
        """Return the buttons under a template."""
        return self._select(name, language, variant, values)[1].buttons

    def _select(
        self, name: str, language: str, variant: int, values: Mapping[str, str]
    ) -> tuple[str, TemplateVariant]:
        """Return a variant that fits, and its language; variants with a condition come first."""
        order = (language, *(other for other in LANGUAGES if other != language))
        for code in order:
            fitting = [v for v in self.texts.get(code, {}).get(name, ()) if v.fits(values)]
            if preferred := [v for v in fitting if v.is_conditional] or fitting:
                return code, preferred[variant % len(preferred)]
        message = f"there is no template `{name}` that fits: add it to templates/{language}.yml"
        raise TemplateError(message)

    def problems(self, variables_of: Mapping[str, frozenset[str]]) -> list[ConfigurationIssue]:
        """Return the issues that would fail in front of a customer.

        Args:
            given: The variables each template gets, besides the slots of its condition.
        """
        issues = []
        for name, variables in sorted(variables_of.items()):
            for code in LANGUAGES:
                variants: Sequence[TemplateVariant] = self.texts.get(code, {}).get(name, ())
                for variant in variants:
                    missing = sorted(variant.variables - variables - {*variant.slots, CHANNEL})
                    for variable in missing:
                        message = (
                            f"template `{name}` ({code}) needs {{{variable}}}, which is not always "
                            f"known: add the condition `if: {{slots: [{variable}]}}`"
                        )
                        facts = {"template": name, "language": code, "variable": variable}
                        issues.append(ConfigurationIssue(message, "not_always_known", facts))
                if variants and all(variant.is_conditional for variant in variants):
                    message = f"template `{name}` ({code}) has no variant without a condition"
                    facts = {"template": name, "language": code}
                    issues.append(ConfigurationIssue(message, "always_conditional", facts))
        return issues

    def title(self, intent: str, language: str) -> str:
        """Return an intent's name as shown on a button."""
        titles = self.titles.get(language, {})
        return titles.get(intent) or intent.replace("_", " ").capitalize()


def load(folder: Path) -> Templates:
    """Read `en.yml` and `zh.yml` of a folder; both may be absent."""
    texts = {code: dict(_built_in()[code]) for code in LANGUAGES}
    titles: dict[str, Mapping[str, str]] = {}
    digest = hashlib.sha256()
    has_own_texts = False
    for code in LANGUAGES:
        path = folder / f"{code}.yml"
        if path.exists():
            try:
                raw = path.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                message = f"{path} is not UTF-8: save it as UTF-8"
                raise TemplateError(message, "no_utf8", file=str(path)) from error
            digest.update(raw.encode())
            own, titles[code] = _parse(raw, path)
            texts[code].update(own)
            has_own_texts = True
    return Templates(texts, titles, f"t-{digest.hexdigest()[:12]}" if has_own_texts else BUILT_IN)


def built_in(name: str, language: str) -> str:
    """Return a built-in text, for when the home's files are broken."""
    return _built_in()[language if language in LANGUAGES else "en"][name][0].text


@cache
def _built_in() -> Mapping[str, Texts]:
    path = resources.files("bot.dialogue") / "builtin.yml"
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        code: {name: tuple(map(TemplateVariant, texts)) for name, texts in loaded[code].items()}
        for code in LANGUAGES
    }


def _parse(raw: str, path: Path) -> tuple[Texts, Mapping[str, str]]:
    try:
        loaded = yaml.safe_load(raw) or {}
    except (yaml.YAMLError, ValueError) as error:  # ValueError: an impossible date
        why = " ".join(str(error).split())
        message = f"{path} is not YAML: {why}"
        raise TemplateError(message, "not_yaml", file=str(path), why=why) from error
    if not isinstance(loaded, dict):
        message = f"{path} must map template names to lists of texts"
        raise TemplateError(message, "no_templates", file=str(path))
    titles = loaded.pop("titles", {})
    if not isinstance(titles, dict):
        message = f"{path}: titles must map intents to the words on a button"
        raise TemplateError(message, "no_titles", file=str(path))
    texts: dict[str, tuple[TemplateVariant, ...]] = {}
    for name, value in loaded.items():
        variants = value if isinstance(value, list) else [value]
        texts[str(name)] = tuple(_variant(variant, str(name), path) for variant in variants)
        if not texts[str(name)]:
            raise _no_text_error(str(name), path)
    return texts, {str(key): str(value) for key, value in titles.items()}


def _no_text_error(name: str, path: Path) -> TemplateError:
    message = f"{path}: `{name}` must be a text or a list of texts"
    return TemplateError(message, "no_texts", file=str(path), template=name)


def _variant(value: object, name: str, path: Path) -> TemplateVariant:
    """Read one variant: a text, or a mapping with its condition and buttons."""
    if isinstance(value, str) and value.strip():
        _check(value, name, path)
        return TemplateVariant(value)
    if not isinstance(value, dict):
        raise _no_text_error(name, path)
    try:
        variant = _VariantEntry.model_validate(value).variant()
    except ValidationError as error:
        first = error.errors()[0]
        message = f"{path}: `{name}`: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        reason, facts = validation.to_issue(first, name)
        raise TemplateError(message, reason, file=str(path), **facts) from error
    _check(variant.text, name, path)
    return variant


def _check(text: str, name: str, path: Path) -> None:
    """Refuse braces that are not variables: they would fail in front of a customer."""
    try:
        fields = [f for f in string.Formatter().parse(text) if f[1] is not None]
    except ValueError as error:
        message = f"{path}: `{name}` has a brace that is not a variable: {error}"
        facts = {"file": str(path), "template": name, "why": str(error)}
        raise TemplateError(message, "lone_brace", **facts) from error
    if bad := [n for _, n, spec, how in fields if spec or how or not str(n).isidentifier()]:
        message = f"{path}: `{name}` has the variable {{{bad[0]}}}, which is not a name"
        facts = {"file": str(path), "template": name, "variable": str(bad[0])}
        raise TemplateError(message, "no_variable", **facts)
