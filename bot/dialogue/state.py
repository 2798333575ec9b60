"""The state of a conversation: frozen values, and `advance`, which moves them forward. Pure."""

from dataclasses import dataclass, field, replace
from typing import Any, Final

from bot.types import Decision, Role, Route, Turn

_REMEMBERED: Final = 12
# Who has the conversation.
BOT, QUEUED, HUMAN, CLOSED = "bot", "queued", "human", "closed"


@dataclass(frozen=True)
class Utterance:
    """A line of the conversation so far."""

    role: Role
    text: str


@dataclass(frozen=True)
class State:
    """What is remembered between messages."""

    language: str | None = None
    history: tuple[Utterance, ...] = ()
    intent: str | None = None
    asked: tuple[str, ...] = ()  # the intents so far, the last of them
    slots: dict[str, str] = field(default_factory=dict)
    open_slot: str | None = None  # what was asked for and not yet given
    options: tuple[str, ...] = ()  # intents the last question offered
    failures: int = 0  # replies in a row that did not help
    offered_human: bool = False  # the last reply asked whether a colleague should take over
    owner: str = BOT
    queue: str | None = None


def advance(state: State, turn: Turn) -> State:
    """Return the state after a turn."""
    decisions = turn.decisions
    said = (
        Utterance(Role.CUSTOMER, turn.message.text),
        Utterance(Role.BOT, turn.reply.text),
    )
    asking = next((d for d in decisions if d.slot is not None), None)
    options = [d.options for d in decisions if d.options]
    helped = any(_helped(d) for d in decisions)
    handoff = next((d for d in decisions if d.route is Route.HANDOFF), decisions[0])
    handed_over = handoff.route is Route.HANDOFF and state.owner == BOT
    urgent = handoff.reason == "escalation"  # moves one who waits to the right queue
    understood = turn.understanding.language
    return replace(
        state,
        language=understood if understood in {"en", "zh"} else state.language,
        history=(state.history + said)[-_REMEMBERED:],
        intent=_topic(asking or decisions[-1]) or state.intent,
        asked=(*state.asked, *filter(None, map(_topic, decisions)))[-_REMEMBERED:],
        slots={key: v for key, v in {**state.slots, **dict(turn.slots)}.items() if v},
        open_slot=asking.slot if asking else None,
        options=options[-1] if options else (),
        failures=0 if helped else state.failures + 1,
        offered_human=decisions[-1].reason in {"no_evidence", "out_of_scope"},
        owner=QUEUED if handed_over else state.owner,
        queue=(handoff.queue or state.queue) if handed_over or urgent else state.queue,
    )


def _helped(decision: Decision) -> bool:
    asked_back = decision.route is Route.CLARIFY or decision.slot is not None
    return not asked_back and decision.reason != "no_evidence"


def _topic(decision: Decision) -> str | None:
    """Return what the turn was about; pleasantries do not change the subject."""
    return None if decision.reason in {"smalltalk", "no_words", "no_question"} else decision.intent


def to_json(state: State) -> dict[str, Any]:
    """Return the state as plain values."""
    return {
        "language": state.language,
        "history": [[line.role.value, line.text] for line in state.history],
        "intent": state.intent,
        "asked": list(state.asked),
        "slots": state.slots,
        "open_slot": state.open_slot,
        "options": list(state.options),
        "failures": state.failures,
        "offered_human": state.offered_human,
        "owner": state.owner,
        "queue": state.queue,
    }


def from_json(values: dict[str, Any]) -> State:
    """Return the state that `to_json` wrote."""
    return State(
        language=values.get("language"),
        history=tuple(Utterance(Role(role), text) for role, text in values.get("history", ())),
        intent=values.get("intent"),
        asked=tuple(values.get("asked", ())),
        slots=dict(values.get("slots", {})),
        open_slot=values.get("open_slot"),
        options=tuple(values.get("options", ())),
        failures=int(values.get("failures", 0)),
        offered_human=bool(values.get("offered_human")),
        owner=values.get("owner", BOT),
        queue=values.get("queue"),
    )
