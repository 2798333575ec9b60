"""Evaluation of the search on queries with known relevant articles."""

import gzip
import json
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.progress import track

from knowledge_base.documents import KnowledgeError
from knowledge_base.retrieval.search import KnowledgeBase

_RANKS: Final = 10
_WARM_UP: Final = 20


@dataclass(frozen=True)
class JudgedQuery:
    """A question and the ids of the articles that answer it."""

    text: str
    relevant: frozenset[str]
    id: str | None = None


def read_queries(path: Path) -> list[JudgedQuery]:
    """Read JSONL `{query, relevant}`; raise KnowledgeError naming the row."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            lines = file.read().decode("utf-8-sig").split("\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        message = f"{path} cannot be read: {error}"
        raise KnowledgeError(message) from error
    queries = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not isinstance(row["relevant"], list):
                message = "relevant must be a list of article ids"
                raise TypeError(message)  # noqa: TRY301
            identifier = str(row["id"]) if "id" in row else None
            relevant = frozenset(map(str, row["relevant"]))
            queries.append(JudgedQuery(str(row["query"] or ""), relevant, identifier))
        except (ValueError, KeyError, TypeError) as error:
            message = f"{path} row {number} is not a query with relevant articles: {error!r}"
            raise KnowledgeError(message) from error
    if not queries:
        message = f"{path} has no queries"
        raise KnowledgeError(message)
    return queries


def evaluate(
    knowledge: KnowledgeBase, queries: Sequence[JudgedQuery], *, progress: bool = False
) -> dict[str, Any]:
    """Return hit@1, hit@5, MRR@10 and recall@10 over distinct articles, and the latency.

    Empty queries count as misses and are counted in `skipped`.
    """
    for query in queries[:_WARM_UP]:
        knowledge.search(query.text)
    ranks: list[int | None] = []
    recalls: list[float] = []
    times: list[float] = []
    for query in track(
        queries, "searching", console=Console(stderr=True), disable=not progress, transient=True
    ):
        started = time.perf_counter()
        articles = knowledge.articles(query.text, _RANKS)
        times.append(1000 * (time.perf_counter() - started))
        ranks.append(next((n for n, a in enumerate(articles, 1) if a in query.relevant), None))
        recalls.append(len(query.relevant & set(articles)) / max(1, len(query.relevant)))
    p50, p95 = np.percentile(times, [50, 95])
    return {
        "n": len(queries),
        "skipped": sum(1 for query in queries if not query.text.strip()),
        "hit@1": _share(ranks, 1),
        "hit@5": _share(ranks, 5),
        "mrr@10": float(np.mean([1 / rank if rank else 0.0 for rank in ranks])),
        "recall@10": float(np.mean(recalls)),
        "latency_ms": {"p50": round(float(p50), 3), "p95": round(float(p95), 3)},
    }


def _share(ranks: Sequence[int | None], k: int) -> float:
    return sum(1 for rank in ranks if rank and rank <= k) / len(ranks)
