"""Learning to search: from questions and the articles that answered them.

Two light parts are learnt, and the index stays as it is: what each list counts, and a residual on
the queries' vectors (softmax over the candidates, hard ones by nature). Both are judged on queries
that were left out, once by query and once by article, and what does not help, or harms articles
nobody asked about yet, is not taken.
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

_LEAST: Final = 20  # queries from which something can be learnt
_MOST: Final = 5_000
_FOLDS: Final = 5
_RANKS: Final = 10
_SPARSE: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
_ENGLISH: Final = (0.3, 0.45, 0.6, 0.75, 0.9)
_SURE: Final = 1.64
_WORTH: Final = 0.002  # mean reciprocal rank that a change must gain on queries left out
_HARM: Final = 0.005  # and may lose on articles left out
_RANK: Final = 32
_STEPS: Final = 60
_RATE: Final = 1e-3
_STAY: Final = 1.0  # how dear it is to move a query's vector
_SHARP: Final = 20.0  # of the softmax over scores
_LISTED: Final = 120  # candidates a query is taught with


Ranks: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class SearchTrainingResult:
    """What was learnt, and the mean reciprocal rank on queries left out, before and after.

    `seen` are folds by query: their articles were asked about in training; `unseen` are folds by
    article. An adapter stands for each view, None where it did not help.
    """

    weights: FusionWeights
    adapters: tuple[QueryAdapter | None, ...]
    queries: int
    seen: tuple[float, float]
    unseen: tuple[float, float]

    @property
    def is_better(self) -> bool:
        """Whether queries left out are answered better."""
        return self.seen[1] > self.seen[0]


@dataclass(frozen=True)
class _Case:
    """A query with its candidates; `right` marks those of an article that answers it, (n,)."""

    look: ScoreBreakdown
    articles: tuple[str, ...]
    right: NDArray[np.bool_]
    vectors: tuple[NDArray[np.float32], ...]  # the query's, one a view that understands it
    rows: NDArray[np.int64]
    article: str


def learn(
    knowledge: KnowledgeBase,
    queries: Sequence[JudgedQuery],
    progress: Callable[[str], None] = lambda _said: None,
) -> SearchTrainingResult:
    """Learn from queries; raise KnowledgeError when too few have an article of this version."""
    cases = _cases(knowledge, queries)
    if len(cases) < _LEAST:
        message = (
            f"{len(cases)} of {len(queries)} queries have an article of {knowledge.version} among "
            f"what is found; at least {_LEAST} are needed to learn from"
        )
        raise KnowledgeError(message)
    rng = np.random.default_rng(0)
    by_query = rng.permutation(len(cases)) % _FOLDS
    names = sorted({case.article for case in cases})
    place = dict(zip(names, rng.permutation(len(names)) % _FOLDS, strict=True))
    by_article = np.array([place[case.article] for case in cases])
    plain = knowledge.weights
    now = np.array([_reciprocal(case, case.look.fused(plain)) for case in cases])
    start = float(now.mean())
    best = SearchTrainingResult(plain, (), len(cases), (start, start), (start, start))
    for adapts in (False, True):
        progress("adapting queries" if adapts else "weighing the lists")
        seen = _left_out(knowledge, cases, by_query, adapts=adapts)
        unseen = _left_out(knowledge, cases, by_article, adapts=adapts)
        if _is_better(seen, now) and float(unseen.mean()) >= start - _HARM:
            now = seen
            weights = _weighed(cases, plain)
            adapters = _adapted(knowledge, cases, weights) if adapts else ()
            gained = (start, float(seen.mean())), (start, float(unseen.mean()))
            best = SearchTrainingResult(weights, adapters, len(cases), *gained)
    return best


def _is_better(ranks: Ranks, than: Ranks) -> bool:
    """Tell whether queries left out are answered better, beyond what chance would do.

    The mean of the paired differences must be 1.64 standard errors above zero: one-sided, 95 %.
    """
    gains = ranks - than
    error = float(gains.std(ddof=1)) / len(gains) ** 0.5
    return bool(gains.mean() >= max(_WORTH, _SURE * error))


def publish(
    versions: Versions,
    version: Version,
    learnt: SearchTrainingResult,
    judge: AnswerabilityModel | None = None,
) -> Version:
    """Publish a version with the same passages and what was learnt of searching them.

    With `judge`, it is that version's judge of whether what is found answers.
    """

    def build(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        shutil.copytree(
            versions.folder(version.id), folder, dirs_exist_ok=True, copy_function=_link
        )
        if judge is not None:
            judge.save(folder)
        if not learnt.is_better:  # the judge alone is new
            return version.metrics, version.details
        for number in range(len(version.details["views"])):
            (folder / storage.adapter_file(number)).unlink(missing_ok=True)
        for number, adapter in enumerate(learnt.adapters):
            if adapter is not None:
                adapter.save(folder / storage.adapter_file(number))
        metrics = {**version.metrics, "learnt_from": learnt.queries, "mrr_seen": learnt.seen[1]}
        return metrics, {**version.details, "weights": dataclasses.asdict(learnt.weights)}

    return versions.publish(build)


def _link(source: str, target: str) -> None:
    """Share a file between versions, which never change; copy where that cannot be done."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _left_out(
    knowledge: KnowledgeBase, cases: Sequence[_Case], folds: NDArray[np.int64], *, adapts: bool
) -> Ranks:
    """Return the reciprocal rank of each case by what was learnt without its fold, (n,)."""
    ranks = np.zeros(len(cases), dtype=np.float64)
    for fold in range(_FOLDS):
        train = [case for case, at in zip(cases, folds, strict=True) if at != fold]
        test = [case for case, at in zip(cases, folds, strict=True) if at == fold]
        if not train or not test:
            continue
        weights = _weighed(train, knowledge.weights)
        adapters = _adapted(knowledge, train, weights) if adapts else ()
        ranks[folds == fold] = [
            _reciprocal(case, _scores(knowledge, case, weights, adapters)) for case in test
        ]
    return ranks


