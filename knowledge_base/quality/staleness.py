"""Validity dates of articles, and statements in their text that have expired."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from knowledge_base.chunking import sentences
from knowledge_base.text import measures

# Words that make a date the end of something; `since 2019` and `founded in 2019` do not expire.
_ENDS = re.compile(
    r"\b(?:until|till|through|valid|expir\w+|ends?|ending|deadline|no later than|last day|by"
    r"|up to|last orders?)\b|截至|截止|有效|到期|之前|以前|为止|[至到止]|最迟|最晚",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?<![0-9A-Za-z.,$€£¥#/-])(?:19|20)[0-9]{2}(?![0-9A-Za-z%,/]|-[0-9]|\.[0-9])")
_FOUR_DIGITS = re.compile(r"(?:19|20)[0-9]{2}")
_AROUND: Final = 40  # characters between a year and the word that ends it


@dataclass(frozen=True)
class ExpiredStatement:
    """A sentence about an end that has passed; `expiry` is the date or year in it."""

    start: int
    text: str
    expiry: str


def parse_date(text: str | None) -> date | None:
    """Parse an ISO date; return None for no text, and for text that is not a date."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def find_expired(text: str, today: date) -> Iterator[ExpiredStatement]:
    """Yield the sentences of a text that name an end in the past, with offsets into it."""
    if not _FOUR_DIGITS.search(measures.plain(text)):
        return
    for start, end in sentences(text):
        sentence = text[start:end]
        expiry = _expiry(sentence, today)
        if expiry:
            yield ExpiredStatement(start, sentence, expiry)


def _expiry(sentence: str, today: date) -> str | None:
    """Return the latest date of a sentence if it has passed; a later one keeps it valid."""
    # A figure with a unit is not a year (2000 litres); a counted one may be (the 2025 season).
    figures = [v for v in measures.find_measures(sentence) if v.kind != "count"]
    dates = [
        (int(v.low), sentence[v.start : v.end], v.start, v.end) for v in figures if v.kind == "date"
    ]
    for match in _YEAR.finditer(measures.plain(sentence)):
        if not any(v.start <= match.start() < v.end for v in figures):
            last = 10_000 * int(match[0]) + 1231
            dates.append((last, match[0], *match.span()))
    if not dates:
        return None
    latest, text, start, end = max(dates)
    near = sentence[max(0, start - _AROUND) : end + _AROUND]
    now = 10_000 * today.year + 100 * today.month + today.day
    return text.strip() if latest < now and _ENDS.search(near) else None
