"""Signed webhooks that notify the business's own system of events in conversations."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from bot.core import serialization
from bot.core.settings import Settings
from bot.core.types import Turn, now
from bot.dialogue import state as states
from bot.integrations import delivery
from bot.store.outbox import Delivery

CHANNEL: Final = "webhook"
HANDOFF, MESSAGE, SURGE = "handoff", "message", "surge"


class WebhookChannel:
    """The channel that delivers events to the address in the settings."""

    def __init__(self, url: str, secret: str) -> None:
        """Set the address, and the secret that signs the events."""
        self._url = url
        self._secret = secret
        self._http = httpx.Client(timeout=delivery.TIMEOUT, follow_redirects=False)

    def deliver(self, event: Delivery) -> Sequence[Delivery]:
        """Send one event."""
        body = delivery.encode_body(event.body)
        headers = delivery.sign_headers(self._secret, body, event.key)
        headers["X-Careline-Event"] = str(event.body["event"])
        delivery.post(self._http, self._url, body, headers)
        return ()


def turn_events(settings: Settings, turn: Turn, owner_before: str) -> list[Delivery]:
    """Return the events of a turn that the settings ask for.

    They contain replies and decisions, nothing that the customer wrote.
    """
    if settings.webhook_url is None:
        return []
    events = []
    if MESSAGE in settings.webhook_events and turn.reply.text:
        citations = [serialization.citation_json(citation) for citation in turn.reply.citations]
        buttons = [{"title": b.title, "payload": b.payload} for b in turn.reply.buttons]
        reply = {"text": turn.reply.text, "citations": citations, "buttons": buttons}
        events.append(_event(MESSAGE, turn, reply=reply))
    handoff = turn.handoff
    is_new = owner_before not in {states.QUEUED, states.HUMAN}
    if HANDOFF in settings.webhook_events and handoff and handoff.state == states.QUEUED and is_new:
        details = {"queue": handoff.queue, "position": handoff.position}
        events.append(_event(HANDOFF, turn, handoff=details))
    return events


def surge_events(settings: Settings, surges: Sequence[Mapping[str, Any]]) -> list[Delivery]:
    """Return the events of surges, with keys that let each be delivered once.

    The examples come from the log, without personal data.
    """
    if settings.webhook_url is None or SURGE not in settings.webhook_events:
        return []
    return [
        Delivery(
            CHANNEL,
            SURGE,
            f"{SURGE}-{surge['first']}-{surge['topic'][:120]}",
            {"event": SURGE, "at": now().isoformat(), **surge},
        )
        for surge in surges
    ]


def _event(name: str, turn: Turn, **details: Any) -> Delivery:
    body = {
        "event": name,
        "at": now().isoformat(),
        "conversation_id": turn.message.conversation_id,
        "message_id": turn.message.id,
        "reply_id": turn.reply_id,
        "channel": turn.message.channel,
        "language": turn.understanding.language,
        "intent": turn.understanding.intent,
        "route": turn.decision.route.value,
        "reason": turn.decision.reason,
        **details,
    }
    return Delivery(CHANNEL, turn.message.conversation_id, f"{name}-{turn.message.id}", body)
