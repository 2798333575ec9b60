"""What a home's `policy.yml` says: read, and checked as a whole."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, time
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from bot.core.safe_regex import pattern_matches, validate_pattern
from bot.core.types import CarelineError, InvalidValueError
from bot.dialogue import entity_definitions

BUILT_IN: Final = "p-builtin"
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class PolicyError(CarelineError):
    """The policy file is wrong; the message names the entry."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IntentRule(_Strict):
    """What to do with an intent; in the file a bare route name is enough.

    An action needs its `slots` filled, in this order, and where `confirm` names a template, a yes.
    `informs` names the template for those who only ask how it goes. Where the intent is searched
    for, passages of `articles`, patterns of article ids, are preferred.
    """

    route: Literal["template", "retrieve", "act", "handoff"]
    template: str | None = None
    action: str | None = None
    slots: tuple[str, ...] = ()
    confirm: str | None = None
    informs: str | None = None
    articles: tuple[str, ...] = ()
    queue: str | None = None


class SlotRule(_Strict):
    """Where a slot's value comes from: entities, or the customer's whole answer.

    Without `entities` those of the slot's own name fill it. `given_by` names two slots that make it
    needless where they are equal: who has proved to own an order is not asked again.
    """

    entities: tuple[str, ...] = ()
    free_text: bool = False
    given_by: tuple[str, str] | None = None


def _as_rule(value: object) -> object:
    return {"route": value} if isinstance(value, str) else value


class Thresholds(_Strict):
    """Confidences and scores between 0 and 1.

    From `answer` up an intent is acted on; from `clarify` up the customer is asked which request
    is meant; passages count as evidence from `evidence` up, or from `search_evidence` up where
    nothing but the search speaks for an answer. A message nobody is sure about is searched for from
    `seeks` up: how likely it asks for knowledge at all; one that the model takes for out of scope
    from `asks` up. An action is begun from `wishes` up: how
    likely the customer wants it done, and not just to know how it goes. A message that looks
    strange to the model is acted on all the same where an intent is as likely as `familiar`; an
    open form is left for another request from `leave` up.
    """

    answer: float = Field(0.45, ge=0, le=1)
    clarify: float = Field(0.25, ge=0, le=1)
    evidence: float = Field(0.08, ge=0, le=1)
    search_evidence: float = Field(0.3, ge=0, le=1)
    seeks: float = Field(0.2, ge=0, le=1)
    asks: float = Field(0.5, ge=0, le=1)
    wishes: float = Field(0.5, ge=0, le=1)
    familiar: float = Field(0.7, ge=0, le=1)
    leave: float = Field(0.45, ge=0, le=1)


class EscalationRule(_Strict):
    """Words that make a person take over: with one intent, or (without `intent`) with any."""

    patterns: tuple[str, ...]
    intent: str | None = None
    queue: str | None = None

    @field_validator("patterns")
    @classmethod
    def _compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(validate_pattern, patterns))

    def fires(self, text: str, intent: str | None) -> bool:
        """Tell whether a message with this intent is for a person."""
        return self.intent in {None, intent} and matches(self.patterns, text)


class EmergencyRule(_Strict):
    """Words that get a fixed answer at once, whatever else the message says."""

    patterns: tuple[str, ...]
    template: str

    @field_validator("patterns")
    @classmethod
    def _compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(validate_pattern, patterns))


