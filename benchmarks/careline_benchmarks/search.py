"""`careline bench search`: real help sites, follow-ups, filters, and speed as ratios."""

import dataclasses
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np

from bot.core.types import CarelineError
from bot.training.datasets import is_held_back
from careline_benchmarks import model_training
from careline_benchmarks.harness import (
    Benchmark,
    BenchmarkContext,
    BenchmarkReport,
    at_least,
    at_most,
)
from careline_benchmarks.question_suggestions import next_questions
from careline_benchmarks.understanding import median
from knowledge_base.documents import Document
from knowledge_base.index import storage
from knowledge_base.index.filters import FilterFields, PassageFilter
from knowledge_base.index.versions import Version, Versions
from knowledge_base.ingest import EncoderSpec, ingest
from knowledge_base.retrieval import search_evaluation, search_training, version_loader
from knowledge_base.retrieval.search import KnowledgeBase, ScoreBreakdown
from knowledge_base.retrieval.search_evaluation import JudgedQuery
from knowledge_base.sources import loader

_SITES: Final = ("feedbackqa_who", "feedbackqa_australia")
_RANKS: Final = 10
_TEXTS: Final = 200
_ROUNDS: Final = 3
_FILTERED: Final = 100


@dataclasses.dataclass(frozen=True)
class BuiltKnowledge:
    """A knowledge base of the benchmark, and its versions."""

    knowledge: KnowledgeBase
    versions: Versions
    version: Version


def build(
    setting: BenchmarkContext, name: str, sources: Iterable[Any], encoders: Sequence[EncoderSpec]
) -> BuiltKnowledge:
    """Ingest documents the way the command does, and load them the way the server does."""
    versions = Versions(setting.scratch / name, "knowledge", "k")
    version = ingest(sources, versions, encoders, progress=setting.progress).version
    return BuiltKnowledge(open_current(setting, versions), versions, version)


def open_current(setting: BenchmarkContext, versions: Versions) -> KnowledgeBase:
    """Load the active version."""
    current = versions.current()
    if current is None:
        raise AssertionError
    folder = versions.folder(current.id)
    return version_loader.load(folder, current.details, current.id, setting.home.encoder)


def _site(setting: BenchmarkContext, name: str) -> BuiltKnowledge:
    articles = setting.file("retrieval", name, "articles.jsonl")
    return build(setting, name, loader.load([articles]), setting.home.indexing_encoders())


def _queries(setting: BenchmarkContext, name: str, part: str) -> list[JudgedQuery]:
    queries = search_evaluation.read_queries(setting.file("retrieval", name, f"{part}.jsonl"))
    if not setting.planted:
        return queries
    order = np.random.default_rng(0).permutation(len(queries))  # answers of other questions
    return [
        dataclasses.replace(query, relevant=queries[other].relevant)
        for query, other in zip(queries, order, strict=True)
    ]


