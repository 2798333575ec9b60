"""The routes of a whole conversation: history, contact, rating, transcript, deletion."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from fastapi.sse import format_sse_event
from pydantic import AfterValidator, BaseModel, Field

from bot.core.types import Message, NotFoundError, now
from bot.server.api_errors import plain
from bot.server.message_service import STREAM_HEADERS
from bot.server.routes.messages import CONVERSATION, Accept, LastEvent, service_of, sse
from bot.server.routes.visitors import Authorization, admitted
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
    after: Annotated[str | None, Query(max_length=64)] = None,
    before: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    limit: Annotated[int | None, Query(ge=1, le=500)] = None,
    accept: Accept = "*/*",
    last_event_id: LastEvent = None,
    authorization: Authorization = "",
) -> Response:
    """Return the messages of a conversation, or follow it live as a stream of events.

    With `limit` the last ones are returned, `before` a position where one is given.
    """
    await admitted(request, conversation_id, authorization)
    service = service_of(request)
    since = last_event_id or after
    if "text/event-stream" not in accept:
        return JSONResponse(
            await asyncio.to_thread(_page, service, conversation_id, since, before, limit)
        )
    lines = await asyncio.to_thread(_lines, service, conversation_id, since)
    stream = _follow(request, conversation_id, lines, since)
    return StreamingResponse(stream, media_type="text/event-stream", headers=STREAM_HEADERS)


def _page(
    service: Service, conversation_id: str, after: str | None, before: int | None, limit: int | None
) -> dict[str, Any]:
    lines = _lines(service, conversation_id, after, before, limit)
    return {
        "conversation_id": conversation_id,
        "handoff": service.reader.standing(conversation_id, now()),
        "csat": service.visits.score(conversation_id),
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
    """Read lines of a conversation and give files the addresses they can be fetched from."""
    lines = service.reader.history(conversation_id, after, before, limit)
    at = now()
    for line in lines:
        for file in line.get("attachments", ()):
            file["url"] = service.tickets.address(file["id"], at)
    return lines


async def _follow(
    request: Request, conversation_id: str, lines: Lines, after: str | None
) -> AsyncIterator[bytes]:
    """Yield messages as they come, and who has the conversation as often as that changes."""
    service = service_of(request)
    quiet = 0
    standing: dict[str, Any] | None = None
    yield format_sse_event(comment="following")
    while not (await request.is_disconnected() or request.app.state.stopping.is_set()):
        for line in lines:
            after = str(line["position"])
            yield sse("message", line, after)
        try:
            stands = await asyncio.to_thread(service.reader.standing, conversation_id, now())
            if stands != standing:
                standing = stands
                yield sse("status", standing, None)  # no id: who resumes does so after a message
            quiet = 0 if lines else quiet + 1
            if quiet and quiet % _HEARTBEAT_POLLS == 0:
                yield format_sse_event(comment="still here")
            await asyncio.sleep(_POLL_SECONDS)
            lines = await asyncio.to_thread(_lines, service, conversation_id, after)
        except NotFoundError:  # the visitor had it deleted
            return


class Contact(BaseModel):
    """What a visitor wants to be called, and where to be reached."""

    name: Annotated[str, AfterValidator(plain)] | None = Field(None, max_length=100)
    email: Annotated[str, AfterValidator(plain)] | None = Field(None, max_length=250, pattern=_MAIL)


@router.post("/{conversation_id}/contact", status_code=201)
async def introduce(
    conversation_id: CONVERSATION,
    body: Contact,
    request: Request,
    authorization: Authorization = "",
) -> dict[str, str]:
    """Keep a visitor's name and address for the people who answer; opens the conversation."""
    caller = await admitted(request, conversation_id, authorization)
    opening = caller.signed(Message("", conversation_id, channel="widget"))
    contact = body.email.strip() if body.email else None
    visits = service_of(request).visits
    await asyncio.to_thread(visits.introduce, opening, body.name, contact)
    return {"conversation_id": conversation_id}


class Rating(BaseModel):
    """How content a customer was with the conversation, from 1 to 5."""

    score: int = Field(ge=1, le=5)
    comment: Annotated[str, AfterValidator(plain)] | None = Field(None, max_length=2000)


@router.post("/{conversation_id}/csat", status_code=201)
async def rate(
    conversation_id: str, body: Rating, request: Request, authorization: Authorization = ""
) -> dict[str, Any]:
    """Keep how content the customer was; the last rating counts."""
    await admitted(request, conversation_id, authorization)
    visits = service_of(request).visits
    await asyncio.to_thread(visits.rate, conversation_id, body.score, body.comment)
    return {"conversation_id": conversation_id, "score": body.score}


@router.get("/{conversation_id}/transcript")
async def transcript(
    conversation_id: str,
    request: Request,
    language: Literal["en", "zh"] = "en",
    authorization: Authorization = "",
) -> Response:
    """Return the conversation as a text file for the customer."""
    await admitted(request, conversation_id, authorization)
    lines = await asyncio.to_thread(service_of(request).reader.history, conversation_id)
    headers = {"Content-Disposition": 'attachment; filename="conversation.txt"'}
    return PlainTextResponse(_as_text(lines, _LABELS[language]), headers=headers)


def _as_text(lines: Lines, labels: dict[str, str]) -> str:
    said = []
    for line in lines:
        who = line.get("author") or labels.get(line["role"], line["role"])
        at = line["at"][:16].replace("T", " ")
        said.append(f"[{at} UTC] {who}: {line['text']}")
        files = line.get("attachments", ())
        said += [f"    {labels['file']}: {file['name']} ({file['size']} B)" for file in files]
    return "\n".join(said) + "\n"


@router.delete("/{conversation_id}")
async def forget(
    conversation_id: str, request: Request, authorization: Authorization = ""
) -> dict[str, Any]:
    """Delete a conversation: its messages, files and ratings, for good."""
    await admitted(request, conversation_id, authorization)
    service = service_of(request)
    removed = await asyncio.to_thread(service.visits.forget, conversation_id)
    service.messages.in_flight.forget(conversation_id)
    return {"conversation_id": conversation_id, "messages": removed}
