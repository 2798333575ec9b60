"""Zip archives: their files by name, and none of what makes archives dangerous."""

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
_MAX_RATIO: Final = 200  # text packs to a tenth, repetitive tables to a fiftieth
_SMALL: Final = 2**20  # below, any ratio is harmless
_UTF8_NAME: Final = 0x800
_ENCRYPTED: Final = 0x1
_PACKINGS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})  # others take any memory
# What a broken or unknown packing raises, from the several libraries behind it.
_BROKEN: Final = (zipfile.BadZipFile, NotImplementedError, zlib.error, EOFError, OSError)


def open_archive(file: BinaryIO) -> zipfile.ZipFile:
    """Open an archive; raise KnowledgeError when it is none, or has too many files."""
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
    """Return a file of an archive; raise KnowledgeError when it is larger than `limit`, or not."""
    if info.flag_bits & _ENCRYPTED:
        message = "it is protected by a password: pack it without one"
        raise KnowledgeError(message, "locked")
    if info.compress_type not in _PACKINGS:
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
    """Yield the path and the bytes of each file in an archive, or why it is not read.

    `limit` says for a path how many bytes are read, and raises KnowledgeError where files of its
    kind are not.
    """
    left = MAX_TOTAL
    with open_archive(file) as archive:
        for info in archive.infolist():
            path = _name(info)
            if info.is_dir() or _is_hidden(path):
                continue
            try:
                _check(path, info)
                allowed = limit(path)
                if info.file_size > left:  # no more than it says of itself is ever unpacked
                    message = f"the archive unpacks to over {MAX_TOTAL // 2**20} MiB: split it"
                    raise KnowledgeError(message)  # noqa: TRY301 — told like the other reasons
                raw = unpack(archive, info, allowed)
            except KnowledgeError as error:
                yield SourceFailure.of(f"{name}/{path}", error)
            else:
                left -= len(raw)
                yield path, raw


def _name(info: zipfile.ZipInfo) -> str:
    """Return a member's path; names not marked as UTF-8 are in whatever their maker used."""
    name = info.orig_filename
    if not info.flag_bits & _UTF8_NAME:
        raw = name.encode("cp437")
        try:
            name = decode(raw)
        except KnowledgeError:
            name = _as_chinese(raw) or name
    return name.split("\x00")[0].replace("\\", "/")


def _as_chinese(raw: bytes) -> str | None:
    """Return a name in the encoding of Chinese Windows when it is plain Chinese in it."""
    try:
        name = raw.decode("gb18030")
    except UnicodeDecodeError:
        return None
    beyond = [character for character in name if not character.isascii()]
    # GB2312 holds the everyday characters, in a corner that other encodings seldom hit.
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
