"""Messages to Chatwoot: replies, choices, the typing indicator, and hand-offs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import httpx

from bot.core.types import Reply, Turn
from bot.dialogue import state as states
from bot.integrations.delivery import (
    TIMEOUT,
    DeliveryPostponedError,
    encode_body,
    post,
)
from bot.store.outbox import Delivery

CHANNEL: Final = "chatwoot"
UNANSWERED_SECONDS: Final = 30.0  # a reply is due after this even if its process was stopped
_TYPING_TIMEOUT: Final = 3.0
_REPLY, _MESSAGE, _STATUS = "reply", "message", "status"


class Turns(Protocol):
    """A store of turns."""

    def answered(self, message_id: str, /) -> Turn | None:
        """Return the turn of a message, or None if it is not answered."""


class ChatwootChannel:
    """The channel to a Chatwoot server, as an agent bot with an access token."""

    def __init__(self, url: str, token: str, turns: Turns) -> None:
        """Set the server and the store of turns; the outbox holds ids, and no replies."""
        self._turns = turns
        self._http = httpx.Client(
            base_url=url.rstrip("/"),
            headers={"api_access_token": token},
            timeout=TIMEOUT,
            follow_redirects=False,
        )

    def deliver(self, delivery: Delivery) -> Sequence[Delivery]:
        """Make a delivery: a reply becomes a message and, at a hand-off, a new status."""
        conversation, kind = _conversation_path(delivery.body), delivery.body["kind"]
        if kind == _REPLY:
            return self._reply_deliveries(delivery)
        action = "messages" if kind == _MESSAGE else "toggle_status"
        path = f"{conversation}/{action}"
        headers = {"Idempotency-Key": delivery.key}
        post(self._http, path, encode_body(delivery.body["content"]), headers)
        return ()

    def _reply_deliveries(self, delivery: Delivery) -> list[Delivery]:
        self.set_typing(delivery.body, "off")
        turn = self._turns.answered(delivery.body["message_id"])
        if turn is None:
            message = "the message is not answered yet"
            raise DeliveryPostponedError(message)
        following = []
        if turn.reply.text:  # empty while a person has the conversation
            following.append(_following_delivery(delivery, _MESSAGE, _message(turn.reply)))
        if turn.handoff and turn.handoff.state in {states.QUEUED, states.HUMAN}:
            following.append(_following_delivery(delivery, _STATUS, {"status": "open"}))
        return following

    def set_typing(self, body: Mapping[str, Any], status: str) -> None:
        """Switch the typing indicator `on` or `off`; a failure is ignored."""
        try:
            self._http.post(
                f"{_conversation_path(body)}/toggle_typing_status",
                content=encode_body({"typing_status": status}),
                headers={"Content-Type": "application/json"},
                timeout=_TYPING_TIMEOUT,
            )
        except httpx.HTTPError:
            return


def reply_delivery(account: int, conversation: int, name: str, message_id: str) -> Delivery:
    """Return the delivery of the reply to a message; `name` is Chatwoot's id of the message."""
    body = {"account": account, "conversation": conversation, "message_id": message_id}
    target = outbox_target(account, conversation)
    return Delivery(CHANNEL, target, f"{target}/{name}", {"kind": _REPLY, **body})


def handoff_delivery(account: int, conversation: int, name: str) -> Delivery:
    """Return a delivery that hands off a conversation with a message that cannot be read here."""
    target = outbox_target(account, conversation)
    body = {"account": account, "conversation": conversation, "kind": _STATUS}
    return Delivery(CHANNEL, target, f"{target}/{name}", {**body, "content": {"status": "open"}})


def outbox_target(account: int, conversation: int) -> str:
    """Return the name of a conversation of Chatwoot in the outbox."""
    return f"{CHANNEL}/{account}/{conversation}"


def _conversation_path(body: Mapping[str, Any]) -> str:
    return f"/api/v1/accounts/{body['account']}/conversations/{body['conversation']}"


def _following_delivery(delivery: Delivery, kind: str, content: Mapping[str, Any]) -> Delivery:
    ids = {key: delivery.body[key] for key in ("account", "conversation")}
    body = {**ids, "kind": kind, "content": content}
    return Delivery(delivery.channel, delivery.target, f"{delivery.key}/{kind}", body)


def _message(reply: Reply) -> dict[str, Any]:
    sources = {c.url: c.title or c.article for c in reply.citations if c.url}
    links = "\n".join(f"[{title}]({url})" for url, title in sources.items())
    content: dict[str, Any] = {
        "content": "\n\n".join(filter(None, (reply.text, links))),
        "message_type": "outgoing",
        "private": False,
    }
    if reply.buttons:
        items = [{"title": button.title, "value": button.payload} for button in reply.buttons]
        content |= {"content_type": "input_select", "content_attributes": {"items": items}}
    return content
