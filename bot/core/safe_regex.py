"""Regular expressions that a business writes, searched for in bounded time.

A pattern with repetitions inside repetitions can take longer than anybody lives over a message that
nearly fits. Such a pattern is refused when it is read; what passes and is slow all the same raises
SlowPatternError, and the message goes to a person like any other that cannot be answered.
"""

from collections.abc import Iterator
from functools import cache
from typing import Final

import regex

from bot.core.types import CarelineError, InvalidValueError

_SECONDS: Final = 0.5  # of one search: ordinary ones take microseconds
_PATIENCE: Final = 1.0  # when a pattern is read: a slow machine must not refuse a good one
# Long messages that nearly fit what people look for: repetitions show their cost on these.
_PROBES: Final = tuple(
    f"{part * (1000 // len(part))}!" for part in ("a", "1", " ", "-", "啊", "ab", "a ", "a1 ", "1 ")
)


class SlowPatternError(CarelineError):
    """A search took too long."""


@cache
def checked(source: str) -> str:
    """Return a pattern that can be searched for; an UnusableError says why one cannot."""
    try:
        pattern = _compiled(source)
    except regex.error as error:
        message = f"{source} is not a regular expression: {error}"
        raise InvalidValueError(message, "no_pattern", pattern=source, why=str(error)) from error
    try:
        for probe in _PROBES:
            pattern.search(probe, timeout=_PATIENCE)
    except TimeoutError as error:
        message = (
            f"{source} takes too long over long messages: "
            "take out repetitions inside of repetitions, such as (a+)+, and several .* in a row"
        )
        raise InvalidValueError(message, "slow_pattern", pattern=source) from error
    return source


@cache
def _compiled(source: str) -> "regex.Pattern[str]":
    return regex.compile(source, regex.IGNORECASE)


def stands_in(source: str, text: str) -> bool:
    """Return whether a pattern stands in a text, in whatever case."""
    try:
        return _compiled(source).search(text, timeout=_SECONDS) is not None
    except TimeoutError as error:
        raise SlowPatternError(_too_slow(source)) from error


def spans(source: str, text: str) -> Iterator[tuple[int, int]]:
    """Yield where a pattern stands in a text."""
    try:
        for found in _compiled(source).finditer(text, timeout=_SECONDS):
            yield found.span()
    except TimeoutError as error:
        raise SlowPatternError(_too_slow(source)) from error


def _too_slow(source: str) -> str:
    return f"the pattern {source} of the policy takes too long over this text: make it simpler"
