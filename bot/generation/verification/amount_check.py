"""Comparison of a statement's figures with those of its supporting sentences. Pure."""

import re
from collections.abc import Sequence
from typing import Final

from bot.generation.verification import name_check
from bot.generation.verification.amounts import MONEY, SHORT_DAYS, Amount, written_number
from bot.generation.verification.sentences import ParsedSentence, units
from bot.generation.verification.verdicts import SupportIssue
from knowledge_base.text.scope_constraints import find_weekdays

_REACH: Final = 4  # words on each side that say what a figure measures
_MARGIN: Final = 0.34  # by which the context of another figure must fit better


def find_issues(sentence: ParsedSentence, support: Sequence[ParsedSentence]) -> set[SupportIssue]:
    """Return the issues of a sentence's figures against the supporting sentences.

    A figure is supported by an equal one, unless the context of another figure of its kind fits the
    statement clearly better: then the statement has the figure of another thing.
    """
    own = sentence.figures
    if not own:
        return set()
    there = [(other, figure) for other in support for figure in other.figures]
    return {issue for figure in own if (issue := _find_issue(sentence, figure, there))}


def _find_issue(
    sentence: ParsedSentence, figure: Amount, there: Sequence[tuple[ParsedSentence, Amount]]
) -> SupportIssue | None:
    equal = [pair for pair in there if figure.same(pair[1])]
    rivals = [pair for pair in there if pair[1].kind == figure.kind and not figure.same(pair[1])]
    if not equal and figure.kind == "weekday" and _within_days(figure, there):
        return None
    if not equal:
        return _missing(sentence, figure, there, rivals=bool(rivals))
    if all(_is_about_another(sentence, other, there) for other, _ in equal):
        return figure.flaw
    if not rivals:
        return None
    words = _context(sentence, figure)
    best = max(_fit(words, _context(*pair)) for pair in equal)
    other = max(_fit(words, _context(*pair)) for pair in rivals)
    return figure.flaw if other > best + _MARGIN else None


def _is_about_another(
    sentence: ParsedSentence, other: ParsedSentence, there: Sequence[tuple[ParsedSentence, Amount]]
) -> bool:
    """Return whether another sentence has another name: Denver's hours are not Portland's."""
    own, theirs = name_check.find_names(sentence.text), name_check.find_names(other.text)
    if not own - theirs or not theirs - own or own & theirs:
        return False
    return any(own & name_check.find_names(third.text) for third, _ in there)


def _missing(
    sentence: ParsedSentence,
    figure: Amount,
    there: Sequence[tuple[ParsedSentence, Amount]],
    *,
    rivals: bool,
) -> SupportIssue | None:
    ranges = [other for _, other in there if figure.edge(other)]
    if ranges and (_is_limit(sentence.text, figure) or _names_both_ends(sentence, ranges)):
        return None
    if figure.weak and not rivals:
        return None
    issues = {classify_mismatch(sentence, figure, *pair) for pair in there}
    return SupportIssue.UNIT if SupportIssue.UNIT in issues else figure.flaw


def classify_mismatch(
    sentence: ParsedSentence, figure: Amount, other: ParsedSentence, there: Amount
) -> SupportIssue:
    """Return the issue of a figure that should be another: the unit, if the number is right."""
    number = written_number(sentence.text, figure)
    right = number is not None and number == written_number(other.text, there)
    return SupportIssue.UNIT if right and figure.kind not in MONEY else figure.flaw


_LIMIT: Final = re.compile(
    r"up to|at most|at least|within|from|no (?:more|less|later|longer) than|maximum|minimum|as long"
    r" as|最多|最少|至少"
    r"|至多|不超过|以内|之内|内|起|最长|最短|最快|最慢|starting|under|over|earliest|latest",
    re.IGNORECASE,
)


def _names_both_ends(sentence: ParsedSentence, ranges: Sequence[Amount]) -> bool:
    """Return whether a sentence names both ends of a range, each as a figure."""
    return any(
        {own.low for own in sentence.figures if own.edge(other)} == {other.low, other.high}
        for other in ranges
    )


def _is_limit(text: str, figure: Amount) -> bool:
    """Return whether a figure is a limit of something."""
    return bool(_LIMIT.search(text, max(0, figure.start - 14), min(len(text), figure.end + 4)))


def _within_days(figure: Amount, there: Sequence[tuple[ParsedSentence, Amount]]) -> bool:
    """Return whether a weekday is in a range of weekdays, or in "daily"."""
    name = SHORT_DAYS[int(figure.low)]
    return any(name in find_weekdays(text) for text in {other.text for other, _ in there})


def _context(sentence: ParsedSentence, figure: Amount) -> dict[str, float]:
    """Return the words around a figure within its clause, weighted by their distance."""
    start, end = sentence.clause(figure.start)
    if "|" in sentence.text or not units(sentence.around(start, figure.start)):
        start = 0  # a row is about its first cell
    before = units(sentence.around(start, figure.start))[-_REACH:]
    after = units(sentence.around(figure.end, end))[:_REACH]
    near = {key: 1.0 / (1 + 0.3 * n) for n, key in enumerate(reversed(before))}
    for n, key in enumerate(after):
        near[key] = max(near.get(key, 0.0), 1.0 / (1 + 0.3 * n))
    return near


def _fit(words: dict[str, float], other_words: dict[str, float]) -> float:
    """Return how much the context of one figure is like that of another, 0 to 1."""
    total = sum(words.values())
    shared = sum(min(w, other_words[k]) for k, w in words.items() if k in other_words)
    return shared / total if total else 0.0
