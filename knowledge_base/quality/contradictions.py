"""Two passages that answer one question differently: another figure, place or a denial. Pure.

Sentences are aligned first, each with the one it shares most words with, both ways. A pair that
speaks of two places, products, weekdays or ways of paying is no pair. What is left contradicts
where figures of one kind exclude each other, where one says no to what the other affirms, or
where one says `only` and the other names more.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from knowledge_base.quality.claims import ArticleClaim, ClaimClause, words
from knowledge_base.text.measures import Measure

# Shares of weighted words two sentences need in common: chosen on the pairs of
# `data/tests/contradictions.jsonl` that are not held back; `test_health.py` measures them.
FIGURES: Final = 0.42
DENIALS: Final = 0.7
SCOPE: Final = 0.4
_NARROWER: Final = 0.2  # what a limit costs that only one of the two has
_TWO_WORDS: Final = 2  # that two sentences must share; in Chinese pairs and characters count
_TWO_HAN_WORDS: Final = 5
_ALIKE: Final = 0.6  # headings that say what a sentence with one word is about
_ONE_ARTICLE: Final = 0.2
_FIRST_HAN: Final = 0x3400
_ROW: Final = 0.75  # of the words of two rows' first cells


@dataclass(frozen=True)
class Contradiction:
    """Two statements that cannot both be true, and why: `figure`, `denial` or `scope`."""

    first: ArticleClaim
    second: ArticleClaim
    why: str
    score: float
    said: tuple[str, str] = ("", "")


Weights = Mapping[str, float]


def between(
    first: Sequence[ArticleClaim],
    second: Sequence[ArticleClaim],
    weights: Weights,
    *,
    headings: float | None = None,
    one_article: bool = False,
) -> list[Contradiction]:
    """Return the conflicts of two passages, at most one for each sentence.

    `weights` says how much a word tells (unknown ones tell most), `headings` how alike the
    passages' headings are, 0 to 1, None where there are none. Two passages of one article must be
    more alike: its sentences share their subject anyway.
    """
    extra = _ONE_ARTICLE if one_article else 0.0
    return [
        conflict
        for one, other, score in _aligned(first, second, weights)
        if _tells(one, other) or (headings or 0.0) >= _ALIKE
        if (conflict := _conflict(one, other, _with(score, headings) - extra, weights))
    ]


def _tells(one: ArticleClaim, other: ArticleClaim) -> bool:
    """Tell whether two sentences share enough words to be about one matter; rows need fewer."""
    shared = one.words & other.words
    han = any(ord(word[0]) >= _FIRST_HAN for word in shared)
    return bool(one.row) or len(shared) >= (_TWO_HAN_WORDS if han else _TWO_WORDS)


def _with(score: float, headings: float | None) -> float:
    """Sentences are short: what stands above them says what they are about."""
    return score if headings is None else 0.8 * score + 0.2 * headings


def overlap(one: frozenset[str], other: frozenset[str], weights: Weights) -> float:
    """Return the weighted share of the shorter side's words that the other has, 0 to 1."""
    smaller = min(_weight(one, weights), _weight(other, weights))
    return _weight(one & other, weights) / smaller if smaller else 0.0


def _weight(words: frozenset[str], weights: Weights) -> float:
    return sum([weights.get(word, 1.0) for word in words])


def _aligned(
    first: Sequence[ArticleClaim], second: Sequence[ArticleClaim], weights: Weights
) -> Iterator[tuple[ArticleClaim, ArticleClaim, float]]:
    """Yield the pairs of sentences that are each other's best counterpart, with their likeness.

    What is shared counts as a share of the shorter sentence, and a little of the longer one.
    """
    if not first or not second:
        return
    lengths = [_weight(other.words, weights) for other in second]
    scores = []
    for one in first:
        own = _weight(one.words, weights)
        row = []
        for other, length in zip(second, lengths, strict=True):
            shared = one.words & other.words
            score = _weight(shared, weights) if shared else 0.0
            score = score and 0.7 * score / min(own, length) + 0.3 * score / max(own, length)
            row.append(1.0 if _one_row(one, other) else score)
        scores.append(row)
    back = [max(range(len(first)), key=lambda i: scores[i][j]) for j in range(len(second))]
    for i, row in enumerate(scores):
        j = max(range(len(second)), key=row.__getitem__)
        if row[j] and back[j] == i:
            yield first[i], second[j], row[j]


def _one_row(one: ArticleClaim, other: ArticleClaim) -> bool:
    """Tell whether two rows of tables with one header begin with the same cell."""
    return bool(one.row) and one.row[:1] == other.row[:1] and one.header == other.header


def _conflict(
    one: ArticleClaim, other: ArticleClaim, score: float, weights: Weights
) -> Contradiction | None:
    if one.text == other.text or not _may_differ(one, other, score):
        return None
    if not _same_subject(one, other, weights):
        return None
    score -= _NARROWER * _only_one_limited(one, other)
    if score >= FIGURES and (pair := _figures(one, other)):
        said = (_words(one, pair[0]), _words(other, pair[1]))
        return Contradiction(one, other, "figure", score, said)
    if score >= SCOPE and _excluded(one, other):
        return Contradiction(one, other, "scope", score)
    if (denied := _denied(one, other, weights)) >= DENIALS:
        return Contradiction(one, other, "denial", denied)
    return None


