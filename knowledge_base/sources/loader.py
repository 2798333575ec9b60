"""Loading of documents from files of all supported kinds, one reader per suffix."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final

from knowledge_base.documents import Document, KnowledgeError
from knowledge_base.sources import archives
from knowledge_base.sources.document_builder import SourceFailure
from knowledge_base.sources.docx import read_docx
from knowledge_base.sources.encodings import decode
from knowledge_base.sources.html import read_html
from knowledge_base.sources.markdown import read_markdown, read_plain
from knowledge_base.sources.pdf import read_pdf
from knowledge_base.sources.tabular import read_csv, read_jsonl

__all__ = ["FORMATS", "MAX_BYTES", "SourceFailure", "load", "parse"]

MAX_BYTES: Final = 32 * 2**20  # of a text file; larger ones are exports that should be split
MAX_BINARY_BYTES: Final = 128 * 2**20  # of a PDF or Word file, which is mostly pictures

_Documents = Iterator[Document] | Iterator[Document | SourceFailure]


@dataclass(frozen=True)
class FileFormat:
    """A format: its reader, of text or of bytes, and its media types on the web."""

    read_text: Callable[[str, str], _Documents] | None = None
    read_bytes: Callable[[bytes, str], _Documents] | None = None
    media_types: tuple[str, ...] = ()  # without one, the crawler does not read it
    is_markup: bool = False  # may declare its encoding


_HTML: Final = FileFormat(
    read_html, media_types=("text/html", "application/xhtml+xml"), is_markup=True
)
_MARKDOWN: Final = FileFormat(read_markdown, media_types=("text/markdown", "text/x-markdown"))
_WORD: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
FORMATS: Final[dict[str, FileFormat]] = {
    ".md": _MARKDOWN,
    ".markdown": _MARKDOWN,
    ".html": _HTML,
    ".htm": _HTML,
    ".txt": FileFormat(read_plain, media_types=("text/plain",)),
    ".csv": FileFormat(read_csv),
    ".jsonl": FileFormat(read_jsonl),
    ".pdf": FileFormat(read_bytes=read_pdf, media_types=("application/pdf",)),
    ".docx": FileFormat(read_bytes=read_docx, media_types=(_WORD,)),
}
_ARCHIVE: Final = ".zip"
_SUFFIXES: Final = tuple(sorted([*FORMATS, _ARCHIVE]))


def load(paths: Iterable[Path]) -> Iterator[Document | SourceFailure]:
    """Yield the documents of files and folders; what cannot be read is a SourceFailure."""
    for path in paths:
        if not path.exists():
            yield SourceFailure(str(path), "there is no such file or folder", "not_there")
        elif path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.is_file() and _is_visible(p, path))
            for file in files:
                yield from _load_file(file, file.relative_to(path).as_posix())
        else:
            yield from _load_file(path, path.name)


def parse(
    raw: bytes, name: str, *, kind: str | None = None, declared: str | None = None
) -> Iterator[Document | SourceFailure]:
    """Yield the documents of one file's bytes.

    `kind` is a suffix, by default that of the name; `declared` is the encoding that the sender
    declared.
    """
    try:
        file_format = FORMATS[kind or _kind(name)]
        if file_format.read_bytes:
            if not raw:
                message = "it is empty"
                raise KnowledgeError(message, "empty")  # noqa: TRY301 — reported like readers' errors
            yield from file_format.read_bytes(raw, name)
        elif file_format.read_text:
            text = decode(raw, declared, markup=file_format.is_markup)
            yield from file_format.read_text(_clean(text), name)
    except KnowledgeError as error:
        yield SourceFailure.from_error(name, error)


def _is_visible(path: Path, root: Path) -> bool:
    return not any(part.startswith(".") for part in path.relative_to(root).parts)


def _kind(name: str) -> str:
    suffix = PurePosixPath(name.removesuffix(".gz")).suffix.lower()
    if suffix not in _SUFFIXES:
        supported = ", ".join(_SUFFIXES)
        message = f"files of kind '{suffix or 'none'}' are not read; known: {supported}"
        raise KnowledgeError(message, "unknown_kind", known=supported)
    return suffix


def _limit(name: str) -> int:
    """Return the most bytes that are read of a file; raise KnowledgeError for unknown kinds."""
    file_format = FORMATS.get(_kind(name))
    return MAX_BYTES if file_format and file_format.read_text else MAX_BINARY_BYTES


def _load_file(path: Path, name: str) -> Iterator[Document | SourceFailure]:
    try:
        if _kind(name) == _ARCHIVE:
            yield from _load_archive(path, name)
        else:
            yield from parse(_read(path, _limit(name)), name)
    except KnowledgeError as error:
        yield SourceFailure.from_error(name, error)


def _load_archive(path: Path, name: str) -> Iterator[Document | SourceFailure]:
    file = io.BytesIO(_read(path, MAX_BINARY_BYTES)) if path.suffix == ".gz" else None
    try:
        with file or path.open("rb") as opened:
            for member in archives.members(opened, name, _limit):
                if isinstance(member, SourceFailure):
                    yield member
                else:
                    yield from _load_member(*member, archive=name)
    except OSError as error:
        message = f"it cannot be opened: {error}"
        raise KnowledgeError(message, "unopened", why=str(error)) from error


def _load_member(path: str, raw: bytes, *, archive: str) -> Iterator[Document | SourceFailure]:
    """Yield the documents of a file in an archive; failures include the archive's name."""
    try:
        raw = _read(io.BytesIO(raw), _limit(path)) if path.endswith(".gz") else raw
    except KnowledgeError as error:
        yield SourceFailure.from_error(f"{archive}/{path}", error)
        return
    for item in parse(raw, path):
        yield (
            replace(item, path=f"{archive}/{item.path}")
            if isinstance(item, SourceFailure)
            else item
        )


def _read(source: Path | io.BytesIO, limit: int) -> bytes:
    """Read a file, unpacked if it is gzipped; at most `limit` bytes and one more are read."""
    raw = None
    try:
        if isinstance(source, io.BytesIO) or source.suffix == ".gz":
            with gzip.open(source) as packed:
                raw = packed.read(limit + 1)
        elif source.stat().st_size <= limit:
            with source.open("rb") as file:
                raw = file.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        message = f"it cannot be opened: {error}"
        raise KnowledgeError(message, "unopened", why=str(error)) from error
    if raw is None or len(raw) > limit:
        message = f"it is larger than {limit // 2**20} MiB: split it"
        raise KnowledgeError(message, "too_large", most=limit // 2**20)
    return raw


def _clean(text: str) -> str:
    if not text.strip("\ufeff \t\r\n\x00\f\v"):
        message = "it is empty"
        raise KnowledgeError(message, "empty")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
