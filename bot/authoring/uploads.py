"""Files that people bring into a home: documents and transcripts, read before they are kept."""

import gzip
import re
import shutil
import zlib
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from bot.authoring.editable_files import EditableFileError
from bot.core.types import CarelineError, NotFoundError
from bot.training import datasets
from knowledge_base.sources import loader
from knowledge_base.sources.document_builder import SourceFailure

MOST_BYTES: Final = 64 * 2**20
_MOST_UNPACKED: Final = 512 * 2**20
_PIECE: Final = 2**20
_SHOWN: Final = 50  # files that could not be read
_DIALOGS: Final = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz")
_NAME: Final = re.compile(r"(?![.\s])[\w\-. ()]{1,100}(?<![.\s])")


class UploadFolder(StrEnum):
    """Where a file belongs."""

    ARTICLES = "articles"
    DIALOGS = "dialogs"


_FOLDERS: Final = {UploadFolder.ARTICLES: "kb", UploadFolder.DIALOGS: "dialogs"}


def keep(home: Path, shelf: UploadFolder, name: str, source: Path) -> dict[str, Any]:
    """Copy a file that was sent into a home, if all of it can be used; tell what it holds.

    `source` has the file's suffix. What is there is never written over.
    """
    if not _NAME.fullmatch(name):
        message = f"{name[:100]!r} is no name for a file: letters, digits, hyphens and one suffix"
        raise EditableFileError(message, "no_name", name=name[:100])
    folder = home / _FOLDERS[shelf]
    target = folder / name
    if not folder.resolve().is_relative_to(home.resolve()) or target.is_symlink():
        message = f"{_FOLDERS[shelf]}/ leads out of the home: put the file where it leads"
        raise EditableFileError(message, "behind_link", path=f"{_FOLDERS[shelf]}/")
    told = _READ[shelf](source, name)
    if target.exists() and target.read_bytes() != source.read_bytes():
        message = f"{_FOLDERS[shelf]}/{name} is there and holds something else: rename the file"
        raise EditableFileError(message, "other_file", path=f"{_FOLDERS[shelf]}/{name}")
    folder.mkdir(exist_ok=True)
    scratch = target.with_name(f".{name}.sent")
    shutil.copyfile(source, scratch)
    scratch.replace(target)
    return {"path": f"{_FOLDERS[shelf]}/{name}", **told}


def listed(home: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the files that a home is built from."""
    return {
        shelf.value: [
            {"path": file.relative_to(home).as_posix(), "bytes": file.stat().st_size}
            for file in sorted((home / folder).rglob("*"))
            if file.is_file() and not file.name.startswith(".")
        ]
        for shelf, folder in _FOLDERS.items()
    }


def remove(home: Path, path: str) -> None:
    """Delete a file of `dialogs/` or `kb/` for good; raise NotFoundError for anything else."""
    if path not in {one["path"] for files in listed(home).values() for one in files}:
        message = f"there is no file {path[:200]} in dialogs/ or kb/"
        raise NotFoundError(message)
    file = home / path
    if file.is_symlink() or not file.resolve().is_relative_to(home.resolve()):
        message = f"{path} lies behind a link: delete it where it lies"
        raise EditableFileError(message, "behind_link", path=path)
    file.unlink()


def _articles(source: Path, name: str) -> dict[str, Any]:
    documents = 0
    failed: list[SourceFailure] = []
    for item in loader.load([source]):
        if isinstance(item, SourceFailure):
            failed.append(item)
        else:
            documents += 1
    if not documents:
        reasons = "; ".join(one.error for one in failed[:3]) or "there is no text in it"
        message = f"{name} cannot be read: {reasons}"
        first = failed[0] if failed else SourceFailure(name, reasons, "without_text")
        facts = {"name": name, "why": reasons, **first.facts, "file": name}
        raise EditableFileError(message, first.reason or "unread", **facts)
    return {"documents": documents, "failed": [asdict(one) for one in failed[:_SHOWN]]}


def _dialogs(source: Path, name: str) -> dict[str, Any]:
    if not name.endswith(_DIALOGS):
        suffixes = ", ".join(_DIALOGS)
        message = f"{name} holds no dialogs: send {suffixes}"
        raise EditableFileError(message, "no_dialogs", name=name, suffixes=suffixes)
    _check_unpacked(source, name)
    try:
        examples = datasets.read_examples(source, held_back=True)
    except CarelineError as error:
        message = str(error).replace(str(source), name)
        facts = {key: _named(fact, source, name) for key, fact in error.facts.items()}
        raise EditableFileError(message, error.reason, **facts) from error
    intents = sorted({example.intent for example in examples})
    return {"examples": len(examples), "intents": len(intents), "failed": []}


def _named(fact: str | int, source: Path, name: str) -> str | int:
    """Return a fact with the name that people know a file by."""
    return fact.replace(str(source), name) if isinstance(fact, str) else fact


def _check_unpacked(source: Path, name: str) -> None:
    """Raise PaperError for a packed file that is small and holds more than anybody sends."""
    if source.suffix != ".gz":
        return
    size = 0
    try:
        with gzip.open(source) as packed:
            while size <= _MOST_UNPACKED and (piece := packed.read(_PIECE)):
                size += len(piece)
    except (OSError, EOFError, zlib.error) as error:
        message = f"{name} cannot be unpacked: {error}"
        raise EditableFileError(message, "unpacked", name=name, why=str(error)) from error
    if size > _MOST_UNPACKED:
        most = _MOST_UNPACKED // 2**20
        message = f"{name} holds more than {most} MiB: split it"
        raise EditableFileError(message, "too_much", name=name, most=most)


_READ: Final[dict[UploadFolder, Callable[[Path, str], dict[str, Any]]]] = {
    UploadFolder.ARTICLES: _articles,
    UploadFolder.DIALOGS: _dialogs,
}
