"""Training of the search on questions and the articles that answered them.

Two small parts are trained, and the index does not change: the fusion weights, and a residual on
the queries' vectors (softmax over the candidates, which are hard negatives). Both are evaluated
on held-out queries, once by query and once by article. A part that does not help, or that makes
articles without training queries worse, is dropped.
"""

import dataclasses
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from knowledge_base.documents import KnowledgeError
from knowledge_base.index import storage
from knowledge_base.index.versions import Version, Versions
from knowledge_base.retrieval.adapter import QueryAdapter
from knowledge_base.retrieval.answerability import AnswerabilityModel
from knowledge_base.retrieval.search import FusionWeights, KnowledgeBase, ScoreBreakdown
from knowledge_base.retrieval.search_evaluation import JudgedQuery

_MIN_QUERIES: Final = 20
_MAX_QUERIES: Final = 5_000
_FOLDS: Final = 5
_RANKS: Final = 10
_SPARSE: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
_ENGLISH: Final = (0.3, 0.45, 0.6, 0.75, 0.9)
_Z_SCORE: Final = 1.64
_MIN_GAIN: Final = 0.002  # in mean reciprocal rank, on held-out queries
_MAX_LOSS: Final = 0.005  # in mean reciprocal rank, on held-out articles
_RANK: Final = 32
_STEPS: Final = 60
_RATE: Final = 1e-3
_STAY: Final = 1.0  # penalty for changing a query's vector
_SHARP: Final = 20.0  # scale of the softmax over scores
_MAX_CANDIDATES: Final = 120  # of a query in training


Ranks: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class SearchTrainingResult:
    """The trained parts, and the mean reciprocal rank on held-out queries, before and after.

    `seen` uses folds by query, so articles can have queries in training; `unseen` uses folds by
    article. There is an adapter for each view, None where it did not help.
    """

    weights: FusionWeights
    adapters: tuple[QueryAdapter | None, ...]
    queries: int
    seen: tuple[float, float]
    unseen: tuple[float, float]

    @property
    def is_better(self) -> bool:
        """Return whether held-out queries are answered better."""
        return self.seen[1] > self.seen[0]


@dataclass(frozen=True)
class _Case:
    """A query with its candidates; `right` marks those of an article that answers it, (n,)."""

    breakdown: ScoreBreakdown
    articles: tuple[str, ...]
    right: NDArray[np.bool_]
    vectors: tuple[NDArray[np.float32], ...]  # the query's, one per view that supports it
    rows: NDArray[np.int64]
    article: str


def learn(
    knowledge: KnowledgeBase,
    queries: Sequence[JudgedQuery],
    progress: Callable[[str], None] = lambda _message: None,
) -> SearchTrainingResult:
    """Train on queries; raise KnowledgeError if too few have an article in this version."""
    cases = _cases(knowledge, queries)
    if len(cases) < _MIN_QUERIES:
        message = (
            f"{len(cases)} of {len(queries)} queries find an article of {knowledge.version} that "
            f"answers them; training needs at least {_MIN_QUERIES}"
        )
        raise KnowledgeError(message)
    rng = np.random.default_rng(0)
    by_query = rng.permutation(len(cases)) % _FOLDS
    names = sorted({case.article for case in cases})
    place = dict(zip(names, rng.permutation(len(names)) % _FOLDS, strict=True))
    by_article = np.array([place[case.article] for case in cases])
    plain = knowledge.weights
    now = np.array([_reciprocal_rank(case, case.breakdown.fused(plain)) for case in cases])
    start = float(now.mean())
    best = SearchTrainingResult(plain, (), len(cases), (start, start), (start, start))
    for adapts in (False, True):
        progress("adapting queries" if adapts else "weighing the lists")
        seen = _evaluate_folds(knowledge, cases, by_query, adapts=adapts)
        unseen = _evaluate_folds(knowledge, cases, by_article, adapts=adapts)
        if _is_better(seen, now) and float(unseen.mean()) >= start - _MAX_LOSS:
            now = seen
            weights = _fit_weights(cases, plain)
            adapters = _fit_adapters(knowledge, cases, weights) if adapts else ()
            gained = (start, float(seen.mean())), (start, float(unseen.mean()))
            best = SearchTrainingResult(weights, adapters, len(cases), *gained)
    return best


