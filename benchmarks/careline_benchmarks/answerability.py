"""`careline bench unanswerable`: refusal of questions whose article is missing."""

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.core.types import CarelineError
from bot.training.datasets import is_held_back
from careline_benchmarks import search
from careline_benchmarks.harness import (
    Benchmark,
    BenchmarkContext,
    BenchmarkReport,
    at_least,
    at_most,
)
from careline_benchmarks.understanding import median
from knowledge_base.documents import AnswerEvidence
from knowledge_base.index.dense import DenseIndex
from knowledge_base.retrieval import answerability, search_evaluation
from knowledge_base.retrieval.answerability import AnswerabilityModel
from knowledge_base.retrieval.search import KnowledgeBase, KnowledgeIndex
from knowledge_base.retrieval.search_evaluation import JudgedQuery
from knowledge_base.sources import loader

_SITES: Final = {
    "stackfaq_a": ("queries", 0.85),
    "cmrc_zh_a": ("queries", 0.85),
    "feedbackqa_who": ("queries_test", 0.5),
    "feedbackqa_australia": ("queries_test", None),  # many of its articles have the same content
}
_PARTS: Final = 5
_TIMED: Final = 100


@dataclass(frozen=True)
class AnswerableQuestion:
    """A question, its language, and the articles that must be removed to leave no answer."""

    query: JudgedQuery
    removed: frozenset[str]
    language: str | None = None


def without_articles(knowledge: KnowledgeBase, removed: frozenset[str]) -> KnowledgeBase:
    """Return the knowledge without some articles, as if it never had them.

    Vectors and words are indexed again without their passages, so that rare words, margins and the
    next articles are those of a knowledge without them. Only the scales, medians over all passages,
    stay.
    """
    remaining = np.array(
        [n for n, chunk in enumerate(knowledge.chunks) if chunk.article not in removed]
    )
    numbers = knowledge._numbers[remaining]  # noqa: SLF001 — the benchmark takes a knowledge apart
    views = []
    for view in knowledge._views:  # noqa: SLF001
        stored = numbers[np.isin(numbers, view.index.numbers)]
        views.append(replace(view, index=DenseIndex.build(view.index.vectors(stored), stored)))
    return KnowledgeBase(
        knowledge.version,
        KnowledgeIndex(
            documents=knowledge.documents,
            chunks=[knowledge.chunks[int(row)] for row in remaining],
            numbers=numbers,
            views=views,
            sparse=knowledge._sparse.with_changes(remaining, []),  # noqa: SLF001
            filters=knowledge._filters,  # noqa: SLF001 — asked with filters only
        ),
        weights=knowledge.weights,
        synonyms=knowledge._synonyms,  # noqa: SLF001
    )


def evidence(
    knowledge: KnowledgeBase, question: AnswerableQuestion, model: AnswerabilityModel
) -> AnswerEvidence | None:
    """Return the evidence for the first hit of a search."""
    candidates = knowledge.candidates(question.query.text)
    hits = knowledge.search(question.query.text, 1, language=question.language)
    if candidates is None or not hits:
        return None
    return model.rate(candidates, _articles(knowledge), hits[0].chunk.article)


def _articles(knowledge: KnowledgeBase) -> Callable[[int], str]:
    return lambda row: knowledge.chunks[row].article


