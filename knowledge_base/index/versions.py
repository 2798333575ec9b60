"""Versions of models and indexes: immutable folders with a manifest, and one pointer.

A version is either complete or does not exist: it is built in a hidden folder and renamed at the
end; the pointer `current` is also replaced by a rename. Indexes and models share this code.
"""

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from knowledge_base.atomic_files import write_json, write_text
from knowledge_base.documents import KnowledgeError

_POINTER: Final = "current"
_MANIFEST: Final = "manifest.json"


@dataclass(frozen=True)
class Version:
    """The manifest of one version."""

    id: str
    kind: str
    created: str
    parent: str | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


class Versions:
    """The versions of one kind (`models`, `knowledge`) in one folder."""

    def __init__(self, root: Path, kind: str, prefix: str) -> None:
        """Use `root`; it is created when something is published."""
        self.root = root
        self.kind = kind
        self.prefix = prefix

    def publish(
        self,
        build: Callable[[Path], tuple[dict[str, Any], dict[str, Any]]],
        *,
        activate: bool = True,
    ) -> Version:
        """Build a version in a new folder with `build(folder)`, name it, and point at it.

        `build` returns (metrics, details). If it fails, nothing of the new version remains and the
        active one does not change.
        """
        now = datetime.now(UTC)
        identifier = f"{self.prefix}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        self.root.mkdir(parents=True, exist_ok=True)
        self._remove_unfinished()
        scratch = self.root / f".{identifier}.{os.getpid()}"
        scratch.mkdir()
        try:
            metrics, details = build(scratch)
            created = now.isoformat(timespec="microseconds")
            version = Version(identifier, self.kind, created, self.current_id(), metrics, details)
            write_json(scratch / _MANIFEST, asdict(version))
            scratch.rename(self.root / identifier)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)  # it is still there only after an error
        if activate:
            self.activate(identifier)
        return version

    def _remove_unfinished(self) -> None:
        """Remove the unfinished folders of processes that were killed."""
        for folder in self.root.glob(f".{self.prefix}-*.*"):
            owner = folder.name.rsplit(".", 1)[-1]
            if owner.isdigit() and not _is_running(int(owner)):
                shutil.rmtree(folder, ignore_errors=True)

    def list(self) -> list[Version]:
        """Return all versions, oldest first."""
        if not self.root.is_dir():
            return []
        folders = [f for f in self.root.glob(f"{self.prefix}-*") if (f / _MANIFEST).exists()]
        versions = [self.open(folder.name) for folder in folders]
        return sorted(versions, key=lambda version: (version.created, version.id))

    def open(self, identifier: str) -> Version:
        """Return the version with this id; raise KnowledgeError if there is none."""
        manifest = self.folder(identifier) / _MANIFEST
        if not manifest.exists():
            message = (
                f"there is no version {identifier} of {self.kind}: see `careline versions list`"
            )
            raise KnowledgeError(message)
        return Version(**json.loads(manifest.read_text(encoding="utf-8")))

    def folder(self, identifier: str) -> Path:
        """Return the folder of a version; a path in the id is ignored."""
        return self.root / Path(identifier).name.replace("..", "_")

    def current_id(self) -> str | None:
        """Return the id of the active version; None before the first."""
        with contextlib.suppress(FileNotFoundError):
            return (self.root / _POINTER).read_text(encoding="utf-8").strip() or None
        return None

    def current(self) -> Version | None:
        """Return the active version; None before the first."""
        identifier = self.current_id()
        return self.open(identifier) if identifier else None

    def activate(self, identifier: str) -> Version:
        """Point at a version, atomically."""
        version = self.open(identifier)
        write_text(self.root / _POINTER, identifier + "\n")
        return version

    def rollback(self) -> Version:
        """Point at the parent of the active version."""
        current = self.current()
        parent = current.parent if current else None
        if parent is None:
            message = f"there is no earlier version of {self.kind} to go back to"
            raise KnowledgeError(message)
        return self.activate(parent)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # the process of another user, which is alive
    return True
