import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from knowledge_base.atomic_files import write_json, write_text
from knowledge_base.documents import KnowledgeError
from knowledge_base.index.versions import Version, Versions


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    return Versions(tmp_path / "home" / "models", "models", "m")


def publish(versions: Versions, word: str = "weights", *, activate: bool = True) -> Version:
    def build(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        (folder / "file.txt").write_text(word, encoding="utf-8")
        return {"accuracy": 0.9}, {"base": "小模型"}

    return versions.publish(build, activate=activate)


def fail(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    (folder / "half.txt").write_text("half", encoding="utf-8")
    message = "the disk is full"
    raise OSError(message)


def test_before_the_first_version_there_is_none(versions: Versions) -> None:
    assert versions.list() == []
    assert versions.current() is None
    assert versions.current_id() is None


def test_a_published_version_is_complete_and_active(versions: Versions) -> None:
    made = publish(versions)
    assert made.id.startswith("m-")
    assert (made.kind, made.parent) == ("models", None)
    assert (made.metrics, made.details) == ({"accuracy": 0.9}, {"base": "小模型"})
    assert versions.current() == versions.open(made.id) == made
    assert (versions.folder(made.id) / "file.txt").read_text(encoding="utf-8") == "weights"


def test_a_version_may_be_published_without_being_served(versions: Versions) -> None:
    first = publish(versions)
    second = publish(versions, activate=False)
    assert versions.current() == first
    assert second.parent == first.id
    assert {version.id for version in versions.list()} == {first.id, second.id}


def test_versions_are_listed_oldest_first_also_within_a_second(versions: Versions) -> None:
    made = [publish(versions).id for _ in range(9)]
    assert [version.id for version in versions.list()] == made


def test_a_failing_build_leaves_nothing_and_the_active_version(versions: Versions) -> None:
    first = publish(versions)
    with pytest.raises(OSError, match="disk is full"):
        versions.publish(fail)
    assert versions.current() == first
    assert versions.list() == [first]
    assert sorted(path.name for path in versions.root.iterdir()) == ["current", first.id]


def test_a_failing_first_build_leaves_no_version(versions: Versions) -> None:
    with pytest.raises(OSError, match="disk is full"):
        versions.publish(fail)
    assert list(versions.root.iterdir()) == []


def test_an_interrupted_build_leaves_nothing_either(versions: Versions) -> None:
    def interrupted(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        del folder
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        versions.publish(interrupted)
    assert list(versions.root.iterdir()) == []


def test_nobody_sees_a_version_while_it_is_built(versions: Versions) -> None:
    seen: list[list[Version]] = []

    def build(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        write_json(folder / "manifest.json", {})
        seen.append(versions.list())
        return {}, {}

    versions.publish(build)
    assert seen == [[]]


def test_an_older_version_can_be_activated(versions: Versions) -> None:
    first = publish(versions)
    publish(versions)
    assert versions.activate(first.id) == first
    assert versions.current() == first


def test_rollback_goes_to_the_parent_step_by_step(versions: Versions) -> None:
    first, second, _ = publish(versions), publish(versions), publish(versions)
    assert versions.rollback() == second
    assert versions.rollback() == first
    assert versions.current() == first


def test_rollback_without_an_earlier_version_says_so(versions: Versions) -> None:
    with pytest.raises(KnowledgeError, match="no earlier version of models"):
        versions.rollback()
    first = publish(versions)
    with pytest.raises(KnowledgeError, match="no earlier version of models"):
        versions.rollback()
    assert versions.current() == first


def test_an_unknown_version_is_named_and_not_activated(versions: Versions) -> None:
    first = publish(versions)
    with pytest.raises(KnowledgeError, match=r"m-unknown.*versions list"):
        versions.activate("m-unknown")
    assert versions.current() == first


@pytest.mark.parametrize("identifier", ["../secret", "secret/../../secret", "/etc", "..", "a/.."])
def test_ids_with_a_path_in_them_lead_nowhere(versions: Versions, identifier: str) -> None:
    publish(versions)
    parent = versions.root.parent
    for folder in (parent, parent / "secret"):
        folder.mkdir(exist_ok=True)
        manifest = {"id": "x", "kind": "models", "created": "now"}
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(KnowledgeError, match="no version"):
        versions.open(identifier)


def test_folders_without_manifest_are_no_versions(versions: Versions) -> None:
    made = publish(versions)
    (versions.root / "m-20200101-000000-dead").mkdir()
    assert versions.list() == [made]


def test_a_reader_of_the_pointer_sees_the_old_id_or_the_new(versions: Versions) -> None:
    first = publish(versions)
    with (versions.root / "current").open(encoding="utf-8") as reader:
        second = publish(versions)
        assert reader.read().strip() == first.id
    assert versions.current_id() == second.id


def test_a_pointer_that_cannot_be_written_stays_as_it_was(
    versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = publish(versions), publish(versions, activate=False)

    def broken(descriptor: int) -> None:
        del descriptor
        message = "the disk is full"
        raise OSError(message)

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="disk is full"):
        versions.activate(second.id)
    assert versions.current() == first


def test_json_is_written_whole_and_readable(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"name": "退货"})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"name": "退货"}
    assert "退货" in (tmp_path / "a.json").read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_text_replaces_what_was_there(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "a long old text")
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "new"


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_builds_is_not(
    tmp_path: Path,
) -> None:
    versions = Versions(tmp_path / "indexes", "knowledge", "k")
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    left = versions.root / f".k-20260101-000000-abcd.{dead}"
    busy = versions.root / f".k-20260101-000000-dcba.{os.getppid()}"
    for folder in (left, busy):
        folder.mkdir(parents=True)
    versions.publish(lambda _folder: ({}, {}))
    assert not left.exists()
    assert busy.exists()
