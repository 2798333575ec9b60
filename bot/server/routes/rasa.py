"""Routes of Rasa's REST channel, parser and tracker, for programs written for Rasa."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field

from bot.core import serialization
from bot.core.signatures import conversation_id
from bot.core.types import InvalidMessageError, Message, NotFoundError, Turn, now
from bot.integrations.rasa import tracker as trackers
from bot.server.auth.access import check_channel, check_either
from bot.server.dependencies import TheService
from bot.server.message_service import STREAM_HEADERS, ReplyStream, end_with_error
from bot.server.service import Service

router: Final = APIRouter()
CHANNEL: Final = "rasa"
_ANYBODY: Final = "default"  # Rasa's name for a missing sender
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+(?=\S)|(?<=[。！？])\s*(?=\S)|\n+(?=\S)")
_IMAGE: Final = re.compile(r"!\[[^\]\n]*\]\((\S+)\)")


class RasaMessage(BaseModel):
    """A user's message in the format of Rasa's REST channel."""

    sender: str = Field(_ANYBODY, max_length=256)
    message: str = Field(max_length=1_000_000)
    metadata: dict[str, Any] | None = None


class ParseRequest(BaseModel):
    """A text to understand."""

    text: str = Field(max_length=1_000_000)


@router.get("/webhooks/rest/")
def health() -> dict[str, str]:
    """Return that the channel is available, as Rasa does."""
    return {"status": "ok"}


@router.post("/webhooks/rest/webhook")
async def webhook(
    body: RasaMessage,
    service: TheService,
    *,
    stream: bool = False,
    token: Annotated[str, Query()] = "",
    authorization: Annotated[str, Header()] = "",
) -> Response:
    """Answer a message with Rasa's list; with `?stream=true`, one sentence per line."""
    check_channel(service, "rasa_token", authorization or token)
    client_id = (body.metadata or {}).get("client_message_id")
    message = Message(
        text=body.message,
        conversation_id=_conversation_id(service, body.sender),
        sender=None if body.sender == _ANYBODY else body.sender,
        channel=CHANNEL,
        client_message_id=client_id[:128] if isinstance(client_id, str) and client_id else None,
    )
    reply_stream = await service.messages.begin(message)
    if stream:
        lines = _lines(reply_stream, body.sender)
        lines = end_with_error(lines, lambda: _error_line(body.sender))
        return StreamingResponse(lines, media_type="application/json", headers=STREAM_HEADERS)
    turn = await reply_stream.turn()
    return JSONResponse(responses(turn, turn.reply.text, body.sender))


def responses(turn: Turn, text: str, recipient: str) -> list[dict[str, Any]]:
    """Return a reply, or the rest of one, as Rasa's messages; the last one has the buttons.

    Values unknown to Rasa are in `metadata` of the last message, which its clients ignore.
    """
    replies = _messages(text, recipient)
    if not turn.reply.text:
        return replies  # an agent has the conversation: no reply
    last: dict[str, Any] = replies[-1] if replies else {"recipient_id": recipient}
    if turn.reply.buttons:
        last["buttons"] = [{"title": b.title, "payload": b.payload} for b in turn.reply.buttons]
    public = serialization.turn_json(turn)
    last["metadata"] = {
        key: public[key] for key in ("message_id", "route", "reason", "handoff") if key in public
    } | {"citations": public["reply"]["citations"]}
    return replies or [last]


def _messages(text: str, recipient: str) -> list[dict[str, Any]]:
    """Return a text as messages: a line with only an image becomes an image message."""
    replies: list[dict[str, Any]] = []
    lines: list[str] = []

    def end() -> None:
        if text_ := "\n".join(lines).strip():
            replies.append({"recipient_id": recipient, "text": text_})
        lines.clear()

    for line in text.split("\n"):
        if image := _IMAGE.fullmatch(line.strip()):
            end()
            replies.append({"recipient_id": recipient, "image": image[1]})
        else:
            lines.append(line)
    end()
    return replies


async def _lines(stream: ReplyStream, recipient: str) -> AsyncGenerator[bytes, None]:
    """Yield Rasa's messages as lines of JSON, sentence by sentence."""
    waiting = ""
    async for event in stream.events():
        if isinstance(event, Turn):
            reply = event.reply.text
            # If the conversation changed in between, the final reply is another one.
            rest = waiting if reply.endswith(waiting) else reply
            for message in responses(event, rest if reply else "", recipient):
                yield _line(message)
        elif isinstance(event, str):
            *sentences, waiting = _SENTENCE.split(waiting + event)
            for message in _messages("\n".join(sentences), recipient):
                yield _line(message)


def _error_line(recipient: str) -> bytes:
    return _line({"recipient_id": recipient, "custom": {"error": "internal"}})


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False).encode() + b"\n"


@router.post("/model/parse")
def parse(
    body: ParseRequest,
    service: TheService,
    token: Annotated[str, Query()] = "",
    authorization: Annotated[str, Header()] = "",
) -> dict[str, Any]:
    """Return the understanding of a text in Rasa's format; nothing is stored."""
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
    service: TheService,
    include_events: Annotated[str, Query(max_length=32)] = "AFTER_RESTART",
    token: Annotated[str, Query()] = "",
    authorization: Annotated[str, Header()] = "",
) -> dict[str, Any]:
    """Return a sender's tracker, for holders of the console's token or the rasa_token."""
    check_either(service, "rasa_token", authorization, token)
    if len(sender) > 256:  # noqa: PLR2004 — the maximum length of a sender
        message = "the sender is too long: at most 256 characters"
        raise InvalidMessageError(message)
    content = await asyncio.to_thread(_tracker, service, sender)
    return content if include_events != "NONE" else {**content, "events": None}


def _tracker(service: Service, sender: str) -> dict[str, Any]:
    """Return a tracker; as in Rasa, it is empty for an unknown sender."""
    identifier = _conversation_id(service, sender)
    try:
        lines = service.reader.history(identifier)
    except NotFoundError:
        lines = []
    turns = [service.log.answered(line["id"]) for line in lines if line["role"] == "customer"]
    state = service.log.load(identifier)
    is_persistent = service.assistant.components.policy.content.kept
    return trackers.tracker(sender, lines, [turn for turn in turns if turn], state, is_persistent)


def _conversation_id(service: Service, sender: str) -> str:
    return conversation_id(service.secrets.token, CHANNEL, sender)
