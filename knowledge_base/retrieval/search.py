"""Search: all lists → fused → hits. The one path for chat, search page and evaluation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge_base.documents import AnswerEvidence, Chunk, Document, SearchHit, SearchResult
from knowledge_base.encoders.base_models import Vectors
from knowledge_base.index.filters import FilterFields, PassageFilter
from knowledge_base.index.sparse import Rows, Scores, SparseIndex
from knowledge_base.retrieval.synonyms import Synonyms
from knowledge_base.retrieval.vector_field import CosineScale, VectorField
from knowledge_base.text import chinese

LANGUAGE_BONUS: Final = 0.15  # what a passage in the customer's language is worth
ARTICLE_BONUS: Final = 0.15  # and one of an article that the intent names
CANDIDATES: Final = 50  # rows each list contributes before they are fused
_CONTEXT: Final = 0.7  # what a query counts together with the one before it, the rest alone
_SYNONYM: Final = 0.8  # what other wordings count beside the customer's own


@dataclass(frozen=True)
class FusionWeights:
    """What each list counts; best on validation queries of real help sites.

    `sparse` is the share of words covered, in Chinese `chinese` (a pair of characters says more
    than a stem), the rest is meaning; of that, `english` is the share of the encoder that reads
    English only, where both see a passage.
    """

    sparse: float = 0.3
    chinese: float = 0.5
    english: float = 0.6


@dataclass(frozen=True)
class ScoreBreakdown:
    """Candidates as one query sees them, each array of shape (n,) but `near`, (views, n).

    `near` lies on the scale of each view, NaN where a view sees nothing; `covered` is the share of
    a perfect passage's BM25 score.
    """

    near: NDArray[np.float32]
    cosine: Scores
    bm25: Scores
    covered: Scores
    is_chinese: bool = False

    def at(self, order: NDArray[np.int64]) -> "ScoreBreakdown":
        """Return the candidates at some places."""
        return ScoreBreakdown(
            self.near[:, order],
            self.cosine[order],
            self.bm25[order],
            self.covered[order],
            self.is_chinese,
        )

    def fused(self, weights: FusionWeights) -> Scores:
        """Return one score a passage."""
        meaning = self.near[0]
        if len(self.near) > 1:
            both = (1.0 - weights.english) * meaning + weights.english * self.near[1]
            meaning = np.where(np.isnan(self.near[1]), meaning, both)
        sparse = weights.chinese if self.is_chinese else weights.sparse
        return np.asarray((1.0 - sparse) * meaning + sparse * self.covered, dtype=np.float32)


@dataclass(frozen=True)
class Candidates:
    """Passages in question, by row, as the query sees them and the query with its context."""

    rows: Rows
    looks: tuple[ScoreBreakdown, ...]

    def fused(self, weights: FusionWeights) -> Scores:
        """Return one score a passage."""
        alone, *together = (look.fused(weights) for look in self.looks)
        if not together:
            return alone
        return np.asarray((1.0 - _CONTEXT) * alone + _CONTEXT * together[0], dtype=np.float32)


@dataclass(frozen=True)
class _Asked:
    """A query as the encoders and the index of words see it; BM25 scores are those of all rows."""

    vectors: Sequence[Vectors]
    bm25: Scores
    covered: Scores
    is_chinese: bool


class AnswerabilityScorer(Protocol):
    """Tells whether what was found answers the question."""

    def judge(
        self, found: Candidates, article: Callable[[int], str], best: str, /
    ) -> AnswerEvidence:
        """Return how likely the article `best` answers; `article` returns that of a row."""


class KnowledgeBase:
    """One version of the knowledge, open for searching."""

    def __init__(  # noqa: PLR0913 — the parts of one version belong together
        self,
        version: str,
        *,
        documents: Mapping[str, Document],
        chunks: Sequence[Chunk],
        numbers: Rows,
        views: Sequence[VectorField],
        sparse: SparseIndex,
        facts: FilterFields,
        weights: FusionWeights = FusionWeights(),
        synonyms: Synonyms = Synonyms(),  # noqa: B008 — frozen
        judge: AnswerabilityScorer | None = None,
    ) -> None:
        """Put the parts of a version together; `numbers` are those of the chunks, ascending."""
        self.version = version
        self.documents = documents
        self.chunks = chunks
        self.weights = weights
        self.encoder = views[0].encoder
        self._numbers = numbers
        self._views = views
        self._sparse = sparse
        self._facts = facts
        self._synonyms = synonyms
        self._judge = judge

    def search(  # noqa: PLR0913 — what a search may depend on
        self,
        query: str,
        k: int = 5,
        *,
        language: str | None = None,
        only: PassageFilter | None = None,
        context: str | None = None,
        prefer: Sequence[str] = (),
    ) -> list[SearchHit]:
        """Return the k best passages, best first; none for an empty query.

        With `language`, passages of that language (or of none) are preferred where they are
        about as good; scores stay what they are. Those of articles whose id fits a pattern of
        `prefer` (`*/returns.*`) score higher. With `only`, no others are looked at. `context` is
        what the customer asked before: "and how much is it?" means nothing alone.
        """
        found = self.candidates(query, only=only, context=context)
        return self.ranked(found, k, language, prefer) if found else []

    def find(  # noqa: PLR0913 — what a search may depend on
        self,
        query: str,
        k: int = 5,
        *,
        language: str | None = None,
        only: PassageFilter | None = None,
        context: str | None = None,
        prefer: Sequence[str] = (),
    ) -> SearchResult:
        """Search, and judge whether the best passage answers; otherwise as `search`."""
        found = self.candidates(query, only=only, context=context)
        if found is None:
            return SearchResult()
        hits = self.ranked(found, k, language, prefer)
        if not hits or self._judge is None:
            return SearchResult(tuple(hits))
        evidence = self._judge.judge(
            found, lambda row: self.chunks[row].article, hits[0].chunk.article
        )
        return SearchResult(tuple(hits), evidence)

    def ranked(
        self,
        found: Candidates,
        k: int,
        language: str | None = None,
        prefer: Sequence[str] = (),
    ) -> list[SearchHit]:
        """Return the k best of the candidates, best first, some preferred as `search` says."""
        rows, first = found.rows, found.looks[0]
        fused = found.fused(self.weights) + self._preferred(rows, prefer)
        order = np.argsort(-(fused + self._bonus(rows, language)), kind="stable")[:k]
        return [
            SearchHit(
                self.chunks[int(rows[i])],
                round(min(1.0, float(fused[i])), 6),
                round(float(first.cosine[i]), 6),
                round(float(first.bm25[i]), 6),
            )
            for i in order
        ]

    def candidates(
        self, query: str, *, only: PassageFilter | None = None, context: str | None = None
    ) -> Candidates | None:
        """Return what any list finds, with the scores of all lists; None when there is nothing."""
        if not query.strip() or not len(self.chunks):
            return None
        fits = self._facts.fitting(only) if only else None
        if fits is not None and not fits.any():
            return None
        texts = [query, f"{context} {query}"] if context and context.strip() else [query]
        asked = [self._ask(chinese.simplified(text)) for text in texts]
        rows = np.unique(np.concatenate([self._best(one, fits) for one in asked]))
        return Candidates(rows, tuple(self._look(one, rows) for one in asked))

    def _ask(self, query: str) -> _Asked:
        is_word = getattr(self.encoder, "knows", None)
        bm25, perfect = self._sparse.scores(query, is_word)
        covered = np.clip(bm25 / max(perfect, 1e-9), 0.0, 1.0)
        for variant in self._synonyms.variants(query):
            other, perfect = self._sparse.scores(variant, is_word)
            share = np.clip(other / max(perfect, 1e-9), 0.0, 1.0)
            covered = np.maximum(covered, np.float32(_SYNONYM) * share)
        vectors = [view.ask(query) for view in self._views if view.understands(query)]
        is_chinese = chinese.has_chinese(query)
        return _Asked(vectors, bm25, np.asarray(covered, dtype=np.float32), is_chinese)

    def asked(self, query: str) -> list[Vectors]:
        """Return a query's vectors, (d,), one for each view that understands it."""
        return list(self._ask(chinese.simplified(query)).vectors)

    def seen(self, view: int, rows: Rows) -> Vectors:
        """Return the vectors of passages as a view sees them, (n, d); zeros for those unseen."""
        return self._views[view].vectors(self._numbers[rows])

    def near(self, view: int, vector: Vectors, rows: Rows) -> Scores:
        """Return how near passages are to a query's vector, (n,); NaN for those unseen."""
        found = self._views[view]
        return found.scale.apply(found.cosines(vector, self._numbers[rows]))

    def scale(self, view: int) -> CosineScale:
        """Return what a view's cosines mean."""
        return self._views[view].scale

    @property
    def dimensions(self) -> list[int]:
        """The length of each view's vectors."""
        return [view.index.dimension for view in self._views]

    def _best(self, asked: _Asked, fits: NDArray[np.bool_] | None) -> Rows:
        """Return the rows that are best in one of the lists."""
        covered = asked.covered if fits is None else np.where(fits, asked.covered, np.float32(-1))
        allowed = None if fits is None else self._numbers[fits]
        best = np.argpartition(-covered, min(CANDIDATES, len(covered)) - 1)[:CANDIDATES]
        found = [best[covered[best] > 0]]
        for view, vector in zip(self._views, asked.vectors, strict=False):
            found.append(self._rows(view.nearest(vector, CANDIDATES, allowed)))
        return np.concatenate(found)

    def _look(self, asked: _Asked, rows: Rows) -> ScoreBreakdown:
        numbers = self._numbers[rows]
        views = list(zip(self._views, asked.vectors, strict=False))  # an English one may be missing
        cosines = [view.cosines(vector, numbers) for view, vector in views]
        near = [view.scale.apply(c) for (view, _), c in zip(views, cosines, strict=True)]
        return ScoreBreakdown(
            np.stack(near), cosines[0], asked.bm25[rows], asked.covered[rows], asked.is_chinese
        )

    def _rows(self, numbers: Rows) -> Rows:
        return np.searchsorted(self._numbers, numbers)

    def _bonus(self, rows: Rows, language: str | None) -> Scores:
        if language is None:
            return np.zeros(len(rows), dtype=np.float32)
        fits = [self.chunks[int(row)].language in {language, None} for row in rows]
        return np.asarray(fits, dtype=np.float32) * np.float32(LANGUAGE_BONUS)

    def _preferred(self, rows: Rows, patterns: Sequence[str]) -> Scores:
        if not patterns:
            return np.zeros(len(rows), dtype=np.float32)
        fits = [
            any(fnmatchcase(self.chunks[int(row)].article, pattern) for pattern in patterns)
            for row in rows
        ]
        return np.asarray(fits, dtype=np.float32) * np.float32(ARTICLE_BONUS)

    def article(self, identifier: str) -> Document | None:
        """Return an article by its id."""
        return self.documents.get(identifier)

    def articles(self, query: str, k: int = 10, *, only: PassageFilter | None = None) -> list[str]:
        """Return the ids of the k best distinct articles, each ranked by its best passage."""
        hits = self.search(query, 10 * k, only=only)
        return list(dict.fromkeys(hit.chunk.article for hit in hits))[:k]

    def passages(self) -> list[Chunk]:
        """Return all passages, in row order."""
        return list(self.chunks)

    def vectors(self) -> Vectors:
        """Return the vectors of all passages, shape (n, dimension), in row order."""
        return self._views[0].index.vectors(self._numbers)


def article_json(document: Document, *, with_text: bool) -> dict[str, Any]:
    """Return an article in the public shape."""
    row: dict[str, Any] = {
        "id": document.id,
        "title": document.title,
        "language": document.language,
        "url": document.url,
        "sha256": document.sha256,
    }
    return {**row, "text": document.text} if with_text else row


def hit_json(hit: SearchHit) -> dict[str, Any]:
    """Return a hit in the public shape."""
    return {
        "article": hit.chunk.article,
        "chunk": hit.chunk.id,
        "title": hit.chunk.heading,
        "text": hit.chunk.text,
        "start": hit.chunk.start,
        "end": hit.chunk.end,
        "score": hit.score,
        "dense": hit.dense,
        "sparse": hit.sparse,
    }
