"""The data types of the bot: a customer message and everything decided about it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from knowledge_base.documents import AnswerEvidence, SearchHit

OUT_OF_SCOPE: Final = "oos"
TOPIC: Final = "topic:"  # the prefix of the ids of discovered topics; no intent has a colon


class CarelineError(Exception):
    """An operation that failed; the message says what to do about it.

    `reason` is a stable key for callers that translate the message, `facts` are its variables.
    """

    def __init__(self, message: str = "", reason: str = "", **facts: str | int) -> None:
        """Set the message, its key and its variables."""
        super().__init__(message)
        self.reason = reason
        self.facts = facts


class InvalidValueError(CarelineError, ValueError):
    """An invalid value of a file; it is a ValueError so that pydantic collects it."""


@dataclass(frozen=True)
class ConfigurationIssue:
    """An inconsistency in a home, as a message; `reason` and `facts` are like those of an error."""

    message: str
    reason: str
    facts: Mapping[str, str | int]


class InvalidMessageError(CarelineError):
    """A message that cannot be answered: empty, too long, or not text."""


class ConversationChangedError(CarelineError):
    """The conversation changed after the reply was made."""


class ForbiddenError(CarelineError):
    """The conversation belongs to somebody else."""


class NotFoundError(CarelineError):
    """The conversation, message, article or version does not exist."""


class Route(StrEnum):
    """The route of a message."""

    TEMPLATE = "template"
    RETRIEVE = "retrieve"
    CLARIFY = "clarify"
    ACT = "act"
    HANDOFF = "handoff"


class Role(StrEnum):
    """The author of a line in a conversation."""

    CUSTOMER = "customer"
    BOT = "bot"
    AGENT = "agent"
    ACTION = "action"


def new_id() -> str:
    """Return a new id of 128 random bits, as hexadecimal digits, which cannot be guessed."""
    return secrets.token_hex(16)


def now() -> datetime:
    """Return the time in UTC, with its time zone."""
    return datetime.now(UTC)


# The text of a message that consists of files only, by the language of the page.
ONLY_FILES: Final = {"en": "📎", "zh": "📎 文件"}


@dataclass(frozen=True)
class Message:
    """A message of a customer.

    `sender` is a claimed identity; `customer` is the verified identity of the visitor.
    """

    text: str
    conversation_id: str = field(default_factory=new_id)
    sender: str | None = None
    channel: str = "api"
    client_message_id: str | None = None
    id: str = field(default_factory=new_id)
    at: datetime = field(default_factory=now)
    burst: float = 0.0  # seconds of silence after which consecutive messages are one turn
    visitor: str | None = None  # the owner of the conversation
    customer: str | None = None
    attachments: tuple[str, ...] = ()  # ids of uploaded files


@dataclass(frozen=True)
class Entity:
    """A value in a message: `message[start:end] == text`, `value` is its normal form."""

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


class PromiseStatus(StrEnum):
    """The effect of an answer on the promise about wrong answers."""

    KEPT = "kept"
    UNSURE = "unsure"  # the model is not certain enough: ask back, or hand off
    VOID = "void"  # messages have drifted from those of the certification
    NONE = "none"  # there is no promise


@dataclass(frozen=True)
class Request:
    """One of the requests in a message: `message[start:end] == text`."""

    text: str
    start: int
    end: int
    intent: str | None
    confidence: float
    ranking: tuple[IntentScore, ...] = ()
    promised: PromiseStatus = PromiseStatus.NONE
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Understanding:
    """The meaning of a message. Without a model, `intent` is None and `ranking` empty.

    `requests` is empty for a message with one request; otherwise the other values are those of the
    first request. `candidates` are the intents that a clarifying question should offer.
    """

    language: str
    sentiment: str
    emotion: str
    intent: str | None
    confidence: float
    ranking: tuple[IntentScore, ...] = ()
    entities: tuple[Entity, ...] = ()
    promised: PromiseStatus = PromiseStatus.NONE
    candidates: tuple[str, ...] = ()
    requests: tuple[Request, ...] = ()
    seeks: float | None = None  # how likely an unclear message needs a search
    wishes: float | None = None  # how likely it requests an action, rather than asks about it

    def parts(self, text: str) -> tuple["Understanding", ...]:
        """Return the understanding of each request; of the whole message if there is only one."""
        return tuple(
            replace(
                self,
                intent=request.intent,
                confidence=request.confidence,
                ranking=request.ranking,
                promised=request.promised,
                candidates=request.candidates,
                requests=(request,),
            )
            for request in self.requests
        ) or (replace(self, requests=(self.whole(text),)),)

    def whole(self, text: str) -> Request:
        """Return the message as one request."""
        return Request(
            text,
            0,
            len(text),
            self.intent,
            self.confidence,
            self.ranking,
            self.promised,
            self.candidates,
        )


@dataclass(frozen=True)
class Decision:
    """A routing decision; `reason` names the policy's rule."""

    route: Route
    reason: str
    intent: str | None = None
    template: str | None = None
    action: str | None = None
    slot: str | None = None  # what the action needs next
    confirms: bool = False  # the action waits for a confirmation
    drops: bool = False  # it replaces an action that waited for a confirmation
    resumes: str | None = None  # the slot, or "confirm", that is asked again after the answer
    options: tuple[str, ...] = ()  # intents a clarifying question offers
    queue: str | None = None
    contact: bool = False  # no agent is available: the customer is asked for contact details


