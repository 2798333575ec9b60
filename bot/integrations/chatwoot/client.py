"""What Chatwoot is told: replies, choices, that the assistant types, and hand-offs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import httpx

from bot.core.types import Reply, Turn
from bot.dialogue import state as states
from bot.integrations import delivery
from bot.store.outbox import Delivery

CHANNEL: Final = "chatwoot"
UNANSWERED_SECONDS: Final = 30.0  # after which a stop must have come between
_TYPING_TIMEOUT: Final = 3.0
_REPLY, _MESSAGE, _STATUS = "reply", "message", "status"


class Turns(Protocol):
    """Where turns are kept."""

    def answered(self, message_id: str, /) -> Turn | None:
        """Return the turn of a message that was answered, else None."""


class ChatwootChannel:
    """Speaks to one Chatwoot as an agent bot, whose access token it holds."""

    def __init__(self, url: str, token: str, turns: Turns) -> None:
        """Read replies from where turns are kept: the outbox holds whose turn it is, no more."""
        self._turns = turns
        self._http = httpx.Client(
            base_url=url.rstrip("/"),
            headers={"api_access_token": token},
            timeout=delivery.TIMEOUT,
            follow_redirects=False,
        )

    def carry(self, parcel: Delivery) -> Sequence[Delivery]:
        """Deliver a parcel: a reply becomes a message and, at a hand-off, a new status."""
        place, kind = _place(parcel.body), parcel.body["kind"]
        if kind == _REPLY:
            return self._reply(parcel)
        path = f"{place}/messages" if kind == _MESSAGE else f"{place}/toggle_status"
        headers = {"Idempotency-Key": parcel.key}
        delivery.post(self._http, path, delivery.encode_body(parcel.body["content"]), headers)
        return ()

    def _reply(self, parcel: Delivery) -> list[Delivery]:
        self.typing(parcel.body, "off")
        turn = self._turns.answered(parcel.body["message_id"])
        if turn is None:
            message = "the message is not answered yet"
            raise delivery.DeliveryPostponedError(message)
        following = []
        if turn.reply.text:  # there is none while a person has the conversation
            following.append(_next(parcel, _MESSAGE, _message(turn.reply)))
        if turn.handoff and turn.handoff.state in {states.QUEUED, states.HUMAN}:
            following.append(_next(parcel, _STATUS, {"status": "open"}))
        return following

    def typing(self, place: Mapping[str, Any], status: str) -> None:
        """Show, or hide, that somebody types; where that fails nothing is lost."""
        body = delivery.encode_body({"typing_status": status})
        try:
            self._http.post(
                f"{_place(place)}/toggle_typing_status",
                content=body,
                headers={"Content-Type": "application/json"},
                timeout=_TYPING_TIMEOUT,
            )
        except httpx.HTTPError:
            return


def reply_owed(account: int, conversation: int, name: str, message_id: str) -> Delivery:
    """Return the reply to a message as a parcel; `name` is what Chatwoot calls the message."""
    body = {"account": account, "conversation": conversation, "message_id": message_id}
    target = target_of(account, conversation)
    return Delivery(CHANNEL, target, f"{target}/{name}", {"kind": _REPLY, **body})


def handover(account: int, conversation: int, name: str) -> Delivery:
    """Return as a parcel that people shall take over: there is a message nobody can read here."""
    target = target_of(account, conversation)
    body = {"account": account, "conversation": conversation, "kind": _STATUS}
    return Delivery(CHANNEL, target, f"{target}/{name}", {**body, "content": {"status": "open"}})


def target_of(account: int, conversation: int) -> str:
    """Return what Chatwoot's conversation is called in the outbox."""
    return f"{CHANNEL}/{account}/{conversation}"


def _place(body: Mapping[str, Any]) -> str:
    return f"/api/v1/accounts/{body['account']}/conversations/{body['conversation']}"


def _next(parcel: Delivery, kind: str, content: Mapping[str, Any]) -> Delivery:
    place = {key: parcel.body[key] for key in ("account", "conversation")}
    body = {**place, "kind": kind, "content": content}
    return Delivery(parcel.channel, parcel.target, f"{parcel.key}/{kind}", body)


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