class OpeningHours(_Strict):
    """When people answer, by language: `en: {mon-fri: 09:00-18:00}`; all others like `default`."""

    time_zone: str = "UTC"
    open: dict[str, dict[str, str]] = Field(default_factory=dict)

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder, a long name
            message = f"{name} is no time zone: write one like Europe/Berlin"
            raise InvalidValueError(message, "no_time_zone", zone=name) from error
        return name

    @field_validator("open")
    @classmethod
    def _readable(cls, spans: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for days in spans.values():
            for day, span in days.items():
                _days(day)
                _times(span)
        return spans

    def is_open(self, at: datetime, language: str) -> bool:
        """Tell whether people answer at a time; always, where no hours are given."""
        spans = self.open.get(language) or self.open.get("default")
        if not spans:
            return True
        here = at.astimezone(ZoneInfo(self.time_zone))
        today, yesterday = here.weekday(), (here.weekday() - 1) % 7
        for day, span in spans.items():
            start, end = _times(span)
            if start < end:
                found = today in _days(day) and start <= here.time() < end
            else:  # over midnight
                late = today in _days(day) and here.time() >= start
                found = late or (yesterday in _days(day) and here.time() < end)
            if found:
                return True
        return False


def _days(text: str) -> tuple[int, ...]:
    """Return the numbers of days like `mon` or `mon-fri`."""
    first, _, last = text.strip().lower().partition("-")
    if first not in _DAYS or (last or first) not in _DAYS:
        message = f"{text} is no day: write mon, or mon-fri"
        raise InvalidValueError(message, "no_day", day=text)
    start, end = _DAYS.index(first), _DAYS.index(last or first)
    return tuple(day % 7 for day in range(start, end + 1 if end >= start else end + 8))


def _times(text: str) -> tuple[time, time]:
    start, _, end = text.partition("-")
    try:
        return time.fromisoformat(start.strip()), time.fromisoformat(end.strip())
    except ValueError as error:
        message = f"{text} is no span of hours: write 09:00-18:00"
        raise InvalidValueError(message, "no_hours", hours=text) from error


class PolicyContent(_Strict):
    """The content of `policy.yml`."""

    version: Literal[1] = 1
    pause: Literal["humans", "maintenance"] | None = None
    thresholds: Thresholds = Thresholds()
    routes: dict[str, Annotated[IntentRule, BeforeValidator(_as_rule)]] = Field(
        default_factory=dict
    )
    slots: dict[str, SlotRule] = Field(default_factory=dict)
    informative: tuple[str, ...] = ()  # how people ask how something goes, not for it to be done
    queues: dict[str, str] = Field(default_factory=dict)
    default_queue: str = "support"
    hours: OpeningHours = OpeningHours()
    patience_minutes: float = Field(5, gt=0)  # waiting, before a contact address is asked for
    silence_minutes: float | None = Field(None, gt=0)
    failures_before_handoff: int = Field(2, ge=1, le=10)
    clarify_options: int = Field(3, ge=2, le=5)
    entities: dict[str, str | entity_definitions.Values] = Field(default_factory=dict)
    escalations: tuple[EscalationRule, ...] = ()
    emergencies: tuple[EmergencyRule, ...] = ()
    abuse: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()

    @field_validator("informative", "abuse", "refusals")
    @classmethod
    def _compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(validate_pattern, patterns))

    @field_validator("entities", mode="before")
    @classmethod
    def _read_entities(cls, entries: object, info: ValidationInfo) -> object:
        return entity_definitions.read(entries, (info.context or {}).get("folder"))

    def wanted(self) -> frozenset[str]:
        """Return the slots some action asks for."""
        return frozenset(slot for rule in self.routes.values() for slot in rule.slots)


def matches(patterns: tuple[str, ...], text: str) -> bool:
    """Tell whether one of the patterns stands in a text, in whatever case."""
    return any(pattern_matches(pattern, text) for pattern in patterns)


def read(path: Path) -> tuple[PolicyContent, str]:
    """Return what a file says and its version; without a file the built-in content."""
    if not path.exists():
        return PolicyContent(), BUILT_IN
    try:
        text = path.read_text(encoding="utf-8")
        raw: Mapping[str, Any] = yaml.safe_load(text) or {}
        content = PolicyContent.model_validate(raw, context={"folder": path.parent})
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8: save it as UTF-8"
        raise PolicyError(message, "no_utf8", file=str(path)) from error
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        message = f"{path}: " + "; ".join(lines)
        raise PolicyError(message, file=str(path)) from error
    except (yaml.YAMLError, ValueError) as error:  # a ValueError: of days that no month has
        why = " ".join(str(error).split())
        message = f"{path} is not YAML: {why}"
        raise PolicyError(message, "not_yaml", file=str(path), why=why) from error
    # What a file of names says belongs to the version as well.
    lists = [entry for entry in content.entities.values() if not isinstance(entry, str)]
    named = text + (repr(lists) if lists else "")
    return content, "p-" + hashlib.sha256(named.encode()).hexdigest()[:12]
