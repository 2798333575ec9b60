"""Routes for Chatwoot's agent bot: webhooks come in, replies go out through the outbox."""

import asyncio
import logging
import time
from typing import Annotated, Final

from fastapi import APIRouter, Header, HTTPException, Query, Request
from pydantic import BaseModel, Field, ValidationError

from bot.core.failures import log_failure
from bot.core.signatures import conversation_id, equal, is_signed
from bot.core.types import InvalidMessageError, Message
from bot.integrations.chatwoot import client
from bot.integrations.chatwoot.client import CHANNEL, ChatwootChannel
from bot.server.dependencies import TheService
from bot.server.message_service import ReplyStream
from bot.server.service import Service
from bot.store.outbox import Delivery

_logger = logging.getLogger(__name__)
router: Final = APIRouter(prefix="/webhooks")
_PENDING: Final = "pending"  # the status of conversations for the agent bot
_STATUS_EVENTS: Final = frozenset(
    {"conversation_status_changed", "conversation_opened", "conversation_resolved"}
)


_Id = Annotated[int, Field(ge=0, lt=2**63)]
_tasks: Final[set[asyncio.Task[None]]] = set()  # the loop itself keeps only weak references


class _Numbered(BaseModel):
    id: _Id


class _Conversation(_Numbered):
    status: str = ""


class _Choice(BaseModel):
    title: str = ""
    value: str


class _Attributes(BaseModel):
    submitted_values: list[_Choice] | None = None


class _Line(BaseModel):
    account_id: _Id | None = None


class ChatwootEvent(BaseModel):
    """The used fields of a Chatwoot webhook."""

    event: str
    id: _Id | None = None
    content: str | None = None
    message_type: str | int | None = None
    content_type: str | None = None
    private: bool | None = False
    status: str | None = None
    content_attributes: _Attributes | None = None
    sender: _Numbered | None = None
    conversation: _Conversation | None = None
    account: _Numbered | None = None
    messages: list[_Line] = []  # conversation events have the account only here

    def customer_text(self) -> tuple[str, str] | None:
        """Return the customer's text and a name for it; None if no customer wrote."""
        if self.private or self.id is None:
            return None
        if self.event == "message_created" and self.message_type in {"incoming", 0}:
            return self.content or "", str(self.id)
        values = self.content_attributes and self.content_attributes.submitted_values
        if self.event == "message_updated" and self.content_type == "input_select" and values:
            return values[0].value, f"{self.id}-chosen"  # the customer pressed a button
        return None


@router.post(
    "/chatwoot",
    openapi_extra={
        "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}
    },
)
async def receive(
    request: Request,
    service: TheService,
    x_chatwoot_signature: Annotated[str, Header()] = "",
    x_chatwoot_timestamp: Annotated[str, Header()] = "",
    secret: Annotated[str, Query()] = "",
) -> dict[str, str]:
    """Receive a webhook of an agent bot: stored at once, answered in the background.

    Chatwoot signs it; versions that do not sign send the secret as `?secret=`.
    """
    chatwoot = service.outbox_worker.channel(CHANNEL)
    if not isinstance(chatwoot, ChatwootChannel):
        message = "Chatwoot is not set up: set chatwoot_url, chatwoot_token and chatwoot_secret"
        raise HTTPException(404, message)
    body = await request.body()
    expected = service.home.settings.secret("chatwoot_secret") or ""
    signed = is_signed(expected, x_chatwoot_timestamp, body, x_chatwoot_signature, now=time.time())
    if not signed and not (secret and equal(secret, expected)):
        raise HTTPException(401, "this webhook is not signed with the chatwoot_secret")
    return {"status": await _handle(service, chatwoot, _read(body))}


def _read(body: bytes) -> ChatwootEvent:
    try:
        return ChatwootEvent.model_validate_json(body)
    except ValidationError as error:
        message = "this is not a webhook of Chatwoot: send a JSON object with an event"
        raise InvalidMessageError(message) from error


async def _handle(service: Service, chatwoot: ChatwootChannel, hook: ChatwootEvent) -> str:
    if hook.event in _STATUS_EVENTS:
        return await asyncio.to_thread(_status_changed, service, hook)
    written = hook.customer_text()
    if written is None or hook.conversation is None or hook.account is None:
        return "ignored"
    if hook.conversation.status != _PENDING:
        return "ignored"  # with an agent, or closed
    account, conversation = hook.account.id, hook.conversation.id
    text, name = written
    # For a pressed button, Chatwoot names the sender of the buttons, not the customer.
    sender = hook.sender if hook.event == "message_created" else None
    message = Message(
        text=text,
        conversation_id=_conversation_id(service, account, conversation),
        sender=f"{CHANNEL}-{sender.id}" if sender else None,
        channel=CHANNEL,
        client_message_id=f"{CHANNEL}-{name}",
    )
    try:
        stream = await service.messages.begin(message)
    except InvalidMessageError:  # an image, a file or a very long text: an agent can look at it
        delivery = client.handoff_delivery(account, conversation, name)
        await asyncio.to_thread(service.outbox_worker.outbox.add, [delivery])
        service.outbox_worker.wake()
        return "handed over"
    delivery = client.reply_delivery(account, conversation, name, stream.message.id)
    wait = client.UNANSWERED_SECONDS
    await asyncio.to_thread(service.outbox_worker.outbox.add, [delivery], wait=wait)
    task = asyncio.create_task(_finish(service, chatwoot, stream, delivery))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return "accepted"


async def _finish(
    service: Service, chatwoot: ChatwootChannel, stream: ReplyStream, delivery: Delivery
) -> None:
    """Show the typing indicator until the reply is ready; then make it due."""
    typing = asyncio.create_task(asyncio.to_thread(chatwoot.set_typing, delivery.body, "on"))
    # The message is in the log: the next start answers it.
    with log_failure(_logger, "a message from Chatwoot is not answered yet"):
        await stream.turn()
    await typing  # so that it is not shown again after it was switched off
    await asyncio.to_thread(service.outbox_worker.outbox.make_due, delivery.key)
    service.outbox_worker.wake()


def _status_changed(service: Service, hook: ChatwootEvent) -> str:
    """Handle a conversation that agents opened, closed or returned.

    Pending deliveries of a conversation that the bot no longer owns are dropped, so that the bot
    does not interrupt an agent. This is also the place to notify the hand-off here.
    """
    status = hook.status or "not the bot's any more"
    accounts = [hook.account.id if hook.account else None, *(m.account_id for m in hook.messages)]
    account = next((number for number in accounts if number is not None), None)
    if account is None or hook.id is None or status == _PENDING:
        return "noted"
    target = client.outbox_target(account, hook.id)
    service.outbox_worker.outbox.cancel(CHANNEL, target, f"the conversation is {status}"[:200])
    return "noted"


def _conversation_id(service: Service, account: int, conversation: int) -> str:
    return conversation_id(service.secrets.token, CHANNEL, f"{account}/{conversation}")
