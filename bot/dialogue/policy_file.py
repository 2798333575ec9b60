"""What a home's `policy.yml` says: read, and checked as a whole."""

import hashlib
from collections.abc import Iterable, Mapping
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
from bot.dialogue import entity_definitions, kinds
from bot.dialogue.kinds import KINDS, TRAITS, IntentKind, SlotTrait

BUILT_IN: Final = "p-builtin"
IDENTIFIED: Final = "identified"  # the slot an action fills with what the customer proved to own
CUSTOMER: Final = "customer"  # the slot of who the visitor was proven to be
RESERVED: Final = frozenset({IDENTIFIED, CUSTOMER})
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class PolicyError(CarelineError):
    """The policy file is wrong; the message names the entry."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IntentRule(_Strict):
    """What to do with an intent; in the file a bare route name is enough.

    An action needs its `slots` filled, in this order, and where `confirm` names a template, a yes.
    `informs` names the template for those who only ask how it goes. Where the intent is searched
    for, passages of `articles`, patterns of article ids, are preferred. `kind` says what the intent
    is to the assistant: `small_talk` (greetings and thanks) does not change the subject and is no
    request; `about_assistant` (who or what it is) needs no knowledge; with a `complaint`, a short
    insult is nothing but an insult.
    """

    route: Literal["template", "retrieve", "act", "handoff"]
    template: str | None = None
    action: str | None = None
    slots: tuple[str, ...] = ()
    confirm: str | None = None
    informs: str | None = None
    articles: tuple[str, ...] = ()
    kind: IntentKind | None = None
    queue: str | None = None


class SlotRule(_Strict):
    """Where a slot's value comes from: entities, or the customer's whole answer.

    Without `entities` those of the slot's own name fill it. `given_by` names two slots that make it
    needless where they are equal: who has proved to own a record is not asked again.

    `identifies`: the value says which customer or record it is about; "no, the other one" takes it
    back, and alone it adds to what a person was called for. `code`: an exact code, which is no part
    of a free text. `keep`: the value outlasts its form, and is not sealed in the database.
    """

    entities: tuple[str, ...] = ()
    free_text: bool = False
    given_by: tuple[str, str] | None = None
    identifies: bool = False
    code: bool = False
    keep: bool = False

    def traits(self) -> frozenset[SlotTrait]:
        """Return what the core is told of the slot."""
        return frozenset(trait for trait in TRAITS if getattr(self, trait))


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

    @property
    def has_kinds(self) -> bool:
        """Whether the policy says the kinds of its intents; one of 0.1.0 does not."""
        return any(rule.kind for rule in self.routes.values())

    @property
    def has_traits(self) -> bool:
        """Whether the policy says the traits of its slots; one of 0.1.0 does not."""
        return any(slot.traits() for slot in self.slots.values())

    def is_kind(self, intent: str | None, *wanted: IntentKind) -> bool:
        """Return whether an intent is of one of these kinds."""
        if intent is None:
            return False
        if not self.has_kinds:
            return any(kinds.is_of_kind(intent, kind) for kind in wanted)
        rule = self.routes.get(intent)
        return rule is not None and rule.kind in wanted

    def small_talk(self, intents: Iterable[str]) -> frozenset[str]:
        """Return which of these intents, and of those with a route, are small talk."""
        names = {*intents, *self.routes}
        return frozenset(name for name in names if self.is_kind(name, "small_talk"))

    def needs_no_knowledge(self, intent: str | None) -> bool:
        """Return whether an intent is talk that no article answers."""
        return self.is_kind(intent, "small_talk", "about_assistant")

    def undeclared(self, intents: Iterable[str] = ()) -> list[str]:
        """Return what to add to a policy of 0.1.0, which has no kinds of intents, traits of slots.

        `intents` are those of the model.
        """
        names = {*self.routes, *intents}
        routes = [
            (f"add `kind: {kind}` to the routes of", named)
            for kind in (() if self.has_kinds else KINDS)
            if (named := sorted(name for name in names if kinds.is_of_kind(name, kind)))
        ]
        slots = [
            (f"add `{trait}: true` to the slots", named)
            for trait in (() if self.has_traits else TRAITS)
            if (named := sorted(self.slots_with(trait)))
        ]
        return [f"{advice} {', '.join(named)}" for advice, named in (*routes, *slots)]

    def slots_with(self, trait: SlotTrait) -> frozenset[str]:
        """Return the slots that have a trait, of those the policy names."""
        if self.has_traits:
            return frozenset(name for name, slot in self.slots.items() if trait in slot.traits())
        names = {*self.wanted(), *self.slots, *self.entities}
        return frozenset(name for name in names if kinds.has_trait(name, trait))

    def kept(self, slot: str) -> bool:
        """Return whether a slot's value outlasts its form, and is stored unsealed."""
        if slot in RESERVED:
            return True
        if self.has_traits:
            return slot in self.slots and self.slots[slot].keep
        return kinds.has_trait(slot, "keep")

    def kinds_of_entities(self, trait: SlotTrait) -> frozenset[str]:
        """Return the kinds of entities that fill the slots with a trait."""
        return frozenset(
            kind
            for name in self.slots_with(trait)
            for kind in (self.slots[name].entities if name in self.slots else ()) or (name,)
        )


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
