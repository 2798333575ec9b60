from pathlib import Path

import numpy as np
import pytest

from knowledge_base.documents import KnowledgeError
from knowledge_base.index import storage
from knowledge_base.index.versions import Versions
from knowledge_base.ingest import EncoderSpec, IngestReport, ingest
from knowledge_base.retrieval import version_loader
from knowledge_base.retrieval.search import KnowledgeBase
from knowledge_base.sources import loader
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


def run(kb: Path, versions: Versions, encoder: HashEncoder) -> IngestReport:
    return ingest(loader.load([kb]), versions, [EncoderSpec("hash", encoder)])


def served(versions: Versions, encoder: HashEncoder) -> KnowledgeBase:
    current = versions.current()
    assert current is not None
    return version_loader.load(
        versions.folder(current.id), current.details, current.id, lambda _base: encoder
    )


def test_the_first_run_adds_everything_and_can_be_searched(kb: Path, versions: Versions) -> None:
    encoder = HashEncoder()
    done = run(kb, versions, encoder)
    assert (done.documents, done.chunks) == (3, 3)
    assert (done.added, done.changed, done.removed) == (3, 0, 0)
    assert done.failed == ()
    current = versions.current()
    assert current == done.version
    assert current.metrics == {"documents": 3, "chunks": 3, "failed": 0}
    assert served(versions, encoder).articles("退货要几天")[0] == "zh/tuihuo.md"


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
    run(kb, versions, encoder)
    base = served(versions, encoder)
    assert base.articles("Shipping week")[0] == "shipping.md"
    assert base.articles("Gift cards")[0] == "gifts.md"


def test_another_encoder_encodes_everything_anew(kb: Path, versions: Versions) -> None:
    run(kb, versions, HashEncoder("first"))
    second = HashEncoder("second")
    done = run(kb, versions, second)
    assert {"Free for members.", "It takes a week.", "七天内退货。"} <= set(second.encoded)
    assert done.version.details["views"][0]["encoder"] == "second"


def test_unreadable_files_are_reported_and_the_rest_is_published(
    kb: Path, versions: Versions
) -> None:
    (kb / "broken.md").write_bytes("退货".encode("gbk"))
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
    done = run(source, versions, HashEncoder())
    assert done.documents == 1
    assert [failed.path for failed in done.failed] == ["a"]
    assert "same id" in done.failed[0].error
    documents = storage.open_documents(versions.folder(done.version.id))
    assert [document.text for document in documents.values()] == ["first"]


@pytest.mark.parametrize("items", [0, 40])
def test_few_and_many_passages_are_both_put_on_a_scale(
    kb: Path, versions: Versions, items: int
) -> None:
    for number in range(items):
        text = f"# Item {number}\n\nCommon words of every item, number {number}.\n"
        (kb / f"item{number}.md").write_text(text, encoding="utf-8")
    details = run(kb, versions, HashEncoder()).version.details["views"][0]
    assert -1.0 <= details["unrelated"] < details["related"] <= 1.0


def test_when_nothing_changed_no_version_is_made(kb: Path, versions: Versions) -> None:
    first = run(kb, versions, HashEncoder())
    again = run(kb, versions, HashEncoder())
    assert again.version == first.version
    assert (again.added, again.changed, again.removed) == (0, 0, 0)
    assert again.chunks == first.chunks
    assert len(versions.list()) == 1


def test_passages_keep_their_numbers_and_no_number_is_given_twice(
    kb: Path, versions: Versions
) -> None:
    encoder = HashEncoder()
    numbers: dict[str, int] = {}
    for text in ("Free for members.", "Free for everyone.", "Free for friends."):
        (kb / "returns.md").write_text(f"# Returns\n\n{text}\n", encoding="utf-8")
        folder = versions.folder(run(kb, versions, encoder).version.id)
        rows = np.load(folder / storage.NUMBERS).tolist()
        assert rows == sorted(rows)
        found = {c.text: n for c, n in zip(served(versions, encoder).chunks, rows, strict=True)}
        assert all(found[said] == number for said, number in numbers.items() if said in found)
        assert not set(found.values()) & {n for said, n in numbers.items() if said not in found}
        numbers |= found


def test_after_many_edits_a_version_answers_as_one_built_anew(
    kb: Path, versions: Versions, tmp_path: Path
) -> None:
    encoder = HashEncoder()
    rng = np.random.default_rng(3)
    for step in range(8):
        name = f"{rng.integers(5)}.md"
        if (kb / name).exists() and rng.random() < 0.3:
            (kb / name).unlink()
        else:
            body = " ".join(rng.choice(["tent", "boot", "refund", "gift", "退货", "week"], 5))
            text = f"# Item {name}\n\n{body} {step}\n\n## More\n\n{body[::-1]}\n"
            (kb / name).write_text(text, encoding="utf-8")
        run(kb, versions, encoder)
    anew = Versions(tmp_path / "anew", "knowledge", "k")
    run(kb, anew, encoder)
    one, other = served(versions, encoder), served(anew, encoder)
    assert set(one.documents) == set(other.documents)
    for query in ("tent refund", "退货", "gift week", "boot", "more"):
        first, second = (
            {hit.chunk.id: (hit.dense, hit.sparse) for hit in base.search(query, 50)}
            for base in (one, other)
        )
        assert first.keys() == second.keys()
        assert all(first[key] == pytest.approx(second[key], abs=1e-4) for key in first)


def test_a_version_before_stays_whole_and_can_be_gone_back_to(kb: Path, versions: Versions) -> None:
    encoder = HashEncoder()
    before = run(kb, versions, encoder).version
    (kb / "returns.md").write_text("# Returns\n\nNever.\n", encoding="utf-8")
    run(kb, versions, encoder)
    assert "Never." in {chunk.text for chunk in served(versions, encoder).chunks}
    assert versions.rollback() == before
    assert "Free for members." in {chunk.text for chunk in served(versions, encoder).chunks}


def test_an_english_encoder_gets_english_passages_only(kb: Path, versions: Versions) -> None:
    first, english = HashEncoder(), HashEncoder("english")
    encoders = [EncoderSpec("hash", first), EncoderSpec("english", english, english=True)]
    ingest(loader.load([kb]), versions, encoders)
    assert "七天内退货。" in first.encoded
    assert "七天内退货。" not in english.encoded
    assert "Free for members." in english.encoded


def test_a_version_of_an_older_program_is_refused_and_built_anew(
    kb: Path, versions: Versions
) -> None:
    old = versions.publish(lambda _folder: ({}, {"encoder": "hash", "related": 1.0}))
    with pytest.raises(KnowledgeError, match="careline ingest"):
        served(versions, HashEncoder())
    done = run(kb, versions, HashEncoder())
    assert done.version.parent == old.id
    assert (done.added, done.changed) == (3, 0)


def test_another_encoder_is_refused_and_told_what_to_do(kb: Path, versions: Versions) -> None:
    run(kb, versions, HashEncoder("first"))
    with pytest.raises(KnowledgeError, match=r"first.*second.*careline ingest"):
        served(versions, HashEncoder("second"))
