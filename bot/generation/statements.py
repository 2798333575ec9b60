"""Splitting of passages into statements: sentences, items of lists with lead-ins, rows of tables.

Every statement is a span of its passage, so that every reply can be cited word for word. Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from knowledge_base.documents import Chunk

Span = tuple[int, int]
Form = Literal["sentence", "item", "row"]

CELL: Final = " | "  # the separator between the cells of a row
HAN: Final = re.compile(r"[\u3400-\u9fff]")
_LONG_HAN: Final = 90  # characters from which a Chinese sentence is split into clauses
_LONG_WORDS: Final = 50
_CLAUSE_HAN: Final = 45  # characters of a clause from which a comma may end it
_CLAUSE_WORDS: Final = 20
_WRAP_WIDTHS: Final = (60, 100)  # the usual widths of texts with hard line breaks
_OPEN: Final = "《「『“（(【"
_CLOSE: Final = "》」』”）)】"
_LEAD: Final = re.compile(r"[:：]$")
_END = re.compile(r"[.!?…][\"'”’)\]]*(?=\s)|[。！？!?…]+[”」』）)\"]*")
_SHORT = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|approx|dr|mrs?|ms|prof|st|no|nr|inc|ltd|co|fig|u\.s|u\.k|a\.m|p\.m)"
    r"|\b[A-Z]|(?:^|\n)\s*\d{1,2})\.$",
    re.IGNORECASE,
)
_CLOSED = re.compile(r"[.!?。！？…][\"'”’)\]」』）]*(?:\[\d+\])?$")
_BARE_ANSWER = re.compile(
    r"(?:yes|no|sure|of course|可以|不可以|能|不能|是的?|不是|会|不会|有|没有|对|不行)[.!。！]?",
    re.IGNORECASE,
)
_REFERS = re.compile(
    r"(?:it|its|they|their|them|he|she|his|her|this|that|these|those|such|however|otherwise|"
    r"therefore|then|both|instead|after that|if so|if not|in that case|also)\b|"
    r"它|他|她|牠|其[^他余实次中]|这|此|该|那[些个样时]|否则|但|不过|然而|因此|所以|于是|两者|前者|后者|之后",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class PassageStatement:
    """A part of a passage that can be quoted: `chunk.text[start:end]`.

    `lead` is the sentence that introduces an item, or the first row of a row's table. Items of one
    list, and rows of one table, have the same `block`.
    """

    chunk: Chunk
    rank: int  # of the passage among the hits
    start: int
    end: int
    form: Form
    block: int
    lead: Span | None = None

    @property
    def text(self) -> str:
        """The quoted text."""
        return self.chunk.text[self.start : self.end]

    @property
    def lead_text(self) -> str:
        """The text of the lead, empty if there is none."""
        return self.chunk.text[slice(*self.lead)] if self.lead else ""

    @property
    def refers(self) -> bool:
        """Return whether it begins with a word that refers to the text before it."""
        return _REFERS.match(self.text) is not None


def statements(chunk: Chunk, rank: int = 0) -> list[PassageStatement]:
    """Return the statements of a passage, in order."""
    parsed: list[PassageStatement] = []
    for number, block in enumerate(_blocks(chunk.text)):
        above = parsed[-1] if parsed else None
        lead = (above.start, above.end) if above and _LEAD.search(above.text) else None
        parsed += _parse_block(chunk, rank, number, block, lead)
    return _join_bare_answers(parsed)


def _parse_block(
    chunk: Chunk, rank: int, number: int, lines: list[Span], lead: Span | None
) -> Iterator[PassageStatement]:
    """Yield the statements of a paragraph; several lines of one are a list, or rows."""
    text = chunk.text
    header: Span | None = None
    for place, (start, end) in enumerate(lines):
        line = text[start:end]
        if CELL in line:
            if header is not None or place + 1 == len(lines) or not _is_row(text, lines[place + 1]):
                yield PassageStatement(chunk, rank, start, end, "row", number, header)
            header = header or (start, end)
            continue
        header = None
        if len(lines) == 1 and not (lead and not _CLOSED.search(line)):
            for begin, stop in _sentences(text, start, end):
                yield PassageStatement(chunk, rank, begin, stop, "sentence", number)
            continue
        parts = [(start, end)] if is_short(line) else list(_sentences(text, start, end))
        for begin, stop in parts:
            yield PassageStatement(chunk, rank, begin, stop, "item", number, lead)
        if _LEAD.search(line):
            lead = parts[-1]


def _join_bare_answers(parsed: list[PassageStatement]) -> list[PassageStatement]:
    """Join a bare yes or no with the sentence after it."""
    joined: list[PassageStatement] = []
    for statement in parsed:
        before = joined[-1] if joined else None
        if before and before.block == statement.block and _BARE_ANSWER.fullmatch(before.text):
            joined[-1] = PassageStatement(
                **{**vars(statement), "start": before.start},
            )
            continue
        joined.append(statement)
    return joined


def _is_row(text: str, line: Span) -> bool:
    return CELL in text[slice(*line)]


def is_short(line: str) -> bool:
    """Return whether a line is short: up to 20 words, or 45 Chinese characters."""
    return len(HAN.findall(line)) <= _CLAUSE_HAN and len(line.split()) <= _CLAUSE_WORDS


def _blocks(text: str) -> Iterator[list[Span]]:
    """Yield the lines of each paragraph, with hard line breaks removed."""
    block: list[Span] = []
    at = 0
    for line in [*text.split("\n"), ""]:
        start, end = at + len(line) - len(line.lstrip()), at + len(line.rstrip())
        at += len(line) + 1
        if start < end:
            block.append((start, end))
        elif block:
            yield _unwrap(text, block)
            block = []


def _unwrap(text: str, lines: list[Span]) -> list[Span]:
    """Return the lines of a paragraph, joined if they are prose with hard line breaks."""
    texts = [text[start:end] for start, end in lines]
    if not any(map(_CLOSED.search, texts)) or any(CELL in line for line in texts):
        return lines
    width = max(map(len, texts))
    wrapped = _WRAP_WIDTHS[0] <= width <= _WRAP_WIDTHS[1]
    joined = [lines[0]]
    for before, line, (start, end) in zip(texts, texts[1:], lines[1:], strict=False):
        full = wrapped and len(before) + 1 + len(line.split(maxsplit=1)[0]) > width
        if full or (line[0].islower() and before[-1] not in ".!?:;"):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _sentences(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield the sentences of a line, with long ones split into clauses.

    A full stop within brackets or after an abbreviation does not end a sentence.
    """
    at = start
    for match in _END.finditer(text, start, end):
        stop = match.end()
        if stop >= end or _is_inside(text[at:stop]) or _SHORT.search(text[at:stop]):
            continue
        following = text[stop:end].lstrip()[:1]
        if following.islower() and following.isascii():
            continue
        yield from _cut(text, *_strip(text, at, stop))
        at = stop
    if text[at:end].strip():
        yield from _cut(text, *_strip(text, at, end))


