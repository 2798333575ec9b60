"""Forms: an action's slots, filled over several turns, corrected, left and taken up again. Pure.

A form asks for its slots in order, one message may fill several, and what cannot be undone waits
for a yes. Another question in between is answered, and the form then asks on.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from bot.core.types import Decision, Entity, Route, Understanding
from bot.dialogue.policy_file import IntentRule, PolicyContent
from bot.dialogue.state import CONFIRM, FormState, State, left

YES: Final = "/affirm"
NO: Final = "/deny"
_END = r"[\s.!。！~,，]*"
# The whole answer to a question like "Shall I …?", nothing else.
_WORD: Final = re.compile(r"[^\W\d_]{2}|[\u4e00-\u9fff]")
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
_AROUND_A_VALUE: Final = 12  # characters people put around a bare value: "it is …", "sorry, …"
_CODES: Final = frozenset({"email", "phone", "url"})  # of those the core finds itself
_SHORTEST_TEXT: Final = 4  # characters of an address, or of a reason, that says something


def agrees(text: str) -> bool:
    """Tell whether a message is a yes and nothing else."""
    return _YES.fullmatch(text.strip()) is not None


def declines(text: str) -> bool:
    """Tell whether a message is a no and nothing else."""
    return _NO.fullmatch(text.strip()) is not None


@dataclass(frozen=True)
class Forms:
    """The forms of a policy: which slot a message fills, and what is asked next."""

    content: PolicyContent

    def filled(self, text: str, understanding: Understanding, state: State) -> dict[str, str]:
        """Return the slots a message fills: by its entities, or as the answer asked for.

        An empty value takes a slot back: "no, the other one".
        """
        wanted = self.content.wanted()
        found = {
            name: value for name in wanted if (value := self._value(name, understanding, text))
        }
        form = state.form
        if form is None:
            return found
        if form.asked != CONFIRM and form.asked not in found:
            rule = self.content.slots.get(form.asked)
            codes = _CODES | self.content.kinds_of_entities("code")
            says = _beside(understanding.entities, text, codes)
            if rule and rule.free_text and says and not self.leaves(text, understanding, form):
                found[form.asked] = " ".join(text.split())
        if _ANOTHER.search(text):
            taken_back = self.content.slots_with("identifies") - found.keys()
            found |= dict.fromkeys(taken_back, "")
        return found

    def _value(self, slot: str, understanding: Understanding, text: str) -> str | None:
        """Return the last value that fits a slot: people correct themselves.

        What stands in this request comes before what stands in another one of the message. A slot
        of a day and a time takes both, as ISO 8601 has it.
        """
        rule = self.content.slots.get(slot)
        kinds = (rule.entities if rule else ()) or (slot,)
        fitting = [entity for entity in understanding.entities if entity.entity in kinds]
        found = {e.entity: e.value for e in (inside(tuple(fitting), text) or fitting)}
        if {"date", "time"} <= found.keys():
            return f"{found['date']}T{found['time']}"
        words = rule is not None and rule.free_text and "time" not in found
        if words and _beside(tuple(fitting), text, kinds):
            return None  # "tomorrow morning" says more than the day: the words are taken
        return next(reversed(found.values()), None)

    def goes_on(self, text: str, understanding: Understanding, state: State) -> Decision | None:
        """Return how the open form continues with a message; None when it is about other things."""
        form = state.form
        rule = self.content.routes.get(form.intent) if form else None
        if form is None or rule is None:
            return None
        if _STOP.fullmatch(text.strip()) or (declines(text) and form.asked == CONFIRM):
            return self._stopped(form)
        filled = self.filled(text, understanding, state)
        if form.asked == CONFIRM:
            return self._confirmed(text, understanding, state, filled)
        fresh = any(filled.get(name) and name not in state.slots for name in rule.slots)
        given = (form.asked in filled or fresh) and not self._moves_on(text, understanding, form)
        if not given and "" not in filled.values():
            return None
        reason = "slot_filled" if given else "corrected"
        return self.next(rule, form.intent, reason, state, filled)

    def _confirmed(
        self, text: str, understanding: Understanding, state: State, filled: Mapping[str, str]
    ) -> Decision | None:
        """Return what an answer to "Shall I?" means: do it, or do it otherwise."""
        form = state.form
        if form is None:
            return None
        rule = self.content.routes[form.intent]
        if agrees(text):
            return Decision(Route.ACT, "confirmed", form.intent, action=rule.action)
        corrected = any(name in rule.slots for name in filled)
        if corrected and not _asks_else(text, understanding, form.intent):
            return self.next(rule, form.intent, "corrected", state, filled)
        return None

    def again(self, form: FormState) -> Decision | None:
        """Ask for the same once more; None after too many tries."""
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
        """Return what an action still needs: a slot, a yes, or nothing."""
        slots = {**state.slots, **filled}
        for slot in rule.slots:
            if not slots.get(slot) and not self._needless(slot, slots):
                reason = reason if reason == "corrected" else "missing_slot"
                return Decision(
                    Route.ACT, reason, intent, template=f"ask_{slot}", action=rule.action, slot=slot
                )
        if rule.confirm:
            return self._confirmation(rule, intent, reason if reason == "corrected" else "confirm")
        return Decision(Route.ACT, reason, intent, action=rule.action)

    def waiting(self, decision: Decision, state: State) -> FormState | None:
        """Return the form that is taken up again after a decision, if one waits."""
        if decision.route in {Route.HANDOFF, Route.CLARIFY} or decision.slot or decision.confirms:
            return None
        forms = state.forms
        if decision.reason == "form_cancelled":
            forms = forms[:-1]
        elif decision.route is Route.ACT:
            forms = left(forms, decision)
        return forms[-1] if forms else None

    def question(self, form: FormState) -> str:
        """Return the template that asks for what a form waits for."""
        rule = self.content.routes.get(form.intent)
        if form.asked == CONFIRM and rule and rule.confirm:
            return rule.confirm
        return f"ask_{form.asked}"

    def _confirmation(self, rule: IntentRule, intent: str, reason: str) -> Decision:
        return Decision(
            Route.ACT, reason, intent, template=rule.confirm, action=rule.action, confirms=True
        )

    def _stopped(self, form: FormState) -> Decision:
        return Decision(Route.TEMPLATE, "form_cancelled", form.intent, template="form_cancelled")

    def _needless(self, slot: str, slots: Mapping[str, str]) -> bool:
        rule = self.content.slots.get(slot)
        if rule is None or rule.given_by is None:
            return False
        one, other = (slots.get(name) for name in rule.given_by)
        return bool(one) and one == other

    def leaves(self, text: str, understanding: Understanding, form: FormState) -> bool:
        """Tell a message that is about something else than what was asked for."""
        if not _WORD.search(text):
            return False  # a number that is none, as the customer might have it
        sure = understanding.confidence >= self.content.thresholds.leave
        same = understanding.intent in {None, form.intent}
        rule = self.content.slots.get(form.asked)
        if rule and rule.free_text and not is_question(text):
            # Addresses and reasons look like anything: only a surely known request leaves.
            surer = understanding.confidence >= (1 + self.content.thresholds.leave) / 2
            return surer and not same and understanding.intent != "oos"
        return sure and not same

    def _moves_on(self, text: str, understanding: Understanding, form: FormState) -> bool:
        """Tell a message that brings the slot's value but asks for something else."""
        rule = self.content.slots.get(form.asked)
        if rule is not None and rule.free_text:
            return False  # the message was taken as the value already
        if not self.leaves(text, understanding, form) or understanding.intent == "oos":
            return False
        return not holds_only_values(understanding.entities, text)


def _beside(entities: tuple[Entity, ...], text: str, kinds: Collection[str]) -> bool:
    """Tell whether a message says more than values of some kinds: an e-mail is no address."""
    for entity in inside(entities, text):
        if entity.entity in kinds:
            text = text.replace(entity.text, "", 1)
    return len(text.strip()) >= _SHORTEST_TEXT and re.search(r"\w", text) is not None


def _asks_else(text: str, understanding: Understanding, intent: str) -> bool:
    """Tell a message that brings a value but is a question about something else."""
    return is_question(text) and understanding.intent not in {None, intent, "oos"}


def is_question(text: str) -> bool:
    """Tell a message that ends as a question does."""
    return text.rstrip().endswith(("?", "？"))


def holds_only_values(entities: tuple[Entity, ...], text: str) -> bool:
    """Tell a message of values and little around them."""
    values = sum(len(entity.text) for entity in inside(entities, text))
    return len(text.strip()) <= values + _AROUND_A_VALUE


def inside(entities: tuple[Entity, ...], text: str) -> tuple[Entity, ...]:
    """Return the entities of one request: the message may hold others."""
    return tuple(entity for entity in entities if entity.text in text)
