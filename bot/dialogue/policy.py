"""The policy: from the understood message and the state to the route of the message. Pure.

Its content is the home's `policy.yml`; every decision names the rule that fired.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from bot.core.types import (
    ONLY_FILES,
    OUT_OF_SCOPE,
    Decision,
    PromiseStatus,
    Route,
    Understanding,
)
from bot.dialogue import safety
from bot.dialogue.forms import (
    Forms,
    agrees,
    contains_only_values,
    declines,
    entities_in,
    is_question,
)
from bot.dialogue.handoff import ConversationOwner
from bot.dialogue.policy_file import (
    BUILT_IN,
    EscalationRule,
    IntentRule,
    PolicyContent,
    PolicyError,
    matches,
    read,
)
from bot.dialogue.state import CONFIRM, State

__all__ = ["BUILT_IN", "Policy", "PolicyContent", "PolicyError", "load"]

TO_BOT: Final = "/to_bot"  # the payload of the button "go on with the assistant"
_LETTER_OR_DIGIT = re.compile(r"\w")
_MAX_OUTBURST: Final = 30  # characters of a complaint that is only an insult
_CONTACT_ENTITIES: Final = frozenset({"email", "phone"})


def load(path: Path) -> "Policy":
    """Read a home's policy; without a file the built-in one: retrieve, else hand off."""
    return Policy(*read(path))


