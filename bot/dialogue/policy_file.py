"""The content of a home's `policy.yml`: read and validated."""

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
IDENTIFIED: Final = "identified"  # filled by an action with the record the customer proved to own
CUSTOMER: Final = "customer"  # the verified identity of the visitor
RESERVED: Final = frozenset({IDENTIFIED, CUSTOMER})
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class PolicyError(CarelineError):
    """The policy file is wrong; the message names the entry."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class IntentRule(_Strict):
    """The route of an intent; in the file a bare route name is enough.

    An action needs its `slots` filled, in this order, and where `confirm` names a template, a
    confirmation. `informs` names the template for customers who only ask how it works. For a
    search, passages of `articles` (patterns of article ids) are preferred. `kind`: `small_talk`
    (greetings and thanks) does not change the subject and is not a request; `about_assistant`
    needs no knowledge; with a `complaint`, a short insult is nothing but an insult.
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
    """The source of a slot's value: entities, or the customer's whole answer.

    Without `entities`, those with the slot's own name fill it. `given_by` names two slots: if they
    are equal, the slot is not asked for, as with a customer who proved to own the record.

    `identifies`: the value names the customer or record; "no, the other one" clears it, and sent
    alone it adds to the last hand-off. `code`: an exact code, never part of a free text. `keep`:
    the value outlasts its form and is not encrypted in the database.
    """

    entities: tuple[str, ...] = ()
    free_text: bool = False
    given_by: tuple[str, str] | None = None
    identifies: bool = False
    code: bool = False
    keep: bool = False

    def traits(self) -> frozenset[SlotTrait]:
        """Return the traits of the slot."""
        return frozenset(trait for trait in TRAITS if getattr(self, trait))


def _as_rule(value: object) -> object:
    return {"route": value} if isinstance(value, str) else value


