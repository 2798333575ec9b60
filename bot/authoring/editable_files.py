"""The text files of a home that staff may edit."""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from bot.core.types import CarelineError, NotFoundError

MAX_CHARACTERS: Final = 300_000
_MAX_BYTES: Final = 4 * MAX_CHARACTERS
_MAX_PATH_LENGTH: Final = 240
_MAX_FOLDERS: Final = 8
_SUFFIXES: Final = (".md", ".markdown", ".txt")
# No hidden files, and nothing that another system reads as a drive or a parent folder.
_NAME: Final = re.compile(r"(?![.\s])[^\x00-\x1f\x7f/\\:*?\"<>|]{1,120}(?<![.\s])")


class FileKind(StrEnum):
    """The purpose of a text file."""

    ARTICLE = "article"
    DRAFT = "draft"
    TEMPLATES = "templates"
    POLICY = "policy"
    CANNED = "canned"


_FILES: Final = {
    "templates/en.yml": FileKind.TEMPLATES,
    "templates/zh.yml": FileKind.TEMPLATES,
    "policy.yml": FileKind.POLICY,
    "canned.yml": FileKind.CANNED,
}
_FOLDERS: Final = {"kb": FileKind.ARTICLE, "drafts": FileKind.DRAFT}


class EditableFileError(CarelineError):
    """A text file cannot be opened or stored; the message says what to do."""


@dataclass(frozen=True)
class EditableFile:
    """A text file that may be edited; `text` is None if it does not exist yet."""

    path: str
    kind: FileKind
    file: Path
    text: str | None = None

    @property
    def sha256(self) -> str:
        """The hash of the text, to detect changes by others; empty if the file does not exist."""
        return "" if self.text is None else digest(self.text)


def digest(text: str) -> str:
    """Return the hash of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def kind_of(path: str) -> FileKind:
    """Return the purpose of a path; raise NotFoundError if it may not be edited."""
    if path in _FILES:
        return _FILES[path]
    parts = path.split("/")
    kind = _FOLDERS.get(parts[0])
    fits = len(path) <= _MAX_PATH_LENGTH and 1 < len(parts) <= _MAX_FOLDERS + 2
    if kind is None or not fits or not all(_NAME.fullmatch(part) for part in parts):
        shown = path[:_MAX_PATH_LENGTH]
        message = (
            f"{shown!r} cannot be edited here: put articles in kb/ and drafts in drafts/, or edit "
            f"{', '.join(_FILES)}"
        )
        raise NotFoundError(message, "no_place", path=shown)
    if not parts[-1].lower().endswith(_SUFFIXES):
        suffixes = ", ".join(_SUFFIXES)
        message = f"{path} cannot be edited here: use one of the suffixes {suffixes}"
        raise NotFoundError(message, "no_text_file", path=path, suffixes=suffixes)
    return kind


def read(home: Path, path: str) -> EditableFile:
    """Return a file with its current text; raise if it may not be edited."""
    kind = kind_of(path)
    file = home / path
    _check_inside(home, file)
    if not file.exists():
        return EditableFile(path, kind, file)
    if not file.is_file():
        message = f"{path} is a folder: name a file"
        raise EditableFileError(message, "a_folder", path=path)
    if file.stat().st_size > _MAX_BYTES:
        message = f"{path} is longer than {MAX_CHARACTERS} characters: split it"
        raise EditableFileError(message, "too_long", most=MAX_CHARACTERS)
    try:
        text = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8: save it as UTF-8"
        raise EditableFileError(message, "not_utf8", path=path) from error
    return EditableFile(path, kind, file, text)


def _check_inside(home: Path, file: Path) -> None:
    """Raise EditableFileError for a link, and for a path that leads out of the home."""
    if file.is_symlink():
        message = f"{file.name} is a link: edit the file that it points to"
        raise EditableFileError(message, "behind_link", path=file.name)
    if not file.resolve().is_relative_to(home.resolve()):
        message = f"{file.name} is outside the home, behind a link: edit it there"
        raise EditableFileError(message, "behind_link", path=file.name)


def list_files(home: Path) -> list[tuple[str, FileKind]]:
    """Return the existing editable files, and those that every home may have."""
    files = [(path, kind) for path, kind in _FILES.items()]
    for folder, kind in _FOLDERS.items():
        for file in sorted((home / folder).rglob("*")):
            path = file.relative_to(home).as_posix()
            try:
                kind_of(path)
                _check_inside(home, file)
            except (NotFoundError, EditableFileError):
                continue
            if file.is_file():
                files.append((path, kind))
    return files