def _may_differ(one: ArticleClaim, other: ArticleClaim, score: float) -> bool:
    """Tell whether a closer look is worth while; most pairs end here."""
    close = score >= min(FIGURES, SCOPE)
    if close and ((one.values and other.values) or one.only != other.only):
        return True
    return one.whole and other.whole and (one.denies or other.denies)


def _words(statement: ArticleClaim, value: Measure) -> str:
    return statement.text[value.start : value.end].strip()


def _same_subject(one: ArticleClaim, other: ArticleClaim, weights: Weights) -> bool:
    """Tell whether two sentences can be about one matter: no limit of theirs excludes it."""
    if one.exception != other.exception:
        return False
    for line in one.scopes.keys() & other.scopes.keys():
        if not one.scopes[line] & other.scopes[line]:
            return False
    if one.days and other.days and not one.days & other.days:
        return False
    if one.names and other.names and not _named_alike(one.names, other.names):
        return False
    if one.row or other.row:
        return _same_row(one, other, weights)
    return bool(one.first & other.words) and bool(other.first & one.words)


def _named_alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Tell whether a name of one is, or is a part of, a name of the other."""
    words = {word for name in one for word in name.split()}
    return bool(words & {word for name in other for word in name.split()})


def _same_row(one: ArticleClaim, other: ArticleClaim, weights: Weights) -> bool:
    """Tell whether two rows begin alike: their first cell says what they are about."""
    if len(one.row) != len(other.row):
        return False
    first, second = (frozenset(words(line.row[0])) for line in (one, other))
    if not first or not second:
        return one.row[0] == other.row[0]
    longer = max(_weight(first, weights), _weight(second, weights))
    return _weight(first & second, weights) / longer >= _ROW


def _only_one_limited(one: ArticleClaim, other: ArticleClaim) -> int:
    return len(one.scopes.keys() ^ other.scopes.keys())


def _figures(one: ArticleClaim, other: ArticleClaim) -> tuple[Measure, Measure] | None:
    """Return a figure of each that excludes the other's; what agrees is left aside."""
    if one.example or other.example:
        return None
    if one.row and one.row[0] and len(one.row) == len(other.row):
        return _in_cells(one, other)
    for value in one.values:
        rivals = [v for v in other.values if _rival(value, v) and _beside(one, value, other, v)]
        if not rivals or any(value.fits(v) for v in rivals):
            continue
        free = [v for v in rivals if not any(u.fits(v) for u in one.values if _rival(u, v))]
        if free:
            return value, free[0]
    return None


def _rival(value: Measure, other: Measure) -> bool:
    limits = value.kind == other.kind == "count" and value.limit and other.limit
    return limits or value.comparable(other)


def _beside(one: ArticleClaim, value: Measure, other: ArticleClaim, rival: Measure) -> bool:
    """Tell whether the words around two figures have something in common."""
    here, there = one.clause(value), other.clause(rival)
    if here is None or there is None or not here.words or not there.words:
        return True
    return bool(here.words & there.words)


def _in_cells(one: ArticleClaim, other: ArticleClaim) -> tuple[Measure, Measure] | None:
    """Return figures that differ in one column of two rows."""
    left, right = (list(_by_cell(line)) for line in (one, other))
    for column, value in left:
        if not _one_column(one.header, other.header, column):
            continue
        rivals = [v for c, v in right if c == column and _rival(value, v)]
        if rivals and not any(value.fits(v) for v in rivals):
            return value, rivals[0]
    return None


def _one_column(one: Sequence[str], other: Sequence[str], column: int) -> bool:
    """Tell whether two tables have one heading above a column."""
    if column >= len(one) or column >= len(other):
        return False
    return bool(set(words(one[column])) & set(words(other[column]))) or one[column] == other[column]


def _by_cell(line: ArticleClaim) -> Iterator[tuple[int, Measure]]:
    offset = len(line.text) - len(line.text.lstrip("| "))
    for value in line.values:
        yield line.text.count("|", offset, value.start), value


def _excluded(one: ArticleClaim, other: ArticleClaim) -> bool:
    """Tell whether one says `only` of some places and the other names more, or fewer."""
    if one.only == other.only:
        return False
    narrow, wide = (one, other) if one.only else (other, one)
    here, there = (line.scopes.get("place", frozenset()) for line in (narrow, wide))
    return bool(here) and here < there and not wide.denies


def _denied(one: ArticleClaim, other: ArticleClaim, weights: Weights) -> float:
    """Return how much of a clause another one denies, 0 to 1; list items deny nothing alone."""
    if not (one.whole and other.whole):
        return 0.0
    found = [
        overlap(c.words, d.words, weights)
        for c in one.clauses
        for d in other.clauses
        if _opposed(c, d)
    ]
    return max(found, default=0.0)


def _opposed(one: ClaimClause, other: ClaimClause) -> bool:
    """Tell whether one clause says no to something the other speaks of."""
    if one.qualified or other.qualified or (one.denied is None) == (other.denied is None):
        return False
    no, yes = (one, other) if one.denied is not None else (other, one)
    shared = one.words & other.words
    han = any(ord(word[0]) >= _FIRST_HAN for word in shared)
    if len(shared) < (_TWO_HAN_WORDS if han else _TWO_WORDS):
        return False
    return not no.denied or bool(no.denied & yes.words)