def _untrained(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Search two help sites with the fusion and with each field alone; a Chinese corpus; FAQs."""
    means = []
    for name in _SITES:
        site, queries = _site(setting, name), _queries(setting, name, "queries_test")
        fused = search_evaluation.evaluate(site.knowledge, queries)
        singles = {way: _single(site.knowledge, queries, rank) for way, rank in _LISTS.items()}
        result.figures[name] = {**fused, "single lists": singles}
        means.append(fused["mrr@10"])
        lost = max(singles.values()) - fused["mrr@10"]
        result.bars.append(at_most(f"search: {name}: lost to the best single list", lost, 0.005))
    result.bars.append(at_least("search: mean MRR of two sites", float(np.mean(means)), 0.71))
    chinese = search_evaluation.evaluate(
        _site(setting, "cmrc_zh_a").knowledge, _queries(setting, "cmrc_zh_a", "queries")
    )
    faqs = search_evaluation.evaluate(
        _site(setting, "stackfaq_a").knowledge, _queries(setting, "stackfaq_a", "queries")
    )
    result.figures |= {"cmrc_zh_a": chinese, "stackfaq_a": faqs}
    result.bars += [
        at_least("search: CMRC hit@1", chinese["hit@1"], 0.975),
        at_least("search: CMRC hit@5", chinese["hit@5"], 0.99),
        at_least("search: StackFAQ MRR", faqs["mrr@10"], 0.97),
    ]


_LISTS: Final[dict[str, Callable[[ScoreBreakdown], Any]]] = {
    "multilingual encoder": lambda look: look.near[0],
    "English encoder": lambda look: look.near[-1],
    "BM25": lambda look: look.bm25,
}


def _single(
    knowledge: KnowledgeBase,
    queries: Sequence[JudgedQuery],
    scores: Callable[[ScoreBreakdown], Any],
) -> float:
    """Return the MRR@10 of one field alone."""
    ranks = []
    for query in queries:
        candidates = knowledge.candidates(query.text)
        rows: list[int] = []
        if candidates:
            order = np.argsort(-scores(candidates.breakdowns[0]), kind="stable")
            rows = candidates.rows[order].tolist()
        articles = list(dict.fromkeys(knowledge.chunks[row].article for row in rows))[:_RANKS]
        ranks.append(next((1 / n for n, a in enumerate(articles, 1) if a in query.relevant), 0.0))
    return float(np.mean(ranks))


def _trained(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Train on the training queries of both sites, as `train search` does."""
    means = []
    for name in _SITES:  # Australia last: its training is tried on the FAQs
        site = _site(setting, name)
        train, test = (_queries(setting, name, f"queries_{part}") for part in ("train", "test"))
        trained = search_training.learn(site.knowledge, train)
        if trained.is_better:
            search_training.publish(site.versions, site.version, trained)
        after = open_current(setting, site.versions)
        trained_articles = set().union(*(query.relevant for query in train))
        new = [query for query in test if not query.relevant & trained_articles]
        before, now = (search_evaluation.evaluate(k, test) for k in (site.knowledge, after))
        old_new, new_new = (search_evaluation.evaluate(k, new) for k in (site.knowledge, after))
        lost = old_new["mrr@10"] - new_new["mrr@10"]
        result.figures[f"{name}, trained"] = {
            "before": before,
            "after": now,
            "unseen articles": [len(new), old_new["mrr@10"], new_new["mrr@10"]],
            "left out while learning": [trained.seen, trained.unseen],
        }
        means.append(now["mrr@10"])
        result.bars.append(at_most(f"search: {name}, trained: unseen articles lose", lost, 0.01))
    result.bars += [
        at_least("search: Australia, trained: hit@1", now["hit@1"], 0.55),
        at_least("search: mean MRR of two sites, trained", float(np.mean(means)), 0.74),
    ]
    faqs, queries = _site(setting, "stackfaq_a"), _queries(setting, "stackfaq_a", "queries")
    lost = search_evaluation.evaluate(faqs.knowledge, queries)["mrr@10"]
    search_training.publish(faqs.versions, faqs.version, trained)
    lost -= search_evaluation.evaluate(open_current(setting, faqs.versions), queries)["mrr@10"]
    result.bars.append(at_most("search: StackFAQ with Australia's training loses", lost, 0.01))


def _follow_ups(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Ask the demo's follow-ups alone, and with the question before."""
    demo = setting.home.path
    path = demo / "tests" / "follow_ups.jsonl"
    if not path.exists():
        message = f"there is no {path}: run this part with --home data, the demo"
        raise CarelineError(message)
    cases = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    knowledge = build(
        setting, "demo", loader.load([demo / "kb"]), setting.home.indexing_encoders()
    ).knowledge
    gained: dict[str, float] = {}
    held_back = [case for case in cases if is_held_back(case["id"])]
    for name, group in (("all", cases), ("held back", held_back)):
        bare = np.mean([_hit(knowledge, case, None) for case in group])
        context = [None if setting.planted else case["customer"] for case in group]
        whole = np.mean([_hit(knowledge, c, text) for c, text in zip(group, context, strict=True)])
        result.figures[f"follow-ups, {name}"] = {"n": len(group), "bare": bare, "with": whole}
        gained[name] = float(whole - bare)
    result.bars += [
        at_least(f"search: follow-ups, {name}: hit@5 over the bare ones", gain, 0.10)
        for name, gain in gained.items()
    ]


def _hit(knowledge: KnowledgeBase, case: dict[str, Any], context: str | None) -> bool:
    hits = knowledge.search(case["follow_up"], 50, language=case["language"], context=context)
    articles = list(dict.fromkeys(hit.chunk.article for hit in hits))[:5]
    return bool(set(articles) & set(case["relevant"]))


def _filters(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Search under filters of different strengths, compared with scoring each matching passage."""
    knowledge, facts = _ten_thousand(setting)
    examples = model_training.read(setting, "intents", "banking77", "test.csv")[:_FILTERED]
    recalls = []
    for number, query in enumerate(example.text for example in examples):
        only = _FILTERS[number % len(_FILTERS)]
        rows = np.flatnonzero(np.asarray(facts.matching_rows(only)))
        vector = knowledge.encode_query(query)[0]
        true = rows[np.argsort(-knowledge.scaled_cosines(0, vector, rows), kind="stable")[:_RANKS]]
        candidates = knowledge.candidates(query, only=None if setting.planted else only)
        retrieved = set(candidates.rows.tolist()) if candidates else set()
        if not retrieved <= set(rows.tolist()):
            retrieved = set()  # a passage that does not match counts as a complete failure
        recalls.append(len(retrieved & set(true.tolist())) / len(true))
    result.bars.append(at_least("search: recall@10 under filters", float(np.mean(recalls)), 0.99))


_FILTERS: Final = (
    PassageFilter(tags=frozenset({"0"})),
    PassageFilter(tags=frozenset({"1", "2", "3"})),
    PassageFilter(audiences=frozenset({"odd"})),
    PassageFilter(audiences=frozenset({"even"}), tags=frozenset({"4", "5"})),
)


def _ten_thousand(setting: BenchmarkContext) -> tuple[KnowledgeBase, FilterFields]:
    """Return a knowledge of 10,003 short passages and the filter fields of its rows."""
    documents = passages(setting)
    built = build(setting, "many", documents, setting.home.indexing_encoders())
    folder = built.versions.folder(built.version.id)
    return built.knowledge, FilterFields.load(folder / storage.FACTS)


def passages(setting: BenchmarkContext) -> list[Document]:
    """Return 10,003 articles of one sentence each: real questions, used as if they were answers."""
    examples = model_training.read(setting, "intents", "banking77", "train.csv")
    return [
        Document(
            f"{number}",
            example.intent.replace("_", " "),
            example.text,
            language="en",
            tags=(str(number % 100),),
            audience="odd" if number % 2 else "even",
        )
        for number, example in enumerate(examples)
    ]


def _speed(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Compare single searches with the bare float encoder and one flat FAISS search."""
    import torch

    from knowledge_base.index.dense import DenseIndex

    knowledge, _ = _ten_thousand(setting)
    texts = [e.text for e in model_training.read(setting, "intents", "banking77", "test.csv")][
        :_TEXTS
    ]
    raw, fast = setting.home.torch_encoder(), setting.home.encoder()
    flat = DenseIndex.build(knowledge.vectors())
    torch.set_num_threads(1)
    ways: dict[str, Callable[[str], Any]] = {
        "search": lambda text: knowledge.search(text, 5),
        "raw": lambda text: flat.search(raw.queries([text])[0], 5),
        "floor": lambda text: flat.search(fast.queries([text])[0], 5),
    }
    times = {name: [median(call, texts) for _ in range(_ROUNDS)] for name, call in ways.items()}
    ours, bare, floor = (float(np.median(times[name])) for name in ways)
    ours *= 10 if setting.planted else 1
    result.figures["speed"] = {
        "search_ms": ours,
        "torch_and_flat_ms": bare,
        "over the engine's own floor": ours / floor,
    }
    result.bars.append(
        at_most("search: p50 over a torch forward and a flat search", ours / bare, 0.45)
    )


BENCHMARK: Final = Benchmark(
    {
        "untrained": _untrained,
        "trained": _trained,
        "follow-ups": _follow_ups,
        "filters": _filters,
        "speed": _speed,
        "suggestions": next_questions,
    }
)
