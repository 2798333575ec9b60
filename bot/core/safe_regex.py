"""Regular expressions written by a business, searched in bounded time.

A pattern with nested repetitions can take exponential time on a message that nearly matches. Such a
pattern is rejected when it is read. If an accepted one is slow anyway, SlowPatternError is raised,
and the message is handed off like any other that cannot be answered.
"""

from collections.abc import Iterator
from functools import cache
from typing import Final

import regex

from bot.core.types import CarelineError, InvalidValueError

_SECONDS: Final = 0.5  # of one search: usual ones take microseconds
_PATIENCE: Final = 1.0  # when a pattern is read: a slow machine must not reject a good one
# Long texts that nearly match common patterns, so that repetitions show their cost.
_PROBES: Final = tuple(
    f"{part * (1000 // len(part))}!" for part in ("a", "1", " ", "-", "啊", "ab", "a ", "a1 ", "1 ")
)


class SlowPatternError(CarelineError):
    """A search that took too long."""


@cache
def validate_pattern(source: str) -> str:
    """Return a pattern if it is usable; otherwise raise InvalidValueError with the reason."""
    try:
        pattern = _compile(source)
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
def _compile(source: str) -> "regex.Pattern[str]":
    return regex.compile(source, regex.IGNORECASE)


def pattern_matches(source: str, text: str) -> bool:
    """Return whether a pattern matches in a text, ignoring case."""
    try:
        return _compile(source).search(text, timeout=_SECONDS) is not None
    except TimeoutError as error:
        raise SlowPatternError(_too_slow(source)) from error


def find_spans(source: str, text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of a pattern in a text."""
    try:
        for match in _compile(source).finditer(text, timeout=_SECONDS):
            yield match.span()
    except TimeoutError as error:
        raise SlowPatternError(_too_slow(source)) from error


def _too_slow(source: str) -> str:
    return f"the pattern {source} of the policy takes too long over this text: make it simpler"