def _is_better(ranks: Ranks, than: Ranks) -> bool:
    """Return whether held-out queries are answered significantly better.

    The mean of the paired differences must be 1.64 standard errors above zero: one-sided, 95 %.
    """
    gains = ranks - than
    error = float(gains.std(ddof=1)) / len(gains) ** 0.5
    return bool(gains.mean() >= max(_MIN_GAIN, _Z_SCORE * error))


def publish(
    versions: Versions,
    version: Version,
    result: SearchTrainingResult,
    answerability: AnswerabilityModel | None = None,
) -> Version:
    """Publish a version with the same passages and the trained parts.

    With `answerability`, that model becomes part of the version.
    """

    def build(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        shutil.copytree(
            versions.folder(version.id), folder, dirs_exist_ok=True, copy_function=_link
        )
        if answerability is not None:
            answerability.save(folder)
        if not result.is_better:  # only the answerability model is new
            return version.metrics, version.details
        for number in range(len(version.details["views"])):
            (folder / storage.adapter_file(number)).unlink(missing_ok=True)
        for number, adapter in enumerate(result.adapters):
            if adapter is not None:
                adapter.save(folder / storage.adapter_file(number))
        metrics = {**version.metrics, "learnt_from": result.queries, "mrr_seen": result.seen[1]}
        return metrics, {**version.details, "weights": dataclasses.asdict(result.weights)}

    return versions.publish(build)


def _link(source: str, target: str) -> None:
    """Share a file between versions, which never change; copy it if links are not possible."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _evaluate_folds(
    knowledge: KnowledgeBase, cases: Sequence[_Case], folds: NDArray[np.int64], *, adapts: bool
) -> Ranks:
    """Return the reciprocal rank of each case under parts trained without its fold, (n,)."""
    ranks = np.zeros(len(cases), dtype=np.float64)
    for fold in range(_FOLDS):
        train = [case for case, at in zip(cases, folds, strict=True) if at != fold]
        test = [case for case, at in zip(cases, folds, strict=True) if at == fold]
        if not train or not test:
            continue
        weights = _fit_weights(train, knowledge.weights)
        adapters = _fit_adapters(knowledge, train, weights) if adapts else ()
        ranks[folds == fold] = [
            _reciprocal_rank(case, _scores(knowledge, case, weights, adapters)) for case in test
        ]
    return ranks


def _cases(knowledge: KnowledgeBase, queries: Sequence[JudgedQuery]) -> list[_Case]:
    """Return the queries whose articles are among the candidates; others cannot be trained on."""
    cases = []
    for query in queries[:_MAX_QUERIES]:
        candidates = knowledge.candidates(query.text)
        if candidates is None:
            continue
        breakdown = candidates.breakdowns[0]
        scores = breakdown.fused(knowledge.weights)
        order = np.sort(np.argsort(-scores, kind="stable")[:_MAX_CANDIDATES])
        rows = candidates.rows[order]
        articles = tuple(knowledge.chunks[int(row)].article for row in rows)
        right = np.array([article in query.relevant for article in articles])
        if right.any():
            vectors = tuple(knowledge.encode_query(query.text))
            first = articles[int(right.argmax())]
            cases.append(_Case(breakdown.at(order), articles, right, vectors, rows, first))
    return cases


def _fit_weights(cases: Sequence[_Case], plain: FusionWeights) -> FusionWeights:
    """Return the best weights for cases; the plain ones where others gain next to nothing."""
    chinese = [case for case in cases if case.breakdown.is_chinese]
    other = [case for case in cases if not case.breakdown.is_chinese]
    best = plain
    for sparse in _SPARSE if len(chinese) >= _MIN_QUERIES else ():
        best = _better(chinese, best, dataclasses.replace(best, chinese=sparse))
    if len(other) >= _MIN_QUERIES:
        for sparse, english in product(_SPARSE, _ENGLISH):
            candidate = dataclasses.replace(best, sparse=sparse, english=english)
            best = _better(other, best, candidate)
    return _average(plain, best)


def _average(plain: FusionWeights, best: FusionWeights) -> FusionWeights:
    """Return the mean of both, since the best on a few hundred queries is half chance."""
    both = zip(dataclasses.astuple(plain), dataclasses.astuple(best), strict=True)
    return FusionWeights(*((first + second) / 2 for first, second in both))


def _better(
    cases: Sequence[_Case], weights: FusionWeights, candidate: FusionWeights
) -> FusionWeights:
    threshold = _mean(cases, weights) + _MIN_GAIN / 2
    return candidate if _mean(cases, candidate) > threshold else weights


def _mean(cases: Sequence[_Case], weights: FusionWeights) -> float:
    return float(np.mean([_reciprocal_rank(c, c.breakdown.fused(weights)) for c in cases]))


def _reciprocal_rank(case: _Case, scores: NDArray[Any]) -> float:
    order = np.argsort(-scores, kind="stable")
    ranked = list(dict.fromkeys(case.articles[i] for i in order))[:_RANKS]
    relevant = {a for a, right in zip(case.articles, case.right, strict=True) if right}
    return next((1 / n for n, article in enumerate(ranked, 1) if article in relevant), 0.0)


def _scores(
    knowledge: KnowledgeBase,
    case: _Case,
    weights: FusionWeights,
    adapters: Sequence[QueryAdapter | None],
) -> NDArray[np.float32]:
    if not any(adapters):
        return case.breakdown.fused(weights)
    near = case.breakdown.near.copy()
    for number, (vector, adapter) in enumerate(zip(case.vectors, adapters, strict=False)):
        if adapter is not None:
            adapted = adapter.apply(vector[np.newaxis])[0]
            near[number] = knowledge.scaled_cosines(number, adapted, case.rows)
    return dataclasses.replace(case.breakdown, near=near).fused(weights)


def _fit_adapters(
    knowledge: KnowledgeBase, cases: Sequence[_Case], weights: FusionWeights
) -> tuple[QueryAdapter | None, ...]:
    """Return an adapter for each view; they are trained together (AdamW on full batches)."""
    from knowledge_base.retrieval import adapter_training

    views = max(len(case.vectors) for case in cases)
    lists = [
        adapter_training.RankedQuery(
            vectors=case.vectors,
            passages=tuple(
                knowledge.passage_vectors(n, case.rows) for n in range(len(case.vectors))
            ),
            rest=_word_scores(case.breakdown, weights),
            share=_view_weights(case.breakdown, weights),
            right=case.right,
        )
        for case in cases
    ]
    scales = [knowledge.scale(number) for number in range(views)]
    hyper = adapter_training.AdapterHyperparameters(_RANK, _STEPS, _RATE, _STAY, _SHARP)
    return tuple(adapter_training.fit(lists, scales, knowledge.dimensions[:views], hyper))


def _word_scores(breakdown: ScoreBreakdown, weights: FusionWeights) -> NDArray[np.float32]:
    """Return the part of the score that comes from words, shape (n,)."""
    share = weights.chinese if breakdown.is_chinese else weights.sparse
    return np.asarray(share * breakdown.covered, dtype=np.float32)


def _view_weights(breakdown: ScoreBreakdown, weights: FusionWeights) -> NDArray[np.float32]:
    """Return the weight of each view for each passage, shape (views, n)."""
    meaning = 1.0 - (weights.chinese if breakdown.is_chinese else weights.sparse)
    shares = np.full(breakdown.near.shape, meaning, dtype=np.float32)
    if len(shares) > 1:
        unseen = np.isnan(breakdown.near[1])
        shares[0] = np.where(unseen, meaning, meaning * (1.0 - weights.english))
        shares[1] = np.where(unseen, 0.0, meaning * weights.english)
    return shares
