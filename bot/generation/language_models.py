"""The interface of language models: they generate text until they finish or are closed."""

from collections.abc import Callable, Generator, Sequence
from typing import Final, Protocol, TypeAlias

from bot.core.types import CarelineError, Usage

Chat: TypeAlias = Sequence[dict[str, str]]  # {"role": …, "content": …}, in order
Writing: TypeAlias = Generator[str, None, Usage]
Seconds: TypeAlias = float
MAX_TOKENS: Final = 160  # of an answer: two or three sentences


class EngineError(CarelineError):
    """The engine is down, slow or sends invalid data; the message says which."""


class TextGenerator(Protocol):
    """A language model."""

    @property
    def name(self) -> str:
        """The name of the model, for the trace."""

    def stream(self, chat: Chat, /, *, within: Seconds) -> Writing:
        """Yield pieces of the answer, then return the tokens used; closing stops the model.

        Raises EngineError if the answer is not finished `within` that time or is not available.
        """


def estimate_usage(count: Callable[[str], int], chat: Chat, answer: str) -> Usage:
    """Return the tokens of a chat and its answer by our own count."""
    prompt = sum(count(message["content"]) for message in chat)
    return Usage(prompt, count(answer), reported=False)
