"""The vocabulary of the bot: one customer message and everything that is decided about it."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from knowledge_base.documents import Hit

OUT_OF_SCOPE: Final = "oos"


class CarelineError(Exception):
    """Something cannot be done; the message says what to do about it."""


class BadMessageError(CarelineError):
    """A message nobody could answer: empty, too long, or not text."""


class NotFoundError(CarelineError):
    """There is no such conversation, message, article or version."""


class Route(StrEnum):
    """Where a message goes."""

    TEMPLATE = "template"
    RETRIEVE = "retrieve"
    CLARIFY = "clarify"
    ACT = "act"
    HANDOFF = "handoff"


class Role(StrEnum):
    """Who speaks in a conversation."""

    CUSTOMER = "customer"
    BOT = "bot"
    AGENT = "agent"
    ACTION = "action"


def new_id() -> str:
    """Return a fresh id of 128 random bits, as hexadecimal digits: it cannot be guessed."""
    return secrets.token_hex(16)


def now() -> datetime:
    """Return the time, in UTC, with its zone."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Message:
    """What a customer wrote."""

    text: str
    conversation_id: str = field(default_factory=new_id)
    sender: str | None = None
    channel: str = "api"
    client_message_id: str | None = None
    id: str = field(default_factory=new_id)
    at: datetime = field(default_factory=now)


@dataclass(frozen=True)
class Entity:
    """A value found in a message: `message[start:end] == text`, `value` is its normal form."""

    entity: str
    value: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class IntentScore:
    """An intent and its calibrated probability."""

    intent: str
    confidence: float


@dataclass(frozen=True)
class Understanding:
    """What a message means. Without a model, `intent` is None and `ranking` empty."""

    language: str
    sentiment: str
    emotion: str
    intent: str | None
    confidence: float
    ranking: tuple[IntentScore, ...] = ()
    entities: tuple[Entity, ...] = ()


@dataclass(frozen=True)
class Decision:
    """Where a message goes; `reason` names the policy's rule that fired."""

    route: Route
    reason: str
    intent: str | None = None
    template: str | None = None
    action: str | None = None
    slot: str | None = None  # what the action still needs to know
    options: tuple[str, ...] = ()  # intents a clarifying question offers
    queue: str | None = None


@dataclass(frozen=True)
class Citation:
    """Where a sentence of the reply stands: `article.text[start:end] == quote`."""

    article: str
    title: str
    quote: str
    start: int
    end: int
    url: str | None = None


@dataclass(frozen=True)
class Button:
    """A quick reply: pressing it sends the payload as the customer's message."""

    title: str
    payload: str


@dataclass(frozen=True)
class Reply:
    """What is said to the customer."""

    text: str
    citations: tuple[Citation, ...] = ()
    buttons: tuple[Button, ...] = ()
    related: tuple[str, ...] = ()
    composer: str = "template"


@dataclass(frozen=True)
class Handoff:
    """Where the hand-off stands after a turn; position counts from 1."""

    state: str
    queue: str
    position: int | None = None


@dataclass(frozen=True)
class ServedBy:
    """The versions that made a turn."""

    model: str | None
    knowledge: str | None
    templates: str
    policy: str


@dataclass(frozen=True)
class Turn:
    """One message and the reply to it: the record everything else is made from."""

    message: Message
    understanding: Understanding
    decision: Decision
    reply: Reply
    versions: ServedBy
    evidence: tuple[Hit, ...] = ()
    handoff: Handoff | None = None
    slots: tuple[tuple[str, str], ...] = ()
    timings_ms: tuple[tuple[str, float], ...] = ()
    reply_id: str = field(default_factory=new_id)


@dataclass(frozen=True)
class Feedback:
    """What a customer thought of a reply."""

    message_id: str
    rating: str
    reason: str | None = None
    comment: str | None = None
