"""The state of a conversation: frozen values, and `advance`, which moves them forward. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from bot.core import intent_history as leaning
from bot.core.intent_history import IntentHistory
from bot.core.types import Decision, IntentScore, Role, Route, Turn, Understanding
from bot.dialogue import handoff
from bot.dialogue.handoff import Assignment, ConversationOwner, CustomerWrote, HandedOff, QueueLeft
from bot.dialogue.policy_file import RESERVED

_REMEMBERED: Final = 12
# Reasons of replies that ask whether a person shall take over.
OFFERING: Final = frozenset({"no_evidence", "out_of_scope", "file_received"})
NO_TOPIC: Final = frozenset({"smalltalk", "no_words", "no_question", "file_received"})
BOT, QUEUED, HUMAN, CLOSED = (
    ConversationOwner.BOT,
    ConversationOwner.QUEUED,
    ConversationOwner.HUMAN,
    ConversationOwner.CLOSED,
)
CONFIRM: Final = "confirm"  # what a form asks for last


@dataclass(frozen=True)
class Utterance:
    """A line of the conversation so far."""

    role: Role
    text: str


@dataclass(frozen=True)
class FormState:
    """An action that waits for something: a slot, or a yes (`asked` is "confirm" then)."""

    intent: str
    asked: str
    tries: int = 1  # how often that was asked for in a row


@dataclass(frozen=True)
class State:
    """What is remembered between messages; `revision` counts the turns and changes so far."""

    language: str | None = None
    history: tuple[Utterance, ...] = ()
    intent: str | None = None
    asked: tuple[str, ...] = ()  # the intents so far, the last of them
    slots: dict[str, str] = field(default_factory=dict)
    forms: tuple[FormState, ...] = ()  # the last one is filled; the others wait for it
    options: tuple[str, ...] = ()  # intents the last question offered
    failures: int = 0  # replies in a row that did not help
    warnings: int = 0  # abusive messages so far
    offered_human: bool = False  # the last reply asked whether a colleague should take over
    articles: tuple[str, ...] = ()  # those the last answer was taken from
    mood: str = "calm"
    leaning: IntentHistory = ()  # what the customer's messages have been about
    custody: Assignment = field(default_factory=Assignment)
    revision: int = 0
    # Slots that are stored in the clear; it is not stored itself: each turn says it anew.
    unsealed: frozenset[str] = field(default=RESERVED, compare=False)

    @property
    def owner(self) -> ConversationOwner:
        """Who has the conversation."""
        return self.custody.owner

    @property
    def queue(self) -> str | None:
        """The queue it waits in, or waited in last."""
        return self.custody.queue

    @property
    def form(self) -> FormState | None:
        """The form that is filled now."""
        return self.forms[-1] if self.forms else None

    @property
    def open_slot(self) -> str | None:
        """What was asked for and not yet given."""
        return self.form.asked if self.form else None


def advance(state: State, turn: Turn, kept: Callable[[str], bool] = RESERVED.__contains__) -> State:
    """Return the state after a turn; `kept` says which slots outlast their form."""
    decisions = turn.decisions
    options = [d.options for d in decisions if d.options]
    understood = turn.understanding.language
    forms = _forms(state, decisions)
    slots = {key: v for key, v in {**state.slots, **dict(turn.slots)}.items() if v}
    if state.forms and not forms:  # what was only needed for the form is not kept
        slots = {key: value for key, value in slots.items() if kept(key)}
    return replace(
        state,
        language=understood if understood in {"en", "zh"} else state.language,
        history=(state.history + _said(turn))[-_REMEMBERED:],
        intent=_topic(_last_asking(decisions)) or state.intent,
        asked=(*state.asked, *filter(None, map(_topic, decisions)))[-_REMEMBERED:],
        slots=slots,
        forms=forms,
        options=options[-1] if options else (),
        failures=0 if any(map(_helped, decisions)) else state.failures + 1,
        warnings=state.warnings + any(d.reason == "abuse" for d in decisions),
        offered_human=decisions[-1].reason in OFFERING,
        articles=tuple(dict.fromkeys(c.article for c in turn.reply.citations)) or state.articles,
        mood=turn.understanding.emotion,
        leaning=leaning.update_history(state.leaning, _ranking(turn.understanding)),
        unsealed=frozenset(filter(kept, slots)),
        custody=_custody(state, decisions, turn.message.at),
        revision=state.revision + 1,
    )


def _ranking(understanding: Understanding) -> tuple[IntentScore, ...]:
    """Return the likeliest intents of a message; of several requests the last one goes on."""
    requests = understanding.requests
    return requests[-1].ranking if requests else understanding.ranking


def _said(turn: Turn) -> tuple[Utterance, ...]:
    said = (Utterance(Role.CUSTOMER, turn.message.text), Utterance(Role.BOT, turn.reply.text))
    return tuple(line for line in said if line.text)


def _last_asking(decisions: tuple[Decision, ...]) -> Decision:
    asking = next((d for d in decisions if d.slot is not None or d.confirms), None)
    return asking or decisions[-1]


def _forms(state: State, decisions: tuple[Decision, ...]) -> tuple[FormState, ...]:
    """Return the forms after these decisions: begun, asked on, left for a while, or ended."""
    forms = state.forms
    for decision in decisions:
        if decision.route is Route.HANDOFF and decision.reason != "with_human":
            return ()
        if decision.reason == "form_cancelled":
            forms = forms[:-1]
        elif decision.route is Route.ACT and decision.intent is not None:
            asked = CONFIRM if decision.confirms else decision.slot
            mine = next((form for form in forms if form.intent == decision.intent), None)
            forms = left(forms, decision)
            if asked is not None:
                again = mine is not None and mine.asked == asked
                forms += (
                    FormState(decision.intent, asked, mine.tries + 1 if mine and again else 1),
                )
    return forms


def left(forms: tuple[FormState, ...], decision: Decision) -> tuple[FormState, ...]:
    """Return the forms that wait while an action goes on: not its own, nor what it replaces."""
    return tuple(
        form
        for form in forms
        if form.intent != decision.intent and not (decision.drops and form.asked == CONFIRM)
    )


def _custody(state: State, decisions: tuple[Decision, ...], at: datetime) -> Assignment:
    """Return who has the conversation after these decisions."""
    custody = handoff.move(state.custody, CustomerWrote(), at).custody
    given = next((d for d in decisions if d.route is Route.HANDOFF), None)
    if decisions[0].reason == "withdrawn":
        return handoff.move(custody, QueueLeft(), at).custody
    if given is None or custody.owner is HUMAN or given.reason == "contact_given":
        return custody
    # Who waits already keeps the queue, unless what came up belongs into another one.
    if custody.owner is QUEUED and given.reason != "escalation":
        return custody
    queue = given.queue or custody.queue or "support"
    moved = handoff.move(custody, HandedOff(queue), at).custody
    return replace(moved, asked_contact=moved.asked_contact or given.contact)


def _helped(decision: Decision) -> bool:
    in_vain = {"no_evidence", "slot_invalid", "confirm_again"}
    return decision.route is not Route.CLARIFY and decision.reason not in in_vain


def _topic(decision: Decision) -> str | None:
    """Return what the turn was about; pleasantries do not change the subject."""
    return None if decision.reason in NO_TOPIC else decision.intent


def to_json(state: State) -> dict[str, Any]:
    """Return the state as plain values."""
    custody = state.custody
    return {
        "language": state.language,
        "history": [[line.role.value, line.text] for line in state.history],
        "intent": state.intent,
        "asked": list(state.asked),
        "slots": state.slots,
        "forms": [[form.intent, form.asked, form.tries] for form in state.forms],
        "options": list(state.options),
        "failures": state.failures,
        "warnings": state.warnings,
        "offered_human": state.offered_human,
        "articles": list(state.articles),
        "mood": state.mood,
        "leaning": [list(pair) for pair in state.leaning],
        "owner": custody.owner.value,
        "queue": custody.queue,
        "fence": custody.fence,
        "since": custody.since.isoformat() if custody.since else None,
        "asked_contact": custody.asked_contact,
        "revision": state.revision,
    }


def from_json(values: dict[str, Any]) -> State:
    """Return the state that `to_json` wrote; whoever keeps leases adds them."""
    since = values.get("since")
    return State(
        language=values.get("language"),
        history=tuple(Utterance(Role(role), text) for role, text in values.get("history", ())),
        intent=values.get("intent"),
        asked=tuple(values.get("asked", ())),
        slots=dict(values.get("slots", {})),
        forms=_read_forms(values),
        options=tuple(values.get("options", ())),
        failures=int(values.get("failures", 0)),
        warnings=int(values.get("warnings", 0)),
        offered_human=bool(values.get("offered_human")),
        articles=tuple(values.get("articles", ())),
        mood=values.get("mood", "calm"),
        leaning=tuple((intent, float(count)) for intent, count in values.get("leaning", ())),
        custody=Assignment(
            ConversationOwner(values.get("owner", BOT)),
            int(values.get("fence", 0)),
            values.get("queue"),
            since=datetime.fromisoformat(since) if since else None,
            asked_contact=bool(values.get("asked_contact")),
        ),
        revision=int(values.get("revision", 0)),
    )


def _read_forms(values: dict[str, Any]) -> tuple[FormState, ...]:
    if values.get("open_slot") and values.get("intent"):  # as it was kept before forms
        return (FormState(values["intent"], values["open_slot"]),)
    return tuple(
        FormState(intent, asked, tries) for intent, asked, tries in values.get("forms", ())
    )
