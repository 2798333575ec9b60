"""Frozen values that the steps of the pipeline pass to each other."""

import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from bot.core.types import ActionRecord, Decision, Message, Reply, Role, Understanding
from bot.dialogue.state import State
from bot.nlu.language import reply_language
from knowledge_base.documents import AnswerEvidence, SearchHit
from knowledge_base.text.scripts import Script, detect_script

_Returned = TypeVar("_Returned")


def never_cancelled() -> bool:
    """Return False: nobody says that the customer has left."""
    return False


@dataclass(frozen=True)
class TurnContext:
    """A message in its conversation, and one of its requests.

    `slots` are the values that the steps before found; those of the conversation are in `state`.
    """

    message: Message
    state: State
    is_cancelled: Callable[[], bool] = never_cancelled  # whether the customer has left
    request: str = ""
    slots: Mapping[str, str] = field(default_factory=dict)

    def with_slots(self, slots: Mapping[str, str]) -> "TurnContext":
        """Return the context with further slot values."""
        return replace(self, slots={**self.slots, **slots})

    @property
    def known_slots(self) -> dict[str, str]:
        """The slot values of the conversation and of this turn that are not empty."""
        values = {**self.state.slots, **self.slots}
        return {name: value for name, value in values.items() if value}

    def last(self, *roles: Role) -> str | None:
        """Return the last line of one of the roles before this message."""
        texts = [line.text for line in self.state.history if line.role in roles]
        return texts[-1] if texts else None

    @property
    def question(self) -> str:
        """The search query; for a pressed button it is the question before it."""
        if self.is_button:
            return self.last(Role.CUSTOMER) or self.request.strip("/ ").replace("_", " ")
        return self.request

    @property
    def is_button(self) -> bool:
        """True where the request is the payload of a button."""
        return re.fullmatch(r"/\S[^\n]{0,80}", self.request.strip()) is not None

    @property
    def script(self) -> Script | None:
        """The script the customer writes Chinese in; replies are written in it."""
        texts = [line.text for line in self.state.history if line.role is Role.CUSTOMER]
        return next(filter(None, map(detect_script, [self.message.text, *reversed(texts)])), None)

    def language(self, understanding: Understanding) -> str:
        """Return the language to answer in: the message's, the conversation's, or English."""
        language = reply_language(understanding.language, self.message.text)
        return language if language in {"en", "zh"} else self.state.language or "en"


@dataclass(frozen=True)
class Passages:
    """The passages of a search, each attempt's answerability, and whether they are evidence."""

    hits: tuple[SearchHit, ...] = ()
    judged: tuple[AnswerEvidence, ...] = ()
    is_evidence: bool = False


@dataclass(frozen=True)
class Retrieval:
    """The passages for a request, and the decision after the search."""

    decision: Decision  # another one where the passages are no evidence
    passages: Passages = Passages()


@dataclass(frozen=True)
class Response:
    """The reply to one request; the decision may have changed while it was made."""

    decision: Decision
    reply: Reply
    slots: Mapping[str, str] = field(default_factory=dict)
    actions: tuple[ActionRecord, ...] = ()


@dataclass(frozen=True)
class Answer:
    """The answers to the requests of a message so far; no decisions where everything failed."""

    decisions: tuple[Decision, ...] = ()
    replies: tuple[Reply, ...] = ()
    slots: Mapping[str, str] = field(default_factory=dict)
    actions: tuple[ActionRecord, ...] = ()
    hits: tuple[SearchHit, ...] = ()
    judged: tuple[AnswerEvidence, ...] = ()
    related: tuple[str, ...] = ()  # titles of what is likely asked next

    def with_slots(self, slots: Mapping[str, str]) -> "Answer":
        """Return the answer with further slot values."""
        return replace(self, slots={**self.slots, **slots})

    def with_retrieval(self, retrieval: Retrieval) -> "Answer":
        """Return the answer with the passages that were found for a request."""
        passages = retrieval.passages
        return replace(self, hits=self.hits + passages.hits, judged=self.judged + passages.judged)

    def with_decision(self, decision: Decision) -> "Answer":
        """Return the answer with a request that needs no reply of its own."""
        return replace(self, decisions=(*self.decisions, decision))

    def with_reply(self, reply: Reply) -> "Answer":
        """Return the answer with a reply that belongs to no request."""
        return replace(self, replies=(*self.replies, reply))

    def with_response(self, response: Response) -> "Answer":
        """Return the answer with the reply to a request."""
        return replace(
            self.with_slots(response.slots),
            decisions=(*self.decisions, response.decision),
            replies=(*self.replies, response.reply),
            actions=self.actions + response.actions,
        )

    def with_first_response(self, response: Response) -> "Answer":
        """Return the answer with a reply to its first request, whose decision it replaces."""
        return replace(
            self.with_slots(response.slots),
            decisions=(response.decision, *self.decisions[1:]),
            replies=(*self.replies, response.reply),
            actions=self.actions + response.actions,
        )


class StepTimer:
    """Milliseconds by step of one message."""

    def __init__(self) -> None:
        """Start the clock."""
        self._started = time.perf_counter()
        self.milliseconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a step; a step that is repeated adds up."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = 1000 * (time.perf_counter() - started)
            self.milliseconds[name] = round(self.milliseconds.get(name, 0.0) + spent, 3)

    def note(self, name: str) -> None:
        """Record the time since the start, the first time a name is noted."""
        elapsed = round(1000 * (time.perf_counter() - self._started), 3)
        self.milliseconds.setdefault(name, elapsed)

    def note_first_token(
        self, tokens: Generator[str, None, _Returned]
    ) -> Generator[str, None, _Returned]:
        """Pass tokens on and record when the first one came."""
        try:
            while True:
                try:
                    token = next(tokens)
                except StopIteration as stop:
                    returned: _Returned = stop.value
                    return returned
                self.note("first_token")
                yield token
        finally:
            tokens.close()
