"""Publications are stored with the texts before and after; stale edits write nothing."""

import threading
from pathlib import Path

import pytest

from bot.authoring import editable_files
from bot.authoring.editable_files import EditableFileError
from bot.authoring.publications import PublicationStore, StaleFileError, difference
from bot.core.types import NotFoundError

PATH = "kb/a.md"


def sha(home: Path) -> str:
    return editable_files.read(home, PATH).sha256


def test_a_publication_can_be_listed_compared_and_rolled_back(tmp_path: Path) -> None:
    publications = PublicationStore(tmp_path)
    assert publications.list() == []
    first = publications.publish(PATH, "one\ntwo\n", base="", author="ann", note="begun")
    second = publications.publish(PATH, "one\nthree\n", base=sha(tmp_path), author="bo", note="")
    assert [publication.id for publication in publications.list()] == [second.id, first.id]
    assert (first.who, first.note, first.before, first.added) == ("ann", "begun", "", 2)
    assert (second.before, second.added, second.removed) == (first.after, 1, 1)
    changes = difference(*publications.texts(second.id), PATH).splitlines()[3:]
    assert [line for line in changes if line[0] in "+-"] == ["-two", "+three"]
    rollback = publications.rollback(second.id, base=sha(tmp_path), author="ann")
    assert (tmp_path / PATH).read_text(encoding="utf-8") == "one\ntwo\n"
    assert (rollback.reverts, rollback.after) == (second.id, first.after)
    removal = publications.rollback(first.id, base=sha(tmp_path), author="ann")
    assert not (tmp_path / PATH).exists()
    assert removal.after == ""
    restored = publications.rollback(removal.id, base="", author="ann")
    assert (tmp_path / PATH).read_text(encoding="utf-8") == "one\ntwo\n"
    assert publications.get(restored.id) == restored
    assert publications.list("kb/b.md") == []
    assert PublicationStore(tmp_path).list() == publications.list()


def test_a_stale_edit_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    publications = PublicationStore(tmp_path)
    publications.publish(PATH, "one", base="", author="ann")
    base = sha(tmp_path)
    publications.publish(PATH, "two", base=base, author="bo")
    with pytest.raises(StaleFileError, match="changed by bo since you opened it"):
        publications.publish(PATH, "three", base=base, author="ann")
    with pytest.raises(StaleFileError):
        publications.publish(PATH, "new", base="", author="ann")
    (tmp_path / PATH).write_text("by hand", encoding="utf-8")
    with pytest.raises(StaleFileError, match="was changed since"):
        publications.rollback(publications.list()[0].id, base=base, author="ann")
    assert (tmp_path / PATH).read_text(encoding="utf-8") == "by hand"
    assert len(publications.list()) == 2


def test_one_of_several_simultaneous_publications_wins(tmp_path: Path) -> None:
    publications = PublicationStore(tmp_path)
    outcomes: list[str] = []

    def publish(number: int) -> None:
        try:
            publications.publish(PATH, f"text {number}", base="", author="x")
            outcomes.append("published")
        except StaleFileError:
            outcomes.append("stale")

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["published"] + ["stale"] * 7
    text = (tmp_path / PATH).read_text(encoding="utf-8")
    assert editable_files.digest(text) == publications.list()[0].after


def test_a_publication_without_effect_is_not_stored(tmp_path: Path) -> None:
    publications = PublicationStore(tmp_path)
    publications.publish(PATH, "one", base="", author="ann")
    with pytest.raises(EditableFileError, match="like this already"):
        publications.publish(PATH, "one", base=sha(tmp_path), author="ann")
    with pytest.raises(EditableFileError, match="cannot be written"):
        publications.publish(f"{PATH.removesuffix('.md')}.md/b.md", "x", base="", author="ann")
    assert len(publications.list()) == 1
    for identifier in ("e-nothing", "../kb", "..", "e-/../../x"):
        with pytest.raises(NotFoundError):
            publications.get(identifier)
