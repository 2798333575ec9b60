"""Requests and responses of OpenAI's chat completions."""

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
    """A part of a message's content; only texts are read."""

    type: str
    text: str | None = None


class ChatMessage(BaseModel):
    """A message of the conversation as sent by the client."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = None


class RequestMetadata(BaseModel):
    """The metadata of a request."""

    conversation_id: str | None = Field(None, pattern=ID)


class StreamOptions(BaseModel):
    """The options of a stream."""

    include_usage: bool | None = False


class ChatCompletionRequest(BaseModel):
    """A request; other fields (temperature, tools, …) are ignored."""

    model: str = Field(MODEL, max_length=256)
    messages: list[ChatMessage] = Field(min_length=1, max_length=10_000)
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = Field(1, ge=1, le=1)
    user: str | None = Field(None, max_length=256)
    metadata: RequestMetadata | None = None

    @property
    def wants_usage(self) -> bool:
        """Return whether the stream ends with its token usage."""
        return bool(self.stream_options and self.stream_options.include_usage)

    def question(self) -> str:
        """Return the user's last message.

        Raises InvalidMessageError if there is none, or if it is not text.
        """
        questions = [m for m in self.messages if m.role == "user"]
        if not questions:
            message = "no message has the role user: there is nothing to answer"
            raise InvalidMessageError(message)
        content = questions[-1].content or ""
        if isinstance(content, str):
            return content
        types = sorted({part.type for part in content if part.type != "text"})
        if types:
            message = f"only text is read, not {', '.join(types)[:100]}: describe it in words"
            raise InvalidMessageError(message)
        return "\n".join(part.text or "" for part in content)


def head(message: Message, kind: str) -> dict[str, Any]:
    """Return the common fields of responses and chunks."""
    return {
        "id": f"chatcmpl-{message.id}",
        "object": kind,
        "created": int(message.at.timestamp()),
        "model": MODEL,
    }


def delta(content: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    """Return the choices of a chunk."""
    choice = {"index": 0, "delta": content, "logprobs": None, "finish_reason": finish_reason}
    return {"choices": [choice]}


def completion(turn: Turn) -> dict[str, Any]:
    """Return a complete response."""
    message = {"role": "assistant", "content": turn.reply.text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {
        **head(turn.message, WHOLE),
        "choices": [choice],
        "usage": usage(turn),
        "careline": careline(turn),
    }


def careline(turn: Turn) -> dict[str, Any]:
    """Return the fields that OpenAI's format lacks."""
    public = serialization.turn_json(turn)
    keys = ("conversation_id", "message_id", "reply_id", "route", "reason", "intent", "language")
    return {
        **{key: public[key] for key in keys},
        "citations": public["reply"]["citations"],
        "buttons": public["reply"]["buttons"],
        "related": public["reply"]["related"],
        "handoff": public.get("handoff"),
        "usage_reported": _is_reported(turn),
    }


def usage(turn: Turn) -> dict[str, int]:
    """Return the tokens of the language model, or else a count of message and reply.

    Words, Chinese characters and punctuation marks are counted.
    """
    if turn.reply.written:
        prompt = sum(generated.usage.prompt_tokens for generated in turn.reply.written)
        reply = sum(generated.usage.completion_tokens for generated in turn.reply.written)
    else:
        prompt, reply = _count_tokens(turn.message.text), _count_tokens(turn.reply.text)
    return {"prompt_tokens": prompt, "completion_tokens": reply, "total_tokens": prompt + reply}


def _is_reported(turn: Turn) -> bool:
    generated = turn.reply.written
    return bool(generated) and all(text.usage.reported for text in generated)


def _count_tokens(text: str) -> int:
    return len(_TOKEN.findall(text))
