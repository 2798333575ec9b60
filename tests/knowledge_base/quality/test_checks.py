import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import starmap
from typing import Any

import numpy as np
import pytest

from bot.core.settings import Settings
from knowledge_base import chunking
from knowledge_base.documents import Chunk, Document, KnowledgeError
from knowledge_base.encoders import base_models
from knowledge_base.encoders.base_models import Encoder, Vectors
from knowledge_base.quality import checks
from knowledge_base.quality.checks import IssueKind, IssueSeverity, QualityReport
from knowledge_base.sources import loader
from tests.conftest import DEMO
from tests.knowledge_base.fakes import HashEncoder

TODAY = date(2026, 5, 1)


def article(name: str, text: str, **more: Any) -> Document:
    return Document(name, more.pop("title", name), text, **{"language": "en", **more})


def check(documents: Sequence[Document], **more: Any) -> QualityReport:
    chunks = [part for document in documents for part in chunking.chunk(document)]
    vectors = HashEncoder().passages([chunk.text for chunk in chunks])
    return checks.check(documents, chunks, vectors, today=TODAY, **more)


def kinds(report: QualityReport) -> list[tuple[IssueKind, tuple[str, ...]]]:
    return [(finding.kind, finding.articles) for finding in report.findings]


RETURNS = "You have 60 days from delivery to return an item. It must be unused."
OLD = "Items can be returned for 30 days after delivery. They must be unused."


def test_contradicting_passages_are_quoted_with_their_offsets() -> None:
    documents = [article("a.md", f"Welcome.\n\n{RETURNS}"), article("b.md", OLD)]
    report = check(documents)
    (found,) = report.findings
    assert (found.kind, found.severity) == (IssueKind.CONTRADICTION, IssueSeverity.HIGH)
    assert found.articles == ("a.md", "b.md")
    assert "60 days" in found.advice
    assert "30 days" in found.advice
    texts = {document.id: document.text for document in documents}
    assert len(found.chunks) == 2
    for quote in found.quotes:
        assert texts[quote.article][quote.start : quote.end] == quote.quote
    assert (report.articles, report.passages) == (2, 2)


def test_passages_said_twice_are_duplicates() -> None:
    one = "Refunds go back to the card you paid with, and a mail tells you when that is done."
    two = "Refunds go back to the card you paid with, and a mail tells you that it is done."
    assert kinds(check([article("a.md", one), article("b.md", two)])) == [
        (IssueKind.DUPLICATE, ("a.md", "b.md"))
    ]


def test_short_phrases_may_stand_everywhere() -> None:
    assert kinds(check([article("a.md", "No, sorry."), article("b.md", "No, sorry.")])) == []


def test_passages_of_two_languages_are_not_compared() -> None:
    documents = [article("a.md", RETURNS), article("b.md", OLD, language="zh")]
    found = [kind for kind, _ in kinds(check(documents))]
    assert IssueKind.CONTRADICTION not in found


def test_articles_out_of_date_are_found() -> None:
    documents = [
        article("over.md", "Winter sale.", valid_until="2026-04-30"),
        article("soon.md", "Spring fair.", valid_until="2026-05-08"),
        article("later.md", "Summer camp.", valid_from="2026-06-01"),
        article("said.md", "The voucher is valid until 31 January 2026."),
        article("fine.md", "Autumn walk.", valid_from="2026-04-01", valid_until="2027-01-01"),
    ]
    assert kinds(check(documents)) == [
        (IssueKind.EXPIRED, ("over.md",)),
        (IssueKind.OUTDATED, ("said.md",)),
        (IssueKind.EXPIRING, ("soon.md",)),
        (IssueKind.NOT_YET_VALID, ("later.md",)),
    ]
    assert (IssueKind.EXPIRING, ("soon.md",)) not in kinds(check(documents, soon_days=3))


def test_missing_languages_are_found() -> None:
    documents = [
        article("en/a.md", "Tents."),
        article("zh/a.md", "帐篷。", language="zh"),
        article("en/b.md", "Boots."),
    ]
    assert kinds(check(documents)) == [(IssueKind.MISSING_LANGUAGE, ("en/b.md",))]