@dataclass(frozen=True)
class Citation:
    """The source of a sentence in the reply: `article.text[start:end] == quote`."""

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
class Usage:
    """The token usage of a language model; estimated by us if it is not reported."""

    prompt_tokens: int
    completion_tokens: int
    reported: bool = True


@dataclass(frozen=True)
class GenerationRecord:
    """The part of a language model in a reply."""

    model: str
    prompt_sha256: str
    usage: Usage
    fell_back: str | None = None  # why its text, or the rest of it, was not used
    cost: float | None = None  # in the currency of the prices in the settings


@dataclass(frozen=True)
class Reply:
    """The reply to the customer."""

    text: str
    citations: tuple[Citation, ...] = ()
    buttons: tuple[Button, ...] = ()
    related: tuple[str, ...] = ()
    composer: str = "template"
    written: tuple[GenerationRecord, ...] = ()


@dataclass(frozen=True)
class ActionRecord:
    """The output of an action, so that the turn can be replayed without executing it again."""

    action: str
    text: str
    buttons: tuple[Button, ...] = ()
    slots: tuple[tuple[str, str | None], ...] = ()
    asks: str | None = None
    failed: str | None = None


@dataclass(frozen=True)
class Handoff:
    """The state of the hand-off after a turn; position counts from 1."""

    state: str
    queue: str
    position: int | None = None


@dataclass(frozen=True)
class ServingVersions:
    """The versions that produced a turn."""

    model: str | None
    knowledge: str | None
    templates: str
    policy: str
    content: str | None = None  # the snapshot of all texts and rules of the home


@dataclass(frozen=True)
class Turn:
    """One message and the reply to it: the record that everything else is derived from."""

    message: Message
    understanding: Understanding
    decision: Decision
    reply: Reply
    versions: ServingVersions
    evidence: tuple[SearchHit, ...] = ()
    judged: tuple[AnswerEvidence, ...] = ()  # whether the passages answer, one per search
    handoff: Handoff | None = None
    slots: tuple[tuple[str, str], ...] = ()
    acted: tuple[ActionRecord, ...] = ()
    merged: tuple[str, ...] = ()  # previous messages that were understood together with this one
    further: tuple[Decision, ...] = ()  # for the second request and the ones after it
    timings_ms: tuple[tuple[str, float], ...] = ()
    reply_id: str = field(default_factory=new_id)

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """All decisions, in the order of the requests."""
        return (self.decision, *self.further)


class Interaction(StrEnum):
    """The use of an article that was shown beside a message."""

    OPENED = "opened"  # by the customer
    ACCEPTED = "accepted"  # by an agent, into the answer


class Correction(StrEnum):
    """The kind of a correction by an agent."""

    INTENT = "intent"
    ARTICLE = "article"
    ANSWER = "answer"


@dataclass(frozen=True)
class Feedback:
    """A customer's opinion of a reply."""

    message_id: str
    rating: str
    reason: str | None = None
    comment: str | None = None
