"""Checks of the knowledge: duplicate passages, contradictions, outdated articles.

`check` reads documents and the vectors of their chunks; it changes nothing.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

import numpy as np

from knowledge_base.documents import Chunk, Document, KnowledgeError
from knowledge_base.encoders.base_models import Vectors
from knowledge_base.index.sparse import terms
from knowledge_base.quality import contradictions, language_coverage, near_duplicates, staleness
from knowledge_base.quality.claims import ArticleClaim, extract_claims, words
from knowledge_base.quality.contradictions import Contradiction
from knowledge_base.quality.near_duplicates import SimilarPair

NEIGHBOURS: Final = 12  # passages that each one is compared with
SOON_DAYS: Final = 14
_MIN_WORD_COSINE: Final = 0.12  # of passages that are compared sentence by sentence
_DUPLICATE_OVERLAP: Final = 0.7  # Jaccard similarity of the words of near-duplicates
_MIN_WORDS: Final = 6  # of a passage that can be a duplicate; shorter ones repeat everywhere


class IssueKind(StrEnum):
    """The kinds of issues."""

    CONTRADICTION = "contradiction"
    DUPLICATE = "duplicate"
    EXPIRED = "expired"
    EXPIRING = "expiring"
    OUTDATED = "outdated"
    NOT_YET_VALID = "not_yet_valid"
    MISSING_LANGUAGE = "missing_language"
    NEVER_RETRIEVED = "never_retrieved"


class IssueSeverity(StrEnum):
    """The severity of an issue: wrong today, possibly wrong, or not wrong yet."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True)
class ArticleQuote:
    """A part of an article: `text[start:end] == quote`; `chunk` is the id of its passage."""

    article: str
    start: int
    end: int
    quote: str
    chunk: str | None = None


@dataclass(frozen=True)
class QualityIssue:
    """An issue to look at, where it is, and what to do about it."""

    kind: IssueKind
    severity: IssueSeverity
    articles: tuple[str, ...]
    quotes: tuple[ArticleQuote, ...]
    advice: str
    score: float = 1.0

    @property
    def chunks(self) -> tuple[str, ...]:
        """The ids of the passages concerned."""
        return tuple(quote.chunk for quote in self.quotes if quote.chunk)


@dataclass(frozen=True)
class QualityReport:
    """The issues, worst first, and the size of the knowledge."""

    findings: tuple[QualityIssue, ...]
    articles: int
    passages: int


def check(
    documents: Sequence[Document],
    chunks: Sequence[Chunk],
    vectors: Vectors,
    *,
    today: date,
    retrieved: Collection[str] | None = None,
    soon_days: int = SOON_DAYS,
) -> QualityReport:
    """Return the issues of the knowledge.

    `vectors` are the unit vectors of the chunks, float32, shape (n, d), in the same order.
    `retrieved` are the ids of articles that a search has returned so far; without it, unused
    articles are not reported. Articles that expire within `soon_days` days are reported.

    Raises KnowledgeError when chunks and vectors differ in number.
    """
    if len(chunks) != len(vectors):
        message = f"{len(chunks)} passages but {len(vectors)} vectors: run `careline ingest`"
        raise KnowledgeError(message)
    issues = [
        *_compare_passages(chunks, vectors),
        *_check_validity(documents, chunks, today, soon_days),
        *_find_untranslated(documents, chunks, vectors),
        *_find_unused(documents, retrieved),
    ]
    order = list(IssueSeverity)
    issues.sort(key=lambda f: (order.index(f.severity), f.kind, -f.score, f.articles))
    return QualityReport(tuple(issues), len(documents), len(chunks))


def _compare_passages(chunks: Sequence[Chunk], vectors: Vectors) -> Iterator[QualityIssue]:
    """Yield duplicates and contradictions among passages of one language."""
    rows = [words(f"{chunk.heading}\n{chunk.text}") for chunk in chunks]
    weights = near_duplicates.word_weights(rows)
    hashed = near_duplicates.hash_words(rows, weights)
    languages = [language_coverage.passage_language(chunk) for chunk in chunks]
    names = sorted(set(languages))
    groups = np.array([names.index(language) for language in languages], dtype=np.int32)
    near = near_duplicates.find_pairs(
        vectors, hashed, groups, k=NEIGHBOURS, min_cosine=_MIN_WORD_COSINE
    )
    comparer = _PassageComparer(chunks, weights)
    reported: set[tuple[str, str]] = set()
    for pair in near:
        first, second = chunks[pair.first], chunks[pair.second]
        conflicts = comparer.conflicts(pair)
        for conflict in conflicts:
            left, right = sorted((conflict.first.text, conflict.second.text))
            if (left, right) not in reported:
                reported.add((left, right))
                yield _contradiction(first, second, conflict)
        if not conflicts and comparer.are_duplicates(pair):
            yield _duplicate(first, second, pair)


