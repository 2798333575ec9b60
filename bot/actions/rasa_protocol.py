"""Rasa's protocol of action calls: requests and responses."""

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from bot.actions.calls import BLOCKED, ActionCall, ActionReply, ActionResult
from bot.core.types import Button

_logger = logging.getLogger(__name__)

CUSTOMER: Final = "customer"  # a slot that only the server fills
_REQUESTED: Final = "requested_slot"
_VERSION: Final = "3.21.0"  # servers of other versions log a warning
_MAX_RESPONSES: Final = 50
_MAX_TEXT: Final = 20_000
_STANDARD_KEYS: Final = frozenset(
    {"text", "buttons", "elements", "custom", "template", "response", "image", "attachment"}
)
_IGNORED_KEYS: Final = ("elements", "custom", "image", "attachment")


class InvalidActionResponseError(ValueError):
    """The response is not a valid answer to an action call."""


def body(call: ActionCall, *, with_domain: bool) -> dict[str, Any]:
    """Return the request of an action call; without the domain only its digest is sent."""
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
    """Return the result of an answer; raise InvalidActionResponseError if it is invalid."""
    if payload is None:  # the server had nothing to do
        return ActionResult(())
    if not isinstance(payload, dict):
        message = "an answer must be an object with events and responses"
        raise InvalidActionResponseError(message)
    responses = _objects(payload, "responses")
    if len(responses) > _MAX_RESPONSES:
        message = f"more than {_MAX_RESPONSES} responses"
        raise InvalidActionResponseError(message)
    replies = tuple(filter(None, map(response, responses)))
    return events(_objects(payload, "events"), replies, call)


def _objects(payload: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    objects = payload.get(key)
    objects = [] if objects is None else objects
    if not isinstance(objects, list) or not all(isinstance(item, dict) for item in objects):
        message = f"{key} must be a list of objects"
        raise InvalidActionResponseError(message)
    return objects


def events(
    items: list[dict[str, Any]], replies: tuple[ActionReply, ...], call: ActionCall
) -> ActionResult:
    """Return the result of an action from its events and responses."""
    slots: dict[str, str | None] = {}
    then = failed = None
    last = replies[-1].template or "" if replies else ""
    asks = last.removeprefix("ask_") if last.startswith("ask_") else None
    for event in items:
        match event.get("event"):
            case "slot" if event.get("name") == _REQUESTED:
                asks = _value(event.get("value"))
            case "slot" if isinstance(event.get("name"), str) and event["name"] != CUSTOMER:
                slots[event["name"]] = _value(event.get("value"))
            case "reset_slots":
                slots = dict.fromkeys(name for name in call.slots if name != CUSTOMER)
            case "followup" if isinstance(event.get("name"), str):
                then = event["name"]
            case "pause":  # in Rasa, the bot stops replying
                failed = BLOCKED
            case other:
                _logger.debug("event %s of %s is not used here", other, call.name)
    return ActionResult(replies, slots, asks, failed, then)


def _value(value: Any) -> str | None:
    """Return a slot's value as text; any JSON value is accepted."""
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer():  # gRPC has no integers
        value = int(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def response(payload: Mapping[str, Any]) -> ActionReply | None:
    """Return a response as a reply; None if it contains nothing that a chat shows.

    Images, attachments and content for other channels are left out.
    """
    for key in _IGNORED_KEYS:
        if payload.get(key):
            _logger.debug("an action's %s is not shown", key)
    text, template = payload.get("text"), payload.get("response") or payload.get("template")
    buttons = _buttons(payload.get("buttons"))
    text = text if isinstance(text, str) and text else None
    template = template if isinstance(template, str) and template else None
    if text and len(text) > _MAX_TEXT:
        message = f"a response has more than {_MAX_TEXT} characters"
        raise InvalidActionResponseError(message)
    if not (text or template or buttons):
        return None
    values = {
        str(k): str(v) for k, v in payload.items() if k not in _STANDARD_KEYS and v is not None
    }
    return ActionReply(text if text or template else "", template, values, buttons)


def _buttons(buttons: Any) -> tuple[Button, ...]:
    if not isinstance(buttons, list):
        return ()
    pairs = [(b.get("title"), b.get("payload")) for b in buttons if isinstance(b, dict)]
    return tuple(
        Button(title, payload if isinstance(payload, str) else title)
        for title, payload in pairs
        if isinstance(title, str) and title
    )
