"""Uploads into a home: documents and dialogs, which are read before they are stored."""

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

MAX_BYTES: Final = 64 * 2**20
_MAX_UNPACKED_BYTES: Final = 512 * 2**20
_BLOCK_BYTES: Final = 2**20
_MAX_FAILED: Final = 50  # reported files that could not be read
_DIALOG_SUFFIXES: Final = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz")
_NAME: Final = re.compile(r"(?![.\s])[\w\-. ()]{1,100}(?<![.\s])")


class UploadFolder(StrEnum):
    """The folder that a file is for."""

    ARTICLES = "articles"
    DIALOGS = "dialogs"


_FOLDERS: Final = {UploadFolder.ARTICLES: "kb", UploadFolder.DIALOGS: "dialogs"}


def store(home: Path, to: UploadFolder, name: str, source: Path) -> dict[str, Any]:
    """Copy an uploaded file into a home if all of it is valid; return a summary of its content.

    `source` has the file's suffix. An existing file is never replaced.
    """
    if not _NAME.fullmatch(name):
        message = f"{name[:100]!r} is no name for a file: use letters, digits, hyphens and a suffix"
        raise EditableFileError(message, "no_name", name=name[:100])
    folder = home / _FOLDERS[to]
    target = folder / name
    path = f"{_FOLDERS[to]}/{name}"
    if not folder.resolve().is_relative_to(home.resolve()) or target.is_symlink():
        message = f"{_FOLDERS[to]}/ is a link out of the home: put the file there yourself"
        raise EditableFileError(message, "behind_link", path=f"{_FOLDERS[to]}/")
    summary = _READERS[to](source, name)
    if target.exists() and target.read_bytes() != source.read_bytes():
        message = f"{path} exists with another content: rename the file"
        raise EditableFileError(message, "other_file", path=path)
    folder.mkdir(exist_ok=True)
    scratch = target.with_name(f".{name}.sent")
    shutil.copyfile(source, scratch)
    scratch.replace(target)
    return {"path": path, **summary}


def list_files(home: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the files that a home is built from."""
    return {
        upload_folder.value: [
            {"path": file.relative_to(home).as_posix(), "bytes": file.stat().st_size}
            for file in sorted((home / folder).rglob("*"))
            if file.is_file() and not file.name.startswith(".")
        ]
        for upload_folder, folder in _FOLDERS.items()
    }


def remove(home: Path, path: str) -> None:
    """Delete a file of `dialogs/` or `kb/` permanently; raise NotFoundError for anything else."""
    if path not in {file["path"] for files in list_files(home).values() for file in files}:
        message = f"there is no file {path[:200]} in dialogs/ or kb/"
        raise NotFoundError(message)
    file = home / path
    if file.is_symlink() or not file.resolve().is_relative_to(home.resolve()):
        message = f"{path} is behind a link: delete it where the link leads"
        raise EditableFileError(message, "behind_link", path=path)
    file.unlink()


def _read_articles(source: Path, name: str) -> dict[str, Any]:
    documents = 0
    failed: list[SourceFailure] = []
    for item in loader.load([source]):
        if isinstance(item, SourceFailure):
            failed.append(item)
        else:
            documents += 1
    if not documents:
        reasons = "; ".join(failure.error for failure in failed[:3]) or "there is no text in it"
        message = f"{name} cannot be read: {reasons}"
        first = failed[0] if failed else SourceFailure(name, reasons, "without_text")
        facts = {"name": name, "why": reasons, **first.facts, "file": name}
        raise EditableFileError(message, first.reason or "unread", **facts)
    failures = [asdict(failure) for failure in failed[:_MAX_FAILED]]
    return {"documents": documents, "failed": failures}


def _read_dialogs(source: Path, name: str) -> dict[str, Any]:
    if not name.endswith(_DIALOG_SUFFIXES):
        suffixes = ", ".join(_DIALOG_SUFFIXES)
        message = f"{name} holds no dialogs: send {suffixes}"
        raise EditableFileError(message, "no_dialogs", name=name, suffixes=suffixes)
    _check_unpacked(source, name)
    try:
        examples = datasets.read_examples(source, held_back=True)
    except CarelineError as error:
        message = str(error).replace(str(source), name)
        facts = {key: _with_name(fact, source, name) for key, fact in error.facts.items()}
        raise EditableFileError(message, error.reason, **facts) from error
    intents = sorted({example.intent for example in examples})
    return {"examples": len(examples), "intents": len(intents), "failed": []}


def _with_name(fact: str | int, source: Path, name: str) -> str | int:
    """Return a fact with the uploaded file's name in place of the temporary path."""
    return fact.replace(str(source), name) if isinstance(fact, str) else fact


def _check_unpacked(source: Path, name: str) -> None:
    """Raise EditableFileError for a compressed file that is broken or expands too far."""
    if source.suffix != ".gz":
        return
    size = 0
    try:
        with gzip.open(source) as compressed:
            while size <= _MAX_UNPACKED_BYTES and (block := compressed.read(_BLOCK_BYTES)):
                size += len(block)
    except (OSError, EOFError, zlib.error) as error:
        message = f"{name} cannot be unpacked: {error}"
        raise EditableFileError(message, "unpacked", name=name, why=str(error)) from error
    if size > _MAX_UNPACKED_BYTES:
        most = _MAX_UNPACKED_BYTES // 2**20
        message = f"{name} unpacks to more than {most} MiB: split it"
        raise EditableFileError(message, "too_much", name=name, most=most)


_READERS: Final[dict[UploadFolder, Callable[[Path, str], dict[str, Any]]]] = {
    UploadFolder.ARTICLES: _read_articles,
    UploadFolder.DIALOGS: _read_dialogs,
}