def score_with_and_without(
    setting: BenchmarkContext,
    knowledge: KnowledgeBase,
    questions: Sequence[AnswerableQuestion],
    model: AnswerabilityModel,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the scores of questions with their articles, and without them, shape (n,) each."""
    answerable = np.array([_score(evidence(knowledge, question, model)) for question in questions])
    if setting.planted:  # nothing is removed
        return answerable, answerable
    unanswerable = np.zeros(len(questions))
    for articles in dict.fromkeys(question.removed for question in questions):
        rest = without_articles(knowledge, articles)
        for number, question in enumerate(questions):
            if question.removed == articles:
                unanswerable[number] = _score(evidence(rest, question, model))
    return answerable, unanswerable


def _score(result: AnswerEvidence | None) -> float:
    return result.score if result else 0.0


def _figures(answerable: NDArray[np.float64], unanswerable: NDArray[np.float64]) -> dict[str, Any]:
    shared = answerability.threshold(answerable)
    return {
        "n": len(answerable),
        "refused": answerability.refusal_rate(answerable, unanswerable),
        "threshold": shared,
        "at 0.3": {
            "answered": float((answerable >= 0.3).mean()),  # noqa: PLR2004
            "refused": float((unanswerable < 0.3).mean()),  # noqa: PLR2004
        },
    }


def _sites(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Ask each site's questions with the built-in weights."""
    for name, (file, bar) in _SITES.items():
        knowledge = _built(setting, name)
        queries = search_evaluation.read_queries(setting.file("retrieval", name, f"{file}.jsonl"))
        questions = [AnswerableQuestion(query, query.relevant) for query in queries]
        answerable, unanswerable = score_with_and_without(
            setting, knowledge, questions, AnswerabilityModel()
        )
        result.figures[name] = _figures(answerable, unanswerable)
        if bar is not None:
            share = answerability.refusal_rate(answerable, unanswerable)
            result.bars.append(at_least(f"unanswerable: {name}: refused", share, bar))


def _learnt(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Fit weights on four fifths of the questions if that helps, and ask the others; in turn."""
    for name in ("stackfaq_a", "cmrc_zh_a"):
        knowledge = _built(setting, name)
        queries = search_evaluation.read_queries(setting.file("retrieval", name, "queries.jsonl"))
        parts = np.random.default_rng(0).permutation(len(queries)) % _PARTS
        scores = np.zeros((2, len(queries)))
        own = 0
        for part in range(_PARTS):
            test = np.flatnonzero(parts == part)
            model = answerability.learn(
                knowledge, [queries[i] for i in np.flatnonzero(parts != part)]
            )
            questions = [AnswerableQuestion(queries[i], queries[i].relevant) for i in test]
            scores[:, test] = score_with_and_without(
                setting, knowledge, questions, model or AnswerabilityModel()
            )
            own += model is not None
        result.figures[f"{name}, learnt"] = {
            **_figures(*scores),
            "parts with weights of their own": own,
        }
        share = answerability.refusal_rate(*scores)
        result.bars.append(at_least(f"unanswerable: {name}, learnt: refused", share, 0.85))


def _demo(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Ask the demo's questions; translations of an article are removed together with it."""
    home = setting.home.path
    path = home / "tests" / "search.jsonl"
    if not path.exists():
        message = f"there is no {path}: run this part with --home data, the demo"
        raise CarelineError(message)
    built = search.build(
        setting, "demo", loader.load([home / "kb"]), setting.home.indexing_encoders()
    )
    knowledge = _at_hand(built.knowledge)
    names: dict[str, set[str]] = {}
    for article in knowledge.documents:
        names.setdefault(_name(article), set()).add(article)
    questions = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        away = {other for name in row["relevant"] for other in names.get(_name(name), ())}
        query = JudgedQuery(row["query"], frozenset(row["relevant"]), row["id"])
        if away:
            questions.append(AnswerableQuestion(query, frozenset(away), row["language"]))
    answerable, unanswerable = score_with_and_without(
        setting, knowledge, questions, AnswerabilityModel()
    )
    held = np.array([is_held_back(question.query.id or "") for question in questions])
    result.figures["demo"] = _figures(answerable, unanswerable)
    result.figures["demo, held back"] = _figures(answerable[held], unanswerable[held])
    share = answerability.refusal_rate(answerable, unanswerable)
    result.bars.append(at_least("unanswerable: demo: refused", share, 0.85))


def _name(article: str) -> str:
    """Return what an article and its translation have in common: `en/refunds.md`: `refunds`."""
    return article.rpartition("/")[2].rpartition(".")[0] if "/" in article else article


def _speed(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Measure the time of the rating relative to that of the search itself."""
    knowledge = _built(setting, "feedbackqa_who")
    texts = [query.text for query in _who(setting)][:_TIMED]
    ready = [
        (text, candidates, knowledge.search(text, 1)[0].chunk.article)
        for text in texts
        if (candidates := knowledge.candidates(text)) is not None
    ]
    model = AnswerabilityModel()
    rounds = 500 if setting.planted else 1
    cases = itertools.cycle(ready)

    def rate(_: str) -> None:
        for _again in range(rounds):
            _text, candidates, best = next(cases)
            model.rate(candidates, _articles(knowledge), best)

    texts = [text for text, _, _ in ready]
    spent, searching = median(rate, texts), median(lambda text: knowledge.search(text, 1), texts)
    result.figures["judging"] = {"judge": spent, "search": searching}
    result.bars.append(at_most("unanswerable: judging over searching", spent / searching, 0.15))


def _who(setting: BenchmarkContext) -> list[JudgedQuery]:
    return search_evaluation.read_queries(
        setting.file("retrieval", "feedbackqa_who", "queries_test.jsonl")
    )


def _built(setting: BenchmarkContext, name: str) -> KnowledgeBase:
    articles = setting.file("retrieval", name, "articles.jsonl")
    built = search.build(setting, name, loader.load([articles]), setting.home.indexing_encoders())
    return _at_hand(built.knowledge)


def _at_hand(knowledge: KnowledgeBase) -> KnowledgeBase:
    """Load all passages into memory, since they are used many times."""
    knowledge.chunks = list(knowledge.chunks)
    return knowledge


BENCHMARK: Final = Benchmark(
    {
        "unanswerable-sites": _sites,
        "unanswerable-learnt": _learnt,
        "unanswerable-demo": _demo,
        "unanswerable-speed": _speed,
    }
)
