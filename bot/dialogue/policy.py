"""The policy: what was understood and what came before → where the message goes. Pure.

Its content is the home's `policy.yml`; every decision names the rule that fired.
"""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Final, Literal

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

from bot.dialogue import lookups
from bot.dialogue.state import State
from bot.types import OUT_OF_SCOPE, CarelineError, Decision, Entity, Promised, Route, Understanding

BUILT_IN: Final = "p-builtin"
_AROUND_A_VALUE: Final = 12  # characters people put around a bare value: "it is …", "sorry, …"
_LETTER_OR_DIGIT = re.compile(r"\w")
# The whole answer to "Shall I pass you to a colleague?", nothing else.
_YES: Final = re.compile(
    r"(?:yes|yeah|yep|yup|ok|okay|sure|please|do it|go ahead|(?:yes|sure|ok|yeah)[,. ]+please|"
    r"(?:yes|please)[, ]+do|好|好的|好吧|可以|行|是|是的|对|要|需要|嗯|嗯嗯|转吧|"
    r"麻烦了|好的谢谢|请转)"
    r"[\s.!。！~]*",
    re.IGNORECASE,
)


class PolicyError(CarelineError):
    """The policy file is wrong; the message names the entry."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(_Strict):
    """What to do with an intent; in the file a bare route name is enough."""

    route: Literal["template", "retrieve", "act", "handoff"]
    template: str | None = None
    action: str | None = None
    slots: tuple[str, ...] = ()
    queue: str | None = None


def _as_rule(value: object) -> object:
    return {"route": value} if isinstance(value, str) else value


class Thresholds(_Strict):
    """Confidences and scores between 0 and 1.

    From `answer` up an intent is acted on; from `clarify` up the customer is asked which request
    is meant; passages count as evidence from `evidence` up, or from `search_evidence` up where
    nothing but the search speaks for an answer. A message nobody is sure about is searched for from
    `seeks` up: how likely it asks for knowledge at all.
    """

    answer: float = Field(0.45, ge=0, le=1)
    clarify: float = Field(0.25, ge=0, le=1)
    evidence: float = Field(0.08, ge=0, le=1)
    search_evidence: float = Field(0.3, ge=0, le=1)
    seeks: float = Field(0.2, ge=0, le=1)


class Escalation(_Strict):
    """Words that make a person take over: with one intent, or (without `intent`) with any."""

    patterns: tuple[str, ...]
    intent: str | None = None
    queue: str | None = None

    @field_validator("patterns")
    @classmethod
    def _compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_compiled, patterns))

    def fires(self, text: str, intent: str | None) -> bool:
        """Tell whether a message with this intent is for a person."""
        return self.intent in {None, intent} and any(
            re.search(pattern, text, re.IGNORECASE) for pattern in self.patterns
        )


def _compiled(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        message = f"{pattern} is not a regular expression: {error}"
        raise ValueError(message) from error
    return pattern


class Content(_Strict):
    """The content of `policy.yml`."""

    version: Literal[1] = 1
    thresholds: Thresholds = Thresholds()
    routes: dict[str, Annotated[Rule, BeforeValidator(_as_rule)]] = Field(default_factory=dict)
    queues: dict[str, str] = Field(default_factory=dict)
    default_queue: str = "support"
    failures_before_handoff: int = Field(2, ge=1, le=10)
    clarify_options: int = Field(3, ge=2, le=5)
    entities: dict[str, str | lookups.Values] = Field(default_factory=dict)
    escalations: tuple[Escalation, ...] = ()

    @field_validator("entities", mode="before")
    @classmethod
    def _read_entities(cls, entries: object, info: ValidationInfo) -> object:
        return lookups.read(entries, (info.context or {}).get("folder"))


def load(path: Path) -> "Policy":
    """Read a home's policy; without a file the built-in one: retrieve, else hand off."""
    if not path.exists():
        return Policy(Content(), BUILT_IN)
    try:
        text = path.read_text(encoding="utf-8")
        raw = yaml.safe_load(text) or {}
        content = Content.model_validate(raw, context={"folder": path.parent})
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8: save it as UTF-8"
        raise PolicyError(message) from error
    except yaml.YAMLError as error:
        message = f"{path} is not YAML: {' '.join(str(error).split())}"
        raise PolicyError(message) from error
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        message = f"{path}: " + "; ".join(lines)
        raise PolicyError(message) from error
    # What a file of names says belongs to the version as well.
    lists = [entry for entry in content.entities.values() if not isinstance(entry, str)]
    read = text + (repr(lists) if lists else "")
    return Policy(content, "p-" + hashlib.sha256(read.encode()).hexdigest()[:12])


