"""Copies of a home's texts and rules as they were served, so that replies can be reproduced.

A snapshot is a folder named by its hash; it is written once, when it is first served.
"""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any, Final

import yaml

FOLDER: Final = ".content"
_FILES: Final = ("policy.yml", "synonyms.yml", "prompt.yml", "templates/en.yml", "templates/zh.yml")


def save(home: Path) -> str | None:
    """Save a copy of the home's present content and return its id.

    Return None where it cannot be written: a home on a read-only disk must be served all the same.
    """
    contents = {
        name: (home / name).read_bytes() for name in content_files(home) if is_file(home / name)
    }
    digest = hashlib.sha256()
    for name, content in sorted(contents.items()):
        digest.update(f"{name}\x1f{len(content)}\x1f".encode() + content)
    identifier = f"c-{digest.hexdigest()[:12]}"
    target = home / FOLDER / identifier
    if target.exists():
        return identifier
    scratch = target.with_name(f".{identifier}.{os.getpid()}")
    try:
        for name, content in contents.items():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            (scratch / name).write_bytes(content)
        scratch.mkdir(parents=True, exist_ok=True)
        scratch.rename(target)
    except OSError:
        shutil.rmtree(scratch, ignore_errors=True)
        return identifier if target.exists() else None
    return identifier


def snapshot_folder(home: Path, identifier: str) -> Path | None:
    """Return the folder of a snapshot, None where there is none."""
    path = home / FOLDER / identifier
    return path if path.is_dir() and path.parent.name == FOLDER else None


def is_file(path: Path) -> bool:
    """Return whether a file exists; a path in a policy may be longer than the system allows."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def content_files(home: Path) -> list[str]:
    """Return the files that a home's content consists of, including missing ones."""
    try:
        policy = (home / "policy.yml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):  # a broken policy is reported elsewhere
        return [*_FILES]
    return [*_FILES, *(file for _, file in entity_files(policy) if not Path(file).is_absolute())]


def entity_files(policy: str) -> list[tuple[str, str]]:
    """Return the files with names that a policy refers to, each with its entity."""
    try:
        raw: Any = yaml.safe_load(policy)
        entries = raw["entities"].items()
    except (yaml.YAMLError, KeyError, TypeError, AttributeError):
        return []
    files = [(name, entry.get("file")) for name, entry in entries if isinstance(entry, dict)]
    return [(str(name), str(file)) for name, file in files if file]
