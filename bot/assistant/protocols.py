"""Protocols of an assistant's components."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from bot.actions.calls import ActionCall
from bot.core.intent_history import IntentHistory
from bot.core.types import Button, Message, Reply, Turn, Understanding
from bot.dialogue.policy import Policy
from bot.dialogue.state import State
from bot.dialogue.templates import Templates
from knowledge_base.documents import Document, SearchHit, SearchResult
from knowledge_base.index.filters import PassageFilter

ReplyTokens = Generator[str, None, Reply]


class MessageReceipt(Protocol):
    """A received message and, when it was answered before, its turn."""

    @property
    def message(self) -> Message:
        """The message as it is in the log."""

    @property
    def turn(self) -> Turn | None:
        """The turn of a message that had been sent before."""


class ConversationLog(Protocol):
    """The log of messages, turns and states."""

    def receive(self, message: Message, /) -> MessageReceipt:
        """Commit a message before anything is said about it."""

    def answered(self, message_id: str, /) -> Turn | None:
        """Return the turn of a message, if there is one."""

    def load(self, conversation_id: str, /) -> State:
        """Return the state of a conversation."""

    def append(self, turn: Turn, state: State, before: State, /) -> Turn:
        """Commit a turn, the state after it and the one before; return the turn in the log.

        Raises ConversationChangedError where the conversation is no longer in the state before.
        """

    def pending(self, conversation_id: str | None = None, /) -> Sequence[Message]:
        """Return messages nobody answered, oldest first: all, or those of a conversation."""

    def is_staffed(self, queue: str, at: datetime, /) -> bool:
        """Return whether somebody who answers a queue is there."""

    def queue_position(self, conversation_id: str, /) -> int:
        """Return the conversation's place in the queue, from 1."""

    def earlier(self, sender: str, conversation_id: str, /) -> Sequence[str]:
        """Return what a sender asked about in other conversations: intents and article ids."""


class UnderstandingExplanation(Protocol):
    """The reasons why a message was understood as it was."""

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""


class MessageUnderstander(Protocol):
    """Finds out what a message means."""

    def understand(
        self,
        text: str,
        /,
        *,
        conversation_language: str | None,
        customer: str | None,
        reply: str | None,
        intent_history: IntentHistory,
        today: date,
    ) -> Understanding:
        """Read a message in its conversation; "tomorrow" counts from `today`.

        `intent_history` is that of the conversation.
        """

    def explain(self, text: str, /) -> UnderstandingExplanation | None:
        """Return why a message is understood as it is; None where nothing can be said."""


class Knowledge(Protocol):
    """Finds passages."""

    @property
    def version(self) -> str:
        """The version that is searched."""

    def search(
        self,
        query: str,
        k: int,
        /,
        *,
        language: str | None,
        only: PassageFilter,
        context: str | None,
    ) -> list[SearchHit]:
        """Return the k best of the passages that fit `only`, those in `language` preferred.

        `context` is what the customer asked before.
        """

    def search_with_answerability(
        self,
        query: str,
        k: int,
        /,
        *,
        language: str | None,
        only: PassageFilter,
        context: str | None,
        prefer: Sequence[str],
    ) -> SearchResult:
        """Search, and rate how likely the best passage answers the question.

        Passages of articles whose ids fit a pattern of `prefer` are preferred.
        """

    def article(self, identifier: str, /) -> Document | None:
        """Return an article by its id."""


class Answerer(Protocol):
    """A writer of answers from passages."""

    def stream(
        self,
        question: str,
        hits: Sequence[SearchHit],
        language: str,
        is_cancelled: Callable[[], bool],
        /,
    ) -> ReplyTokens:
        """Yield the reply in pieces, then return it whole; stop where nobody listens."""


class Actions(Protocol):
    """Actions in the systems of the business."""

    def run(self, call: ActionCall, /) -> "ActionOutcome":
        """Run an action to its end."""

    def stream(self, call: ActionCall, /) -> Generator["ActionResponse", None, "ActionOutcome"]:
        """Run an action; yield what it says as it says it, then return all that came of it."""


class ActionResponse(Protocol):
    """One response of an action."""

    @property
    def text(self) -> str | None:
        """The words, or None for a template."""

    @property
    def template(self) -> str | None:
        """The name of a template."""

    @property
    def values(self) -> Mapping[str, str]:
        """The template's variables."""

    @property
    def buttons(self) -> Sequence[Button]:
        """The buttons for the customer."""

    @property
    def continues(self) -> bool:
        """True where it continues the response before it on the same line."""


class ActionOutcome(Protocol):
    """The responses of an action and the slots it set."""

    @property
    def said(self) -> Sequence[ActionResponse]:
        """The responses, in order."""

    @property
    def slots(self) -> Mapping[str, str | None]:
        """The slots it set; None clears one."""

    @property
    def asks(self) -> str | None:
        """The slot it asks the customer for."""

    @property
    def failed(self) -> str | None:
        """The reason why a person must take over, in one word; None after success."""


class FollowUpSuggester(Protocol):
    """A predictor of the next questions."""

    def suggest(self, history: Sequence[str], k: int, /) -> Sequence[str]:
        """Return the k likeliest next intents or article ids, none of which is in `history`."""


@dataclass(frozen=True)
class Components:
    """The components of an assistant; knowledge and actions may be absent."""

    log: ConversationLog
    understander: MessageUnderstander
    policy: Policy
    templates: Templates
    composer: Answerer
    knowledge: Knowledge | None = None
    actions: Actions | None = None
    suggester: FollowUpSuggester | None = None
    model_version: str | None = None
    content: str | None = None
    max_characters: int = 4000