@dataclass(frozen=True)
class Policy:
    """Decides where messages go."""

    content: Content
    version: str
    has_knowledge: bool = field(default=True)

    def problems(self, intents: Collection[str], templates: Collection[str]) -> list[str]:
        """Return what does not fit the model's labels and the templates, in words."""
        found = [
            f"intent `{name}` in policy.yml is unknown to the model"
            for name in sorted(set(self.content.routes) - set(intents) - {OUT_OF_SCOPE})
            if intents
        ]
        for name, rule in sorted(self.content.routes.items()):
            if rule.route == "act" and not rule.action:
                found.append(f"intent `{name}` in policy.yml acts but names no action")
            wanted = rule.template or (name if rule.route == "template" else None)
            if wanted and wanted != OUT_OF_SCOPE and wanted not in templates:
                found.append(f"template `{wanted}` of intent `{name}` does not exist")
        return found

    def decide(self, text: str, understanding: Understanding, state: State) -> Decision:
        """Return where a message goes."""
        if not _LETTER_OR_DIGIT.search(text):
            return self._unclear("no_words", state, template="unreadable")
        if understanding.language == "other":
            return self._handoff("other_language", understanding, template="other_language")
        if state.offered_human and _YES.fullmatch(text.strip()):
            return self._handoff("accepted_offer", understanding)
        if rule := self._escalation(text, understanding):
            return self._handoff("escalation", understanding, queue=rule.queue)
        if filled := self._fill(text, understanding, state):
            return filled
        return self._by_intent(understanding, state)

    def _escalation(self, text: str, understanding: Understanding) -> Escalation | None:
        rules = self.content.escalations
        return next((rule for rule in rules if rule.fires(text, understanding.intent)), None)

    def _by_intent(self, understanding: Understanding, state: State) -> Decision:
        thresholds = self.content.thresholds
        intent, confidence = understanding.intent, understanding.confidence
        if intent is None:
            return self._search("no_model", understanding)
        if intent == OUT_OF_SCOPE:
            return self._out_of_scope(understanding, state)
        if understanding.promised is Promised.UNSURE:
            return self._ask_or_hand_off(understanding, state)
        if understanding.promised is Promised.KEPT or confidence >= thresholds.answer:
            return self._route(intent, understanding, state)
        return self._when_unsure(understanding, state)

    def _when_unsure(self, understanding: Understanding, state: State) -> Decision:
        if understanding.emotion == "angry" and state.failures:
            return self._handoff("anger", understanding, template="anger")
        if understanding.confidence >= self.content.thresholds.clarify:
            names = (score.intent for score in understanding.ranking)
            options = tuple(name for name in names if name != OUT_OF_SCOPE)
            return self._unclear("unsure", state, options=options[: self.content.clarify_options])
        return self._search("unsure_search", understanding)

    def _ask_or_hand_off(self, understanding: Understanding, state: State) -> Decision:
        """Keep the promise: ask which request is meant where few are possible, else a person."""
        candidates = understanding.candidates
        if 1 <= len(candidates) <= self.content.clarify_options:
            return self._unclear("promise", state, options=candidates)
        return self._handoff("promise", understanding)

    def _other_request(self, understanding: Understanding, state: State, text: str) -> bool:
        """Tell a message that brings the slot's value but asks for something else."""
        if understanding.intent in {None, OUT_OF_SCOPE, state.intent}:
            return False
        sure = understanding.confidence >= self.content.thresholds.answer
        values = sum(len(entity.text) for entity in _inside(understanding.entities, text))
        return sure and len(text.strip()) > values + _AROUND_A_VALUE

    def _fill(self, text: str, understanding: Understanding, state: State) -> Decision | None:
        """Continue the action that waits for a slot, when the message brings it."""
        if not (state.open_slot and state.intent):
            return None
        rule = self.content.routes.get(state.intent)
        value = _value(_inside(understanding.entities, text), state.open_slot)
        if rule is None or value is None or self._other_request(understanding, state, text):
            return None
        return self._act(rule, state.intent, "slot_filled", understanding, state)

    def _route(self, intent: str, understanding: Understanding, state: State) -> Decision:
        rule = self.content.routes.get(intent)
        if rule is None:
            return self._search("no_rule", understanding, intent)
        reason = "smalltalk" if intent in {"greeting", "thanks"} else f"route:{intent}"
        if rule.route == "handoff":
            queue = rule.queue or self.content.queues.get(intent)
            return self._handoff(
                reason, understanding, template=rule.template or intent, queue=queue
            )
        if rule.route == "act":
            return self._act(rule, intent, reason, understanding, state)
        if rule.route == "retrieve":
            return self._search(reason, understanding, intent)
        return Decision(Route.TEMPLATE, reason, intent, template=rule.template or intent)

    def _act(
        self, rule: Rule, intent: str, reason: str, understanding: Understanding, state: State
    ) -> Decision:
        for slot in rule.slots:
            if not (_value(understanding.entities, slot) or state.slots.get(slot)):
                if state.failures >= self.content.failures_before_handoff:
                    return self._handoff("repeated_failure", understanding)
                asked = f"ask_{slot}"
                return Decision(
                    Route.ACT, "missing_slot", intent, template=asked, action=rule.action, slot=slot
                )
        return Decision(Route.ACT, reason, intent, action=rule.action)

    def _out_of_scope(self, understanding: Understanding, state: State) -> Decision:
        """Refuse what is surely not ours; ask the knowledge where the model is merely unsure."""
        if understanding.ranking and understanding.ranking[0].intent == OUT_OF_SCOPE:
            return Decision(Route.TEMPLATE, "out_of_scope", OUT_OF_SCOPE, template="out_of_scope")
        if understanding.emotion == "angry" and state.failures:
            return self._handoff("anger", understanding, template="anger")
        return self._search("unsure_search", understanding, OUT_OF_SCOPE)

    def _search(
        self, reason: str, understanding: Understanding, intent: str | None = None
    ) -> Decision:
        intent = intent or understanding.intent
        if not self.has_knowledge:
            return self._handoff("no_knowledge", understanding)
        seeks = understanding.seeks
        unsure = reason in {"no_model", "unsure_search"}
        if unsure and seeks is not None and seeks < self.content.thresholds.seeks:
            return Decision(Route.TEMPLATE, "no_question", intent, template="no_question")
        return Decision(Route.RETRIEVE, reason, intent)

    def _unclear(
        self,
        reason: str,
        state: State,
        *,
        options: tuple[str, ...] = (),
        template: str = "clarify",
    ) -> Decision:
        if state.failures >= self.content.failures_before_handoff:
            return self._to_person("repeated_failure", options[0] if options else None)
        first = options[0] if options else None
        return Decision(Route.CLARIFY, reason, first, template=template, options=options)

    def _handoff(
        self,
        reason: str,
        understanding: Understanding,
        *,
        template: str = "handoff",
        queue: str | None = None,
    ) -> Decision:
        return self._to_person(reason, understanding.intent, template=template, queue=queue)

    def _to_person(
        self,
        reason: str,
        intent: str | None,
        *,
        template: str = "handoff",
        queue: str | None = None,
    ) -> Decision:
        queue = queue or self.content.default_queue
        return Decision(Route.HANDOFF, reason, intent, template=template, queue=queue)

    def slots(self, entities: tuple[Entity, ...]) -> dict[str, str]:
        """Return the slots a message fills: the entities that some action asks for."""
        wanted = {slot for rule in self.content.routes.values() for slot in rule.slots}
        return {entity.entity: entity.value for entity in entities if entity.entity in wanted}

    def without_evidence(self, decision: Decision, state: State) -> Decision:
        """Return what to do when a search was decided and nothing relevant was found."""
        if decision.intent == OUT_OF_SCOPE:
            return Decision(Route.TEMPLATE, "out_of_scope", OUT_OF_SCOPE, template="out_of_scope")
        if state.failures >= self.content.failures_before_handoff:
            return self._to_person("repeated_failure", decision.intent)
        return Decision(Route.TEMPLATE, "no_evidence", decision.intent, template="no_evidence")

    def without_template(self, decision: Decision) -> Decision:
        """Return what to do when the template an intent is routed to was not written yet."""
        if decision.route is Route.ACT:
            return decision  # a slot is asked for in general words then
        if decision.route is Route.HANDOFF:
            return replace(decision, template="handoff")
        if self.has_knowledge:
            return Decision(Route.RETRIEVE, "no_template", decision.intent)
        return self._to_person("no_template", decision.intent)

    def action_failed(self, decision: Decision) -> Decision:
        """Return the hand-off that follows an action nobody could run."""
        return self._to_person("action_failed", decision.intent)

    def evidence_threshold(self, decision: Decision) -> float:
        """Return the score passages need to count as evidence for a decision."""
        thresholds = self.content.thresholds
        alone = decision.reason in {"no_model", "unsure_search"}
        return thresholds.search_evidence if alone else thresholds.evidence


def _inside(entities: tuple[Entity, ...], text: str) -> tuple[Entity, ...]:
    """Return the entities of one request: the message may hold others."""
    return tuple(entity for entity in entities if entity.text in text)


def _value(entities: tuple[Entity, ...], name: str) -> str | None:
    """Return the last value of a kind: people correct themselves."""
    found = [entity.value for entity in entities if entity.entity == name]
    return found[-1] if found else None