def test_articles_nobody_found_are_named_when_that_is_known() -> None:
    documents = [article("a.md", "Tents."), article("b.md", "Boots.")]
    assert kinds(check(documents)) == []
    assert kinds(check(documents, retrieved={"a.md"})) == [(IssueKind.NEVER_RETRIEVED, ("b.md",))]


def test_no_knowledge_has_no_faults() -> None:
    empty = np.zeros((0, 8), dtype=np.float32)
    assert checks.check([], [], empty, today=TODAY) == QualityReport((), 0, 0)


def test_vectors_of_other_passages_are_refused() -> None:
    with pytest.raises(KnowledgeError, match="ingest"):
        checks.check([], [], np.zeros((1, 8), dtype=np.float32), today=TODAY)


# --- what was measured ---


def rows() -> list[dict[str, str]]:
    path = DEMO / "tests" / "contradictions.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def is_test(name: str) -> bool:
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % 5 == 0


def contradicts(row: dict[str, str], encoder: Encoder) -> bool:
    texts = (row["first"], row["second"])
    documents = [
        Document(f"{n}.md", "", text, language=row["language"]) for n, text in enumerate(texts)
    ]
    chunks = [part for document in documents for part in chunking.chunk(document)]
    vectors = encoder.passages([chunk.text for chunk in chunks])
    report = checks.check(documents, chunks, vectors, today=TODAY)
    return any(finding.kind is IssueKind.CONTRADICTION for finding in report.findings)


def figures(encoder: Encoder, chosen: Sequence[dict[str, str]]) -> tuple[float, float]:
    """Return precision and recall."""
    found = [(contradicts(row, encoder), row["kind"] == "contradiction") for row in chosen]
    right = sum(said and true for said, true in found)
    return right / max(sum(said for said, _ in found), 1), right / sum(t for _, t in found)


@pytest.fixture(scope="module")
def real_encoder() -> Encoder:
    base = base_models.resolve("e5-small", Settings.load(DEMO).cache_folder)
    return base_models.TorchEncoder(base)


def test_most_contradictions_are_found_and_nothing_else() -> None:
    precision, recall = figures(HashEncoder(), rows())
    assert precision >= 0.9
    assert recall >= 0.85
    precision, recall = figures(HashEncoder(), [row for row in rows() if is_test(row["id"])])
    assert precision >= 0.75
    assert recall >= 0.7


def test_the_real_encoder_finds_the_same(real_encoder: Encoder) -> None:
    precision, recall = figures(real_encoder, rows())
    assert precision >= 0.9
    assert recall >= 0.85


def read(folder: str, prefix: str = "") -> list[Document]:
    found = [d for d in loader.load([DEMO / folder]) if isinstance(d, Document)]
    return [replace(document, id=prefix + document.id) for document in found]


def encoded(chunks: Sequence[Chunk]) -> Vectors:
    return HashEncoder().passages([f"{chunk.heading}\n{chunk.text}" for chunk in chunks])


def test_the_demo_does_not_contradict_itself_but_its_older_articles_do() -> None:
    now, before = read("kb"), read("kb-previous", "old/")
    documents = [*now, *before]
    chunks = [part for document in documents for part in chunking.chunk(document)]
    report = checks.check(documents, chunks, encoded(chunks), today=TODAY)
    found = [f for f in report.findings if f.kind is IssueKind.CONTRADICTION]
    texts = {document.id: document.text for document in documents}
    old = [f for f in found if any(name.startswith("old/") for name in f.articles)]
    assert len(found) - len(old) <= 3  # of some 550 passages
    quoted = {(q.article, q.quote) for f in old for q in f.quotes}
    changed = list(starmap(_changed, ((d, texts[d.id.removeprefix("old/")]) for d in before)))
    wanted = [(name, text) for name, lines in changed for text in lines]
    assert len(wanted) > 100
    assert sum(pair in quoted for pair in wanted) / len(wanted) >= 0.8
    assert sum(any((q.article, q.quote) in wanted for q in f.quotes) for f in old) >= 0.95 * len(
        old
    )


def _changed(before: Document, now: str) -> tuple[str, list[str]]:
    """Return the sentences of an old article that stand no more in the new one."""
    kept = {now[start:end] for start, end in chunking.sentences(now)}
    said = (before.text[start:end] for start, end in chunking.sentences(before.text))
    return before.id, [text for text in said if text not in kept]
