"""Conversations as Rasa's trackers: events, slots and the latest message. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from bot.core.types import Role, Turn, Understanding
from bot.dialogue import state as states
from bot.dialogue.policy_file import RESERVED
from bot.dialogue.state import State

_CHANNEL: Final = "rest"
_LISTEN: Final = "action_listen"
_SPEAKERS: Final = frozenset({Role.BOT, Role.AGENT})

Json = dict[str, Any]


def parse_data(understood: Understanding, text: str) -> Json:
    """Return what a text means, as Rasa's parser says it."""
    ranking = [{"name": s.intent, "confidence": s.confidence} for s in understood.ranking]
    return {
        "text": text,
        "intent": {"name": understood.intent, "confidence": understood.confidence},
        "entities": [
            {
                "entity": entity.entity,
                "value": entity.value,
                "text": entity.text,
                "start": entity.start,
                "end": entity.end,
            }
            for entity in understood.entities
        ],
        "intent_ranking": ranking,
    }


def tracker(
    sender: str,
    lines: Sequence[Mapping[str, Any]],
    turns: Sequence[Turn],
    state: State,
    shown: Callable[[str], bool] = RESERVED.__contains__,
) -> Json:
    """Return the tracker of a conversation from its lines in the log and the turns behind them.

    `shown` says which slots are told: those that are not sealed.
    """
    by_message = {turn.message.id: turn for turn in turns}
    events = list(_events(lines, by_message))
    said = [event for event in events if event["event"] == "user"]
    latest = said[-1]["parse_data"] if said else {}
    return {
        "sender_id": sender,
        "slots": {name: value for name, value in state.slots.items() if shown(name)},
        "latest_message": latest or _nothing(),
        "latest_event_time": events[-1]["timestamp"] if events else None,
        "followup_action": None,
        "paused": state.owner in {states.QUEUED, states.HUMAN},
        "events": events,
        "latest_input_channel": _CHANNEL if said else None,
        "active_loop": {"requested_slot": state.open_slot} if state.open_slot else {},
        "latest_action_name": _LISTEN if events else None,
    }


def _nothing() -> Json:
    return {"text": None, "intent": {}, "entities": [], "intent_ranking": []}


def _events(lines: Sequence[Mapping[str, Any]], turns: Mapping[str, Turn]) -> Iterator[Json]:
    for number, line in enumerate(lines):
        at = datetime.fromisoformat(line["at"]).timestamp()
        if number == 0:
            yield {"event": "action", "timestamp": at, "name": "action_session_start"}
            yield {"event": "session_started", "timestamp": at}
            yield {"event": "action", "timestamp": at, "name": _LISTEN}
        if line["role"] == Role.CUSTOMER:
            yield _user(line, turns.get(line["id"]), at)
        elif line["role"] in _SPEAKERS and line["text"]:
            turn = turns.get(line.get("in_reply_to", ""))
            for name, value in turn.slots if turn else ():
                yield {"event": "slot", "timestamp": at, "name": name, "value": value or None}
            yield _said(line, turn, at)
            yield {"event": "action", "timestamp": at, "name": _LISTEN}


def _user(line: Mapping[str, Any], turn: Turn | None, at: float) -> Json:
    meaning = parse_data(turn.understanding, line["text"]) if turn else {"text": line["text"]}
    return {
        "event": "user",
        "timestamp": at,
        "text": line["text"],
        "parse_data": {**_nothing(), **meaning, "message_id": line["id"], "metadata": {}},
        "input_channel": _CHANNEL,
        "message_id": line["id"],
        "metadata": {},
    }


def _said(line: Mapping[str, Any], turn: Turn | None, at: float) -> Json:
    buttons = [{"title": b.title, "payload": b.payload} for b in turn.reply.buttons] if turn else []
    about = {"role": line["role"], "message_id": line["id"]}
    if turn:
        about |= {"route": turn.decision.route.value, "reason": turn.decision.reason}
    return {
        "event": "bot",
        "timestamp": at,
        "text": line["text"],
        "data": {"buttons": buttons or None, "image": None, "custom": None},
        "metadata": about,
    }
