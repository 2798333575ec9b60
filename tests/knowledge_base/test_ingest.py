from pathlib import Path

import pytest

from knowledge_base import search
from knowledge_base.documents import KnowledgeError
from knowledge_base.ingest import Ingested, ingest
from knowledge_base.versions import Versions
from tests.knowledge_base.fakes import HashEncoder


class FailingEncoder(HashEncoder):
    """Breaks in the middle of a build."""

    def passages(self, texts: object, /, *, progress: bool = False) -> object:  # type: ignore[override]
        del texts, progress
        message = "out of memory"
        raise MemoryError(message)


@pytest.fixture
def kb(tmp_path: Path) -> Path:
    folder = tmp_path / "kb"
    (folder / "zh").mkdir(parents=True)
    (folder / "returns.md").write_text("# Returns\n\nFree for members.\n", encoding="utf-8")
    (folder / "shipping.md").write_text("# Shipping\n\nIt takes a week.\n", encoding="utf-8")
    (folder / "zh" / "tuihuo.md").write_text("# 退货\n\n七天内退货。\n", encoding="utf-8")
    return folder


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return Versions(tmp_path / "indexes", "knowledge", "k")


def run(kb: Path, versions: Versions, encoder: HashEncoder) -> Ingested:
    return ingest([kb], versions, encoder, base="hash")


def test_the_first_run_adds_everything_and_can_be_searched(kb: Path, versions: Versions) -> None:
    encoder = HashEncoder()
    done = run(kb, versions, encoder)
    assert (done.documents, done.chunks) == (3, 3)
    assert (done.added, done.changed, done.removed) == (3, 0, 0)
    assert done.failed == ()
    current = versions.current()
    assert current == done.version
    assert current.metrics == {"documents": 3, "chunks": 3, "failed": 0}
    opened = search.load(versions.folder(current.id), current.details, current.id, encoder)
    assert opened.articles("退货要几天")[0] == "zh/tuihuo.md"


def test_added_changed_and_removed_articles_are_counted(kb: Path, versions: Versions) -> None:
    encoder = HashEncoder()
    run(kb, versions, encoder)
    (kb / "returns.md").write_text("# Returns\n\nFree for everyone.\n", encoding="utf-8")
    (kb / "shipping.md").unlink()
    (kb / "gifts.md").write_text("# Gift cards\n\nThey last two years.\n", encoding="utf-8")
    (kb / "hours.md").write_text("# Hours\n\nNine to five.\n", encoding="utf-8")
    done = run(kb, versions, encoder)
    assert (done.added, done.changed, done.removed) == (2, 1, 1)
    assert done.documents == 4


def test_unchanged_chunks_are_not_encoded_again(kb: Path, versions: Versions) -> None:
    ours = {"Free for members.", "Returns", "It takes a week.", "Shipping", "七天内退货。", "退货"}
    first = HashEncoder()
    run(kb, versions, first)
    assert ours <= set(first.encoded)
    again = HashEncoder()
    run(kb, versions, again)
    assert ours.isdisjoint(again.encoded)
    (kb / "returns.md").write_text("# Returns\n\nFree for everyone.\n", encoding="utf-8")
    changed = HashEncoder()
    run(kb, versions, changed)
    assert "Free for everyone." in changed.encoded
    assert ours & set(changed.encoded) == {"Returns"}


def test_reused_vectors_find_the_same_passages(kb: Path, versions: Versions) -> None:
    encoder = HashEncoder()
    run(kb, versions, encoder)
    (kb / "gifts.md").write_text("# Gift cards\n\nThey last two years.\n", encoding="utf-8")
    done = run(kb, versions, encoder)
    folder = versions.folder(done.version.id)
    opened = search.load(folder, done.version.details, done.version.id, encoder)
    assert opened.articles("Shipping week")[0] == "shipping.md"
    assert opened.articles("Gift cards")[0] == "gifts.md"


def test_another_encoder_encodes_everything_anew(kb: Path, versions: Versions) -> None:
    run(kb, versions, HashEncoder("first"))
    second = HashEncoder("second")
    done = run(kb, versions, second)
    assert {"Free for members.", "It takes a week.", "七天内退货。"} <= set(second.encoded)
    assert done.version.details["encoder"] == "second"


def test_unreadable_files_are_reported_and_the_rest_is_published(
    kb: Path, versions: Versions
) -> None:
    (kb / "broken.md").write_bytes("退货".encode("utf-16"))
    done = run(kb, versions, HashEncoder())
    assert [failed.path for failed in done.failed] == ["broken.md"]
    assert done.documents == 3


def test_when_nothing_can_be_read_the_active_version_stays(
    kb: Path, versions: Versions, tmp_path: Path
) -> None:
    before = run(kb, versions, HashEncoder()).version
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(KnowledgeError, match="nothing could be ingested"):
        run(empty, versions, HashEncoder())
    assert versions.current() == before
    assert versions.list() == [before]


def test_the_reasons_are_named_when_nothing_can_be_read(versions: Versions, tmp_path: Path) -> None:
    (tmp_path / "empty.md").write_text("", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"empty\.md: it is empty"):
        run(tmp_path / "empty.md", versions, HashEncoder())
    with pytest.raises(KnowledgeError, match="no such file"):
        run(tmp_path / "nowhere", versions, HashEncoder())
    assert versions.list() == []


def test_a_build_that_breaks_leaves_the_active_version(kb: Path, versions: Versions) -> None:
    before = run(kb, versions, HashEncoder()).version
    (kb / "gifts.md").write_text("# Gift cards\n\nThey last.\n", encoding="utf-8")
    with pytest.raises(MemoryError):
        run(kb, versions, FailingEncoder())
    assert versions.current() == before
    assert [path.name for path in versions.root.glob(".k-*")] == []


def test_of_two_articles_with_the_same_id_the_first_stays(
    versions: Versions, tmp_path: Path
) -> None:
    source = tmp_path / "kb.jsonl"
    rows = '{"id": "a", "text": "first"}\n{"id": "a", "text": "second"}\n'
    source.write_text(rows, encoding="utf-8")
    done = ingest([source], versions, HashEncoder(), base="hash")
    assert done.documents == 1
    assert [failed.path for failed in done.failed] == ["a"]
    assert "same id" in done.failed[0].error
    documents = search.load_documents(versions.folder(done.version.id))
    assert [document.text for document in documents] == ["first"]


@pytest.mark.parametrize("items", [0, 40])
def test_few_and_many_passages_are_both_put_on_a_scale(
    kb: Path, versions: Versions, items: int
) -> None:
    for number in range(items):
        text = f"# Item {number}\n\nCommon words of every item, number {number}.\n"
        (kb / f"item{number}.md").write_text(text, encoding="utf-8")
    details = run(kb, versions, HashEncoder()).version.details
    assert -1.0 <= details["unrelated"] < details["related"] <= 1.0
