"""Publications: who changed which file, when and why, with the texts before and after.

A publication is a folder like any version. It is written before the file, so that both texts are
stored whatever happens then.
"""

import difflib
import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.authoring import editable_files
from bot.authoring.editable_files import EditableFile, EditableFileError
from bot.core.types import CarelineError, NotFoundError
from bot.store import content_snapshots
from knowledge_base.atomic_files import write_text
from knowledge_base.documents import KnowledgeError
from knowledge_base.index.versions import Version, Versions

_FOLDER: Final = "published"
_BEFORE, _AFTER = "before", "after"
_MAX_LINES: Final = 4000  # of a difference
_SIGNS: Final = (("added", "+"), ("removed", "-"))


class StaleFileError(CarelineError):
    """A file was changed since it was opened; the message says what to do."""


@dataclass(frozen=True)
class Publication:
    """A change of a file; the hash of a missing text is empty."""

    id: str
    at: str
    path: str
    who: str
    note: str
    before: str
    after: str
    added: int
    removed: int
    reverts: str | None = None


class PublicationStore:
    """The publications of a home, stored beside its content snapshots."""

    def __init__(self, home: Path) -> None:
        """Set the home; nothing is written before the first publication."""
        self._home = home
        self._versions = Versions(home / content_snapshots.FOLDER / _FOLDER, "publications", "e")

    def publish(
        self,
        path: str,
        text: str | None,
        *,
        base: str,
        author: str,
        note: str = "",
        reverts: str | None = None,
    ) -> Publication:
        """Write a file, or remove it if `text` is None, if its hash is still `base`.

        Raises StaleFileError if it is not, and EditableFileError if nothing would change.
        """
        with self._lock():
            file = editable_files.read(self._home, path)
            self.check_base(file, base)
            if text == file.text:
                message = f"{path} is like this already: nothing was published"
                raise EditableFileError(message, "unchanged", path=path)
            details = {"who": author, "note": note, "reverts": reverts}
            version = self._store(file, text, details)
            try:
                _write(file.file, text)
            except OSError as error:
                shutil.rmtree(self._versions.folder(version.id), ignore_errors=True)
                why = error.strerror or ""
                message = f"{path} cannot be written: {error.strerror}"
                raise EditableFileError(message, "not_written", path=path, why=why) from error
        return _publication(version)

    def rollback(self, identifier: str, *, base: str, author: str, note: str = "") -> Publication:
        """Restore a file to its text before a publication; this is a publication, too."""
        path = self.get(identifier).path
        text = self.texts(identifier)[0]
        return self.publish(path, text, base=base, author=author, note=note, reverts=identifier)

    def list(self, path: str | None = None, limit: int = 100) -> list[Publication]:
        """Return the publications of one file or of all, latest first."""
        publications = [_publication(version) for version in reversed(self._versions.list())]
        return [item for item in publications if path in {None, item.path}][:limit]

    def get(self, identifier: str) -> Publication:
        """Return a publication; raise NotFoundError for an unknown id."""
        try:
            return _publication(self._versions.open(identifier))
        except KnowledgeError as error:
            message = f"there is no publication {identifier[:64]}"
            raise NotFoundError(message) from error

    def texts(self, identifier: str) -> tuple[str | None, str | None]:
        """Return the texts before and after a publication; None for a missing file."""
        folder = self._versions.folder(identifier)
        before, after = (folder / name for name in (_BEFORE, _AFTER))
        return _read(before), _read(after)

    def check_base(self, file: EditableFile, base: str) -> None:
        """Raise StaleFileError if the hash of a file is not `base` any more."""
        if file.sha256 == base:
            return
        if not base:
            message = f"{file.path} exists already: open it, or choose another name"
            raise StaleFileError(message, "is_there", path=file.path)
        last = next(iter(self.list(file.path, 1)), None)
        who = last.who if last and last.after == file.sha256 else ""
        by = f" by {who}" if who else ""
        message = (
            f"{file.path} was changed{by} since you opened it: nothing was written. Copy your "
            "text, open the file again, and insert it"
        )
        reason = "changed_by" if who else "changed"
        raise StaleFileError(message, reason, path=file.path, who=who)

    def _store(self, file: EditableFile, text: str | None, details: dict[str, Any]) -> Version:
        changes = list(difflib.unified_diff(_lines(file.text), _lines(text), lineterm="", n=0))
        counts = {name: sum(line[0] == sign for line in changes[2:]) for name, sign in _SIGNS}
        after = "" if text is None else editable_files.digest(text)

        def build(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
            for name, content in ((_BEFORE, file.text), (_AFTER, text)):
                if content is not None:
                    write_text(folder / name, content)
            hashes = {"before": file.sha256, "after": after}
            return counts, {"path": file.path, **hashes, **details}

        return self._versions.publish(build, activate=False)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Let one publication run at a time, in all processes."""
        self._versions.root.mkdir(parents=True, exist_ok=True)
        with (self._versions.root / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def difference(before: str | None, after: str | None, path: str) -> str:
    """Return the unified difference of two texts."""
    lines = difflib.unified_diff(
        _lines(before), _lines(after), f"{path} (before)", f"{path} (after)", lineterm="", n=2
    )
    return "\n".join(list(lines)[:_MAX_LINES])


def _lines(text: str | None) -> list[str]:
    return (text or "").splitlines()


def _read(file: Path) -> str | None:
    return file.read_bytes().decode("utf-8") if file.exists() else None


def _write(file: Path, text: str | None) -> None:
    if text is None:
        file.unlink()
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    write_text(file, text)


def _publication(version: Version) -> Publication:
    return Publication(id=version.id, at=version.created, **version.details, **version.metrics)
