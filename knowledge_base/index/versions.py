"""Versions of anything that is built: immutable folders with a manifest and one pointer.

A version is complete or it is not there: it is built in a hidden folder and gets its name by one
rename; the pointer `current` is replaced by one rename as well. Indexes and models share this.
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
    """What the manifest of one version says."""

    id: str
    kind: str
    created: str
    parent: str | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


class Versions:
    """The versions of one kind (`models`, `knowledge`) below one folder."""

    def __init__(self, root: Path, kind: str, prefix: str) -> None:
        """Look at `root`; it is created when something is published."""
        self.root = root
        self.kind = kind
        self.prefix = prefix

    def publish(
        self,
        build: Callable[[Path], tuple[dict[str, Any], dict[str, Any]]],
        *,
        activate: bool = True,
    ) -> Version:
        """Let `build(folder)` fill a new folder, give it its name, and point at it.

        `build` returns (metrics, details). When it fails nothing of it remains and the active
        version is untouched.
        """
        now = datetime.now(UTC)
        identifier = f"{self.prefix}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        self.root.mkdir(parents=True, exist_ok=True)
        self._sweep()
        scratch = self.root / f".{identifier}.{os.getpid()}"
        scratch.mkdir()
        try:
            metrics, details = build(scratch)
            created = now.isoformat(timespec="microseconds")
            version = Version(identifier, self.kind, created, self.current_id(), metrics, details)
            write_json(scratch / _MANIFEST, asdict(version))
            scratch.rename(self.root / identifier)
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise
        if activate:
            self.activate(identifier)
        return version

    def _sweep(self) -> None:
        """Remove what processes that were killed left half built."""
        for left in self.root.glob(f".{self.prefix}-*.*"):
            owner = left.name.rsplit(".", 1)[-1]
            if owner.isdigit() and not _runs(int(owner)):
                shutil.rmtree(left, ignore_errors=True)

    def list(self) -> list[Version]:
        """Return all versions, oldest first."""
        if not self.root.is_dir():
            return []
        folders = [f for f in self.root.glob(f"{self.prefix}-*") if (f / _MANIFEST).exists()]
        found = [self.open(folder.name) for folder in folders]
        return sorted(found, key=lambda version: (version.created, version.id))

    def open(self, identifier: str) -> Version:
        """Return the version of this id; raise KnowledgeError when there is none."""
        manifest = self.folder(identifier) / _MANIFEST
        if not manifest.exists():
            message = (
                f"there is no version {identifier} of {self.kind}: see `careline versions list`"
            )
            raise KnowledgeError(message)
        return Version(**json.loads(manifest.read_text(encoding="utf-8")))

    def folder(self, identifier: str) -> Path:
        """Return where a version lies; ids with a path in them lead nowhere."""
        return self.root / Path(identifier).name.replace("..", "_")

    def current_id(self) -> str | None:
        """Return the id of the active version, None before the first."""
        with contextlib.suppress(FileNotFoundError):
            return (self.root / _POINTER).read_text(encoding="utf-8").strip() or None
        return None

    def current(self) -> Version | None:
        """Return the active version, None before the first."""
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


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is somebody else's, and alive
    return True
