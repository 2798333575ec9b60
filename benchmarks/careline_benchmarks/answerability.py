"""`careline bench unanswerable`: whether questions are refused whose article is missing."""

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
    "feedbackqa_australia": ("queries_test", None),  # many of its articles say the same
}
_PARTS: Final = 5
_TIMED: Final = 100


@dataclass(frozen=True)
class AnswerableQuestion:
    """A question, its language, and the articles without which nothing answers it."""

    query: JudgedQuery
    gone: frozenset[str]
    language: str | None = None


def without(knowledge: KnowledgeBase, gone: frozenset[str]) -> KnowledgeBase:
    """Return the knowledge as it would be had these articles never been in it.

    Their passages leave every list: vectors and words are indexed anew without them, so that rare
    words, margins and the next articles are those of a knowledge without them. Only the scales,
    medians over all passages, stay.
    """
    kept = np.array([n for n, chunk in enumerate(knowledge.chunks) if chunk.article not in gone])
    numbers = knowledge._numbers[kept]  # noqa: SLF001 — the bench takes a knowledge apart
    views = []
    for view in knowledge._views:  # noqa: SLF001
        seen = numbers[np.isin(numbers, view.index.numbers)]
        views.append(replace(view, index=DenseIndex.build(view.index.vectors(seen), seen)))
    return KnowledgeBase(
        knowledge.version,
        KnowledgeIndex(
            documents=knowledge.documents,
            chunks=[knowledge.chunks[int(row)] for row in kept],
            numbers=numbers,
            views=views,
            sparse=knowledge._sparse.with_changes(kept, []),  # noqa: SLF001
            facts=knowledge._facts,  # noqa: SLF001 — asked with filters only
        ),
        weights=knowledge.weights,
        synonyms=knowledge._synonyms,  # noqa: SLF001
    )


def evidence(
    knowledge: KnowledgeBase, asked: AnswerableQuestion, judge: AnswerabilityModel
) -> AnswerEvidence | None:
    """Return what is to be said for the first hit of a search."""
    found = knowledge.candidates(asked.query.text)
    hits = knowledge.search(asked.query.text, 1, language=asked.language)
    if found is None or not hits:
        return None
    return judge.judge(found, _articles(knowledge), hits[0].chunk.article)


def _articles(knowledge: KnowledgeBase) -> Callable[[int], str]:
    return lambda row: knowledge.chunks[row].article


