"""The routes of a conversation: send a message, read history, give feedback, see the trace."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import AfterValidator, BaseModel, Field

from bot import wire
from bot.assistant import Event, Received
from bot.server import metrics
from bot.server.answering import STREAM_HEADERS, Answering
from bot.server.problems import plain
from bot.server.service import Service
from bot.types import Feedback, Interaction, Message, Turn, Understanding, new_id, now

_logger = logging.getLogger(__name__)
router: Final = APIRouter(prefix="/api")
_ID: Final = r"^[A-Za-z0-9_\-.:]{1,64}$"
_POLL_SECONDS: Final = 0.4
_HEARTBEAT_POLLS: Final = 30


class NewMessage(BaseModel):
    """A customer's message."""

    text: str = Field(max_length=1_000_000)
    conversation_id: str | None = Field(None, pattern=_ID)
    sender: str | None = Field(None, max_length=256)
    client_message_id: str | None = Field(None, max_length=128)
    metadata: dict[str, Any] | None = None


class NewFeedback(BaseModel):
    """What a customer thought of a reply."""

    rating: Literal["up", "down"]
    reason: Annotated[str, AfterValidator(plain)] | None = Field(None, max_length=64)
    comment: Annotated[str, AfterValidator(plain)] | None = Field(None, max_length=2000)


def service_of(request: Request) -> Service:
    """Return the service of the application a request came to."""
    service: Service = request.app.state.service
    return service


@router.post("/messages")
async def send(
    body: NewMessage, request: Request, accept: Annotated[str, Header()] = "*/*"
) -> Response:
    """Answer a message: a JSON turn, or a stream of events when the client accepts one.

    Sending the same `client_message_id` again returns the turn that was made the first time.
    """
    service = service_of(request)
    message = Message(
        text=body.text,
        conversation_id=body.conversation_id or new_id(),
        sender=body.sender,
        channel=str((body.metadata or {}).get("channel", "api"))[:32],
        client_message_id=body.client_message_id,
    )
    answering = await Answering.begin(service, message)
    if "text/event-stream" in accept:
        stream = _as_events(answering)
        return StreamingResponse(stream, media_type="text/event-stream", headers=STREAM_HEADERS)
    return JSONResponse(wire.turn_json(await answering.turn()))


async def _as_events(answering: Answering) -> AsyncIterator[bytes]:
    number = 0
    try:
        async for event in answering.events():
            if event is None:
                yield format_sse_event(comment="still thinking")
                continue
            name, data = _named(event)
            yield _sse(name, data, str(number))
            number += 1
    except Exception:  # the status line is gone; the error becomes the last event
        _logger.exception("a reply could not be finished")
        metrics.FAILURES.inc()
        error = {"code": "internal", "message": "the reply could not be finished: ask again"}
        yield _sse("error", {"error": error}, str(number))
    finally:
        answering.leave()  # the generator above may be collected later than this one


def _named(event: Event) -> tuple[str, dict[str, Any]]:
    if isinstance(event, Received):
        message = event.message
        ids = {"message_id": message.id, "conversation_id": message.conversation_id}
        return "received", ids
    if isinstance(event, Understanding):
        return "understood", wire.understanding_json(event)
    if isinstance(event, Turn):
        return "turn", wire.turn_json(event)
    return "token", {"text": event}


def _sse(name: str, data: dict[str, Any], number: str | None) -> bytes:
    return format_sse_event(data_str=json.dumps(data, ensure_ascii=False), event=name, id=number)


@router.get("/conversations/{conversation_id}/messages")
async def history(
    conversation_id: str,
    request: Request,
    after: Annotated[str | None, Query(max_length=64)] = None,
    accept: Annotated[str, Header()] = "*/*",
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Return the messages of a conversation, or follow it live as a stream of events."""
    reader = service_of(request).reader
    lines = await asyncio.to_thread(reader.history, conversation_id, last_event_id or after)
    if "text/event-stream" not in accept:
        standing = await asyncio.to_thread(reader.standing, conversation_id, now())
        body = {"conversation_id": conversation_id, "handoff": standing, "messages": lines}
        return JSONResponse(body)
    stream = _follow(request, conversation_id, lines, last_event_id or after)
    return StreamingResponse(stream, media_type="text/event-stream", headers=STREAM_HEADERS)


async def _follow(
    request: Request, conversation_id: str, lines: list[dict[str, Any]], after: str | None
) -> AsyncIterator[bytes]:
    """Yield messages as they come, and who has the conversation as often as that changes."""
    reader = service_of(request).reader
    quiet = 0
    standing: dict[str, Any] | None = None
    yield format_sse_event(comment="following")
    while not (await request.is_disconnected() or request.app.state.stopping.is_set()):
        for line in lines:
            after = str(line["position"])
            yield _sse("message", line, after)
        stands = await asyncio.to_thread(reader.standing, conversation_id, now())
        if stands != standing:
            standing = stands
            yield _sse("status", standing, None)  # no id: who resumes does so after a message
        quiet = 0 if lines else quiet + 1
        if quiet and quiet % _HEARTBEAT_POLLS == 0:
            yield format_sse_event(comment="still here")
        await asyncio.sleep(_POLL_SECONDS)
        lines = await asyncio.to_thread(reader.history, conversation_id, after)


@router.post("/messages/{message_id}/feedback", status_code=201)
def give_feedback(message_id: str, body: NewFeedback, request: Request) -> dict[str, str]:
    """Keep a thumb up or down for a reply."""
    given = Feedback(message_id, body.rating, body.reason, body.comment)
    service_of(request).log.add_feedback(given)
    return {"message_id": message_id, "rating": body.rating}


class Opened(BaseModel):
    """An article that the customer opened."""

    article: str = Field(max_length=512)


@router.post("/messages/{message_id}/opened", status_code=201)
def note_opened(message_id: str, body: Opened, request: Request) -> dict[str, str]:
    """Keep that the customer opened an article beside a reply: the search learns from it."""
    service = service_of(request)
    article = service.article(body.article)
    service.log.add_interaction(message_id, Interaction.OPENED, article.id)
    return {"message_id": message_id, "article": article.id}


@router.get("/messages/{message_id}/trace")
def trace(message_id: str, request: Request) -> dict[str, Any]:
    """Return why a reply is what it is."""
    return service_of(request).reader.trace(message_id)
