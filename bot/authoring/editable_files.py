"""The texts of a home that people may change: which they are, and where they lie."""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from bot.core.types import CarelineError, NotFoundError

MOST_CHARACTERS: Final = 300_000
_MOST_BYTES: Final = 4 * MOST_CHARACTERS
_LONGEST: Final = 240  # characters of a path
_DEEPEST: Final = 8  # folders
_SUFFIXES: Final = (".md", ".markdown", ".txt")
# No hidden files, nothing that other systems read as a drive or a way up.
_NAME: Final = re.compile(r"(?![.\s])[^\x00-\x1f\x7f/\\:*?\"<>|]{1,120}(?<![.\s])")


class FileKind(StrEnum):
    """What a text is for."""

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
    """A text cannot be opened or kept; the message says what to do."""


@dataclass(frozen=True)
class EditableFile:
    """A text that may be changed; one that is not there yet has no text."""

    path: str
    kind: FileKind
    file: Path
    text: str | None = None

    @property
    def sha256(self) -> str:
        """The hash that tells whether somebody changed it; empty where it is not there."""
        return "" if self.text is None else digest(self.text)


def digest(text: str) -> str:
    """Return the hash of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def kind_of(path: str) -> FileKind:
    """Return what a path is for; raise NotFoundError for what nobody edits here."""
    if path in _FILES:
        return _FILES[path]
    parts = path.split("/")
    kind = _FOLDERS.get(parts[0])
    named = len(path) <= _LONGEST and 1 < len(parts) <= _DEEPEST + 2
    if kind is None or not named or not all(_NAME.fullmatch(part) for part in parts):
        message = (
            f"{path[:_LONGEST]!r} is not edited here: articles lie in kb/, drafts in drafts/, "
            f"beside {', '.join(_FILES)}"
        )
        raise NotFoundError(message, "no_place", path=path[:_LONGEST])
    if not parts[-1].lower().endswith(_SUFFIXES):
        suffixes = ", ".join(_SUFFIXES)
        message = f"{path} cannot be edited here: name it with {suffixes}"
        raise NotFoundError(message, "no_text_file", path=path, suffixes=suffixes)
    return kind


def read(home: Path, path: str) -> EditableFile:
    """Return a text with its present words; raise for one that may not be edited."""
    kind = kind_of(path)
    file = home / path
    _check_inside(home, file)
    if not file.exists():
        return EditableFile(path, kind, file)
    if not file.is_file():
        message = f"{path} is a folder: give the name of a file"
        raise EditableFileError(message, "a_folder", path=path)
    if file.stat().st_size > _MOST_BYTES:
        message = f"{path} is larger than {MOST_CHARACTERS} characters: split it"
        raise EditableFileError(message, "too_long", most=MOST_CHARACTERS)
    try:
        text = file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8: save it as UTF-8"
        raise EditableFileError(message, "not_utf8", path=path) from error
    return EditableFile(path, kind, file, text)


def _check_inside(home: Path, file: Path) -> None:
    """Raise PaperError for a link, and for a folder that leads out of the home."""
    if file.is_symlink():
        message = f"{file.name} is a link: change the file it leads to"
        raise EditableFileError(message, "behind_link", path=file.name)
    if not file.resolve().is_relative_to(home.resolve()):
        message = f"{file.name} lies outside the home, behind a link: change it there"
        raise EditableFileError(message, "behind_link", path=file.name)


def listed(home: Path) -> list[tuple[str, FileKind]]:
    """Return the paths of all texts there are, and of the files every home may have."""
    found = [(path, kind) for path, kind in _FILES.items()]
    for folder, kind in _FOLDERS.items():
        for file in sorted((home / folder).rglob("*")):
            path = file.relative_to(home).as_posix()
            try:
                kind_of(path)
                _check_inside(home, file)
            except (NotFoundError, EditableFileError):
                continue
            if file.is_file():
                found.append((path, kind))
    return found
