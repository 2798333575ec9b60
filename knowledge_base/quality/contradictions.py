"""Detection of contradictions between two passages: another figure, place or a negation. Pure.

Sentences are aligned first: each with the one it shares most words with, in both directions. A
pair that is about two places, products, weekdays or payment methods is dropped. The others
contradict each other if figures of one kind exclude each other, if one denies what the other
affirms, or if one says `only` and the other names more.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from knowledge_base.quality.claims import ArticleClaim, ClaimClause, words
from knowledge_base.text.measures import Measure

# Shares of weighted words that two sentences must have in common, tuned on the pairs of
# `data/tests/contradictions.jsonl` that are not held back; `test_checks.py` measures them.
FIGURES: Final = 0.42
DENIALS: Final = 0.7
SCOPE: Final = 0.4
_SCOPE_PENALTY: Final = 0.2  # for a limit that only one of the two has
_MIN_SHARED_WORDS: Final = 2  # of two sentences; in Chinese, pairs and characters count
_MIN_SHARED_HAN: Final = 5
_SIMILAR_HEADINGS: Final = 0.6  # headings that say what a sentence with one word is about
_SAME_ARTICLE_PENALTY: Final = 0.2
_FIRST_HAN: Final = 0x3400
_SAME_ROW: Final = 0.75  # of the words of two rows' first cells


@dataclass(frozen=True)
class Contradiction:
    """Two claims that cannot both be true, and why: `figure`, `denial` or `scope`."""

    first: ArticleClaim
    second: ArticleClaim
    why: str
    score: float
    figures: tuple[str, str] = ("", "")


Weights = Mapping[str, float]


def find_contradictions(
    first: Sequence[ArticleClaim],
    second: Sequence[ArticleClaim],
    weights: Weights,
    *,
    headings: float | None = None,
    one_article: bool = False,
) -> list[Contradiction]:
    """Return the contradictions of two passages, at most one for each sentence.

    `weights` says how informative a word is (1 if missing), `headings` how similar the headings
    are, 0 to 1, or None if there are none. Two passages of one article must be more similar, since
    its sentences share their subject anyway.
    """
    penalty = _SAME_ARTICLE_PENALTY if one_article else 0.0
    return [
        contradiction
        for claim, other, score in _align(first, second, weights)
        if _share_enough_words(claim, other) or (headings or 0.0) >= _SIMILAR_HEADINGS
        if (
            contradiction := _conflict(
                claim, other, _blend_headings(score, headings) - penalty, weights
            )
        )
    ]


def _share_enough_words(first: ArticleClaim, second: ArticleClaim) -> bool:
    """Return whether two sentences share enough words to be about one subject; rows need fewer."""
    shared = first.words & second.words
    return bool(first.row) or len(shared) >= _min_shared(shared)


def _min_shared(shared: frozenset[str]) -> int:
    han = any(ord(word[0]) >= _FIRST_HAN for word in shared)
    return _MIN_SHARED_HAN if han else _MIN_SHARED_WORDS


def _blend_headings(score: float, headings: float | None) -> float:
    """Return the similarity of two sentences and of the headings that give them their context."""
    return score if headings is None else 0.8 * score + 0.2 * headings


def overlap_coefficient(first: frozenset[str], second: frozenset[str], weights: Weights) -> float:
    """Return the weighted share of the shorter side's words that the other has, 0 to 1."""
    smaller = min(_weight(first, weights), _weight(second, weights))
    return _weight(first & second, weights) / smaller if smaller else 0.0


def _weight(words: frozenset[str], weights: Weights) -> float:
    return sum([weights.get(word, 1.0) for word in words])


def _align(
    first: Sequence[ArticleClaim], second: Sequence[ArticleClaim], weights: Weights
) -> Iterator[tuple[ArticleClaim, ArticleClaim, float]]:
    """Yield the pairs of sentences that are each other's best match, with their similarity.

    Shared words count as a share of the shorter sentence, and a little of the longer one.
    """
    if not first or not second:
        return
    lengths = [_weight(claim.words, weights) for claim in second]
    scores = []
    for claim in first:
        own = _weight(claim.words, weights)
        row = []
        for other, length in zip(second, lengths, strict=True):
            shared = claim.words & other.words
            score = _weight(shared, weights) if shared else 0.0
            score = score and 0.7 * score / min(own, length) + 0.3 * score / max(own, length)
            row.append(1.0 if _same_first_cell(claim, other) else score)
        scores.append(row)
    back = [max(range(len(first)), key=lambda i: scores[i][j]) for j in range(len(second))]
    for i, row in enumerate(scores):
        j = max(range(len(second)), key=row.__getitem__)
        if row[j] and back[j] == i:
            yield first[i], second[j], row[j]


def _same_first_cell(first: ArticleClaim, second: ArticleClaim) -> bool:
    """Return whether two rows of tables with the same header begin with the same cell."""
    return bool(first.row) and first.row[:1] == second.row[:1] and first.header == second.header


def _conflict(
    first: ArticleClaim, second: ArticleClaim, score: float, weights: Weights
) -> Contradiction | None:
    if first.text == second.text or not _may_differ(first, second, score):
        return None
    if not _same_subject(first, second, weights):
        return None
    score -= _SCOPE_PENALTY * _unshared_scopes(first, second)
    if score >= FIGURES and (pair := _conflicting_figures(first, second)):
        quotes = (_quote(first, pair[0]), _quote(second, pair[1]))
        return Contradiction(first, second, "figure", score, quotes)
    if score >= SCOPE and _conflicting_scope(first, second):
        return Contradiction(first, second, "scope", score)
    if (denial := _denial_score(first, second, weights)) >= DENIALS:
        return Contradiction(first, second, "denial", denial)
    return None


