"""Rasa's REST channel, parser and tracker: programs written for Rasa talk to this server."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field

from bot.core import serialization
from bot.core.signatures import conversation_id
from bot.core.types import InvalidMessageError, Message, NotFoundError, Turn, now
from bot.integrations.rasa import tracker as trackers
from bot.server import metrics
from bot.server.auth.access import check_channel, check_either
from bot.server.message_service import STREAM_HEADERS, ReplyStream
from bot.server.routes.messages import service_of
from bot.server.service import Service

_logger = logging.getLogger(__name__)
router: Final = APIRouter()
CHANNEL: Final = "rasa"
_ANYBODY: Final = "default"  # Rasa's name for a sender who gave none
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+(?=\S)|(?<=[。！？])\s*(?=\S)|\n+(?=\S)")
_IMAGE: Final = re.compile(r"!\[[^\]\n]*\]\((\S+)\)")


class RasaMessage(BaseModel):
    """What a user says, as Rasa's REST channel takes it."""

    sender: str = Field(_ANYBODY, max_length=256)
    message: str = Field(max_length=1_000_000)
    metadata: dict[str, Any] | None = None


class ParseRequest(BaseModel):
    """A text to understand."""

    text: str = Field(max_length=1_000_000)


@router.get("/webhooks/rest/")
def health() -> dict[str, str]:
    """Tell that the channel is there, as Rasa does."""
    return {"status": "ok"}


@router.post("/webhooks/rest/webhook")
async def webhook(
    body: RasaMessage,
    request: Request,
    *,
    stream: bool = False,
    token: Annotated[str, Query()] = "",
    authorization: Annotated[str, Header()] = "",
) -> Response:
    """Answer a message with Rasa's list; with `?stream=true` sentence by sentence, one a line."""
    service = service_of(request)
    check_channel(service, "rasa_token", authorization or token)
    given = (body.metadata or {}).get("client_message_id")
    message = Message(
        text=body.message,
        conversation_id=_id_here(service, body.sender),
        sender=None if body.sender == _ANYBODY else body.sender,
        channel=CHANNEL,
        client_message_id=given[:128] if isinstance(given, str) and given else None,
    )
    answering = await service.messages.begin(message)
    if stream:
        lines = _lines(answering, body.sender)
        return StreamingResponse(lines, media_type="application/json", headers=STREAM_HEADERS)
    turn = await answering.turn()
    return JSONResponse(responses(turn, turn.reply.text, body.sender))


def responses(turn: Turn, text: str, recipient: str) -> list[dict[str, Any]]:
    """Return a reply, or the rest of one, as Rasa's messages; the last one holds the buttons.

    What Rasa has no word for stands in the last one's `metadata`, which its clients pass over.
    """
    found = _messages(text, recipient)
    if not turn.reply.text:
        return found  # a person has the conversation: nothing is said
    last: dict[str, Any] = found[-1] if found else {"recipient_id": recipient}
    if turn.reply.buttons:
        last["buttons"] = [{"title": b.title, "payload": b.payload} for b in turn.reply.buttons]
    public = serialization.turn_json(turn)
    last["metadata"] = {
        key: public[key] for key in ("message_id", "route", "reason", "handoff") if key in public
    } | {"citations": public["reply"]["citations"]}
    return found or [last]


def _messages(text: str, recipient: str) -> list[dict[str, Any]]:
    """Return a text as messages: a line that is nothing but an image becomes one."""
    found: list[dict[str, Any]] = []
    words: list[str] = []

    def end() -> None:
        if said := "\n".join(words).strip():
            found.append({"recipient_id": recipient, "text": said})
        words.clear()

    for line in text.split("\n"):
        if image := _IMAGE.fullmatch(line.strip()):
            end()
            found.append({"recipient_id": recipient, "image": image[1]})
        else:
            words.append(line)
    end()
    return found


async def _lines(answering: ReplyStream, recipient: str) -> AsyncIterator[bytes]:
    """Yield Rasa's messages as lines of JSON; a sentence leaves when the next one begins."""
    waiting = ""
    try:
        async for event in answering.events():
            if isinstance(event, Turn):
                said = event.reply.text
                # Where somebody else moved the conversation on, another reply stands in the end.
                rest = waiting if said.endswith(waiting) else said
                for message in responses(event, rest if said else "", recipient):
                    yield _line(message)
            elif isinstance(event, str):
                *whole, waiting = _SENTENCE.split(waiting + event)
                for message in _messages("\n".join(whole), recipient):
                    yield _line(message)
    except Exception:  # the status line is gone; the stream ends with what was said
        _logger.exception("a reply could not be finished")
        metrics.FAILURES.inc()
        yield _line({"recipient_id": recipient, "custom": {"error": "internal"}})


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode() + b"\n"


@router.post("/model/parse")
def parse(
    body: ParseRequest,
    request: Request,
    token: Annotated[str, Query()] = "",
    authorization: Annotated[str, Header()] = "",
) -> dict[str, Any]:
    """Return what a text means, in Rasa's shape; nothing of it is kept."""
    service = service_of(request)
    check_channel(service, "rasa_token", authorization or token)
    service.assistant.check(Message(body.text))
    understood = service.assistant.components.understander.understand(
        body.text,
        conversation_language=None,
        customer=None,
        reply=None,
        intent_history=(),
        today=now().astimezone().date(),
    )
    return trackers.parse_data(understood, body.text)


@router.get("/conversations/{sender}/tracker")
async def tracker(
    sender: str,
    request: Request,
    include_events: Annotated[str, Query(max_length=32)] = "AFTER_RESTART",
    token: Annotated[str, Query()] = "",
    authorization: Annotated[str, Header()] = "",
) -> dict[str, Any]:
    """Return a sender's tracker, for holders of the console's token or of the rasa_token."""
    service = service_of(request)
    check_either(service, "rasa_token", authorization, token)
    if len(sender) > 256:  # noqa: PLR2004 — as long as a sender may be
        message = "the sender is too long: at most 256 characters"
        raise InvalidMessageError(message)
    found = await asyncio.to_thread(_tracker, service, sender)
    return found if include_events != "NONE" else {**found, "events": None}


def _tracker(service: Service, sender: str) -> dict[str, Any]:
    """Read a tracker; as in Rasa, a sender nobody knows has an empty one."""
    identifier = _id_here(service, sender)
    try:
        lines = service.reader.history(identifier)
    except NotFoundError:
        lines = []
    turns = [service.log.answered(line["id"]) for line in lines if line["role"] == "customer"]
    state = service.log.load(identifier)
    kept = service.assistant.components.policy.content.kept
    return trackers.tracker(sender, lines, [turn for turn in turns if turn], state, kept)


def _id_here(service: Service, sender: str) -> str:
    return conversation_id(service.secrets.token, CHANNEL, sender)
