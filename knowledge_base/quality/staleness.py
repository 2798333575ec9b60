"""Dates in articles: from when to when something holds, and what a text says is over."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from knowledge_base.chunking import sentences
from knowledge_base.text import measures

# Words that make a date the end of something; `since 2019` and `founded in 2019` hold for ever.
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
    """A sentence that speaks of an end which has passed; `said` is the date or year."""

    start: int
    text: str
    said: str


def day(text: str | None) -> date | None:
    """Read an ISO date; None for none, and for what is no date."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def passed(text: str, today: date) -> Iterator[ExpiredStatement]:
    """Yield the sentences of a text that name an end in the past, with offsets into it."""
    if not _FOUR_DIGITS.search(measures.plain(text)):
        return
    for start, end in sentences(text):
        sentence = text[start:end]
        said = _over(sentence, today)
        if said:
            yield ExpiredStatement(start, sentence, said)


def _over(sentence: str, today: date) -> str | None:
    """Return the latest date of a sentence if that has passed; a later one keeps it true."""
    # A figure with a unit is no year: 2000 litres. What is counted may be one: the 2025 season.
    figures = [v for v in measures.find(sentence) if v.kind != "count"]
    known = [
        (int(v.low), sentence[v.start : v.end], v.start, v.end) for v in figures if v.kind == "date"
    ]
    for match in _YEAR.finditer(measures.plain(sentence)):
        if not any(v.start <= match.start() < v.end for v in figures):
            last = 10_000 * int(match[0]) + 1231
            known.append((last, match[0], *match.span()))
    if not known:
        return None
    latest, said, start, end = max(known)
    near = sentence[max(0, start - _AROUND) : end + _AROUND]
    now = 10_000 * today.year + 100 * today.month + today.day
    return said.strip() if latest < now and _ENDS.search(near) else None