@dataclass(frozen=True)
class Policy:
    """The rules that decide where a message goes."""

    content: PolicyContent
    version: str
    has_knowledge: bool = field(default=True)

    @property
    def forms(self) -> Forms:
        """The forms of this policy."""
        return Forms(self.content)

    def decide(self, text: str, understanding: Understanding, state: State) -> Decision:
        """Return where a message goes; a suspended form is resumed afterwards."""
        decision = self._decide(text, understanding, state)
        if self._replaces_confirmation(decision, state):
            decision = replace(decision, drops=True)
        waiting = self.forms.waiting(decision, state)
        return replace(decision, resumes=self.forms.question(waiting)) if waiting else decision

    def _replaces_confirmation(self, decision: Decision, state: State) -> bool:
        """Return whether another action is requested instead of the confirmation: that was a no."""
        form, rule = state.form, self.content.routes.get(decision.intent or "")
        if form is None or form.asked != CONFIRM or decision.intent == form.intent:
            return False
        return decision.route is Route.ACT and rule is not None and rule.confirm is not None

    def _decide(self, text: str, understanding: Understanding, state: State) -> Decision:
        if state.owner is ConversationOwner.HUMAN:
            return self._handoff("with_human", understanding, queue=state.queue)
        if decision := self._check_first(text, understanding, state):
            return decision
        rule = self._escalation(text, understanding)
        if rule and not self._hands_off_itself(understanding, rule.queue):
            return self._handoff("escalation", understanding, queue=rule.queue)
        if going := self._form(text, understanding, state):
            return going
        if self._adds_to_handoff(text, understanding, state):
            return self._route(text, replace(understanding, intent=state.intent), state)
        return self._by_intent(text, understanding, state)

    def _check_first(
        self, text: str, understanding: Understanding, state: State
    ) -> Decision | None:
        """Return a decision that comes before any request: safety, a pause, or the queue."""
        decision = self._paused(text, understanding)
        if decision is None and state.owner is ConversationOwner.QUEUED:
            decision = self._on_waiting(text, understanding)
        decision = decision or self._on_files(text, understanding, state)
        return decision or self._on_unreadable(text, understanding, state)

    def _paused(self, text: str, understanding: Understanding) -> Decision | None:
        """Return the decision for every message: in an emergency, and while the bot is paused."""
        if emergency := safety.emergency(self.content, text):
            return Decision(Route.TEMPLATE, "emergency", understanding.intent, emergency)
        if self.content.pause == "maintenance":
            return Decision(Route.TEMPLATE, "maintenance", understanding.intent, "maintenance")
        if self.content.pause == "humans":
            return self._handoff("paused", understanding)
        return None

    def _on_files(self, text: str, understanding: Understanding, state: State) -> Decision | None:
        """Return the decision for files without text: offer a person, who can look at them."""
        if text not in ONLY_FILES.values():
            return None
        if state.owner is ConversationOwner.QUEUED:
            return self._handoff("file_received", understanding)
        return Decision(Route.TEMPLATE, "file_received", None, "file_received")

    def _on_unreadable(
        self, text: str, understanding: Understanding, state: State
    ) -> Decision | None:
        """Return the decision for a message that must not be read as a request."""
        if not _LETTER_OR_DIGIT.search(text):
            return self._unclear("no_words", state, template="unreadable")
        if understanding.language == "other":
            return self._handoff("other_language", understanding, template="other_language")
        if safety.attacks(self.content, text):
            return Decision(Route.TEMPLATE, "refused", understanding.intent, "refused")
        if self._insults(text, understanding):
            calm = Decision(Route.TEMPLATE, "abuse", understanding.intent, "abuse")
            return self._handoff("abuse", understanding) if state.warnings else calm
        if state.offered_human and (agrees(text) or declines(text)):
            declined = Decision(Route.TEMPLATE, "declined_offer", None, "no_question")
            accepted = self._handoff("accepted_offer", understanding)
            return accepted if agrees(text) else declined
        return None

    def _on_waiting(self, text: str, understanding: Understanding) -> Decision | None:
        """Return the decision for a message in the queue that is about the waiting itself."""
        if safety.withdraws(text) or text.strip() == TO_BOT:
            return Decision(Route.TEMPLATE, "withdrawn", None, "handoff_withdrawn")
        if {entity.entity for entity in understanding.entities} & _CONTACT_ENTITIES:
            return self._handoff("contact_given", understanding, template="contact_taken")
        return None

    def _insults(self, text: str, understanding: Understanding) -> bool:
        """Return whether a message is abuse; a rude message with a clear request is answered."""
        if not safety.insults(self.content, text):
            return False
        intent = understanding.intent
        content = self.content
        asks = intent not in {None, OUT_OF_SCOPE}
        if content.is_kind(intent, "small_talk", "about_assistant"):
            asks = False
        if content.is_kind(intent, "complaint") and len(text) <= _MAX_OUTBURST:  # no request in it
            asks = False
        if safety.only_insults(self.content, text):
            return True
        return not (asks and understanding.confidence >= self.content.thresholds.answer)

    def _form(self, text: str, understanding: Understanding, state: State) -> Decision | None:
        """Return the next step of the open form; None where the message is a request of its own."""
        form = state.form
        if form is None or form.intent not in self.content.routes:
            return None
        request = replace(understanding, entities=entities_in(understanding.entities, text))
        if decision := self.forms.goes_on(text, request, state):
            return decision
        if self.forms.leaves(text, request, form) or self._is_small_talk(understanding.intent):
            return None
        # "I need to think" instead of a yes is neither an action nor a question.
        may_ask = form.asked != CONFIRM or is_question(text) or self._asks_how(text)
        same_intent = understanding.intent == form.intent
        if may_ask and same_intent and self._only_asks(text, request, form.intent):
            return None
        if decision := self.forms.again(form):
            return decision
        return self._to_person("repeated_failure", form.intent)

    def _adds_to_handoff(self, text: str, understanding: Understanding, state: State) -> bool:
        """Return whether a message only adds contact details or a number to the last hand-off."""
        rule = self.content.routes.get(state.intent or "")
        if rule is None or rule.route != "handoff" or state.owner is ConversationOwner.RETURNED:
            return False
        kinds = _CONTACT_ENTITIES | self.content.kinds_of_entities("identifies")
        details = tuple(e for e in entities_in(understanding.entities, text) if e.entity in kinds)
        return bool(details) and contains_only_values(details, text)

    def _is_small_talk(self, intent: str | None) -> bool:
        return self.content.is_kind(intent, "small_talk")

    def _escalation(self, text: str, understanding: Understanding) -> EscalationRule | None:
        rules = self.content.escalations
        return next((rule for rule in rules if rule.fires(text, understanding.intent)), None)

    def _hands_off_itself(self, understanding: Understanding, queue: str | None) -> bool:
        """Return whether the intent itself goes to the same queue, with its own text."""
        intent = understanding.intent or OUT_OF_SCOPE
        rule = self.content.routes.get(intent)
        confident = understanding.confidence >= self.content.thresholds.answer
        if rule is None or rule.route != "handoff" or not confident:
            return False
        return queue in {None, rule.queue or self.content.queues.get(intent)}

    def _by_intent(self, text: str, understanding: Understanding, state: State) -> Decision:
        thresholds = self.content.thresholds
        intent, confidence = understanding.intent, understanding.confidence
        if intent is None:
            return self._search("no_model", understanding)
        if intent == OUT_OF_SCOPE:
            best = understanding.ranking[0] if understanding.ranking else None
            if best and best.intent != OUT_OF_SCOPE and best.confidence >= thresholds.familiar:
                named = replace(understanding, intent=best.intent, confidence=best.confidence)
                return self._route(text, named, state)
            return self._out_of_scope(understanding, state)
        if understanding.promised is PromiseStatus.UNSURE:
            return self._ask_or_hand_off(understanding, state)
        if understanding.promised is PromiseStatus.KEPT or confidence >= thresholds.answer:
            return self._route(text, understanding, state)
        return self._when_unsure(understanding, state)

    def _when_unsure(self, understanding: Understanding, state: State) -> Decision:
        if understanding.emotion == "angry" and state.failures:
            return self._handoff("anger", understanding, template="anger")
        if understanding.confidence >= self.content.thresholds.clarify:
            names = (score.intent for score in understanding.ranking)
            options = tuple(
                name for name in names if name != OUT_OF_SCOPE and not self._is_small_talk(name)
            )
            return self._unclear("unsure", state, options=options[: self.content.clarify_options])
        return self._search("unsure_search", understanding)

    def _ask_or_hand_off(self, understanding: Understanding, state: State) -> Decision:
        """Keep the promise: clarify if few requests are possible, else hand off."""
        candidates = understanding.candidates
        if 1 <= len(candidates) <= self.content.clarify_options:
            return self._unclear("promise", state, options=candidates)
        return self._handoff("promise", understanding)

    def _route(self, text: str, understanding: Understanding, state: State) -> Decision:
        intent = understanding.intent or OUT_OF_SCOPE
        rule = self.content.routes.get(intent)
        if rule is None:
            return self._search("no_rule", understanding, intent)
        reason = "smalltalk" if self._is_small_talk(intent) else f"route:{intent}"
        if rule.route == "handoff":
            queue = rule.queue or self.content.queues.get(intent)
            return self._handoff(
                reason, understanding, template=rule.template or intent, queue=queue
            )
        if rule.route == "act":
            return self._act(rule, text, understanding, state)
        if rule.route == "retrieve":
            return self._search(reason, understanding, intent)
        return Decision(Route.TEMPLATE, reason, intent, template=rule.template or intent)

    def _act(
        self, rule: IntentRule, text: str, understanding: Understanding, state: State
    ) -> Decision:
        """Start an action; a customer who only asks about it gets information instead."""
        intent = understanding.intent or OUT_OF_SCOPE
        filled = self.forms.filled(
            text, understanding, state
        )  # including values from other requests
        has_values = _has_values(rule, text, understanding)
        if self._only_asks(text, understanding, intent):
            return Decision(Route.TEMPLATE, f"informs:{intent}", intent, template=rule.informs)
        if not has_values and state.failures >= self.content.failures_before_handoff:
            return self._handoff("repeated_failure", understanding)
        return self.forms.next(rule, intent, f"route:{intent}", state, filled)

    def _only_asks(self, text: str, understanding: Understanding, intent: str) -> bool:
        """Return whether the customer asks how an action works and does not request it."""
        rule = self.content.routes[intent]
        if not rule.informs or _has_values(rule, text, understanding):
            return False
        if understanding.wishes is not None:
            return understanding.wishes < self.content.thresholds.wishes
        return self._asks_how(text)

    def _asks_how(self, text: str) -> bool:
        return matches(self.content.informative, text)

    def _out_of_scope(self, understanding: Understanding, state: State) -> Decision:
        """Refuse a message that is clearly out of scope, unless it is a question to search for.

        The model knows the past requests of customers; the knowledge base may answer more.
        """
        if understanding.emotion == "angry" and state.failures:
            return self._handoff("anger", understanding, template="anger")
        ranking = understanding.ranking
        clearly_outside = bool(ranking) and ranking[0].intent == OUT_OF_SCOPE
        if clearly_outside and (understanding.seeks or 0.0) < self.content.thresholds.asks:
            return Decision(Route.TEMPLATE, "out_of_scope", OUT_OF_SCOPE, template="out_of_scope")
        return self._search("unsure_search", understanding, OUT_OF_SCOPE)

    def _search(
        self, reason: str, understanding: Understanding, intent: str | None = None
    ) -> Decision:
        intent = intent or understanding.intent
        if not self.has_knowledge:
            return self._handoff("no_knowledge", understanding)
        seeks = understanding.seeks
        only_search = reason in {"no_model", "unsure_search"}
        if only_search and seeks is not None and seeks < self.content.thresholds.seeks:
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

    def slots(self, text: str, understanding: Understanding, state: State) -> dict[str, str]:
        """Return the slots a message fills; an empty value takes one back."""
        return self.forms.filled(text, understanding, state)

    def is_open(self, at: datetime, language: str) -> bool:
        """Return whether the service is open at this time."""
        return self.content.hours.is_open(at, language)

    def without_evidence(self, decision: Decision, state: State) -> Decision:
        """Return the decision after a search without relevant results."""
        if decision.intent == OUT_OF_SCOPE:
            return Decision(Route.TEMPLATE, "out_of_scope", OUT_OF_SCOPE, template="out_of_scope")
        if state.failures >= self.content.failures_before_handoff:
            return self._to_person("repeated_failure", decision.intent)
        return Decision(Route.TEMPLATE, "no_evidence", decision.intent, template="no_evidence")

    def without_template(self, decision: Decision) -> Decision:
        """Return the decision where the intent's template does not exist."""
        if decision.route is Route.ACT:
            return decision  # the general question for a slot is used
        if decision.route is Route.HANDOFF:
            return replace(decision, template="handoff")
        if self.has_knowledge:
            return Decision(Route.RETRIEVE, "no_template", decision.intent)
        return self._to_person("no_template", decision.intent)

    def action_failed(self, decision: Decision) -> Decision:
        """Return the hand-off after an action that could not run."""
        return self._to_person("action_failed", decision.intent)

    def articles(self, decision: Decision) -> tuple[str, ...]:
        """Return the patterns of the articles that are preferred for a decision."""
        rule = self.content.routes.get(decision.intent or "")
        return rule.articles if rule else ()

    def evidence_threshold(self, decision: Decision) -> float:
        """Return the score a passage needs to count as evidence for a decision."""
        thresholds = self.content.thresholds
        only_search = decision.reason in {"no_model", "unsure_search"}
        return thresholds.search_evidence if only_search else thresholds.evidence


def _has_values(rule: IntentRule, text: str, understanding: Understanding) -> bool:
    """Return whether a message contains a value that an action needs."""
    return any(entity.entity in rule.slots for entity in entities_in(understanding.entities, text))
