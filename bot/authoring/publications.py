"""What was published: who changed which text, when and why, its words before and after.

A publication is a folder like any version, written before the file is: whatever happens then, both
states are kept.
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
_MOST_LINES: Final = 4000  # of a difference
_SIGNS: Final = (("added", "+"), ("removed", "-"))


class StaleFileError(CarelineError):
    """A text was changed since it was opened; the message says what to do."""


@dataclass(frozen=True)
class Publication:
    """One change of one text; a hash is empty where the text was not there."""

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
    """The publications of a home, kept beside the content that served."""

    def __init__(self, home: Path) -> None:
        """Look at a home; nothing is written before the first publication."""
        self._home = home
        self._kept = Versions(home / content_snapshots.FOLDER / _FOLDER, "publications", "e")

    def publish(  # noqa: PLR0913 — what is changed, by whom, and why
        self,
        path: str,
        text: str | None,
        *,
        base: str,
        author: str,
        note: str = "",
        reverts: str | None = None,
    ) -> Publication:
        """Write a text, or take it away (None), if it still is what hashes to `base`.

        Raises StaleError where it is not, and PaperError for a text that would change nothing.
        """
        with self._alone():
            paper = editable_files.read(self._home, path)
            self.check_base(paper, base)
            if text == paper.text:
                message = f"{path} is like this already: nothing was published"
                raise EditableFileError(message, "unchanged", path=path)
            made = self._keep(paper, text, {"who": author, "note": note, "reverts": reverts})
            try:
                _write(paper.file, text)
            except OSError as error:
                shutil.rmtree(self._kept.folder(made.id), ignore_errors=True)
                message = f"{path} cannot be written: {error.strerror}"
                why = error.strerror or ""
                raise EditableFileError(message, "not_written", path=path, why=why) from error
        return _publication(made)

    def rollback(self, identifier: str, *, base: str, author: str, note: str = "") -> Publication:
        """Bring a text back to how it was before a publication; that is one as well."""
        found = self.get(identifier)
        text = self.texts(identifier)[0]
        return self.publish(
            found.path, text, base=base, author=author, note=note, reverts=identifier
        )

    def list(self, path: str | None = None, limit: int = 100) -> list[Publication]:
        """Return publications, of one text or of all, the latest first."""
        found = [_publication(version) for version in reversed(self._kept.list())]
        return [one for one in found if path in {None, one.path}][:limit]

    def get(self, identifier: str) -> Publication:
        """Return a publication; raise NotFoundError for an id that is none."""
        try:
            return _publication(self._kept.open(identifier))
        except KnowledgeError as error:
            message = f"there is no publication {identifier[:64]}"
            raise NotFoundError(message) from error

    def texts(self, identifier: str) -> tuple[str | None, str | None]:
        """Return the words before and after a publication; None where there were none."""
        folder = self._kept.folder(identifier)
        before, after = (folder / name for name in (_BEFORE, _AFTER))
        return _read(before), _read(after)

    def check_base(self, paper: EditableFile, base: str) -> None:
        """Raise StaleError where a text is not what hashes to `base` any more."""
        if paper.sha256 == base:
            return
        if not base:
            message = f"{paper.path} is there already: open it, or choose another name"
            raise StaleFileError(message, "is_there", path=paper.path)
        last = next(iter(self.list(paper.path, 1)), None)
        who = last.who if last and last.after == paper.sha256 else ""
        by = f" by {who}" if who else ""
        message = (
            f"{paper.path} was changed{by} since you opened it: nothing was written. Keep your "
            "words, open it again, and put them in"
        )
        reason = "changed_by" if who else "changed"
        raise StaleFileError(message, reason, path=paper.path, who=who)

    def _keep(self, paper: EditableFile, text: str | None, said: dict[str, Any]) -> Version:
        changed = list(difflib.unified_diff(_lines(paper.text), _lines(text), lineterm="", n=0))
        counts = {name: sum(one[0] == sign for one in changed[2:]) for name, sign in _SIGNS}
        after = "" if text is None else editable_files.digest(text)

        def build(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
            for name, words in ((_BEFORE, paper.text), (_AFTER, text)):
                if words is not None:
                    write_text(folder / name, words)
            hashes = {"before": paper.sha256, "after": after}
            return counts, {"path": paper.path, **hashes, **said}

        return self._kept.publish(build, activate=False)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep all others who publish out, in this process and in others."""
        self._kept.root.mkdir(parents=True, exist_ok=True)
        with (self._kept.root / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def difference(before: str | None, after: str | None, path: str) -> str:
    """Return what changed, as a unified difference."""
    lines = difflib.unified_diff(
        _lines(before), _lines(after), f"{path} (before)", f"{path} (after)", lineterm="", n=2
    )
    return "\n".join(list(lines)[:_MOST_LINES])


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
