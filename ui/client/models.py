"""Typed values of the HTTP API, made from its JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

Json = dict[str, Any]


@dataclass(frozen=True)
class CitationView:
    """A quote that supports a sentence of a reply: `article.text[start:end] == quote`."""

    article: str
    title: str
    quote: str
    start: int
    end: int
    url: str | None = None


@dataclass(frozen=True)
class ButtonView:
    """A quick reply: to press it, send its payload as the customer's message."""

    title: str
    payload: str


@dataclass(frozen=True)
class ReplyView:
    """The reply to the customer; its text is empty while an agent has the conversation."""

    text: str
    citations: tuple[CitationView, ...] = ()
    buttons: tuple[ButtonView, ...] = ()
    related: tuple[str, ...] = ()

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read the JSON of a reply."""
        return cls(
            body["text"],
            tuple(
                CitationView(**_select(CitationView, item)) for item in body.get("citations", ())
            ),
            tuple(ButtonView(**_select(ButtonView, item)) for item in body.get("buttons", ())),
            tuple(body.get("related", ())),
        )


@dataclass(frozen=True)
class HandoffView:
    """The state of a hand-off; position counts from 1."""

    state: str
    queue: str
    position: int | None = None


@dataclass(frozen=True)
class TurnView:
    """A message and its reply; `json` is the server's whole response."""

    message_id: str
    conversation_id: str
    reply_id: str
    route: str
    reason: str
    language: str
    intent: str | None
    confidence: float
    reply: ReplyView
    handoff: HandoffView | None
    json: Json

    @classmethod
    def of(cls, body: Json) -> Self:
        """Read the JSON of a turn."""
        handoff = body.get("handoff")
        return cls(
            body["message_id"],
            body["conversation_id"],
            body["reply_id"],
            body["route"],
            body["reason"],
            body["language"],
            body["intent"],
            body["confidence"],
            ReplyView.of(body["reply"]),
            HandoffView(**_select(HandoffView, handoff)) if handoff else None,
            body,
        )


@dataclass(frozen=True)
class ConversationLine:
    """A message of a conversation; role is customer, bot, agent or action."""

    id: str
    position: int
    role: str
    text: str
    at: str
    status: str
    in_reply_to: str | None = None
    reply: ReplyView | None = None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read the JSON of a line."""
        reply = body.get("reply")
        return cls(**{**_select(cls, body), "reply": ReplyView.of(reply) if reply else None})


@dataclass(frozen=True)
class PassageView:
    """A passage that a search found."""

    article: str
    chunk: str
    title: str
    text: str
    start: int
    end: int
    score: float

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read the JSON of a hit."""
        return cls(**_select(cls, body))


@dataclass(frozen=True)
class Article:
    """An article with its extracted text, to which the offsets of citations refer."""

    id: str
    title: str
    text: str
    language: str | None = None
    url: str | None = None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read the JSON of an article."""
        return cls(**_select(cls, body))


def _select(kind: type[Any], body: Mapping[str, Any]) -> Json:
    """Return the keys that are fields of a type: a newer server may send more."""
    return {key: body[key] for key in kind.__dataclass_fields__ if key in body}
