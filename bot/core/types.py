"""The vocabulary of the bot: one customer message and everything that is decided about it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from knowledge_base.documents import AnswerEvidence, SearchHit

OUT_OF_SCOPE: Final = "oos"
TOPIC: Final = "topic:"  # before the id of a topic that was found; no intent has a colon


class CarelineError(Exception):
    """Something cannot be done; the message says what to do about it.

    `reason` is a stable key for those who say it in other words, `facts` what they need for that.
    """

    def __init__(self, message: str = "", reason: str = "", **facts: str | int) -> None:
        """Keep the words, and what they are about."""
        super().__init__(message)
        self.reason = reason
        self.facts = facts


class InvalidValueError(CarelineError, ValueError):
    """A value of a file cannot be used; pydantic collects what is raised as a ValueError."""


@dataclass(frozen=True)
class ConfigurationIssue:
    """What does not fit together in a home, in words; `reason` and `facts` as of an error."""

    message: str
    reason: str
    facts: Mapping[str, str | int]


class InvalidMessageError(CarelineError):
    """A message nobody could answer: empty, too long, or not text."""


class ConversationChangedError(CarelineError):
    """The conversation is no longer as it was when the reply was made."""


class ForbiddenError(CarelineError):
    """The conversation is somebody else's."""


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


# The text of a message that is nothing but files, by the language of the page it comes from.
ONLY_FILES: Final = {"en": "📎", "zh": "📎 文件"}


@dataclass(frozen=True)
class Message:
    """What a customer wrote.

    `sender` is what somebody says they are; `customer` is who the visitor was proven to be.
    """

    text: str
    conversation_id: str = field(default_factory=new_id)
    sender: str | None = None
    channel: str = "api"
    client_message_id: str | None = None
    id: str = field(default_factory=new_id)
    at: datetime = field(default_factory=now)
    burst: float = 0.0  # seconds of quiet after which messages in a row are read as one
    visitor: str | None = None  # whose conversation it becomes
    customer: str | None = None
    attachments: tuple[str, ...] = ()  # ids of files that were sent before


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


class PromiseStatus(StrEnum):
    """Return whether an answer to the message would keep the promise about wrong answers."""

    KEPT = "kept"
    UNSURE = "unsure"  # the model is not sure enough: ask back, or hand off
    VOID = "void"  # messages no longer look like those it was certified on
    NONE = "none"  # nothing was promised, or nothing could be


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
    """What a message means. Without a model, `intent` is None and `ranking` empty.

    `requests` is empty for a message with one request; otherwise the other values are those of
    the first. `candidates` are the intents a clarifying question should offer.
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
    seeks: float | None = None  # how likely an unsure message asks for knowledge at all
    wishes: float | None = None  # how likely the customer wants it done, not to know how it goes

    def parts(self, text: str) -> tuple["Understanding", ...]:
        """Return what is understood of each request; of the whole where there is one only."""
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
    """Where a message goes; `reason` names the policy's rule that fired."""

    route: Route
    reason: str
    intent: str | None = None
    template: str | None = None
    action: str | None = None
    slot: str | None = None  # what the action still needs to know
    confirms: bool = False  # the action waits for a yes
    drops: bool = False  # it is asked for instead of an action that waited for a yes
    resumes: str | None = None  # the slot, or "confirm", that is asked for again after the answer
    options: tuple[str, ...] = ()  # intents a clarifying question offers
    queue: str | None = None
    contact: bool = False  # nobody is there: the customer is asked where to be reached


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
class Usage:
    """The tokens a language model read and wrote; counted by us where it did not report them."""

    prompt_tokens: int
    completion_tokens: int
    reported: bool = True


@dataclass(frozen=True)
class GenerationRecord:
    """What a language model had to do with a reply."""

    model: str
    prompt_sha256: str
    usage: Usage
    fell_back: str | None = None  # why its words, or the rest of them, were not used
    cost: float | None = None  # in the currency of the prices in the settings


@dataclass(frozen=True)
class Reply:
    """What is said to the customer."""

    text: str
    citations: tuple[Citation, ...] = ()
    buttons: tuple[Button, ...] = ()
    related: tuple[str, ...] = ()
    composer: str = "template"
    written: tuple[GenerationRecord, ...] = ()


@dataclass(frozen=True)
class ActionRecord:
    """What an action said and set, so that the turn can be told again without doing it again."""

    action: str
    text: str
    buttons: tuple[Button, ...] = ()
    slots: tuple[tuple[str, str | None], ...] = ()
    asks: str | None = None
    failed: str | None = None


@dataclass(frozen=True)
class Handoff:
    """Where the hand-off stands after a turn; position counts from 1."""

    state: str
    queue: str
    position: int | None = None


@dataclass(frozen=True)
class ServingVersions:
    """The versions that made a turn."""

    model: str | None
    knowledge: str | None
    templates: str
    policy: str
    content: str | None = None  # all texts and rules of the home, as they are kept


@dataclass(frozen=True)
class Turn:
    """One message and the reply to it: the record everything else is made from."""

    message: Message
    understanding: Understanding
    decision: Decision
    reply: Reply
    versions: ServingVersions
    evidence: tuple[SearchHit, ...] = ()
    judged: tuple[AnswerEvidence, ...] = ()  # whether the passages answer, one a search
    handoff: Handoff | None = None
    slots: tuple[tuple[str, str], ...] = ()
    acted: tuple[ActionRecord, ...] = ()
    merged: tuple[str, ...] = ()  # messages right before this one that were read with it
    further: tuple[Decision, ...] = ()  # those about the second request and the ones after it
    timings_ms: tuple[tuple[str, float], ...] = ()
    reply_id: str = field(default_factory=new_id)

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """All decisions, in the order of the requests they are about."""
        return (self.decision, *self.further)


class Interaction(StrEnum):
    """What somebody did with an article that was shown beside a message."""

    OPENED = "opened"  # by the customer
    ACCEPTED = "accepted"  # by an agent, into the answer


class Correction(StrEnum):
    """What an agent says would have been right about a message."""

    INTENT = "intent"
    ARTICLE = "article"
    ANSWER = "answer"


@dataclass(frozen=True)
class Feedback:
    """What a customer thought of a reply."""

    message_id: str
    rating: str
    reason: str | None = None
    comment: str | None = None
