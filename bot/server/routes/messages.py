"""Routes of a message: send, feedback, opened sources, trace."""

import itertools
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Path
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import AfterValidator, BaseModel, Field

from bot.assistant.pipeline import Event, Received
from bot.core import serialization
from bot.core.types import ONLY_FILES, Feedback, Interaction, Message, Turn, Understanding, new_id
from bot.server.api_errors import plain
from bot.server.dependencies import TheService
from bot.server.message_service import STREAM_HEADERS, UNFINISHED, ReplyStream, end_with_error
from bot.server.routes.visitors import Authorization, Caller, check_access

router: Final = APIRouter(prefix="/api")
_ID: Final = r"^[A-Za-z0-9_\-.:]{1,64}$"
_MAX_FILES: Final = 5  # per message
CONVERSATION = Annotated[str, Path(pattern=_ID)]
Accept = Annotated[str, Header()]
LastEvent = Annotated[str | None, Header(max_length=64)]
_Id = Annotated[str, Field(pattern=_ID)]


class NewMessage(BaseModel):
    """A customer's message; the text may be empty if it has files."""

    text: str = Field(max_length=1_000_000)
    conversation_id: str | None = Field(None, pattern=_ID)
    sender: str | None = Field(None, max_length=256)
    client_message_id: str | None = Field(None, max_length=128)
    metadata: dict[str, Any] | None = None
    attachments: list[_Id] = Field(default=[], max_length=_MAX_FILES)

    def content(self) -> str:
        """Return the text, or a placeholder for a message with only files."""
        if not self.attachments or self.text.strip():
            return self.text
        return ONLY_FILES.get(self.about("language", "en"), ONLY_FILES["en"])

    def about(self, name: str, default: str) -> str:
        """Return a value of the metadata as text."""
        return str((self.metadata or {}).get(name, default))


class NewFeedback(BaseModel):
    """A customer's feedback on a reply."""

    rating: Literal["up", "down"]
    reason: Annotated[str, AfterValidator(plain)] | None = Field(None, max_length=64)
    comment: Annotated[str, AfterValidator(plain)] | None = Field(None, max_length=2000)


@router.post("/messages")
async def send(
    body: NewMessage,
    service: TheService,
    accept: Accept = "*/*",
    last_event_id: LastEvent = None,
    authorization: Authorization = "",
) -> Response:
    """Answer a message: a JSON turn, or a stream of events if the client accepts one.

    Sending the same `client_message_id` again returns the first turn. With `Last-Event-ID` a stream
    continues after that event if it is still stored, else from its start.
    """
    conversation = body.conversation_id or new_id()
    caller = await check_access(service, conversation, authorization)
    message = Message(
        text=body.content(),
        conversation_id=conversation,
        sender=body.sender,
        channel=body.about("channel", "api")[:32],
        client_message_id=body.client_message_id,
        attachments=tuple(body.attachments),
    )
    existing = service.messages.in_flight.find(message)
    stream_ = existing or await service.messages.begin(caller.signed(message))
    if "text/event-stream" in accept:
        start = _next(last_event_id) if existing else 0
        stream = _as_events(stream_, start)
        return StreamingResponse(stream, media_type="text/event-stream", headers=STREAM_HEADERS)
    return JSONResponse(serialization.turn_json(await stream_.turn()))


def _next(last: str | None) -> int:
    """Return the number of the event after the last received one."""
    is_number = last is not None and last.isascii() and last.isdecimal()
    return int(last) + 1 if last and is_number else 0


def _as_events(stream: ReplyStream, start: int) -> AsyncGenerator[bytes, None]:
    start = stream.from_event(start)
    numbers = itertools.count(start)

    async def chunks() -> AsyncGenerator[bytes, None]:
        async with aclosing(stream.events(start)) as events:
            async for event in events:
                if event is None:
                    yield format_sse_event(comment="still thinking")
                else:
                    name, data = _to_event(event)
                    yield sse(name, data, str(next(numbers)))

    def error() -> bytes:
        details = {"code": "internal", "message": UNFINISHED}
        return sse("error", {"error": details}, str(next(numbers)))

    return end_with_error(chunks(), error)


def _to_event(event: Event) -> tuple[str, dict[str, Any]]:
    if isinstance(event, Received):
        message = event.message
        ids = {"message_id": message.id, "conversation_id": message.conversation_id}
        return "received", ids
    if isinstance(event, Understanding):
        return "understood", serialization.understanding_json(event)
    if isinstance(event, Turn):
        return "turn", serialization.turn_json(event)
    return "token", {"text": event}


def sse(name: str, data: dict[str, Any], number: str | None) -> bytes:
    """Return an event in the SSE format."""
    return format_sse_event(data_str=json.dumps(data, ensure_ascii=False), event=name, id=number)


@router.post("/messages/{message_id}/feedback", status_code=201)
def give_feedback(
    message_id: str, body: NewFeedback, service: TheService, authorization: Authorization = ""
) -> dict[str, str]:
    """Store a thumbs up or down for a reply."""
    Caller(service, authorization).check_message(message_id)
    service.log.add_feedback(Feedback(message_id, body.rating, body.reason, body.comment))
    return {"message_id": message_id, "rating": body.rating}


class OpenedSource(BaseModel):
    """An article opened by the customer."""

    article: str = Field(max_length=512)


@router.post("/messages/{message_id}/opened", status_code=201)
def note_opened(
    message_id: str, body: OpenedSource, service: TheService, authorization: Authorization = ""
) -> dict[str, str]:
    """Record that the customer opened an article of a reply; the search learns from it."""
    Caller(service, authorization).check_message(message_id)
    article = service.serving.article(body.article)
    service.log.add_interaction(message_id, Interaction.OPENED, article.id)
    return {"message_id": message_id, "article": article.id}


@router.get("/messages/{message_id}/trace")
def trace(
    message_id: str, service: TheService, authorization: Authorization = ""
) -> dict[str, Any]:
    """Return the trace of a reply: why it is what it is."""
    Caller(service, authorization).check_message(message_id)
    return service.reader.trace(message_id)
