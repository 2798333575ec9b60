"""Hybrid search: dense and sparse scores are fused into hits for chat, search page and tests."""

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

LANGUAGE_BONUS: Final = 0.15  # for a passage in the customer's language
ARTICLE_BONUS: Final = 0.15  # for a passage of an article that the intent names
CANDIDATES: Final = 50  # rows that each retriever contributes to the fusion
_CONTEXT: Final = 0.7  # weight of a query together with the one before it
_SYNONYM: Final = 0.8  # weight of other wordings against the customer's own


@dataclass(frozen=True)
class FusionWeights:
    """The weights of the retrievers; the defaults are best on validation queries of help sites.

    `sparse` is the weight of the share of words covered, `chinese` the same for Chinese queries
    (character bigrams are more specific than stems); the rest is the weight of meaning. Of that,
    `english` is the share of the English encoder, where both encoders have a vector.
    """

    sparse: float = 0.3
    chinese: float = 0.5
    english: float = 0.6


@dataclass(frozen=True)
class ScoreBreakdown:
    """Scores of candidates for one query: arrays of shape (n,), and `near`, (views, n).

    `near` is on the scale of each view, NaN where a view has no vector; `covered` is the share of a
    perfect passage's BM25 score.
    """

    near: NDArray[np.float32]
    cosine: Scores
    bm25: Scores
    covered: Scores
    is_chinese: bool = False

    def at(self, order: NDArray[np.int64]) -> "ScoreBreakdown":
        """Return the scores of the candidates at some positions."""
        return ScoreBreakdown(
            self.near[:, order],
            self.cosine[order],
            self.bm25[order],
            self.covered[order],
            self.is_chinese,
        )

    def fused(self, weights: FusionWeights) -> Scores:
        """Return one score per passage."""
        meaning = self.near[0]
        if len(self.near) > 1:
            both = (1.0 - weights.english) * meaning + weights.english * self.near[1]
            meaning = np.where(np.isnan(self.near[1]), meaning, both)
        sparse = weights.chinese if self.is_chinese else weights.sparse
        return np.asarray((1.0 - sparse) * meaning + sparse * self.covered, dtype=np.float32)


@dataclass(frozen=True)
class Candidates:
    """Candidate passages by row, scored for the query alone and for the query with its context."""

    rows: Rows
    breakdowns: tuple[ScoreBreakdown, ...]

    def fused(self, weights: FusionWeights) -> Scores:
        """Return one score per passage."""
        alone, *together = (breakdown.fused(weights) for breakdown in self.breakdowns)
        if not together:
            return alone
        return np.asarray((1.0 - _CONTEXT) * alone + _CONTEXT * together[0], dtype=np.float32)


@dataclass(frozen=True)
class _EncodedQuery:
    """A query as its vector in each view of its language, and as BM25 scores of all rows."""

    vectors: Sequence[tuple[VectorField, Vectors]]
    bm25: Scores
    covered: Scores
    is_chinese: bool


class AnswerabilityScorer(Protocol):
    """A model of whether the retrieved passages answer the question."""

    def rate(
        self, candidates: Candidates, article: Callable[[int], str], best: str, /
    ) -> AnswerEvidence:
        """Return how likely the article `best` answers; `article` returns the article of a row."""


@dataclass(frozen=True)
class KnowledgeIndex:
    """The content and the indexes of one version; `numbers` are those of the chunks, ascending."""

    documents: Mapping[str, Document]
    chunks: Sequence[Chunk]
    numbers: Rows
    views: Sequence[VectorField]
    sparse: SparseIndex
    filters: FilterFields


