"""What was published is kept with its words before and after; stale edits write nothing."""

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


def test_a_text_is_published_looked_back_at_and_rolled_back(tmp_path: Path) -> None:
    kept = PublicationStore(tmp_path)
    assert kept.list() == []
    first = kept.publish(PATH, "one\ntwo\n", base="", author="ann", note="begun")
    second = kept.publish(PATH, "one\nthree\n", base=sha(tmp_path), author="bo", note="")
    assert [one.id for one in kept.list()] == [second.id, first.id]
    assert (first.who, first.note, first.before, first.added) == ("ann", "begun", "", 2)
    assert (second.before, second.added, second.removed) == (first.after, 1, 1)
    told = difference(*kept.texts(second.id), PATH)
    assert [line for line in told.splitlines()[3:] if line[0] in "+-"] == ["-two", "+three"]
    back = kept.rollback(second.id, base=sha(tmp_path), author="ann")
    assert (tmp_path / PATH).read_text(encoding="utf-8") == "one\ntwo\n"
    assert (back.reverts, back.after) == (second.id, first.after)
    gone = kept.rollback(first.id, base=sha(tmp_path), author="ann")
    assert not (tmp_path / PATH).exists()
    assert gone.after == ""
    again = kept.rollback(gone.id, base="", author="ann")
    assert (tmp_path / PATH).read_text(encoding="utf-8") == "one\ntwo\n"
    assert kept.get(again.id) == again
    assert kept.list("kb/b.md") == []
    assert PublicationStore(tmp_path).list() == kept.list()


def test_a_stale_edit_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    kept = PublicationStore(tmp_path)
    kept.publish(PATH, "one", base="", author="ann")
    opened = sha(tmp_path)
    kept.publish(PATH, "two", base=opened, author="bo")
    with pytest.raises(StaleFileError, match="changed by bo since you opened it"):
        kept.publish(PATH, "three", base=opened, author="ann")
    with pytest.raises(StaleFileError):
        kept.publish(PATH, "new", base="", author="ann")
    (tmp_path / PATH).write_text("by hand", encoding="utf-8")
    with pytest.raises(StaleFileError, match="was changed since"):
        kept.rollback(kept.list()[0].id, base=opened, author="ann")
    assert (tmp_path / PATH).read_text(encoding="utf-8") == "by hand"
    assert len(kept.list()) == 2


def test_of_many_who_publish_at_once_one_wins(tmp_path: Path) -> None:
    kept = PublicationStore(tmp_path)
    outcomes: list[str] = []

    def publish(number: int) -> None:
        try:
            kept.publish(PATH, f"text {number}", base="", author="x")
            outcomes.append("published")
        except StaleFileError:
            outcomes.append("stale")

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["published"] + ["stale"] * 7
    assert (
        editable_files.digest((tmp_path / PATH).read_text(encoding="utf-8")) == kept.list()[0].after
    )


def test_what_changes_nothing_or_cannot_be_written_leaves_no_trace(tmp_path: Path) -> None:
    kept = PublicationStore(tmp_path)
    kept.publish(PATH, "one", base="", author="ann")
    with pytest.raises(EditableFileError, match="like this already"):
        kept.publish(PATH, "one", base=sha(tmp_path), author="ann")
    with pytest.raises(EditableFileError, match="cannot be written"):
        kept.publish(f"{PATH.removesuffix('.md')}.md/b.md", "x", base="", author="ann")
    assert len(kept.list()) == 1
    for identifier in ("e-nothing", "../kb", "..", "e-/../../x"):
        with pytest.raises(NotFoundError):
            kept.get(identifier)