def _cases(knowledge: KnowledgeBase, queries: Sequence[JudgedQuery]) -> list[_Case]:
    """Return the queries whose articles are among the candidates; others teach nothing here."""
    found = []
    for query in queries[:_MOST]:
        candidates = knowledge.candidates(query.text)
        if candidates is None:
            continue
        look = candidates.looks[0]
        order = np.sort(np.argsort(-look.fused(knowledge.weights), kind="stable")[:_LISTED])
        rows = candidates.rows[order]
        articles = tuple(knowledge.chunks[int(row)].article for row in rows)
        right = np.array([article in query.relevant for article in articles])
        if right.any():
            look = look.at(order)
            vectors = tuple(knowledge.asked(query.text))
            first = articles[int(right.argmax())]
            found.append(_Case(look, articles, right, vectors, rows, first))
    return found


def _weighed(cases: Sequence[_Case], plain: FusionWeights) -> FusionWeights:
    """Return the weights best on cases; the plain ones where others gain next to nothing."""
    chinese = [case for case in cases if case.look.is_chinese]
    other = [case for case in cases if not case.look.is_chinese]
    best = plain
    for sparse in _SPARSE if len(chinese) >= _LEAST else ():
        best = _better(chinese, best, dataclasses.replace(best, chinese=sparse))
    if len(other) >= _LEAST:
        for sparse, english in product(_SPARSE, _ENGLISH):
            tried = dataclasses.replace(best, sparse=sparse, english=english)
            best = _better(other, best, tried)
    return _halfway(plain, best)


def _halfway(plain: FusionWeights, best: FusionWeights) -> FusionWeights:
    """Return the mean of both: what is best on a few hundred queries is half chance."""
    both = zip(dataclasses.astuple(plain), dataclasses.astuple(best), strict=True)
    return FusionWeights(*((one + other) / 2 for one, other in both))


def _better(cases: Sequence[_Case], one: FusionWeights, other: FusionWeights) -> FusionWeights:
    return other if _mean(cases, other) > _mean(cases, one) + _WORTH / 2 else one


def _mean(cases: Sequence[_Case], weights: FusionWeights) -> float:
    return float(np.mean([_reciprocal(case, case.look.fused(weights)) for case in cases]))


def _reciprocal(case: _Case, scores: NDArray[Any]) -> float:
    order = np.argsort(-scores, kind="stable")
    ranked = list(dict.fromkeys(case.articles[i] for i in order))[:_RANKS]
    wanted = {a for a, right in zip(case.articles, case.right, strict=True) if right}
    return next((1 / n for n, article in enumerate(ranked, 1) if article in wanted), 0.0)


def _scores(
    knowledge: KnowledgeBase,
    case: _Case,
    weights: FusionWeights,
    adapters: Sequence[QueryAdapter | None],
) -> NDArray[np.float32]:
    if not any(adapters):
        return case.look.fused(weights)
    near = case.look.near.copy()
    for number, (vector, adapter) in enumerate(zip(case.vectors, adapters, strict=False)):
        if adapter is not None:
            near[number] = knowledge.near(number, adapter.apply(vector[np.newaxis])[0], case.rows)
    return dataclasses.replace(case.look, near=near).fused(weights)


def _adapted(
    knowledge: KnowledgeBase, cases: Sequence[_Case], weights: FusionWeights
) -> tuple[QueryAdapter | None, ...]:
    """Return an adapter for each view, learnt together (AdamW on full batches)."""
    from knowledge_base.retrieval import adapter_training

    views = max(len(case.vectors) for case in cases)
    lists = [
        adapter_training.RankedQuery(
            vectors=case.vectors,
            passages=tuple(knowledge.seen(n, case.rows) for n in range(len(case.vectors))),
            rest=_rest(case.look, weights),
            share=_shares(case.look, weights),
            right=case.right,
        )
        for case in cases
    ]
    scales = [knowledge.scale(number) for number in range(views)]
    hyper = adapter_training.AdapterHyperparameters(_RANK, _STEPS, _RATE, _STAY, _SHARP)
    return tuple(adapter_training.fit(lists, scales, knowledge.dimensions[:views], hyper))


def _rest(look: ScoreBreakdown, weights: FusionWeights) -> NDArray[np.float32]:
    """Return what the words give to the score, shape (n,)."""
    share = weights.chinese if look.is_chinese else weights.sparse
    return np.asarray(share * look.covered, dtype=np.float32)


def _shares(look: ScoreBreakdown, weights: FusionWeights) -> NDArray[np.float32]:
    """Return what each view counts for each passage, shape (views, n)."""
    meaning = 1.0 - (weights.chinese if look.is_chinese else weights.sparse)
    shares = np.full(look.near.shape, meaning, dtype=np.float32)
    if len(shares) > 1:
        unseen = np.isnan(look.near[1])
        shares[0] = np.where(unseen, meaning, meaning * (1.0 - weights.english))
        shares[1] = np.where(unseen, 0.0, meaning * weights.english)
    return shares
