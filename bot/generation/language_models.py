"""Language models behind one interface: they write on until they are done or closed."""

from collections.abc import Callable, Generator, Sequence
from typing import Final, Protocol, TypeAlias

from bot.core.types import CarelineError, Usage

Chat: TypeAlias = Sequence[dict[str, str]]  # {"role": …, "content": …}, in order
Writing: TypeAlias = Generator[str, None, Usage]
Seconds: TypeAlias = float
MAX_TOKENS: Final = 160  # of an answer: two or three sentences


class EngineError(CarelineError):
    """The engine is down, slow or talks nonsense; the message says which, without its words."""


class TextGenerator(Protocol):
    """A language model."""

    @property
    def name(self) -> str:
        """Return which model it is, for the trace."""

    def stream(self, chat: Chat, /, *, within: Seconds) -> Writing:
        """Yield pieces of the answer, then return what it took; closing the stream stops the model.

        Raises EngineError when the answer is not finished `within` that time or cannot be had.
        """


def counted(count: Callable[[str], int], chat: Chat, answer: str) -> Usage:
    """Return the tokens of a chat and its answer by our own count."""
    asked = sum(count(message["content"]) for message in chat)
    return Usage(asked, count(answer), reported=False)
