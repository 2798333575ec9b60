"""Requests and answers of OpenAI's chat completions. Pure."""

import re
from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from bot.core import serialization
from bot.core.types import InvalidMessageError, Message, Turn

MODEL: Final = "careline"
ID: Final = r"^[A-Za-z0-9_\-.:]{1,64}$"
WHOLE, CHUNK = "chat.completion", "chat.completion.chunk"
_TOKEN: Final = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+|[^\w\s]")


class ContentPart(BaseModel):
    """A part of a message's content; texts are read, nothing else."""

    type: str
    text: str | None = None


class ChatMessage(BaseModel):
    """A message of the conversation as the client remembers it."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = None


class RequestMetadata(BaseModel):
    """What a client may add to a request."""

    conversation_id: str | None = Field(None, pattern=ID)


class StreamOptions(BaseModel):
    """How a stream shall be."""

    include_usage: bool | None = False


class ChatCompletionRequest(BaseModel):
    """A request; what is not named here (temperature, tools, …) changes nothing."""

    model: str = Field(MODEL, max_length=256)
    messages: list[ChatMessage] = Field(min_length=1, max_length=10_000)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = Field(1, ge=1, le=1)
    user: str | None = Field(None, max_length=256)
    metadata: RequestMetadata | None = None

    @property
    def wants_usage(self) -> bool:
        """Whether the stream shall end with the tokens it took."""
        return bool(self.stream_options and self.stream_options.include_usage)

    def question(self) -> str:
        """Return the user's last message.

        Raises BadMessageError where there is none, and for anything but text.
        """
        said = [line for line in self.messages if line.role == "user"]
        if not said:
            complaint = "no message has the role user: there is nothing to answer"
            raise InvalidMessageError(complaint)
        content = said[-1].content or ""
        if isinstance(content, str):
            return content
        strange = sorted({part.type for part in content if part.type != "text"})
        if strange:
            complaint = f"only text is read, not {', '.join(strange)[:100]}: describe it in words"
            raise InvalidMessageError(complaint)
        return "\n".join(part.text or "" for part in content)


def head(message: Message, kind: str) -> dict[str, Any]:
    """Return what every answer, and every piece of one, begins with."""
    return {
        "id": f"chatcmpl-{message.id}",
        "object": kind,
        "created": int(message.at.timestamp()),
        "model": MODEL,
    }


def delta(content: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    """Return a piece of a streamed answer."""
    choice = {"index": 0, "delta": content, "logprobs": None, "finish_reason": finish_reason}
    return {"choices": [choice]}


def completion(turn: Turn) -> dict[str, Any]:
    """Return a whole answer."""
    said = {"role": "assistant", "content": turn.reply.text, "refusal": None}
    choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": "stop"}
    return {
        **head(turn.message, WHOLE),
        "choices": [choice],
        "usage": usage(turn),
        "careline": careline(turn),
    }


def careline(turn: Turn) -> dict[str, Any]:
    """Return what OpenAI's shape has no word for."""
    public = serialization.turn_json(turn)
    wanted = ("conversation_id", "message_id", "reply_id", "route", "reason", "intent", "language")
    return {
        **{key: public[key] for key in wanted},
        "citations": public["reply"]["citations"],
        "buttons": public["reply"]["buttons"],
        "related": public["reply"]["related"],
        "handoff": public.get("handoff"),
        "usage_reported": _is_reported(turn),
    }


def usage(turn: Turn) -> dict[str, int]:
    """Return the tokens of a turn: a language model's where one wrote, else a count of ours.

    Ours counts the words, Chinese characters and punctuation marks of message and reply.
    """
    if turn.reply.written:
        asked = sum(written.usage.prompt_tokens for written in turn.reply.written)
        wrote = sum(written.usage.completion_tokens for written in turn.reply.written)
    else:
        asked, wrote = _count(turn.message.text), _count(turn.reply.text)
    return {"prompt_tokens": asked, "completion_tokens": wrote, "total_tokens": asked + wrote}


def _is_reported(turn: Turn) -> bool:
    written = turn.reply.written
    return bool(written) and all(one.usage.reported for one in written)


def _count(text: str) -> int:
    return len(_TOKEN.findall(text))
