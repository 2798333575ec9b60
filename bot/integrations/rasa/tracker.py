"""Conversations in the format of Rasa's tracker: events, slots and the latest message."""

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


def parse_data(understanding: Understanding, text: str) -> Json:
    """Return the understanding of a text in the format of Rasa's parser."""
    ranking = [{"name": s.intent, "confidence": s.confidence} for s in understanding.ranking]
    return {
        "text": text,
        "intent": {"name": understanding.intent, "confidence": understanding.confidence},
        "entities": [
            {
                "entity": entity.entity,
                "value": entity.value,
                "text": entity.text,
                "start": entity.start,
                "end": entity.end,
            }
            for entity in understanding.entities
        ],
        "intent_ranking": ranking,
    }


def tracker(
    sender: str,
    lines: Sequence[Mapping[str, Any]],
    turns: Sequence[Turn],
    state: State,
    is_public: Callable[[str], bool] = RESERVED.__contains__,
) -> Json:
    """Return the tracker of a conversation from its lines in the log and its turns.

    `is_public` returns whether a slot may be included, because it is not encrypted.
    """
    by_message = {turn.message.id: turn for turn in turns}
    events = list(_events(lines, by_message))
    user_events = [event for event in events if event["event"] == "user"]
    latest = user_events[-1]["parse_data"] if user_events else {}
    return {
        "sender_id": sender,
        "slots": {name: value for name, value in state.slots.items() if is_public(name)},
        "latest_message": latest or _empty_parse(),
        "latest_event_time": events[-1]["timestamp"] if events else None,
        "followup_action": None,
        "paused": state.owner in {states.QUEUED, states.HUMAN},
        "events": events,
        "latest_input_channel": _CHANNEL if user_events else None,
        "active_loop": {"requested_slot": state.open_slot} if state.open_slot else {},
        "latest_action_name": _LISTEN if events else None,
    }


def _empty_parse() -> Json:
    return {"text": None, "intent": {}, "entities": [], "intent_ranking": []}


def _events(lines: Sequence[Mapping[str, Any]], turns: Mapping[str, Turn]) -> Iterator[Json]:
    for number, line in enumerate(lines):
        at = datetime.fromisoformat(line["at"]).timestamp()
        if number == 0:
            yield {"event": "action", "timestamp": at, "name": "action_session_start"}
            yield {"event": "session_started", "timestamp": at}
            yield {"event": "action", "timestamp": at, "name": _LISTEN}
        if line["role"] == Role.CUSTOMER:
            yield _user_event(line, turns.get(line["id"]), at)
        elif line["role"] in _SPEAKERS and line["text"]:
            turn = turns.get(line.get("in_reply_to", ""))
            for name, value in turn.slots if turn else ():
                yield {"event": "slot", "timestamp": at, "name": name, "value": value or None}
            yield _bot_event(line, turn, at)
            yield {"event": "action", "timestamp": at, "name": _LISTEN}


def _user_event(line: Mapping[str, Any], turn: Turn | None, at: float) -> Json:
    parsed = parse_data(turn.understanding, line["text"]) if turn else {"text": line["text"]}
    return {
        "event": "user",
        "timestamp": at,
        "text": line["text"],
        "parse_data": {**_empty_parse(), **parsed, "message_id": line["id"], "metadata": {}},
        "input_channel": _CHANNEL,
        "message_id": line["id"],
        "metadata": {},
    }


def _bot_event(line: Mapping[str, Any], turn: Turn | None, at: float) -> Json:
    buttons = [{"title": b.title, "payload": b.payload} for b in turn.reply.buttons] if turn else []
    metadata = {"role": line["role"], "message_id": line["id"]}
    if turn:
        metadata |= {"route": turn.decision.route.value, "reason": turn.decision.reason}
    return {
        "event": "bot",
        "timestamp": at,
        "text": line["text"],
        "data": {"buttons": buttons or None, "image": None, "custom": None},
        "metadata": metadata,
    }
