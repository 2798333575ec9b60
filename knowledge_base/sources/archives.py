"""Safe reading of zip archives."""

import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import BinaryIO, Final

from knowledge_base.documents import KnowledgeError
from knowledge_base.sources.document_builder import SourceFailure
from knowledge_base.sources.encodings import decode

MAX_TOTAL: Final = 512 * 2**20  # unpacked bytes of one archive
MAX_MEMBERS: Final = 10_000
_MAX_RATIO: Final = 200  # text compresses to a tenth, repetitive tables to a fiftieth
_SMALL: Final = 2**20  # below this size, any ratio is harmless
_UTF8_NAME: Final = 0x800
_ENCRYPTED: Final = 0x1
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})  # others need much memory
# The errors of the several libraries for broken or unknown compression.
_BROKEN: Final = (zipfile.BadZipFile, NotImplementedError, zlib.error, EOFError, OSError)


def open_archive(file: BinaryIO) -> zipfile.ZipFile:
    """Open an archive; raise KnowledgeError if it is invalid or has too many files."""
    try:
        archive = zipfile.ZipFile(file)
    except (*_BROKEN, ValueError) as error:
        message = f"it is no readable zip archive ({error}): pack it again"
        raise KnowledgeError(message, "no_archive", why=str(error)) from error
    if len(archive.infolist()) > MAX_MEMBERS:
        message = f"it holds more than {MAX_MEMBERS} files: split it"
        raise KnowledgeError(message)
    return archive


def unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    """Return a file of an archive; raise KnowledgeError if it is larger than `limit` or invalid."""
    if info.flag_bits & _ENCRYPTED:
        message = "it is protected by a password: pack it without one"
        raise KnowledgeError(message, "locked")
    if info.compress_type not in _METHODS:
        message = "it is packed in an unusual way: pack it again as a plain zip"
        raise KnowledgeError(message)
    if info.file_size > max(_SMALL, _MAX_RATIO * info.compress_size):
        message = "it unpacks to far more than it should: put the file itself beside the archive"
        raise KnowledgeError(message)
    try:
        with archive.open(info) as member:
            raw = member.read(limit + 1)
    except (*_BROKEN, RuntimeError) as error:
        message = f"it cannot be unpacked ({error}): pack it again"
        raise KnowledgeError(message) from error
    if len(raw) > limit:
        message = f"it is larger than {limit // 2**20} MiB: split it"
        raise KnowledgeError(message, "too_large", most=limit // 2**20)
    return raw


def members(
    file: BinaryIO, name: str, limit: Callable[[str], int]
) -> Iterator[tuple[str, bytes] | SourceFailure]:
    """Yield the path and the bytes of each file in an archive, or why it cannot be read.

    `limit` returns the number of bytes to read for a path, and raises KnowledgeError for kinds of
    files that are not supported.
    """
    remaining = MAX_TOTAL
    with open_archive(file) as archive:
        for info in archive.infolist():
            path = _name(info)
            if info.is_dir() or _is_hidden(path):
                continue
            try:
                _check(path, info)
                allowed = limit(path)
                if info.file_size > remaining:  # no file is unpacked beyond its declared size
                    message = f"the archive unpacks to over {MAX_TOTAL // 2**20} MiB: split it"
                    raise KnowledgeError(message)  # noqa: TRY301 — reported like the other reasons
                raw = unpack(archive, info, allowed)
            except KnowledgeError as error:
                yield SourceFailure.from_error(f"{name}/{path}", error)
            else:
                remaining -= len(raw)
                yield path, raw


def _name(info: zipfile.ZipInfo) -> str:
    """Return a member's path; names not marked as UTF-8 are in an unknown encoding."""
    name = info.orig_filename
    if not info.flag_bits & _UTF8_NAME:
        raw = name.encode("cp437")
        try:
            name = decode(raw)
        except KnowledgeError:
            name = _as_chinese(raw) or name
    return name.split("\x00")[0].replace("\\", "/")


def _as_chinese(raw: bytes) -> str | None:
    """Return a name in the encoding of Chinese Windows, if it is plain Chinese in it."""
    try:
        name = raw.decode("gb18030")
    except UnicodeDecodeError:
        return None
    beyond = [character for character in name if not character.isascii()]
    # GB2312 contains the common characters, in a range that other encodings seldom use.
    plain = all(len(character.encode("gb2312", "ignore")) == 2 for character in beyond)  # noqa: PLR2004
    return name if plain else None


def _is_hidden(path: str) -> bool:
    return any(p.startswith(".") and p != ".." for p in path.split("/")) or "__MACOSX/" in path


def _check(path: str, info: zipfile.ZipInfo) -> None:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or ":" in path.split("/", maxsplit=1)[0]:
        message = "its path leads out of the archive: pack it again from its own folder"
        raise KnowledgeError(message)
    if stat.S_ISLNK(info.external_attr >> 16):
        message = "it is a link, not a file: pack the file itself"
        raise KnowledgeError(message)
    if pure.suffix.lower() == ".zip":
        message = "it is an archive inside an archive: unpack it"
        raise KnowledgeError(message)