class _PassageComparer:
    """Compares passages, and extracts the claims of each only once."""

    def __init__(self, chunks: Sequence[Chunk], weights: dict[str, float]) -> None:
        self._chunks = chunks
        self._weights = weights
        self._claims: dict[int, list[ArticleClaim]] = {}
        self._terms: dict[int, frozenset[str]] = {}

    def claims(self, row: int) -> list[ArticleClaim]:
        if row not in self._claims:
            self._claims[row] = extract_claims(self._chunks[row])
        return self._claims[row]

    def terms(self, row: int) -> frozenset[str]:
        if row not in self._terms:
            self._terms[row] = frozenset(terms(self._chunks[row].text))
        return self._terms[row]

    def conflicts(self, pair: SimilarPair) -> list[Contradiction]:
        first, second = (frozenset(words(self._chunks[r].heading)) for r in _rows(pair))
        headings = len(first & second) / len(first | second) if first and second else None
        claims, others = (self.claims(row) for row in _rows(pair))
        same = self._chunks[pair.first].article == self._chunks[pair.second].article
        return contradictions.find_contradictions(
            claims, others, self._weights, headings=headings, one_article=same
        )

    def are_duplicates(self, pair: SimilarPair) -> bool:
        """Return whether two passages have nearly the same words."""
        first, second = (self.terms(row) for row in _rows(pair))
        if min(len(first), len(second)) < _MIN_WORDS:
            return False
        return len(first & second) / len(first | second) >= _DUPLICATE_OVERLAP


def _rows(pair: SimilarPair) -> tuple[int, int]:
    return pair.first, pair.second


def _contradiction(first: Chunk, second: Chunk, conflict: Contradiction) -> QualityIssue:
    here, there = conflict.figures
    figures = f": {here} here, {there} there" if here else ""
    why = {
        "figure": f"the same question gets two answers{figures}",
        "denial": "one passage denies what the other says",
        "scope": "one passage says `only`, the other names more",
    }[conflict.why]
    quotes = tuple(
        ArticleQuote(chunk.article, line.start, line.end, line.text, chunk.id)
        for chunk, line in ((first, conflict.first), (second, conflict.second))
    )
    return QualityIssue(
        IssueKind.CONTRADICTION,
        IssueSeverity.HIGH,
        _articles(first, second),
        quotes,
        f"{why}; find out which holds and correct the other",
        round(min(1.0, conflict.score), 4),
    )


def _duplicate(first: Chunk, second: Chunk, pair: SimilarPair) -> QualityIssue:
    return QualityIssue(
        IssueKind.DUPLICATE,
        IssueSeverity.LOW,
        _articles(first, second),
        (_whole(first), _whole(second)),
        "the same is said twice: keep one passage and point to it, or the two will drift apart",
        round(min(1.0, max(pair.meaning, 0.0)), 4),
    )


def _articles(first: Chunk, second: Chunk) -> tuple[str, ...]:
    return tuple(dict.fromkeys((first.article, second.article)))


def _whole(chunk: Chunk) -> ArticleQuote:
    return ArticleQuote(chunk.article, chunk.start, chunk.end, chunk.text, chunk.id)


def _check_validity(
    documents: Sequence[Document], chunks: Sequence[Chunk], today: date, soon_days: int
) -> Iterator[QualityIssue]:
    """Yield articles that have expired, are not valid yet, or expire soon."""
    for document in documents:
        until, since = (
            staleness.parse_date(document.valid_until),
            staleness.parse_date(document.valid_from),
        )
        if until and until < today:
            advice = f"it held until {until}: renew it, or take it out"
            yield QualityIssue(IssueKind.EXPIRED, IssueSeverity.HIGH, (document.id,), (), advice)
        elif until and (until - today).days <= soon_days:
            advice = f"it holds until {until}: prepare what follows"
            yield QualityIssue(IssueKind.EXPIRING, IssueSeverity.LOW, (document.id,), (), advice)
        if since and since > today:
            advice = f"it holds from {since} on: nobody finds it before"
            yield QualityIssue(
                IssueKind.NOT_YET_VALID, IssueSeverity.LOW, (document.id,), (), advice
            )
    for chunk in chunks:
        for past in staleness.find_expired(chunk.text, today):
            start = chunk.start + past.start
            quote = ArticleQuote(chunk.article, start, start + len(past.text), past.text, chunk.id)
            advice = f"{past.expiry} is over: correct the sentence, or take it out"
            yield QualityIssue(
                IssueKind.OUTDATED, IssueSeverity.MEDIUM, (chunk.article,), (quote,), advice
            )


def _find_untranslated(
    documents: Sequence[Document], chunks: Sequence[Chunk], vectors: Vectors
) -> Iterator[QualityIssue]:
    for gap in language_coverage.find_missing(documents, chunks, vectors):
        near = f"; the nearest is {gap.nearest} ({gap.score:.2f})" if gap.nearest else ""
        advice = f"there is no such article in `{gap.language}`: translate it{near}"
        yield QualityIssue(
            IssueKind.MISSING_LANGUAGE, IssueSeverity.MEDIUM, (gap.article,), (), advice
        )


def _find_unused(
    documents: Sequence[Document], retrieved: Collection[str] | None
) -> Iterator[QualityIssue]:
    if retrieved is None:
        return
    for document in documents:
        if document.id not in retrieved:
            advice = (
                "no question ever found it: see whether customers use other words than it does, "
                "or whether it is needed"
            )
            yield QualityIssue(
                IssueKind.NEVER_RETRIEVED, IssueSeverity.LOW, (document.id,), (), advice
            )