class Thresholds(_Strict):
    """Confidences and scores between 0 and 1.

    - `answer`: the intent is acted on.
    - `clarify`: the customer is asked which request is meant.
    - `evidence`: a passage counts as evidence; `search_evidence` where only the search supports an
      answer.
    - `seeks`: an unsure message is searched for if it is this likely to ask for knowledge; `asks`
      for one that the model takes for out of scope.
    - `wishes`: an action starts if the customer is this likely to want it, not just to ask about
      it.
    - `familiar`: an out-of-scope message is acted on if an intent is this likely.
    - `leave`: an open form is left for another request.
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
    """Patterns that hand off to a person: with one intent, or (without `intent`) with any."""

    patterns: tuple[str, ...]
    intent: str | None = None
    queue: str | None = None

    @field_validator("patterns")
    @classmethod
    def _compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(validate_pattern, patterns))

    def fires(self, text: str, intent: str | None) -> bool:
        """Return whether a message with this intent is handed off."""
        return self.intent in {None, intent} and matches(self.patterns, text)


class EmergencyRule(_Strict):
    """Patterns that get a fixed answer at once, whatever else the message says."""

    patterns: tuple[str, ...]
    template: str

    @field_validator("patterns")
    @classmethod
    def _compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(validate_pattern, patterns))


class OpeningHours(_Strict):
    """Opening hours by language: `en: {mon-fri: 09:00-18:00}`; others use `default`."""

    time_zone: str = "UTC"
    open: dict[str, dict[str, str]] = Field(default_factory=dict)

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (
            ZoneInfoNotFoundError,
            ValueError,
            OSError,
        ) as error:  # OSError: a folder, or a long name
            message = f"{name} is not a time zone: write one like Europe/Berlin"
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
        """Return whether the service is open at a time; always true without opening hours."""
        spans = self.open.get(language) or self.open.get("default")
        if not spans:
            return True
        here = at.astimezone(ZoneInfo(self.time_zone))
        today, yesterday = here.weekday(), (here.weekday() - 1) % 7
        for day, span in spans.items():
            start, end = _times(span)
            if start < end:
                is_within = today in _days(day) and start <= here.time() < end
            else:  # over midnight
                late = today in _days(day) and here.time() >= start
                is_within = late or (yesterday in _days(day) and here.time() < end)
            if is_within:
                return True
        return False


def _days(text: str) -> tuple[int, ...]:
    """Return the numbers of days like `mon` or `mon-fri`."""
    first, _, last = text.strip().lower().partition("-")
    if first not in _DAYS or (last or first) not in _DAYS:
        message = f"{text} is not a day: write mon, or mon-fri"
        raise InvalidValueError(message, "no_day", day=text)
    start, end = _DAYS.index(first), _DAYS.index(last or first)
    return tuple(day % 7 for day in range(start, end + 1 if end >= start else end + 8))


def _times(text: str) -> tuple[time, time]:
    start, _, end = text.partition("-")
    try:
        return time.fromisoformat(start.strip()), time.fromisoformat(end.strip())
    except ValueError as error:
        message = f"{text} is not a time range: write 09:00-18:00"
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
    informative: tuple[str, ...] = ()  # questions about an action, not requests for it
    queues: dict[str, str] = Field(default_factory=dict)
    default_queue: str = "support"
    hours: OpeningHours = OpeningHours()
    patience_minutes: float = Field(5, gt=0)  # in the queue, before asking for a contact address
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
        """Return the slots that actions ask for."""
        return frozenset(slot for rule in self.routes.values() for slot in rule.slots)

    @property
    def has_kinds(self) -> bool:
        """Return whether the policy declares kinds of intents; one of version 0.1.0 does not."""
        return any(rule.kind for rule in self.routes.values())

    @property
    def has_traits(self) -> bool:
        """Return whether the policy declares traits of slots; one of version 0.1.0 does not."""
        return any(slot.traits() for slot in self.slots.values())

    def is_kind(self, intent: str | None, *accepted: IntentKind) -> bool:
        """Return whether an intent is of one of these kinds."""
        if intent is None:
            return False
        if not self.has_kinds:
            return any(kinds.is_of_kind(intent, kind) for kind in accepted)
        rule = self.routes.get(intent)
        return rule is not None and rule.kind in accepted

    def small_talk(self, intents: Iterable[str]) -> frozenset[str]:
        """Return which of these intents, and of those with a route, are small talk."""
        names = {*intents, *self.routes}
        return frozenset(name for name in names if self.is_kind(name, "small_talk"))

    def needs_no_knowledge(self, intent: str | None) -> bool:
        """Return whether an intent is talk that no article answers."""
        return self.is_kind(intent, "small_talk", "about_assistant")

    def undeclared(self, intents: Iterable[str] = ()) -> list[str]:
        """Return advice on kinds and traits to add to a policy of version 0.1.0.

        Args:
            intents: The intents of the model.
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
        """Return the slots of the policy that have a trait."""
        if self.has_traits:
            return frozenset(name for name, slot in self.slots.items() if trait in slot.traits())
        names = {*self.wanted(), *self.slots, *self.entities}
        return frozenset(name for name in names if kinds.has_trait(name, trait))

    def kept(self, slot: str) -> bool:
        """Return whether a slot's value outlasts its form and is stored unencrypted."""
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
    """Return whether one of the patterns matches in a text, ignoring case."""
    return any(pattern_matches(pattern, text) for pattern in patterns)


def read(path: Path) -> tuple[PolicyContent, str]:
    """Return the content of a file and its version; without a file, the built-in content."""
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
    except (yaml.YAMLError, ValueError) as error:  # ValueError: an impossible date
        why = " ".join(str(error).split())
        message = f"{path} is not YAML: {why}"
        raise PolicyError(message, "not_yaml", file=str(path), why=why) from error
    # The version also depends on the files of names.
    lists = [entry for entry in content.entities.values() if not isinstance(entry, str)]
    named = text + (repr(lists) if lists else "")
    return content, "p-" + hashlib.sha256(named.encode()).hexdigest()[:12]
