"""What the HTTP API says, with types: frozen values made from its JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

Json = dict[str, Any]


@dataclass(frozen=True)
class CitationView:
    """Where a sentence of a reply stands: `article.text[start:end] == quote`."""

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
    """What is said to the customer; the text is empty while a person has the conversation."""

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
                CitationView(**_known(CitationView, found)) for found in body.get("citations", ())
            ),
            tuple(ButtonView(**_known(ButtonView, found)) for found in body.get("buttons", ())),
            tuple(body.get("related", ())),
        )


@dataclass(frozen=True)
class HandoffView:
    """Where the hand-off to a person stands; position counts from 1."""

    state: str
    queue: str
    position: int | None = None


@dataclass(frozen=True)
class TurnView:
    """A message and the reply to it; `json` holds all the server said."""

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
            HandoffView(**_known(HandoffView, handoff)) if handoff else None,
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
        return cls(**{**_known(cls, body), "reply": ReplyView.of(reply) if reply else None})


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
        return cls(**_known(cls, body))


@dataclass(frozen=True)
class Article:
    """An article as it was extracted: the text that offsets of citations refer to."""

    id: str
    title: str
    text: str
    language: str | None = None
    url: str | None = None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read the JSON of an article."""
        return cls(**_known(cls, body))


def _known(kind: type[Any], body: Mapping[str, Any]) -> Json:
    """Return the keys a type has: a newer server may say more."""
    return {key: body[key] for key in kind.__dataclass_fields__ if key in body}
