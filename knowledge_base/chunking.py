"""Documents → chunks along headings, with offsets into the extracted text. Pure."""

import hashlib
import re
from collections.abc import Iterator
from typing import Final

from knowledge_base.documents import Chunk, Document, Section

MAX_CHARACTERS: Final = 1200  # about 300 English words
MAX_HAN_CHARACTERS: Final = 450  # the same amount of meaning, and of tokens, in Chinese
_SENTENCE_END = re.compile(r"(?<=[.!?])(?=\s)|(?<=[。！？；!?])|(?<=\n)")
_HAN = re.compile(r"[\u3400-\u9fff]")


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

    A section that is too long is packed paragraph by paragraph; a paragraph that is too long is
    packed sentence by sentence; a sentence that is too long is cut hard.
    """
    sections = document.sections or (Section((), 0, len(document.text)),)
    return [
        _chunk(document, section, start, end)
        for section in sections
        for start, end in _pack(document.text, section.start, section.end)
    ]


def _chunk(document: Document, section: Section, start: int, end: int) -> Chunk:
    text = document.text[start:end]
    content = "\x1f".join([document.id, document.title, *section.headings, text, str(start)])
    return Chunk(
        id=hashlib.sha256(content.encode()).hexdigest()[:16],
        article=document.id,
        title=document.title,
        headings=section.headings,
        text=text,
        start=start,
        end=end,
        url=document.url,
        language=document.language,
    )


def _limit(text: str) -> int:
    han = len(_HAN.findall(text))
    return MAX_HAN_CHARACTERS if han * 3 > len(text) else MAX_CHARACTERS


def _pack(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    limit = _limit(text[start:end])
    first = last = None
    for left, right in _pieces(text, start, end, limit):
        if first is not None and last is not None and right - first > limit:
            yield first, last
            first = None
        first = left if first is None else first
        last = right
    if first is not None and last is not None:
        yield first, last


def _pieces(text: str, start: int, end: int, limit: int) -> Iterator[tuple[int, int]]:
    """Yield paragraphs, or the sentences of those that exceed the limit, or cuts of those."""
    for left, right in _split(text, start, end):
        if right - left <= limit:
            yield left, right
            continue
        for sentence_left, sentence_right in sentences(text[left:right], left):
            for cut in range(sentence_left, sentence_right, limit):
                if text[cut : cut + limit].strip():
                    yield cut, min(cut + limit, sentence_right)


def _split(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    at = start
    for paragraph in re.split(r"(\n\s*\n)", text[start:end]):
        if paragraph.strip():
            left = at + len(paragraph) - len(paragraph.lstrip())
            yield left, at + len(paragraph.rstrip())
        at += len(paragraph)