class KnowledgeBase:
    """One version of the knowledge, loaded for searching."""

    def __init__(
        self,
        version: str,
        index: KnowledgeIndex,
        *,
        weights: FusionWeights = FusionWeights(),
        synonyms: Synonyms = Synonyms(),  # noqa: B008 — frozen
        answerability: AnswerabilityScorer | None = None,
    ) -> None:
        """Combine the index of a version with what ranks and rates its passages."""
        self.version = version
        self.documents = index.documents
        self.chunks = index.chunks
        self.weights = weights
        self.encoder = index.views[0].encoder
        self._numbers = index.numbers
        self._views = index.views
        self._sparse = index.sparse
        self._filters = index.filters
        self._synonyms = synonyms
        self._answerability = answerability

    def search(
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

        With `language`, passages in that language (or without one) are preferred among equally good
        ones; their scores do not change. Passages of articles whose id matches a pattern of
        `prefer` (`*/returns.*`) score higher. With `only`, other passages are excluded. `context`
        is the message before: "and how much is it?" cannot be understood alone.
        """
        candidates = self.candidates(query, only=only, context=context)
        return self.rank(candidates, k, language, prefer) if candidates else []

    def search_with_answerability(
        self,
        query: str,
        k: int = 5,
        *,
        language: str | None = None,
        only: PassageFilter | None = None,
        context: str | None = None,
        prefer: Sequence[str] = (),
    ) -> SearchResult:
        """Search, and rate whether the best passage answers; otherwise like `search`."""
        candidates = self.candidates(query, only=only, context=context)
        if candidates is None:
            return SearchResult()
        hits = self.rank(candidates, k, language, prefer)
        if not hits or self._answerability is None:
            return SearchResult(tuple(hits))
        evidence = self._answerability.rate(
            candidates, lambda row: self.chunks[row].article, hits[0].chunk.article
        )
        return SearchResult(tuple(hits), evidence)

    def rank(
        self,
        candidates: Candidates,
        k: int,
        language: str | None = None,
        prefer: Sequence[str] = (),
    ) -> list[SearchHit]:
        """Return the k best candidates, best first, with the preferences of `search`."""
        rows, first = candidates.rows, candidates.breakdowns[0]
        fused = candidates.fused(self.weights) + self._preferred(rows, prefer)
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
        """Return the candidates of all retrievers, with all scores; None if there are none."""
        if not query.strip() or not len(self.chunks):
            return None
        fits = self._filters.matching_rows(only) if only else None
        if fits is not None and not fits.any():
            return None
        texts = [query, f"{context} {query}"] if context and context.strip() else [query]
        queries = [self._encode(chinese.simplified(text)) for text in texts]
        rows = np.unique(np.concatenate([self._best(item, fits) for item in queries]))
        return Candidates(rows, tuple(self._score(item, rows) for item in queries))

    def _encode(self, query: str) -> _EncodedQuery:
        is_word = getattr(self.encoder, "knows", None)
        bm25, perfect = self._sparse.scores(query, is_word)
        covered = np.clip(bm25 / max(perfect, 1e-9), 0.0, 1.0)
        for variant in self._synonyms.variants(query):
            other, perfect = self._sparse.scores(variant, is_word)
            share = np.clip(other / max(perfect, 1e-9), 0.0, 1.0)
            covered = np.maximum(covered, np.float32(_SYNONYM) * share)
        vectors = self._encode_in_views(query)
        is_chinese = chinese.has_chinese(query)
        return _EncodedQuery(vectors, bm25, np.asarray(covered, dtype=np.float32), is_chinese)

    def _encode_in_views(self, query: str) -> list[tuple[VectorField, Vectors]]:
        return [(view, view.encode(query)) for view in self._views if view.understands(query)]

    def encode_query(self, query: str) -> list[Vectors]:
        """Return a query's vectors, (d,), one for each view that supports its language."""
        return [vector for _, vector in self._encode_in_views(chinese.simplified(query))]

    def passage_vectors(self, view: int, rows: Rows) -> Vectors:
        """Return the vectors of passages in a view, (n, d); zeros for those it does not have."""
        return self._views[view].vectors(self._numbers[rows])

    def scaled_cosines(self, view: int, vector: Vectors, rows: Rows) -> Scores:
        """Return the scaled cosines of passages with a query vector, (n,); NaN if it has none."""
        field = self._views[view]
        return field.scale.apply(field.cosines(vector, self._numbers[rows]))

    def scale(self, view: int) -> CosineScale:
        """Return the scale of a view's cosines."""
        return self._views[view].scale

    @property
    def dimensions(self) -> list[int]:
        """The length of each view's vectors."""
        return [view.index.dimension for view in self._views]

    def _best(self, encoded: _EncodedQuery, fits: NDArray[np.bool_] | None) -> Rows:
        """Return the rows that are best for one of the retrievers."""
        covered = (
            encoded.covered if fits is None else np.where(fits, encoded.covered, np.float32(-1))
        )
        allowed = None if fits is None else self._numbers[fits]
        best = np.argpartition(-covered, min(CANDIDATES, len(covered)) - 1)[:CANDIDATES]
        rows = [best[covered[best] > 0]]
        for view, vector in encoded.vectors:
            rows.append(self._rows(view.nearest(vector, CANDIDATES, allowed)))
        return np.concatenate(rows)

    def _score(self, encoded: _EncodedQuery, rows: Rows) -> ScoreBreakdown:
        numbers = self._numbers[rows]
        cosines = [view.cosines(vector, numbers) for view, vector in encoded.vectors]
        near = [view.scale.apply(c) for (view, _), c in zip(encoded.vectors, cosines, strict=True)]
        return ScoreBreakdown(
            np.stack(near),
            cosines[0],
            encoded.bm25[rows],
            encoded.covered[rows],
            encoded.is_chinese,
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
    """Return an article in the format of the API."""
    row: dict[str, Any] = {
        "id": document.id,
        "title": document.title,
        "language": document.language,
        "url": document.url,
        "sha256": document.sha256,
    }
    return {**row, "text": document.text} if with_text else row


def hit_json(hit: SearchHit) -> dict[str, Any]:
    """Return a hit in the format of the API."""
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
