"""Documents → chunks along headings, with offsets into the extracted text. Pure."""

import hashlib
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Final

from knowledge_base.documents import Chunk, Document, Section

# What fits one passage: about 180 English words or 320 Chinese characters. An encoder's vector of
# more blurs, and a quote of more is no answer.
MAX_PIECES: Final = 256
_LONGEST_LEAD: Final = 160  # characters; a longer one would drown the other headings
_SENTENCE_END = re.compile(r"(?<=[.!?])(?=\s)|(?<=[。！？；!?])|(?<=\n)")
_BULLET = re.compile(r"\s*(?:[-*+•·–▪◦]|\(?\d{1,3}[.)、）]|[a-z][.)])\s*\S")
_RULE = re.compile(r"[\s|:+=-]*-[\s|:+=-]*")
_FIRST_WIDE: Final = 0x2E80  # from here on, a character of Chinese, Japanese or Korean


def sentences(text: str, start: int = 0) -> Iterator[tuple[int, int]]:
    """Yield the spans of the sentences of `text`, shifted by `start`, without outer blanks.

    A line break ends a sentence too: table rows and list items stand alone.
    """
    at = 0
    for match in [*_SENTENCE_END.finditer(text), None]:
        end = match.end() if match else len(text)
        piece = text[at:end]
        if piece.strip():
            left = at + len(piece) - len(piece.lstrip())
            yield start + left, start + at + len(piece.rstrip())
        at = end


def chunk(document: Document) -> list[Chunk]:
    """Cut a document into passages that never cross a heading.

    A section that is too long is packed paragraph by paragraph; a paragraph that is too long line
    by line (a row of a table or an item of a list is a line), a line sentence by sentence, and a
    sentence is cut at a blank, or hard where there is none. A passage that begins inside a table
    has the table's first row as its last heading, one that begins inside a list the sentence that
    leads into it.
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
    """Return how many tenths of a word piece a character is, as multilingual vocabularies cut."""
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
        """Return how far a span from `start` may go, at most to `end`."""
        at = start + MAX_PIECES  # what costs most is one piece a character
        while at < end and self.fits(start, at + 1):
            at += 1
        return min(at, end)


@dataclass(frozen=True)
class _Piece:
    """A span that is not cut any more, and the span of the row or sentence that leads into it."""

    start: int
    end: int
    lead: tuple[int, int] | None = None


def _pack(text: str, section: Section, size: _Size) -> Iterator[tuple[tuple[int, int], str | None]]:
    """Yield the spans of a section's passages, each with the lead it would lose by the cut."""
    packed: list[_Piece] = []
    for piece in _pieces(text, section, size):
        if packed and not size.fits(packed[0].start, piece.end):
            kept = _tail(packed, piece, size)
            yield _passage(text, packed[: len(packed) - len(kept)])
            packed = kept
        packed.append(piece)
    if packed:
        yield _passage(text, packed)


def _tail(packed: list[_Piece], piece: _Piece, size: _Size) -> list[_Piece]:
    """Return the last of the packed pieces when it belongs to the next passage: its lead."""
    last = packed[-1]
    belongs = piece.lead is not None and last.start <= piece.lead[0] and piece.lead[1] <= last.end
    return [last] if belongs and len(packed) > 1 and size.fits(last.start, piece.end) else []


def _passage(text: str, packed: list[_Piece]) -> tuple[tuple[int, int], str | None]:
    first, lead = packed[0], packed[0].lead
    words = None
    if lead is not None and lead[0] < first.start:
        words = text[lead[0] : min(lead[1], lead[0] + _LONGEST_LEAD)].strip(" |\t")
    return (first.start, packed[-1].end), words or None


def _pieces(text: str, section: Section, size: _Size) -> Iterator[_Piece]:
    """Yield paragraphs, or the lines of those that are too long, or what those are cut into."""
    before: tuple[int, int] | None = None  # a lead that stands in a paragraph of its own
    for left, right in _split(text, section.start, section.end):
        lines = list(_lines(text, left, right))
        led = list(_led(text, lines, before))
        if size.fits(left, right):
            yield _Piece(left, right, led[0].lead)
        else:
            for line in led:
                yield from _cut(text, line, size)
        leads = text.endswith((":", "："), *lines[-1])
        before = _sentence(text, *lines[-1]) if leads else None


def _led(
    text: str, lines: list[tuple[int, int]], before: tuple[int, int] | None
) -> Iterator[_Piece]:
    """Yield lines with their leads: rows with the first row, items with what ends in a colon.

    `before` is the lead-in of the paragraph above; it leads to lines with bullets only, for other
    lines are a paragraph of their own.
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
    """Yield a line, or its sentences when it is too long, or cuts of those."""
    if size.fits(line.start, line.end):
        yield line
        return
    for left, right in sentences(text[line.start : line.end], line.start):
        at = left
        while at < right:
            end = size.reach(at, right)
            blank = text.rfind(" ", at + (end - at) // 2, end) if end < right else -1
            end = blank if blank > at else end
            if text[at:end].strip():
                yield _Piece(at, end, line.lead)
            at = end


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the spans of lines without outer blanks; blank ones are left out."""
    at = start
    for line in text[start:end].split("\n"):
        if line.strip():
            left = at + len(line) - len(line.lstrip())
            yield left, at + len(line.rstrip())
        at += len(line) + 1


def _split(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    at = start
    for paragraph in re.split(r"(\n\s*\n)", text[start:end]):
        if paragraph.strip():
            left = at + len(paragraph) - len(paragraph.lstrip())
            yield left, at + len(paragraph.rstrip())
        at += len(paragraph)
