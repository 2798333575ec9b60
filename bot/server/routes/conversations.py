"""Routes of a whole conversation: history, contact, rating, transcript, deletion."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import AfterValidator, BaseModel, Field

from bot.core.types import Message, NotFoundError, now
from bot.server.api_errors import plain
from bot.server.dependencies import TheService
from bot.server.message_service import STREAM_HEADERS
from bot.server.routes.messages import CONVERSATION, Accept, LastEvent, sse
from bot.server.routes.visitors import Authorization, check_access
from bot.server.service import Service

router: Final = APIRouter(prefix="/api/conversations")
_POLL_SECONDS: Final = 0.4
_HEARTBEAT_POLLS: Final = 30
_MAIL: Final = r"^\s*[^@\s]{1,64}@[^@\s]{1,180}\.[^@\s]{2,}\s*$"
_LABELS: Final = {
    "en": {"customer": "You", "bot": "Assistant", "agent": "Colleague", "file": "file"},
    "zh": {"customer": "您", "bot": "自动助手", "agent": "人工客服", "file": "文件"},
}
Lines = list[dict[str, Any]]


@router.get("/{conversation_id}/messages")
async def history(  # noqa: PLR0913, PLR0917 — the query of a route
    conversation_id: str,
    request: Request,
    service: TheService,
    after: Annotated[str | None, Query(max_length=64)] = None,
    before: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    limit: Annotated[int | None, Query(ge=1, le=500)] = None,
    accept: Accept = "*/*",
    last_event_id: LastEvent = None,
    authorization: Authorization = "",
) -> Response:
    """Return the messages of a conversation, or follow it live as a stream of events.

    With `limit`, return the last ones, `before` a position if one is given.
    """
    await check_access(service, conversation_id, authorization)
    since = last_event_id or after
    if "text/event-stream" not in accept:
        return JSONResponse(
            await asyncio.to_thread(_page, service, conversation_id, since, before, limit)
        )
    lines = await asyncio.to_thread(_lines, service, conversation_id, since)
    stream = _follow(request, service, conversation_id, lines, since)
    return StreamingResponse(stream, media_type="text/event-stream", headers=STREAM_HEADERS)


def _page(
    service: Service, conversation_id: str, after: str | None, before: int | None, limit: int | None
) -> dict[str, Any]:
    lines = _lines(service, conversation_id, after, before, limit)
    return {
        "conversation_id": conversation_id,
        "handoff": service.reader.standing(conversation_id, now()),
        "csat": service.visitor_conversations.score(conversation_id),
        "messages": lines,
        "more": limit is not None and len(lines) == limit,
    }


def _lines(
    service: Service,
    conversation_id: str,
    after: str | None,
    before: int | None = None,
    limit: int | None = None,
) -> Lines:
    """Return messages of a conversation, with signed addresses of their files."""
    lines = service.reader.history(conversation_id, after, before, limit)
    at = now()
    for line in lines:
        for file in line.get("attachments", ()):
            file["url"] = service.visitor_tokens.address(file["id"], at)
    return lines


async def _follow(
    request: Request, service: Service, conversation_id: str, lines: Lines, after: str | None
) -> AsyncIterator[bytes]:
    """Yield messages as they come, and the owner of the conversation on every change."""
    idle_polls = 0
    status: dict[str, Any] | None = None
    yield format_sse_event(comment="following")
    while not (await request.is_disconnected() or request.app.state.stopping.is_set()):
        for line in lines:
            after = str(line["position"])
            yield sse("message", line, after)
        try:
            current = await asyncio.to_thread(service.reader.standing, conversation_id, now())
            if current != status:
                status = current
                yield sse("status", status, None)  # no id: clients resume after a message
            idle_polls = 0 if lines else idle_polls + 1
            if idle_polls and idle_polls % _HEARTBEAT_POLLS == 0:
                yield format_sse_event(comment="still here")
            await asyncio.sleep(_POLL_SECONDS)
            lines = await asyncio.to_thread(_lines, service, conversation_id, after)
        except NotFoundError:  # the visitor deleted it
            return


class Contact(BaseModel):
    """A visitor's name and e-mail address."""

    name: Annotated[str, AfterValidator(plain)] | None = Field(None, max_length=100)
    email: Annotated[str, AfterValidator(plain)] | None = Field(None, max_length=250, pattern=_MAIL)


@router.post("/{conversation_id}/contact", status_code=201)
async def introduce(
    conversation_id: CONVERSATION,
    body: Contact,
    service: TheService,
    authorization: Authorization = "",
) -> dict[str, str]:
    """Store a visitor's name and address for agents; opens the conversation."""
    caller = await check_access(service, conversation_id, authorization)
    opening = caller.signed(Message("", conversation_id, channel="widget"))
    contact = body.email.strip() if body.email else None
    store = service.visitor_conversations
    await asyncio.to_thread(store.introduce, opening, body.name, contact)
    return {"conversation_id": conversation_id}


class Rating(BaseModel):
    """The customer's satisfaction with the conversation, from 1 to 5."""

    score: int = Field(ge=1, le=5)
    comment: Annotated[str, AfterValidator(plain)] | None = Field(None, max_length=2000)


@router.post("/{conversation_id}/csat", status_code=201)
async def rate(
    conversation_id: str, body: Rating, service: TheService, authorization: Authorization = ""
) -> dict[str, Any]:
    """Store the customer's rating; the last one counts."""
    await check_access(service, conversation_id, authorization)
    store = service.visitor_conversations
    await asyncio.to_thread(store.rate, conversation_id, body.score, body.comment)
    return {"conversation_id": conversation_id, "score": body.score}


@router.get("/{conversation_id}/transcript")
async def transcript(
    conversation_id: str,
    service: TheService,
    language: Literal["en", "zh"] = "en",
    authorization: Authorization = "",
) -> Response:
    """Return the conversation as a text file for the customer."""
    await check_access(service, conversation_id, authorization)
    lines = await asyncio.to_thread(service.reader.history, conversation_id)
    headers = {"Content-Disposition": 'attachment; filename="conversation.txt"'}
    return PlainTextResponse(_as_text(lines, _LABELS[language]), headers=headers)


def _as_text(lines: Lines, labels: dict[str, str]) -> str:
    rows = []
    for line in lines:
        speaker = line.get("author") or labels.get(line["role"], line["role"])
        at = line["at"][:16].replace("T", " ")
        rows.append(f"[{at} UTC] {speaker}: {line['text']}")
        files = line.get("attachments", ())
        rows += [f"    {labels['file']}: {file['name']} ({file['size']} B)" for file in files]
    return "\n".join(rows) + "\n"


@router.delete("/{conversation_id}")
async def forget(
    conversation_id: str, service: TheService, authorization: Authorization = ""
) -> dict[str, Any]:
    """Delete a conversation with its messages, files and ratings permanently."""
    await check_access(service, conversation_id, authorization)
    removed = await asyncio.to_thread(service.visitor_conversations.forget, conversation_id)
    service.messages.in_flight.forget(conversation_id)
    return {"conversation_id": conversation_id, "messages": removed}
