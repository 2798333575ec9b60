import gzip
import json
from pathlib import Path

import pytest

from knowledge_base.documents import KnowledgeError, SearchHit
from knowledge_base.retrieval import search_evaluation
from knowledge_base.retrieval.search import KnowledgeBase
from knowledge_base.retrieval.search_evaluation import JudgedQuery


class RankedKnowledge(KnowledgeBase):
    """Finds the articles it was told to find."""

    def __init__(self, found: dict[str, list[str]]) -> None:
        self._found = found
        self.searched = 0

    def search(self, query: str, k: int = 5, **options: object) -> list[SearchHit]:
        del query, k, options
        self.searched += 1
        return []

    def articles(self, query: str, k: int = 10, **options: object) -> list[str]:
        del options
        return self._found.get(query, [])[:k]


def write(folder: Path, text: str) -> Path:
    path = folder / "queries.jsonl"
    path.write_text(text, encoding="utf-8")
    return path


def test_ranks_make_hits_and_reciprocal_ranks() -> None:
    base = RankedKnowledge(
        {
            "first": ["a", "b"],
            "third": ["x", "y", "a"],
            "sixth": ["1", "2", "3", "4", "5", "a"],
            "eleventh": [*"0123456789", "a"],
        }
    )
    queries = [
        JudgedQuery(text, frozenset({"a"})) for text in ("first", "third", "sixth", "eleventh")
    ]
    measured = search_evaluation.evaluate(base, queries)
    assert measured["n"] == 4
    assert measured["hit@1"] == pytest.approx(1 / 4)
    assert measured["hit@5"] == pytest.approx(2 / 4)
    assert measured["mrr@10"] == pytest.approx((1 + 1 / 3 + 1 / 6) / 4)
    assert measured["recall@10"] == pytest.approx(3 / 4)
    assert base.searched == 4  # the warm-up


def test_recall_counts_every_relevant_article() -> None:
    base = RankedKnowledge({"q": ["a", "x", "b"]})
    measured = search_evaluation.evaluate(base, [JudgedQuery("q", frozenset({"a", "b", "c", "d"}))])
    assert measured["recall@10"] == pytest.approx(0.5)
    assert measured["mrr@10"] == 1.0


def test_an_empty_query_counts_as_a_miss_and_is_told() -> None:
    base = RankedKnowledge({"q": ["a"]})
    relevant = frozenset({"a"})
    measured = search_evaluation.evaluate(
        base, [JudgedQuery("q", relevant), JudgedQuery(" ", relevant)]
    )
    assert (measured["n"], measured["skipped"]) == (2, 1)
    assert measured["hit@1"] == measured["mrr@10"] == measured["recall@10"] == 0.5


def test_latency_is_measured_in_milliseconds() -> None:
    measured = search_evaluation.evaluate(RankedKnowledge({}), [JudgedQuery("q", frozenset({"a"}))])
    assert set(measured["latency_ms"]) == {"p50", "p95"}
    assert 0.0 <= measured["latency_ms"]["p50"] < 1000.0


def test_queries_are_read_plain_and_gzipped(tmp_path: Path) -> None:
    rows = '{"query": "多久到账", "relevant": ["a", 7]}\n\n{"query": null, "relevant": []}\n'
    expected = [JudgedQuery("多久到账", frozenset({"a", "7"})), JudgedQuery("", frozenset())]
    assert search_evaluation.read_queries(write(tmp_path, rows)) == expected
    zipped = tmp_path / "queries.jsonl.gz"
    zipped.write_bytes(gzip.compress(rows.encode()))
    assert search_evaluation.read_queries(zipped) == expected


def test_a_query_may_hold_unusual_line_breaks(tmp_path: Path) -> None:
    row = json.dumps({"query": "one\u2028two", "relevant": ["a"]}, ensure_ascii=False)
    assert search_evaluation.read_queries(write(tmp_path, row))[0].text == "one\u2028two"


@pytest.mark.parametrize(
    "row",
    ["no json", '{"query": "q"}', '{"relevant": []}', '{"query": "q", "relevant": 1}', '["q"]'],
)
def test_bad_rows_are_named(tmp_path: Path, row: str) -> None:
    good = '{"query": "q", "relevant": ["a"]}'
    with pytest.raises(KnowledgeError, match=r"queries\.jsonl row 2"):
        search_evaluation.read_queries(write(tmp_path, f"{good}\n{row}\n"))


def test_relevant_articles_must_be_a_list(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="row 1"):
        search_evaluation.read_queries(write(tmp_path, '{"query": "q", "relevant": "guide.md"}'))


def test_a_file_without_queries_or_without_bytes_is_named(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="no queries"):
        search_evaluation.read_queries(write(tmp_path, "\n"))
    with pytest.raises(KnowledgeError, match="cannot be read"):
        search_evaluation.read_queries(tmp_path / "nowhere.jsonl")
    damaged = tmp_path / "queries.jsonl.gz"
    damaged.write_bytes(gzip.compress(b"")[:10] + b"\xff" * 40)
    with pytest.raises(KnowledgeError, match="cannot be read"):
        search_evaluation.read_queries(damaged)
