"""Splitting of documents into chunks along headings, with offsets into the extracted text."""

import hashlib
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Final

from knowledge_base.documents import Chunk, Document, Section

# The longest passage: about 180 English words or 320 Chinese characters. The vector of a longer
# text is less precise, and a longer quote is not a useful answer.
MAX_PIECES: Final = 256
_MAX_LEAD: Final = 160  # characters; a longer lead would outweigh the other headings
_SENTENCE_END = re.compile(r"(?<=[.!?])(?=\s)|(?<=[。！？；!?])|(?<=\n)")
_BULLET = re.compile(r"\s*(?:[-*+•·–▪◦]|\(?\d{1,3}[.)、）]|[a-z][.)])\s*\S")
_RULE = re.compile(r"[\s|:+=-]*-[\s|:+=-]*")
_FIRST_WIDE: Final = 0x2E80  # first code point of Chinese, Japanese and Korean characters


def sentences(text: str, start: int = 0) -> Iterator[tuple[int, int]]:
    """Yield the spans of the sentences of `text`, shifted by `start` and stripped of blanks.

    A line break also ends a sentence, because table rows and list items are statements of their
    own.
    """
    at = 0
    for match in [*_SENTENCE_END.finditer(text), None]:
        end = match.end() if match else len(text)
        piece = text[at:end]
        if piece.strip():
            begin = at + len(piece) - len(piece.lstrip())
            yield start + begin, start + at + len(piece.rstrip())
        at = end


def chunk(document: Document) -> list[Chunk]:
    """Split a document into passages that never cross a heading.

    A section that is too long is packed paragraph by paragraph. A paragraph that is too long is
    packed line by line (a table row or list item is a line), and a line sentence by sentence. A
    sentence is cut at a blank, or anywhere if there is none. A passage that begins inside a table
    has the table's first row as its last heading; one that begins inside a list gets the sentence
    that introduces the list.
    """
    sections = document.sections or (Section((), 0, len(document.text)),)
    size = _Size(document.text)
    return [
        _chunk(document, section.headings if lead is None else (*section.headings, lead), span)
        for section in sections
        for span, lead in _pack(document.text, section, size)
    ]


def _chunk(document: Document, headings: tuple[str, ...], span: tuple[int, int]) -> Chunk:
    start, end = span
    text = document.text[start:end]
    content = "\x1f".join([document.id, document.title, *headings, text, str(start)])
    return Chunk(
        id=hashlib.sha256(content.encode()).hexdigest()[:16],
        article=document.id,
        title=document.title,
        headings=headings,
        text=text,
        start=start,
        end=end,
        url=document.url,
        language=document.language,
    )


@cache
def _tenths(character: str) -> int:
    """Return the estimated word pieces of a character in multilingual vocabularies, in tenths."""
    if ord(character) >= _FIRST_WIDE:
        return 8
    if character.isalpha():
        return 2
    return 5 if character.isspace() or character.isdigit() else 10


class _Size:
    """The estimated word pieces of any span of a text, in constant time."""

    def __init__(self, text: str) -> None:
        self._sums = array("I", accumulate(map(_tenths, text), initial=0))

    def fits(self, start: int, end: int) -> bool:
        return self._sums[end] - self._sums[start] <= 10 * MAX_PIECES

    def reach(self, start: int, end: int) -> int:
        """Return how far a span from `start` may extend, at most to `end`."""
        at = start + MAX_PIECES  # the most expensive characters are one piece each
        while at < end and self.fits(start, at + 1):
            at += 1
        return min(at, end)


@dataclass(frozen=True)
class _Piece:
    """A span that is not cut further, and the span of the row or sentence that introduces it."""

    start: int
    end: int
    lead: tuple[int, int] | None = None


def _pack(text: str, section: Section, size: _Size) -> Iterator[tuple[tuple[int, int], str | None]]:
    """Yield the spans of a section's passages, each with the lead that the cut would lose."""
    packed: list[_Piece] = []
    for piece in _pieces(text, section, size):
        if packed and not size.fits(packed[0].start, piece.end):
            tail = _tail(packed, piece, size)
            yield _passage(text, packed[: len(packed) - len(tail)])
            packed = tail
        packed.append(piece)
    if packed:
        yield _passage(text, packed)


def _tail(packed: list[_Piece], piece: _Piece, size: _Size) -> list[_Piece]:
    """Return the last packed piece if it is the lead of the next passage."""
    last = packed[-1]
    belongs = piece.lead is not None and last.start <= piece.lead[0] and piece.lead[1] <= last.end
    return [last] if belongs and len(packed) > 1 and size.fits(last.start, piece.end) else []


def _passage(text: str, packed: list[_Piece]) -> tuple[tuple[int, int], str | None]:
    first, lead = packed[0], packed[0].lead
    words = None
    if lead is not None and lead[0] < first.start:
        words = text[lead[0] : min(lead[1], lead[0] + _MAX_LEAD)].strip(" |\t")
    return (first.start, packed[-1].end), words or None


def _pieces(text: str, section: Section, size: _Size) -> Iterator[_Piece]:
    """Yield paragraphs, or the lines of long ones, or the parts of long lines."""
    before: tuple[int, int] | None = None  # a lead that is a paragraph of its own
    for start, end in _split(text, section.start, section.end):
        lines = list(_lines(text, start, end))
        led = list(_with_leads(text, lines, before))
        if size.fits(start, end):
            yield _Piece(start, end, led[0].lead)
        else:
            for line in led:
                yield from _cut(text, line, size)
        leads = text.endswith((":", "："), *lines[-1])
        before = _sentence(text, *lines[-1]) if leads else None


def _with_leads(
    text: str, lines: list[tuple[int, int]], before: tuple[int, int] | None
) -> Iterator[_Piece]:
    """Yield lines with their leads: the first row of a table, a line that ends in a colon.

    `before` is the lead-in of the paragraph above. It applies only to lines with bullets, since
    other lines are a paragraph of their own.
    """
    lead = before if before and _BULLET.match(text, *lines[0]) else None
    header: tuple[int, int] | None = None
    for start, end in lines:
        line = text[start:end]
        if " | " in f" {line} " or line.startswith("|") or (header and _RULE.fullmatch(line)):
            yield _Piece(start, end, header or lead)
            header = header or (start, end)
            continue
        header = None
        yield _Piece(start, end, lead)
        if line.endswith((":", "：")):
            lead = _sentence(text, start, end)


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the last sentence of a line."""
    *_, last = sentences(text[start:end], start)
    return last


def _cut(text: str, line: _Piece, size: _Size) -> Iterator[_Piece]:
    """Yield a line, or its sentences if it is too long, or parts of those."""
    if size.fits(line.start, line.end):
        yield line
        return
    for start, stop in sentences(text[line.start : line.end], line.start):
        at = start
        while at < stop:
            end = size.reach(at, stop)
            blank = text.rfind(" ", at + (end - at) // 2, end) if end < stop else -1
            end = blank if blank > at else end
            if text[at:end].strip():
                yield _Piece(at, end, line.lead)
            at = end


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the spans of lines without surrounding blanks; empty lines are left out."""
    at = start
    for line in text[start:end].split("\n"):
        if line.strip():
            begin = at + len(line) - len(line.lstrip())
            yield begin, at + len(line.rstrip())
        at += len(line) + 1


def _split(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    at = start
    for paragraph in re.split(r"(\n\s*\n)", text[start:end]):
        if paragraph.strip():
            begin = at + len(paragraph) - len(paragraph.lstrip())
            yield begin, at + len(paragraph.rstrip())
        at += len(paragraph)