def _may_differ(first: ArticleClaim, second: ArticleClaim, score: float) -> bool:
    """Return whether two sentences are worth comparing in detail; most pairs are not."""
    close = score >= min(FIGURES, SCOPE)
    if close and ((first.values and second.values) or first.only != second.only):
        return True
    return first.whole and second.whole and (first.denies or second.denies)


def _quote(claim: ArticleClaim, value: Measure) -> str:
    return claim.text[value.start : value.end].strip()


def _same_subject(first: ArticleClaim, second: ArticleClaim, weights: Weights) -> bool:
    """Return whether two sentences can be about one subject: no limit of theirs excludes it."""
    if first.exception != second.exception:
        return False
    for scope in first.scopes.keys() & second.scopes.keys():
        if not first.scopes[scope] & second.scopes[scope]:
            return False
    if first.days and second.days and not first.days & second.days:
        return False
    if first.names and second.names and not _share_a_name(first.names, second.names):
        return False
    if first.row or second.row:
        return _same_row(first, second, weights)
    return bool(first.first & second.words) and bool(second.first & first.words)


def _share_a_name(first: frozenset[str], second: frozenset[str]) -> bool:
    """Return whether two sets of names have a word in common."""
    words = {word for name in first for word in name.split()}
    return bool(words & {word for name in second for word in name.split()})


def _same_row(first: ArticleClaim, second: ArticleClaim, weights: Weights) -> bool:
    """Return whether two rows have similar first cells: these say what they are about."""
    if len(first.row) != len(second.row):
        return False
    left, right = (frozenset(words(claim.row[0])) for claim in (first, second))
    if not left or not right:
        return first.row[0] == second.row[0]
    longer = max(_weight(left, weights), _weight(right, weights))
    return _weight(left & right, weights) / longer >= _SAME_ROW


def _unshared_scopes(first: ArticleClaim, second: ArticleClaim) -> int:
    return len(first.scopes.keys() ^ second.scopes.keys())


def _conflicting_figures(
    first: ArticleClaim, second: ArticleClaim
) -> tuple[Measure, Measure] | None:
    """Return a figure of each that exclude each other; figures that agree are ignored."""
    if first.example or second.example:
        return None
    if first.row and first.row[0] and len(first.row) == len(second.row):
        return _conflicting_cells(first, second)
    for value in first.values:
        rivals = [
            v
            for v in second.values
            if _are_rivals(value, v) and _share_context(first, value, second, v)
        ]
        if not rivals or any(value.fits(v) for v in rivals):
            continue
        free = [v for v in rivals if not any(u.fits(v) for u in first.values if _are_rivals(u, v))]
        if free:
            return value, free[0]
    return None


def _are_rivals(value: Measure, other: Measure) -> bool:
    limits = value.kind == other.kind == "count" and value.limit and other.limit
    return limits or value.comparable(other)


def _share_context(
    first: ArticleClaim, value: Measure, second: ArticleClaim, rival: Measure
) -> bool:
    """Return whether the clauses around two figures share a word."""
    here, there = first.clause(value), second.clause(rival)
    if here is None or there is None or not here.words or not there.words:
        return True
    return bool(here.words & there.words)


def _conflicting_cells(first: ArticleClaim, second: ArticleClaim) -> tuple[Measure, Measure] | None:
    """Return figures that differ in one column of two rows."""
    cells, other_cells = (list(_figures_by_column(claim)) for claim in (first, second))
    for column, value in cells:
        if not _same_column(first.header, second.header, column):
            continue
        rivals = [v for c, v in other_cells if c == column and _are_rivals(value, v)]
        if rivals and not any(value.fits(v) for v in rivals):
            return value, rivals[0]
    return None


def _same_column(first: Sequence[str], second: Sequence[str], column: int) -> bool:
    """Return whether a column of two tables has the same heading."""
    if column >= len(first) or column >= len(second):
        return False
    here, there = first[column], second[column]
    return bool(set(words(here)) & set(words(there))) or here == there


def _figures_by_column(claim: ArticleClaim) -> Iterator[tuple[int, Measure]]:
    offset = len(claim.text) - len(claim.text.lstrip("| "))
    for value in claim.values:
        yield claim.text.count("|", offset, value.start), value


def _conflicting_scope(first: ArticleClaim, second: ArticleClaim) -> bool:
    """Return whether one says `only` of some places and the other names more, or fewer."""
    if first.only == second.only:
        return False
    narrow, wide = (first, second) if first.only else (second, first)
    here, there = (claim.scopes.get("place", frozenset()) for claim in (narrow, wide))
    return bool(here) and here < there and not wide.denies


def _denial_score(first: ArticleClaim, second: ArticleClaim, weights: Weights) -> float:
    """Return how much of a clause another one denies, 0 to 1; 0 for list items and rows."""
    if not (first.whole and second.whole):
        return 0.0
    scores = [
        overlap_coefficient(c.words, d.words, weights)
        for c in first.clauses
        for d in second.clauses
        if _are_opposed(c, d)
    ]
    return max(scores, default=0.0)


def _are_opposed(first: ClaimClause, second: ClaimClause) -> bool:
    """Return whether one clause denies something the other affirms."""
    if first.qualified or second.qualified or (first.denied is None) == (second.denied is None):
        return False
    no, yes = (first, second) if first.denied is not None else (second, first)
    shared = first.words & second.words
    if len(shared) < _min_shared(shared):
        return False
    return not no.denied or bool(no.denied & yes.words)