def _is_inside(text: str) -> bool:
    """Return whether a bracket is open at the end; one opened long before is ignored."""
    recent = text[-60:]
    return sum(recent.count(c) for c in _OPEN) > sum(recent.count(c) for c in _CLOSE)


def _strip(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def _cut(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield a sentence, or its clauses if it is too long to be quoted whole."""
    sentence = text[start:end]
    han, words = len(HAN.findall(sentence)), len(sentence.split())
    if han <= _LONG_HAN and words <= _LONG_WORDS:
        yield start, end
        return
    at = start
    for match in re.finditer(r"[；;，,、—](?!\d)\s*", sentence):
        stop = start + match.end()
        clause = text[at:stop]
        strong = match[0][0] in "；;"
        size = max(len(HAN.findall(clause)) / _CLAUSE_HAN, len(clause.split()) / _CLAUSE_WORDS)
        rest = text[stop:end]
        enough = size >= (0.5 if strong else 1.0)
        if enough and len(rest.strip()) > len(clause) // 4 and not _is_inside(clause):
            yield from _split_by_length(text, *_strip(text, at, stop))
            at = stop
    yield from _split_by_length(text, *_strip(text, at, end))


def _split_by_length(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield a text without commas in parts of a length that can be quoted."""
    at = start
    while len(HAN.findall(text[at:end])) > _LONG_HAN or len(text[at:end].split()) > _LONG_WORDS:
        words = list(re.finditer(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+", text[at:end]))
        stop = at + words[min(_LONG_WORDS, len(words) - 1)].start()
        yield _strip(text, at, stop)
        at = stop
    yield _strip(text, at, end)
