"""The policy: what was understood and what came before → where the message goes. Pure.

Its content is the home's `policy.yml`; every decision names the rule that fired.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from bot.core.types import (
    ONLY_FILES,
    OUT_OF_SCOPE,
    ConfigurationIssue,
    Decision,
    PromiseStatus,
    Route,
    Understanding,
)
from bot.dialogue import safety
from bot.dialogue.forms import Forms, agrees, declines, holds_only_values, inside, is_question
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

UNKNOWN_INTENT: Final = "unknown_intent"  # the model may yet learn it
TO_BOT: Final = "/to_bot"  # what the button "go on with the assistant" says
_LETTER_OR_DIGIT = re.compile(r"\w")
_OUTCRY: Final = 30  # characters up to which an insult is nothing but one
_REACHABLE: Final = frozenset({"email", "phone"})
# Templates that are said without a variable, whatever the routes.
_OWN: Final = (
    *("abuse", "anger", "clarify", "clarify_open", "contact_taken", "error", "form_cancelled"),
    *("handoff", "handoff_closed", "handoff_contact", "handoff_withdrawn", "maintenance"),
    *("no_evidence", "no_question", "other_language", "out_of_scope", "refused", "unreadable"),
    *("passages_in_other_language", "reopened", "yes", "no", "to_bot", "still_there", "closed"),
    "file_received",
)


def load(path: Path) -> "Policy":
    """Read a home's policy; without a file the built-in one: retrieve, else hand off."""
    return Policy(*read(path))


