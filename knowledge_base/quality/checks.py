"""What is wrong with the knowledge: passages twice, passages that disagree, articles out of date.

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
from knowledge_base.quality import claims as statements
from knowledge_base.quality import contradictions, language_coverage, near_duplicates, staleness
from knowledge_base.quality.contradictions import Contradiction
from knowledge_base.quality.near_duplicates import SimilarPair

NEIGHBOURS: Final = 12  # passages each is compared with
SOON_DAYS: Final = 14
_SHARED: Final = 0.12  # cosine of the words of passages that are read side by side
_SAME: Final = 0.7  # share of all words of two passages that both have: near-duplicates
_SHORTEST: Final = 6  # words of a passage that can be a duplicate; `No.` stands everywhere


class IssueKind(StrEnum):
    """What can be wrong."""

    CONTRADICTION = "contradiction"
    DUPLICATE = "duplicate"
    EXPIRED = "expired"
    EXPIRING = "expiring"
    OUTDATED = "outdated"
    NOT_YET_VALID = "not_yet_valid"
    MISSING_LANGUAGE = "missing_language"
    NEVER_RETRIEVED = "never_retrieved"


class IssueSeverity(StrEnum):
    """How much it matters: customers read something wrong, may do so, or nothing is wrong yet."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True)
class ArticleQuote:
    """A piece of an article: `text[start:end] == quote`; `chunk` is the passage it stands in."""

    article: str
    start: int
    end: int
    quote: str
    chunk: str | None = None


@dataclass(frozen=True)
class QualityIssue:
    """One thing to look at, where it stands, and what to do about it."""

    kind: IssueKind
    severity: IssueSeverity
    articles: tuple[str, ...]
    quotes: tuple[ArticleQuote, ...]
    advice: str
    score: float = 1.0

    @property
    def chunks(self) -> tuple[str, ...]:
        """The ids of the passages it is about."""
        return tuple(quote.chunk for quote in self.quotes if quote.chunk)


@dataclass(frozen=True)
class QualityReport:
    """The findings, worst first, and how much was read."""

    findings: tuple[QualityIssue, ...]
    articles: int
    passages: int


def check(  # noqa: PLR0913 — each is a question of its own
    documents: Sequence[Document],
    chunks: Sequence[Chunk],
    vectors: Vectors,
    *,
    today: date,
    retrieved: Collection[str] | None = None,
    soon_days: int = SOON_DAYS,
) -> QualityReport:
    """Return what is wrong with the knowledge.

    `vectors` are the unit vectors of the chunks, float32, shape (n, d), in their order.
    `retrieved` are the ids of articles that were ever found; without it nothing is said about
    that. An article whose last day lies within `soon_days` days is announced.

    Raises KnowledgeError when chunks and vectors differ in number.
    """
    if len(chunks) != len(vectors):
        message = f"{len(chunks)} passages but {len(vectors)} vectors: run `careline ingest`"
        raise KnowledgeError(message)
    found = [
        *_compared(chunks, vectors),
        *_dated(documents, chunks, today, soon_days),
        *_untranslated(documents, chunks, vectors),
        *_unused(documents, retrieved),
    ]
    order = list(IssueSeverity)
    found.sort(key=lambda f: (order.index(f.severity), f.kind, -f.score, f.articles))
    return QualityReport(tuple(found), len(documents), len(chunks))


def _compared(chunks: Sequence[Chunk], vectors: Vectors) -> Iterator[QualityIssue]:
    """Yield duplicates and contradictions among passages of one language."""
    rows = [statements.words(f"{chunk.heading}\n{chunk.text}") for chunk in chunks]
    weights = near_duplicates.rarity(rows)
    folded = near_duplicates.folded(rows, weights)
    spoken = [language_coverage.of_passage(chunk) for chunk in chunks]
    names = sorted(set(spoken))
    groups = np.array([names.index(language) for language in spoken], dtype=np.int32)
    near = near_duplicates.pairs(vectors, folded, groups, k=NEIGHBOURS, least=_SHARED)
    read = _Reader(chunks, weights)
    twice: set[tuple[str, str]] = set()
    for pair in near:
        first, second = chunks[pair.first], chunks[pair.second]
        conflicts = read.conflicts(pair)
        for conflict in conflicts:
            said = tuple(sorted((conflict.first.text, conflict.second.text)))
            if (said[0], said[1]) not in twice:
                twice.add((said[0], said[1]))
                yield _contradiction(first, second, conflict)
        if not conflicts and read.alike(pair):
            yield _duplicate(first, second, pair)


class _Reader:
    """Reads each passage once."""

    def __init__(self, chunks: Sequence[Chunk], weights: dict[str, float]) -> None:
        self._chunks = chunks
        self._weights = weights
        self._read: dict[int, list[statements.ArticleClaim]] = {}
        self._terms: dict[int, frozenset[str]] = {}

    def statements(self, row: int) -> list[statements.ArticleClaim]:
        if row not in self._read:
            self._read[row] = statements.of(self._chunks[row])
        return self._read[row]

    def terms(self, row: int) -> frozenset[str]:
        if row not in self._terms:
            self._terms[row] = frozenset(terms(self._chunks[row].text))
        return self._terms[row]

    def conflicts(self, pair: SimilarPair) -> list[Contradiction]:
        first, second = (frozenset(statements.words(self._chunks[r].heading)) for r in _rows(pair))
        headings = len(first & second) / len(first | second) if first and second else None
        one, other = (self.statements(row) for row in _rows(pair))
        same = self._chunks[pair.first].article == self._chunks[pair.second].article
        return contradictions.between(
            one, other, self._weights, headings=headings, one_article=same
        )

    def alike(self, pair: SimilarPair) -> bool:
        """Tell whether two passages have nearly the same words."""
        first, second = (self.terms(row) for row in _rows(pair))
        if min(len(first), len(second)) < _SHORTEST:
            return False
        return len(first & second) / len(first | second) >= _SAME


def _rows(pair: SimilarPair) -> tuple[int, int]:
    return pair.first, pair.second


def _contradiction(first: Chunk, second: Chunk, conflict: Contradiction) -> QualityIssue:
    one, other = conflict.said
    what = f": {one} here, {other} there" if one else ""
    why = {
        "figure": f"the same question gets two answers{what}",
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


def _dated(
    documents: Sequence[Document], chunks: Sequence[Chunk], today: date, soon_days: int
) -> Iterator[QualityIssue]:
    """Yield articles that hold no more, not yet, or not for long."""
    for document in documents:
        until, since = staleness.day(document.valid_until), staleness.day(document.valid_from)
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
        for past in staleness.passed(chunk.text, today):
            start = chunk.start + past.start
            quote = ArticleQuote(chunk.article, start, start + len(past.text), past.text, chunk.id)
            advice = f"{past.said} is over: correct the sentence, or take it out"
            yield QualityIssue(
                IssueKind.OUTDATED, IssueSeverity.MEDIUM, (chunk.article,), (quote,), advice
            )


def _untranslated(
    documents: Sequence[Document], chunks: Sequence[Chunk], vectors: Vectors
) -> Iterator[QualityIssue]:
    for gap in language_coverage.gaps(documents, chunks, vectors):
        near = f"; the nearest is {gap.nearest} ({gap.score:.2f})" if gap.nearest else ""
        advice = f"there is no such article in `{gap.language}`: translate it{near}"
        yield QualityIssue(
            IssueKind.MISSING_LANGUAGE, IssueSeverity.MEDIUM, (gap.article,), (), advice
        )


def _unused(
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