def both(
    setting: BenchmarkContext,
    knowledge: KnowledgeBase,
    questions: Sequence[AnswerableQuestion],
    judge: AnswerabilityModel,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the scores of questions with their articles, and without them, shape (n,) each."""
    there = np.array([_score(evidence(knowledge, asked, judge)) for asked in questions])
    if setting.planted:  # nothing is missing
        return there, there
    gone = np.zeros(len(questions))
    for articles in dict.fromkeys(asked.gone for asked in questions):
        left = without(knowledge, articles)
        for number, asked in enumerate(questions):
            if asked.gone == articles:
                gone[number] = _score(evidence(left, asked, judge))
    return there, gone


def _score(found: AnswerEvidence | None) -> float:
    return found.score if found else 0.0


def _figures(there: NDArray[np.float64], gone: NDArray[np.float64]) -> dict[str, Any]:
    shared = answerability.threshold(there)
    return {
        "n": len(there),
        "refused": answerability.refusal_rate(there, gone),
        "threshold": shared,
        "at 0.3": {"answered": float((there >= 0.3).mean()), "refused": float((gone < 0.3).mean())},  # noqa: PLR2004
    }


def _sites(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Ask each site's questions with the built-in weights."""
    for name, (file, bar) in _SITES.items():
        knowledge = _built(setting, name)
        queries = search_evaluation.read_queries(setting.file("retrieval", name, f"{file}.jsonl"))
        questions = [AnswerableQuestion(query, query.relevant) for query in queries]
        there, gone = both(setting, knowledge, questions, AnswerabilityModel())
        result.figures[name] = _figures(there, gone)
        if bar is not None:
            share = answerability.refusal_rate(there, gone)
            result.bars.append(at_least(f"unanswerable: {name}: refused", share, bar))


def _learnt(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Fit weights on four fifths of the questions where that helps, ask the others; in turn."""
    for name in ("stackfaq_a", "cmrc_zh_a"):
        knowledge = _built(setting, name)
        queries = search_evaluation.read_queries(setting.file("retrieval", name, "queries.jsonl"))
        parts = np.random.default_rng(0).permutation(len(queries)) % _PARTS
        scores = np.zeros((2, len(queries)))
        own = 0
        for part in range(_PARTS):
            asked = np.flatnonzero(parts == part)
            learnt = answerability.learn(
                knowledge, [queries[i] for i in np.flatnonzero(parts != part)]
            )
            questions = [AnswerableQuestion(queries[i], queries[i].relevant) for i in asked]
            scores[:, asked] = both(setting, knowledge, questions, learnt or AnswerabilityModel())
            own += learnt is not None
        result.figures[f"{name}, learnt"] = {
            **_figures(*scores),
            "parts with weights of their own": own,
        }
        share = answerability.refusal_rate(*scores)
        result.bars.append(at_least(f"unanswerable: {name}, learnt: refused", share, 0.85))


def _demo(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Ask the demo's questions; a translation of an article leaves together with it."""
    home = setting.home.path
    path = home / "tests" / "search.jsonl"
    if not path.exists():
        message = f"there is no {path}: run this part with --home data, the demo"
        raise CarelineError(message)
    built = search.build(setting, "demo", loader.load([home / "kb"]), setting.home.eyes())
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
    there, gone = both(setting, knowledge, questions, AnswerabilityModel())
    held = np.array([is_held_back(asked.query.id or "") for asked in questions])
    result.figures["demo"] = _figures(there, gone)
    result.figures["demo, held back"] = _figures(there[held], gone[held])
    share = answerability.refusal_rate(there, gone)
    result.bars.append(at_least("unanswerable: demo: refused", share, 0.85))


def _name(article: str) -> str:
    """Return what an article has in common with its translation: `en/refunds.md`: `refunds`."""
    return article.rpartition("/")[2].rpartition(".")[0] if "/" in article else article


def _speed(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Judge what a search found, beside the search itself."""
    knowledge = _built(setting, "feedbackqa_who")
    texts = [query.text for query in _who(setting)][:_TIMED]
    ready = [
        (text, found, knowledge.search(text, 1)[0].chunk.article)
        for text in texts
        if (found := knowledge.candidates(text)) is not None
    ]
    judge = AnswerabilityModel()
    rounds = 500 if setting.planted else 1
    judged = itertools.cycle(ready)

    def one(_: str) -> None:
        for _again in range(rounds):
            _text, found, best = next(judged)
            judge.judge(found, _articles(knowledge), best)

    texts = [text for text, _, _ in ready]
    spent, searching = median(one, texts), median(lambda text: knowledge.search(text, 1), texts)
    result.figures["judging"] = {"judge": spent, "search": searching}
    result.bars.append(at_most("unanswerable: judging over searching", spent / searching, 0.15))


def _who(setting: BenchmarkContext) -> list[JudgedQuery]:
    return search_evaluation.read_queries(
        setting.file("retrieval", "feedbackqa_who", "queries_test.jsonl")
    )


def _built(setting: BenchmarkContext, name: str) -> KnowledgeBase:
    articles = setting.file("retrieval", name, "articles.jsonl")
    built = search.build(setting, name, loader.load([articles]), setting.home.eyes())
    return _at_hand(built.knowledge)


def _at_hand(knowledge: KnowledgeBase) -> KnowledgeBase:
    """Read all passages at once: they are looked at over and over."""
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
