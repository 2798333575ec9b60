"""What is known while one message is in work."""

import re
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from bot.core.types import ActionRecord, Message, Role, Understanding
from bot.dialogue.state import State
from bot.nlu.language import reply_language
from knowledge_base.documents import AnswerEvidence, SearchHit
from knowledge_base.text.scripts import Script, script

_Made = TypeVar("_Made")


def stays() -> bool:
    """Say that the customer is still there: nobody told otherwise."""
    return False


@dataclass
class TurnContext:
    """What is found out on the way of one message."""

    message: Message
    state: State
    gone: Callable[[], bool] = stays  # tells whether the customer has left
    clock: dict[str, float] = field(default_factory=dict)
    slots: dict[str, str] = field(default_factory=dict)
    acted: tuple[ActionRecord, ...] = ()
    evidence: tuple[SearchHit, ...] = ()
    found: tuple[SearchHit, ...] = ()  # for the request in work
    judged: tuple[AnswerEvidence, ...] = ()  # how likely each search found an answer
    asked: str = ""  # the request in work

    def last(self, *roles: Role) -> str | None:
        """Return what one of these said last before this message."""
        said = [line.text for line in self.state.history if line.role in roles]
        return said[-1] if said else None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a step, in milliseconds."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = 1000 * (time.perf_counter() - started)
            self.clock[name] = round(self.clock.get(name, 0.0) + spent, 3)

    def timed(
        self, words: Generator[str, None, _Made], started: float
    ) -> Generator[str, None, _Made]:
        """Pass words on, and note when the first came: `first_token`, milliseconds after `started`.

        `started` is a moment of `time.perf_counter`.
        """
        try:
            while True:
                word = next(words)
                spent = round(1000 * (time.perf_counter() - started), 3)
                self.clock.setdefault("first_token", spent)
                yield word
        except StopIteration as stop:
            made: _Made = stop.value
            return made
        finally:
            words.close()

    @property
    def question(self) -> str:
        """What to search for; a pressed button stands for the question before it."""
        if self.was_pressed:
            return self.last(Role.CUSTOMER) or self.asked.strip("/ ").replace("_", " ")
        return self.asked

    @property
    def was_pressed(self) -> bool:
        """Whether the request is the payload of a button."""
        return re.fullmatch(r"/\S[^\n]{0,80}", self.asked.strip()) is not None

    @property
    def script(self) -> Script | None:
        """The script the customer writes Chinese in; replies keep it."""
        said = [line.text for line in self.state.history if line.role is Role.CUSTOMER]
        return next(filter(None, map(script, [self.message.text, *reversed(said)])), None)

    def language(self, understanding: Understanding) -> str:
        """Return the language to answer in: the message's, the conversation's, or English."""
        language = reply_language(understanding.language, self.message.text)
        return language if language in {"en", "zh"} else self.state.language or "en"
