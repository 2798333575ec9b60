from pathlib import Path

from knowledge_base.documents import Document
from knowledge_base.sources.collection import collect
from knowledge_base.sources.document_builder import SourceFailure
from tests.knowledge_base.web import serve


def write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def test_a_later_place_overlays_the_earlier_ones(tmp_path: Path) -> None:
    write(tmp_path / "base" / "a.md", "Old.")
    write(tmp_path / "base" / "b.md", "Stays.")
    write(tmp_path / "overlay" / "a.md", "New.")
    found = list(collect([tmp_path / "base", str(tmp_path / "overlay")], cache=tmp_path / "c"))
    assert all(isinstance(item, Document) for item in found)
    assert {d.id: d.text for d in found if isinstance(d, Document)} == {
        "a.md": "New.", "b.md": "Stays."
    }  # fmt: skip


def test_the_same_id_twice_in_one_place_is_a_failure(tmp_path: Path) -> None:
    rows = '{"id": "a", "text": "First."}\n{"id": "a", "text": "Second."}'
    found = list(collect([write(tmp_path / "kb.jsonl", rows)], cache=tmp_path / "c"))
    failed, first = found
    assert isinstance(failed, SourceFailure)
    assert (failed.path, "same id" in failed.error) == ("a", True)
    assert isinstance(first, Document)
    assert first.text == "First."


def test_an_overlay_that_cannot_be_read_leaves_what_was_there(tmp_path: Path) -> None:
    write(tmp_path / "base" / "a.md", "Old.")
    write(tmp_path / "overlay" / "a.md", "")
    failed, kept = collect([tmp_path / "base", tmp_path / "overlay"], cache=tmp_path / "c")
    assert isinstance(failed, SourceFailure)
    assert isinstance(kept, Document)
    assert kept.text == "Old."


def test_files_and_addresses_are_collected_together(tmp_path: Path) -> None:
    with serve() as site:
        site.page("/", "<p>On the web.</p><a href='/more'>more</a>")
        site.page("/more", "<p>More.</p>")
        places: list[str | Path] = [
            write(tmp_path / "a.md", "On disk."),
            f"{site.url}/",
            "nowhere.md",
        ]
        found = list(collect(places, cache=tmp_path / "c", depth=0, allow_private=True))
        refused = list(collect([site.url], cache=tmp_path / "c"))
    failed = [item.path for item in found if isinstance(item, SourceFailure)]
    assert failed == ["nowhere.md"]
    assert [item.id for item in found if isinstance(item, Document)] == ["a.md", f"{site.host}/"]
    (only,) = refused
    assert isinstance(only, SourceFailure)
    assert "--allow-private" in only.error
