"""The state of a conversation: frozen values, and `advance`, the transition after a turn. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from bot.core.intent_history import IntentHistory, update_history
from bot.core.types import Decision, IntentScore, Role, Route, Turn, Understanding
from bot.dialogue import handoff
from bot.dialogue.handoff import Assignment, ConversationOwner, CustomerWrote, HandedOff, QueueLeft
from bot.dialogue.policy_file import RESERVED

_MAX_HISTORY: Final = 12
# Reasons of replies that offer a person.
OFFERING: Final = frozenset({"no_evidence", "out_of_scope", "file_received"})
NO_TOPIC: Final = frozenset({"smalltalk", "no_words", "no_question", "file_received"})
BOT, QUEUED, HUMAN, CLOSED = (
    ConversationOwner.BOT,
    ConversationOwner.QUEUED,
    ConversationOwner.HUMAN,
    ConversationOwner.CLOSED,
)
CONFIRM: Final = "confirm"  # the last question of a form


@dataclass(frozen=True)
class Utterance:
    """A line of the conversation so far."""

    role: Role
    text: str


@dataclass(frozen=True)
class FormState:
    """An action that waits for a slot, or for a confirmation (then `asked` is "confirm")."""

    intent: str
    asked: str
    tries: int = 1  # how often this was asked in a row


@dataclass(frozen=True)
class State:
    """The memory between messages; `revision` counts the turns and changes so far."""

    language: str | None = None
    history: tuple[Utterance, ...] = ()
    intent: str | None = None
    asked: tuple[str, ...] = ()  # the last intents, oldest first
    slots: dict[str, str] = field(default_factory=dict)
    forms: tuple[FormState, ...] = ()  # the last one is active; the others wait for it
    options: tuple[str, ...] = ()  # intents the last question offered
    failures: int = 0  # replies in a row that did not help
    warnings: int = 0  # abusive messages so far
    offered_human: bool = False  # the last reply asked whether a colleague should take over
    articles: tuple[str, ...] = ()  # the sources of the last answer
    mood: str = "calm"
    leaning: IntentHistory = ()  # the decayed counts of the intents so far
    assignment: Assignment = field(default_factory=Assignment)
    revision: int = 0
    # Slots that are stored unencrypted; not stored itself: each turn sets it again.
    unsealed: frozenset[str] = field(default=RESERVED, compare=False)

    @property
    def owner(self) -> ConversationOwner:
        """The owner of the conversation."""
        return self.assignment.owner

    @property
    def queue(self) -> str | None:
        """The queue it waits in, or waited in last."""
        return self.assignment.queue

    @property
    def form(self) -> FormState | None:
        """The active form."""
        return self.forms[-1] if self.forms else None

    @property
    def open_slot(self) -> str | None:
        """The slot or confirmation that the active form waits for."""
        return self.form.asked if self.form else None


def advance(
    state: State, turn: Turn, is_persistent: Callable[[str], bool] = RESERVED.__contains__
) -> State:
    """Return the state after a turn; `is_persistent` selects the slots that outlast their form."""
    decisions = turn.decisions
    options = [d.options for d in decisions if d.options]
    understood = turn.understanding.language
    forms = _forms(state, decisions)
    slots = {key: v for key, v in {**state.slots, **dict(turn.slots)}.items() if v}
    if state.forms and not forms:  # drop the slots that only the form needed
        slots = {key: value for key, value in slots.items() if is_persistent(key)}
    return replace(
        state,
        language=understood if understood in {"en", "zh"} else state.language,
        history=(state.history + _utterances(turn))[-_MAX_HISTORY:],
        intent=_topic(_last_question(decisions)) or state.intent,
        asked=(*state.asked, *filter(None, map(_topic, decisions)))[-_MAX_HISTORY:],
        slots=slots,
        forms=forms,
        options=options[-1] if options else (),
        failures=0 if any(map(_helped, decisions)) else state.failures + 1,
        warnings=state.warnings + any(d.reason == "abuse" for d in decisions),
        offered_human=decisions[-1].reason in OFFERING,
        articles=tuple(dict.fromkeys(c.article for c in turn.reply.citations)) or state.articles,
        mood=turn.understanding.emotion,
        leaning=update_history(state.leaning, _ranking(turn.understanding)),
        unsealed=frozenset(filter(is_persistent, slots)),
        assignment=_assignment(state, decisions, turn.message.at),
        revision=state.revision + 1,
    )


def _ranking(understanding: Understanding) -> tuple[IntentScore, ...]:
    """Return the likeliest intents of a message; with several requests, those of the last one."""
    requests = understanding.requests
    return requests[-1].ranking if requests else understanding.ranking


def _utterances(turn: Turn) -> tuple[Utterance, ...]:
    utterances = (Utterance(Role.CUSTOMER, turn.message.text), Utterance(Role.BOT, turn.reply.text))
    return tuple(utterance for utterance in utterances if utterance.text)


def _last_question(decisions: tuple[Decision, ...]) -> Decision:
    question = next((d for d in decisions if d.slot is not None or d.confirms), None)
    return question or decisions[-1]


def _forms(state: State, decisions: tuple[Decision, ...]) -> tuple[FormState, ...]:
    """Return the forms after these decisions: started, continued, suspended or ended."""
    forms = state.forms
    for decision in decisions:
        if decision.route is Route.HANDOFF and decision.reason != "with_human":
            return ()
        if decision.reason == "form_cancelled":
            forms = forms[:-1]
        elif decision.route is Route.ACT and decision.intent is not None:
            question = CONFIRM if decision.confirms else decision.slot
            existing = next((form for form in forms if form.intent == decision.intent), None)
            forms = suspended_forms(forms, decision)
            if question is not None:
                repeated = existing is not None and existing.asked == question
                forms += (
                    FormState(
                        decision.intent,
                        question,
                        existing.tries + 1 if existing and repeated else 1,
                    ),
                )
    return forms


def suspended_forms(forms: tuple[FormState, ...], decision: Decision) -> tuple[FormState, ...]:
    """Return the forms that wait while an action runs: not its own, nor those it replaces."""
    return tuple(
        form
        for form in forms
        if form.intent != decision.intent and not (decision.drops and form.asked == CONFIRM)
    )


def _assignment(state: State, decisions: tuple[Decision, ...], at: datetime) -> Assignment:
    """Return the assignment after these decisions."""
    assignment = handoff.move(state.assignment, CustomerWrote(), at).assignment
    handoff_decision = next((d for d in decisions if d.route is Route.HANDOFF), None)
    if decisions[0].reason == "withdrawn":
        return handoff.move(assignment, QueueLeft(), at).assignment
    if (
        handoff_decision is None
        or assignment.owner is HUMAN
        or handoff_decision.reason == "contact_given"
    ):
        return assignment
    # A customer who already waits stays in the queue, unless an escalation needs another one.
    if assignment.owner is QUEUED and handoff_decision.reason != "escalation":
        return assignment
    queue = handoff_decision.queue or assignment.queue or "support"
    moved = handoff.move(assignment, HandedOff(queue), at).assignment
    return replace(moved, asked_contact=moved.asked_contact or handoff_decision.contact)


def _helped(decision: Decision) -> bool:
    unhelpful = {"no_evidence", "slot_invalid", "confirm_again"}
    return decision.route is not Route.CLARIFY and decision.reason not in unhelpful


def _topic(decision: Decision) -> str | None:
    """Return the subject of a turn; small talk does not change the subject."""
    return None if decision.reason in NO_TOPIC else decision.intent


def to_json(state: State) -> dict[str, Any]:
    """Return the state as JSON values."""
    assignment = state.assignment
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
        "owner": assignment.owner.value,
        "queue": assignment.queue,
        "fence": assignment.fence,
        "since": assignment.since.isoformat() if assignment.since else None,
        "asked_contact": assignment.asked_contact,
        "revision": state.revision,
    }


def from_json(values: dict[str, Any]) -> State:
    """Return the state that `to_json` wrote; the caller adds the lease."""
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
        assignment=Assignment(
            ConversationOwner(values.get("owner", BOT)),
            int(values.get("fence", 0)),
            values.get("queue"),
            since=datetime.fromisoformat(since) if since else None,
            asked_contact=bool(values.get("asked_contact")),
        ),
        revision=int(values.get("revision", 0)),
    )


def _read_forms(values: dict[str, Any]) -> tuple[FormState, ...]:
    if values.get("open_slot") and values.get("intent"):  # the format before forms
        return (FormState(values["intent"], values["open_slot"]),)
    return tuple(
        FormState(intent, asked, tries) for intent, asked, tries in values.get("forms", ())
    )
