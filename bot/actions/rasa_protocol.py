"""Rasa's protocol of action calls: what is sent, and what an answer means."""

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from bot.actions.calls import BLOCKED, ActionCall, ActionReply, ActionResult
from bot.core.types import Button

_logger = logging.getLogger(__name__)

CUSTOMER: Final = "customer"  # the slot that only we fill
_REQUESTED: Final = "requested_slot"
_VERSION: Final = "3.21.0"  # servers of other versions say so in their log
_MOST_RESPONSES: Final = 50
_LONGEST_TEXT: Final = 20_000
_STANDARD_KEYS: Final = frozenset(
    {"text", "buttons", "elements", "custom", "template", "response", "image", "attachment"}
)
_UNSHOWN: Final = ("elements", "custom", "image", "attachment")


class InvalidActionResponseError(ValueError):
    """What came back is no answer to an action call."""


def body(call: ActionCall, *, with_domain: bool) -> dict[str, Any]:
    """Return an action call; without the domain only its digest goes along."""
    slots: dict[str, str | None] = {k: v for k, v in call.slots.items() if k != CUSTOMER}
    slots[CUSTOMER] = call.customer
    domain = {
        "intents": [call.intent] if call.intent else [],
        "entities": [],
        "slots": {},
        "responses": {},
        "actions": [call.name],
        "forms": {},
    }
    digest = hashlib.sha256(json.dumps(domain).encode()).hexdigest()
    sent = {
        "next_action": call.name,
        "sender_id": call.conversation_id,
        "version": _VERSION,
        "domain_digest": digest,
        "tracker": {
            "sender_id": call.conversation_id,
            "slots": slots,
            "latest_message": {
                "text": call.text,
                "intent": {"name": call.intent} if call.intent else {},
                "intent_ranking": [],
                "entities": [],
                "message_id": call.message_id,
                "metadata": {
                    "message_id": call.message_id,
                    "language": call.language,
                    "at": call.at.isoformat(),
                },
            },
            "latest_event_time": call.at.timestamp(),
            "events": [],
            "paused": False,
            "followup_action": None,
            "active_loop": {},
            "latest_action_name": None,
            "stack": [],
        },
    }
    return {**sent, "domain": domain} if with_domain else sent


def answer(payload: Any, call: ActionCall) -> ActionResult:
    """Return what an answer means; raise BadAnswerError for what is none."""
    if payload is None:  # what a server says that had nothing to do
        return ActionResult(())
    if not isinstance(payload, dict):
        message = "an answer is an object of events and responses"
        raise InvalidActionResponseError(message)
    responses = _objects(payload, "responses")
    if len(responses) > _MOST_RESPONSES:
        message = f"more than {_MOST_RESPONSES} responses"
        raise InvalidActionResponseError(message)
    said = tuple(filter(None, map(response, responses)))
    return events(_objects(payload, "events"), said, call)


def _objects(payload: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    found = payload.get(key)
    found = [] if found is None else found
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        message = f"{key} must be a list of objects"
        raise InvalidActionResponseError(message)
    return found


def events(
    found: list[dict[str, Any]], said: tuple[ActionReply, ...], call: ActionCall
) -> ActionResult:
    """Return the result of an action that said this and whose events are these."""
    slots: dict[str, str | None] = {}
    then = failed = None
    last = said[-1].template or "" if said else ""
    asks = last.removeprefix("ask_") if last.startswith("ask_") else None
    for event in found:
        match event.get("event"):
            case "slot" if event.get("name") == _REQUESTED:
                asks = _value(event.get("value"))
            case "slot" if isinstance(event.get("name"), str) and event["name"] != CUSTOMER:
                slots[event["name"]] = _value(event.get("value"))
            case "reset_slots":
                slots = dict.fromkeys(name for name in call.slots if name != CUSTOMER)
            case "followup" if isinstance(event.get("name"), str):
                then = event["name"]
            case "pause":  # Rasa's way to say that the bot shall be silent
                failed = BLOCKED
            case other:
                _logger.debug("event %s of %s is not used here", other, call.name)
    return ActionResult(said, slots, asks, failed, then)


def _value(value: Any) -> str | None:
    """Return a slot's value as we keep it; raise nothing whatever it is."""
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer():  # gRPC knows no whole numbers
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def response(found: Mapping[str, Any]) -> ActionReply | None:
    """Return a response as it is said, None where nothing of it is shown in a chat.

    Pictures, attachments and what is made for other channels are left out.
    """
    for key in _UNSHOWN:
        if found.get(key):
            _logger.debug("an action's %s is not shown", key)
    text, template = found.get("text"), found.get("response") or found.get("template")
    buttons = _buttons(found.get("buttons"))
    text = text if isinstance(text, str) and text else None
    template = template if isinstance(template, str) and template else None
    if text and len(text) > _LONGEST_TEXT:
        message = f"a response has more than {_LONGEST_TEXT} characters"
        raise InvalidActionResponseError(message)
    if not (text or template or buttons):
        return None
    values = {str(k): str(v) for k, v in found.items() if k not in _STANDARD_KEYS and v is not None}
    return ActionReply(text if text or template else "", template, values, buttons)


def _buttons(found: Any) -> tuple[Button, ...]:
    if not isinstance(found, list):
        return ()
    pairs = [(b.get("title"), b.get("payload")) for b in found if isinstance(b, dict)]
    return tuple(
        Button(title, payload if isinstance(payload, str) else title)
        for title, payload in pairs
        if isinstance(title, str) and title
    )
