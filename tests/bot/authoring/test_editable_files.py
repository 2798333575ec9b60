"""The editable files are a home's content, and nothing outside that a path or link leads to."""

from pathlib import Path

import pytest

from bot.authoring import editable_files
from bot.authoring.editable_files import EditableFileError, FileKind
from bot.core.types import NotFoundError


@pytest.mark.parametrize(
    "path",
    [
        "../policy.yml",
        "kb/../policy.yml",
        "kb/../../etc/passwd.md",
        "kb//a.md",
        "kb/./a.md",
        "kb/.hidden.md",
        "kb/.git/a.md",
        "/etc/passwd.md",
        "kb\\a.md",
        "kb/a\x00.md",
        "kb/a\n.md",
        "kb/a.md/",
        "kb/a.md ",
        "kb",
        "kb/",
        "",
        "kb/a.pdf",
        "kb/" + "a/" * 12 + "a.md",
        "kb/" + "a" * 300 + ".md",
        "careline.toml",
        ".secrets.json",
        "templates/fr.yml",
        "models/m/labels.json",
        "dialogs/a.csv",
    ],
)
def test_other_paths_are_not_editable(tmp_path: Path, path: str) -> None:
    with pytest.raises(NotFoundError):
        editable_files.read(tmp_path, path)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("kb/zh/退货 与 退款.md", FileKind.ARTICLE),
        ("kb/a.b_c-d (1).txt", FileKind.ARTICLE),
        ("drafts/new.md", FileKind.DRAFT),
        ("templates/zh.yml", FileKind.TEMPLATES),
        ("policy.yml", FileKind.POLICY),
    ],
)
def test_a_missing_file_has_no_text_and_no_hash(tmp_path: Path, path: str, kind: FileKind) -> None:
    file = editable_files.read(tmp_path, path)
    assert (file.kind, file.text, file.sha256) == (kind, None, "")


def test_links_are_not_followed_out_of_the_home(tmp_path: Path) -> None:
    home, outside = tmp_path / "home", tmp_path / "outside"
    (home / "kb").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.md").write_text("secret", encoding="utf-8")
    (home / "kb" / "folder").symlink_to(outside)
    (home / "kb" / "file.md").symlink_to(outside / "secret.md")
    (home / "policy.yml").symlink_to(outside / "secret.md")
    for path in ("kb/folder/secret.md", "kb/folder/new.md", "kb/file.md", "policy.yml"):
        with pytest.raises(EditableFileError, match="link"):
            editable_files.read(home, path)
    (home / "kb" / "tents.md").write_text("tents", encoding="utf-8")
    assert [path for path, kind in editable_files.list_files(home) if kind is FileKind.ARTICLE] == [
        "kb/tents.md"
    ]


def test_files_that_are_not_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "latin.md").write_bytes("Größe".encode("latin-1"))
    with pytest.raises(EditableFileError, match="UTF-8"):
        editable_files.read(tmp_path, "kb/latin.md")
    (tmp_path / "kb" / "large.md").write_bytes(b"x" * (4 * editable_files.MAX_CHARACTERS + 1))
    with pytest.raises(EditableFileError, match="split it"):
        editable_files.read(tmp_path, "kb/large.md")
