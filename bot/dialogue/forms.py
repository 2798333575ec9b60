"""Forms: the slots of an action, collected over several turns. Pure.

A form asks for its slots in order; one message may fill several. An action that cannot be undone
needs a confirmation. The customer may correct a value, ask another question in between (it is
answered, then the form asks again), or cancel.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from bot.core.types import Decision, Entity, Route, Understanding
from bot.dialogue.policy_file import IntentRule, PolicyContent
from bot.dialogue.state import CONFIRM, FormState, State, suspended_forms

YES: Final = "/affirm"
NO: Final = "/deny"
_END = r"[\s.!。！~,，]*"
_WORD: Final = re.compile(r"[^\W\d_]{2}|[\u4e00-\u9fff]")
# The whole answer to a question like "Shall I …?".
_YES: Final = re.compile(
    r"(?:/affirm|yes|yeah|yep|yup|ya|yea|aye|ok|okay|ok go|sure|correct|right|exactly|please|do it|"
    r"go ahead|confirm(?:ed)?|yes,? (?:that one|this one|that'?s the one)|that one|"
    r"(?:yes|sure|ok|yeah|yep)[,. ]+(?:please|do(?: it| that)?|go ahead|cancel(?: it)?|correct|"
    r"that'?s right|confirm(?:ed)?)|please[, ]+do(?: it)?|that'?s (?:right|correct)|"
    r"对对|对对对|對對|对，?就是(?:这个|它)|就是这个|嗯办吧|办吧|好的?，?办吧|"
    r"好|好的|好吧|可以|可以的|行|是|是的|对|对的|對|没错|沒錯|没问题|要|需要|嗯|嗯嗯|转吧|请转|"
    r"确认|確認|确定|確定|确认一下|麻烦了|好的谢谢)"
    r"(?:[,，。 ]*(?:谢谢|謝謝|thanks|thank you))?" + _END,
    re.IGNORECASE,
)
_NO: Final = re.compile(
    r"(?:/deny|no|nope|nah|no[, ]+(?:thanks|thank you)|not now|don'?t|do not|"
    r"不|不用|不用了|不要|不是|不对|不行|别|否|不需要|算了|不了)" + _END,
    re.IGNORECASE,
)
_STOP: Final = re.compile(
    r"(?:never ?mind|forget (?:it|that|about it)|leave it(?: for now)?|stop(?: it| this)?|"
    r"let'?s (?:leave|drop) (?:it|that)|i(?:'ve| have)? changed my mind|not any ?more|"
    r"算了(?:吧)?|不用了(?:谢谢)?|先不(?:弄|办|用)了|不办了|当我没说|改主意了|不弄了|取消操作)"
    + _END,
    re.IGNORECASE,
)
_ANOTHER: Final = re.compile(
    r"\b(?:other|another|different|wrong|not that|not this) "
    r"(?:one|order|number|code|booking|appointment)\b|"
    r"^\s*no,? (?:the|my) other|不是(?:这|那)(?:个|单|笔)|另(?:外)?一?(?:个|单|笔)|换一(?:个|单)|"
    r"(?:单号|订单号|訂單號)(?:写|打|发|給|给)?(?:错|錯)",
    re.IGNORECASE,
)
_MAX_EXTRA_CHARACTERS: Final = 12  # around a bare value: "it is …", "sorry, …"
_CODES: Final = frozenset({"email", "phone", "url"})  # built-in kinds of entities
_MIN_FREE_TEXT: Final = 4  # characters of an address or a reason


def agrees(text: str) -> bool:
    """Return whether a message is a yes and nothing else."""
    return _YES.fullmatch(text.strip()) is not None


def declines(text: str) -> bool:
    """Return whether a message is a no and nothing else."""
    return _NO.fullmatch(text.strip()) is not None


@dataclass(frozen=True)
class Forms:
    """The forms of a policy: the slots a message fills, and the next question."""

    content: PolicyContent

    def filled(self, text: str, understanding: Understanding, state: State) -> dict[str, str]:
        """Return the slots a message fills: from its entities, or as the answer to a question.

        An empty value clears a slot: "no, the other one".
        """
        names = self.content.wanted()
        values = {
            name: value for name in names if (value := self._value(name, understanding, text))
        }
        form = state.form
        if form is None:
            return values
        if form.asked != CONFIRM and form.asked not in values:
            rule = self.content.slots.get(form.asked)
            codes = _CODES | self.content.kinds_of_entities("code")
            has_free_text = _has_free_text(understanding.entities, text, codes)
            if (
                rule
                and rule.free_text
                and has_free_text
                and not self.leaves(text, understanding, form)
            ):
                values[form.asked] = " ".join(text.split())
        if _ANOTHER.search(text):
            taken_back = self.content.slots_with("identifies") - values.keys()
            values |= dict.fromkeys(taken_back, "")
        return values

    def _value(self, slot: str, understanding: Understanding, text: str) -> str | None:
        """Return the last value that fits a slot: people correct themselves.

        Entities of this request come before those of another request in the message. A slot with a
        day and a time gets both, in ISO 8601 format.
        """
        rule = self.content.slots.get(slot)
        kinds = (rule.entities if rule else ()) or (slot,)
        fitting = [entity for entity in understanding.entities if entity.entity in kinds]
        values = {e.entity: e.value for e in (entities_in(tuple(fitting), text) or fitting)}
        if {"date", "time"} <= values.keys():
            return f"{values['date']}T{values['time']}"
        keeps_words = rule is not None and rule.free_text and "time" not in values
        if keeps_words and _has_free_text(tuple(fitting), text, kinds):
            return None  # "tomorrow morning" says more than the date: keep the words
        return next(reversed(values.values()), None)

    def goes_on(self, text: str, understanding: Understanding, state: State) -> Decision | None:
        """Return the next step of the open form; None where the message is about something else."""
        form = state.form
        rule = self.content.routes.get(form.intent) if form else None
        if form is None or rule is None:
            return None
        if _STOP.fullmatch(text.strip()) or (declines(text) and form.asked == CONFIRM):
            return self._cancel(form)
        filled = self.filled(text, understanding, state)
        if form.asked == CONFIRM:
            return self._answer_to_confirmation(text, understanding, state, filled)
        fills_new_slot = any(filled.get(name) and name not in state.slots for name in rule.slots)
        answers = (form.asked in filled or fills_new_slot) and not self._changes_topic(
            text, understanding, form
        )
        if not answers and "" not in filled.values():
            return None
        reason = "slot_filled" if answers else "corrected"
        return self.next(rule, form.intent, reason, state, filled)

    def _answer_to_confirmation(
        self, text: str, understanding: Understanding, state: State, filled: Mapping[str, str]
    ) -> Decision | None:
        """Return what the answer to "Shall I?" leads to: run the action, or change a value."""
        form = state.form
        if form is None:
            return None
        rule = self.content.routes[form.intent]
        if agrees(text):
            return Decision(Route.ACT, "confirmed", form.intent, action=rule.action)
        corrected = any(name in rule.slots for name in filled)
        if corrected and not _asks_something_else(text, understanding, form.intent):
            return self.next(rule, form.intent, "corrected", state, filled)
        return None

    def again(self, form: FormState) -> Decision | None:
        """Ask the same question once more; None after too many attempts."""
        if form.tries >= self.content.failures_before_handoff:
            return None
        rule = self.content.routes[form.intent]
        if form.asked == CONFIRM:
            return self._confirmation(rule, form.intent, "confirm_again")
        return Decision(
            Route.ACT,
            "slot_invalid",
            form.intent,
            template=f"ask_{form.asked}",
            action=rule.action,
            slot=form.asked,
        )

    def next(
        self, rule: IntentRule, intent: str, reason: str, state: State, filled: Mapping[str, str]
    ) -> Decision:
        """Return the next step of an action: ask for a slot, ask for a confirmation, or run it."""
        slots = {**state.slots, **filled}
        for slot in rule.slots:
            if not slots.get(slot) and not self._is_not_needed(slot, slots):
                reason = reason if reason == "corrected" else "missing_slot"
                return Decision(
                    Route.ACT, reason, intent, template=f"ask_{slot}", action=rule.action, slot=slot
                )
        if rule.confirm:
            return self._confirmation(rule, intent, reason if reason == "corrected" else "confirm")
        return Decision(Route.ACT, reason, intent, action=rule.action)

    def waiting(self, decision: Decision, state: State) -> FormState | None:
        """Return the form that is resumed after a decision, if there is one."""
        if decision.route in {Route.HANDOFF, Route.CLARIFY} or decision.slot or decision.confirms:
            return None
        forms = state.forms
        if decision.reason == "form_cancelled":
            forms = forms[:-1]
        elif decision.route is Route.ACT:
            forms = suspended_forms(forms, decision)
        return forms[-1] if forms else None

    def question(self, form: FormState) -> str:
        """Return the template that asks for what a form is waiting for."""
        rule = self.content.routes.get(form.intent)
        if form.asked == CONFIRM and rule and rule.confirm:
            return rule.confirm
        return f"ask_{form.asked}"

    def _confirmation(self, rule: IntentRule, intent: str, reason: str) -> Decision:
        return Decision(
            Route.ACT, reason, intent, template=rule.confirm, action=rule.action, confirms=True
        )

    def _cancel(self, form: FormState) -> Decision:
        return Decision(Route.TEMPLATE, "form_cancelled", form.intent, template="form_cancelled")

    def _is_not_needed(self, slot: str, slots: Mapping[str, str]) -> bool:
        rule = self.content.slots.get(slot)
        if rule is None or rule.given_by is None:
            return False
        first, second = (slots.get(name) for name in rule.given_by)
        return bool(first) and first == second

    def leaves(self, text: str, understanding: Understanding, form: FormState) -> bool:
        """Return whether a message is about something else than the question of the form."""
        if not _WORD.search(text):
            return False  # probably a mistyped number
        confident = understanding.confidence >= self.content.thresholds.leave
        same = understanding.intent in {None, form.intent}
        rule = self.content.slots.get(form.asked)
        if rule and rule.free_text and not is_question(text):
            # Addresses and reasons can look like any intent: require a higher confidence.
            very_confident = understanding.confidence >= (1 + self.content.thresholds.leave) / 2
            return very_confident and not same and understanding.intent != "oos"
        return confident and not same

    def _changes_topic(self, text: str, understanding: Understanding, form: FormState) -> bool:
        """Return whether a message contains the slot's value but asks for something else."""
        rule = self.content.slots.get(form.asked)
        if rule is not None and rule.free_text:
            return False  # the whole message is already the value
        if not self.leaves(text, understanding, form) or understanding.intent == "oos":
            return False
        return not contains_only_values(understanding.entities, text)


def _has_free_text(entities: tuple[Entity, ...], text: str, kinds: Collection[str]) -> bool:
    """Return whether a message says more than values of some kinds: an e-mail is not an address."""
    for entity in entities_in(entities, text):
        if entity.entity in kinds:
            text = text.replace(entity.text, "", 1)
    return len(text.strip()) >= _MIN_FREE_TEXT and re.search(r"\w", text) is not None


def _asks_something_else(text: str, understanding: Understanding, intent: str) -> bool:
    """Return whether a message contains a value but is a question about something else."""
    return is_question(text) and understanding.intent not in {None, intent, "oos"}


def is_question(text: str) -> bool:
    """Return whether a message ends with a question mark."""
    return text.rstrip().endswith(("?", "？"))


def contains_only_values(entities: tuple[Entity, ...], text: str) -> bool:
    """Return whether a message consists of values and little else."""
    values = sum(len(entity.text) for entity in entities_in(entities, text))
    return len(text.strip()) <= values + _MAX_EXTRA_CHARACTERS


def entities_in(entities: tuple[Entity, ...], text: str) -> tuple[Entity, ...]:
    """Return the entities of one request; the message may contain others."""
    return tuple(entity for entity in entities if entity.text in text)