@dataclass(frozen=True)
class Policy:
    """Decides where messages go."""

    content: PolicyContent
    version: str
    has_knowledge: bool = field(default=True)

    def problems(
        self, intents: Collection[str], templates: Collection[str]
    ) -> list[ConfigurationIssue]:
        """Return what does not fit the model's labels and the templates."""
        found = [
            ConfigurationIssue(
                f"intent `{name}` in policy.yml is unknown to the model",
                UNKNOWN_INTENT,
                {"intent": name},
            )
            for name in sorted(set(self.content.routes) - set(intents) - {OUT_OF_SCOPE})
            if intents
        ]
        for name, rule in sorted(self.content.routes.items()):
            if rule.route == "act" and not rule.action:
                message = f"intent `{name}` in policy.yml acts but names no action"
                found.append(ConfigurationIssue(message, "no_action", {"intent": name}))
            wanted = rule.template or (name if rule.route == "template" else None)
            named = (wanted, rule.confirm, rule.informs)
            found += [
                ConfigurationIssue(
                    f"template `{template}` of intent `{name}` does not exist",
                    "no_template",
                    {"template": template, "intent": name},
                )
                for template in named
                if template and template != OUT_OF_SCOPE and template not in templates
            ]
        found += [
            ConfigurationIssue(
                f"template `{emergency.template}` of an emergency does not exist",
                "no_emergency_template",
                {"template": emergency.template},
            )
            for emergency in self.content.emergencies
            if emergency.template not in templates
        ]
        found += [
            ConfigurationIssue(
                f"slot `{name}` in policy.yml is asked for by no intent",
                "slot_unasked",
                {"slot": name},
            )
            for name in sorted(set(self.content.slots) - self.content.wanted())
        ]
        return found

    def said(self) -> dict[str, frozenset[str]]:
        """Return the templates the policy itself says, and the variables each one gets."""
        names = {name: frozenset[str]() for name in _OWN}
        for intent, rule in self.content.routes.items():
            named = rule.template or (intent if rule.route in {"template", "handoff"} else None)
            names |= {name: frozenset() for name in (named, rule.informs) if name}
            names |= {f"ask_{slot}": frozenset() for slot in rule.slots}
            if rule.confirm:
                names[rule.confirm] = frozenset(rule.slots)
        names |= {one.template: frozenset() for one in self.content.emergencies}
        return names | {
            "handoff_waiting": frozenset({"position"}),
            "handoff_joined": frozenset({"agent"}),
            "ask_slot": frozenset({"slot"}),
        }

    @property
    def forms(self) -> Forms:
        """The forms of this policy."""
        return Forms(self.content)

    def decide(self, text: str, understanding: Understanding, state: State) -> Decision:
        """Return where a message goes; a form that was left for it is taken up afterwards."""
        decision = self._decide(text, understanding, state)
        if self._is_instead(decision, state):
            decision = replace(decision, drops=True)
        waiting = self.forms.waiting(decision, state)
        return replace(decision, resumes=self.forms.question(waiting)) if waiting else decision

    def _is_instead(self, decision: Decision, state: State) -> bool:
        """Tell a deed that is asked for where a yes to another one was: that was a no."""
        form, rule = state.form, self.content.routes.get(decision.intent or "")
        if form is None or form.asked != CONFIRM or decision.intent == form.intent:
            return False
        return decision.route is Route.ACT and rule is not None and rule.confirm is not None

    def _decide(self, text: str, understanding: Understanding, state: State) -> Decision:
        if state.owner is ConversationOwner.HUMAN:
            return self._handoff("with_human", understanding, queue=state.queue)
        if found := self._before_all(text, understanding, state):
            return found
        rule = self._escalation(text, understanding)
        if rule and not self._hands_off_itself(understanding, rule.queue):
            return self._handoff("escalation", understanding, queue=rule.queue)
        if going := self._form(text, understanding, state):
            return going
        if self._adds_to_what_people_do(text, understanding, state):
            return self._route(text, replace(understanding, intent=state.intent), state)
        return self._by_intent(text, understanding, state)

    def _before_all(self, text: str, understanding: Understanding, state: State) -> Decision | None:
        """Return what comes before any request: safety, a pause, the waiting for a person."""
        found = self._paused(text, understanding)
        if found is None and state.owner is ConversationOwner.QUEUED:
            found = self._waiting(text, understanding)
        found = found or self._received(text, understanding, state)
        return found or self._unfit(text, understanding, state)

    def _paused(self, text: str, understanding: Understanding) -> Decision | None:
        """Return what is said to everything: in an emergency, and while the bot pauses."""
        if emergency := safety.emergency(self.content, text):
            return Decision(Route.TEMPLATE, "emergency", understanding.intent, emergency)
        if self.content.pause == "maintenance":
            return Decision(Route.TEMPLATE, "maintenance", understanding.intent, "maintenance")
        if self.content.pause == "humans":
            return self._handoff("paused", understanding)
        return None

    def _received(self, text: str, understanding: Understanding, state: State) -> Decision | None:
        """Return what files without words get: a person is offered, who can look at them."""
        if text not in ONLY_FILES.values():
            return None
        if state.owner is ConversationOwner.QUEUED:
            return self._handoff("file_received", understanding)
        return Decision(Route.TEMPLATE, "file_received", None, "file_received")

    def _unfit(self, text: str, understanding: Understanding, state: State) -> Decision | None:
        """Return what a message gets that is not to be read for a request."""
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

    def _waiting(self, text: str, understanding: Understanding) -> Decision | None:
        """Return what somebody in the queue says about the waiting itself."""
        if safety.withdraws(text) or text.strip() == TO_BOT:
            return Decision(Route.TEMPLATE, "withdrawn", None, "handoff_withdrawn")
        if {entity.entity for entity in understanding.entities} & _REACHABLE:
            return self._handoff("contact_given", understanding, template="contact_taken")
        return None

    def _insults(self, text: str, understanding: Understanding) -> bool:
        """Tell abuse; who is rude and asks for something clear is helped all the same."""
        if not safety.insults(self.content, text):
            return False
        intent = understanding.intent
        content = self.content
        asks = intent not in {None, OUT_OF_SCOPE}
        if content.is_kind(intent, "small_talk", "about_assistant"):
            asks = False
        if content.is_kind(intent, "complaint") and len(text) <= _OUTCRY:  # nothing to see to
            asks = False
        if safety.only_insults(self.content, text):
            return True
        return not (asks and understanding.confidence >= self.content.thresholds.answer)

    def _form(self, text: str, understanding: Understanding, state: State) -> Decision | None:
        """Return how the open form goes on; None where the message is for itself."""
        form = state.form
        if form is None or form.intent not in self.content.routes:
            return None
        here = replace(understanding, entities=inside(understanding.entities, text))
        if found := self.forms.goes_on(text, here, state):
            return found
        if self.forms.leaves(text, here, form) or self._is_small_talk(understanding.intent):
            return None
        # "I need to think" in place of a yes wants nothing done, but asks nothing either.
        may_ask = form.asked != CONFIRM or is_question(text) or self._asks_how(text)
        same = understanding.intent == form.intent
        if may_ask and same and self._only_asks(text, here, form.intent):
            return None
        if found := self.forms.again(form):
            return found
        return self._to_person("repeated_failure", form.intent)

    def _adds_to_what_people_do(
        self, text: str, understanding: Understanding, state: State
    ) -> bool:
        """Tell a bare number or address, from who was just handed off and asked for it."""
        rule = self.content.routes.get(state.intent or "")
        if rule is None or rule.route != "handoff" or state.owner is ConversationOwner.RETURNED:
            return False
        kinds = _REACHABLE | self.content.kinds_of_entities("identifies")
        details = tuple(e for e in inside(understanding.entities, text) if e.entity in kinds)
        return bool(details) and holds_only_values(details, text)

    def _is_small_talk(self, intent: str | None) -> bool:
        return self.content.is_kind(intent, "small_talk")

    def _escalation(self, text: str, understanding: Understanding) -> EscalationRule | None:
        rules = self.content.escalations
        return next((rule for rule in rules if rule.fires(text, understanding.intent)), None)

    def _hands_off_itself(self, understanding: Understanding, queue: str | None) -> bool:
        """Tell an intent that goes to the same people anyway, with words of its own."""
        intent = understanding.intent or OUT_OF_SCOPE
        rule = self.content.routes.get(intent)
        sure = understanding.confidence >= self.content.thresholds.answer
        if rule is None or rule.route != "handoff" or not sure:
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
        """Keep the promise: ask which request is meant where few are possible, else a person."""
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
        """Begin an action; who only asks how it goes is told, and nothing is done."""
        intent = understanding.intent or OUT_OF_SCOPE
        filled = self.forms.filled(text, understanding, state)  # other requests bring values too
        brings = _brings(rule, text, understanding)
        if self._only_asks(text, understanding, intent):
            return Decision(Route.TEMPLATE, f"informs:{intent}", intent, template=rule.informs)
        if not brings and state.failures >= self.content.failures_before_handoff:
            return self._handoff("repeated_failure", understanding)
        return self.forms.next(rule, intent, f"route:{intent}", state, filled)

    def _only_asks(self, text: str, understanding: Understanding, intent: str) -> bool:
        """Tell who wants to know how an action goes from who wants it done."""
        rule = self.content.routes[intent]
        if not rule.informs or _brings(rule, text, understanding):
            return False
        if understanding.wishes is not None:
            return understanding.wishes < self.content.thresholds.wishes
        return self._asks_how(text)

    def _asks_how(self, text: str) -> bool:
        return matches(self.content.informative, text)

    def _out_of_scope(self, understanding: Understanding, state: State) -> Decision:
        """Refuse what is surely not ours; a question may be answered by the knowledge all the same.

        The model knows what customers asked so far, the knowledge may say more than that.
        """
        if understanding.emotion == "angry" and state.failures:
            return self._handoff("anger", understanding, template="anger")
        ranking = understanding.ranking
        outside = bool(ranking) and ranking[0].intent == OUT_OF_SCOPE
        if outside and (understanding.seeks or 0.0) < self.content.thresholds.asks:
            return Decision(Route.TEMPLATE, "out_of_scope", OUT_OF_SCOPE, template="out_of_scope")
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

    def slots(self, text: str, understanding: Understanding, state: State) -> dict[str, str]:
        """Return the slots a message fills; an empty value takes one back."""
        return self.forms.filled(text, understanding, state)

    def is_open(self, at: datetime, language: str) -> bool:
        """Tell whether people answer at this time."""
        return self.content.hours.is_open(at, language)

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

    def articles(self, decision: Decision) -> tuple[str, ...]:
        """Return the patterns of the articles that are preferred for a decision."""
        rule = self.content.routes.get(decision.intent or "")
        return rule.articles if rule else ()

    def evidence_threshold(self, decision: Decision) -> float:
        """Return the score passages need to count as evidence for a decision."""
        thresholds = self.content.thresholds
        alone = decision.reason in {"no_model", "unsure_search"}
        return thresholds.search_evidence if alone else thresholds.evidence


def _brings(rule: IntentRule, text: str, understanding: Understanding) -> bool:
    """Tell a message that holds something an action needs."""
    return any(entity.entity in rule.slots for entity in inside(understanding.entities, text))
