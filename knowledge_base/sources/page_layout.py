"""Reconstruction of headings, paragraphs, items and rows from the positions of printed text. Pure.

A page has no paragraphs, only words at positions. Text larger than the body is a heading, text in
columns is a table, text that recurs at the edges of pages is dropped, and a line that ends although
the next word would have fitted is a line of its own.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from knowledge_base.sources.document_builder import DocumentBuilder

_HEADING_RATIO: Final = 1.12  # of the font size to that of the body
_MAX_HEADING: Final = 200
_EDGE: Final = 0.13  # share of a page's height that may contain running heads and page numbers
_RECURS: Final = 0.4  # share of the pages; left and right pages may have different heads
_WIDE_FROM: Final = "\u2e80"
_NARROW: Final = frozenset("iljtfrI.,:;'|!()[]-/ ")
_BULLETS: Final = "•◦▪▫●○■□‣·–—*\x7f\u25ba\uf0b7\uf0a7\uf0d8"
_NUMBER = re.compile(r"\(?(\d{1,3}|[a-z])[.)、）]?")
_MARKED = re.compile(rf"[{re.escape(_BULLETS)}]\s+\S|\(?(\d{{1,2}}|[a-z])[.)、）]\s*[^\s\d]")
_DIVIDED = re.compile(r"([^\W\d]+)[-\u2010\u00ad]$")
_ENDS: Final = (".", "!", "?", "。", "！", "？", ":", "：")
_LIGATURES: Final = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "\x00": None}
)


@dataclass(frozen=True)
class TextFragment:
    """Text at one position: lengths in points, `y` grows upwards."""

    text: str
    page: int
    x: float
    y: float
    size: float


@dataclass
class LayoutLine:
    """Fragments at one height; a wide gap between two of them starts another cell."""

    page: int
    y: float
    pieces: list[tuple[float, str]]
    cells: list[tuple[float, str]] = field(default_factory=list)
    sizes: Counter[float] = field(default_factory=Counter)

    @property
    def size(self) -> float:
        """The font size of most of its text."""
        return self.sizes.most_common(1)[0][0]

    @property
    def right(self) -> float:
        """The estimated right end."""
        x, text = self.cells[-1]
        return x + width(text, self.size)

    @property
    def text(self) -> str:
        """Its text without a bullet; a number at the start stays."""
        words = " ".join(text.strip() for _, text in self.cells)
        return words.lstrip(_BULLETS + " ") if self.has_marker else words

    @property
    def has_marker(self) -> bool:
        """Return whether it begins with a bullet or a separate number."""
        first = self.cells[0][1].strip()
        return (len(self.cells) > 1 and _is_marker(first)) or bool(_MARKED.match(first))

    @property
    def is_row(self) -> bool:
        """Return whether it has several columns."""
        return len(self.cells) > (2 if _is_marker(self.cells[0][1].strip()) else 1)


def _is_marker(text: str) -> bool:
    return text in _BULLETS or bool(_NUMBER.fullmatch(text))


def width(text: str, size: float) -> float:
    """Estimate the width of a text: fonts differ by not much more than a tenth."""
    units = 0.0
    for character in text.strip():
        if character >= _WIDE_FROM:
            units += 1.0
        elif character in _NARROW:
            units += 0.29
        else:
            units += 0.68 if character.isupper() else 0.52
    return units * size


def write(
    fragments: Sequence[TextFragment],
    heights: Mapping[int, float],
    outline: Mapping[str, int],
    builder: DocumentBuilder,
) -> None:
    """Write the text of all pages; `outline` maps titles to levels, for pages in one font size."""
    lines = _without_running(_lines(fragments), heights)
    if lines:
        _Writer(lines, outline, builder).write()


def _lines(fragments: Sequence[TextFragment]) -> list[LayoutLine]:
    """Group the fragments at one height, in the order in which they were drawn."""
    lines: list[LayoutLine] = []
    blank = False
    for piece in fragments:
        text = piece.text.translate(_LIGATURES)
        if not text.strip():
            blank = blank or text not in {"", "\n"}
            continue
        text = f" {text}" if blank else text
        last = lines[-1] if lines else None
        if (
            last is not None
            and last.page == piece.page
            and abs(last.y - piece.y) <= max(last.size, piece.size) / 2
            and piece.x >= last.pieces[-1][0] - piece.size
        ):
            last.pieces.append((piece.x, text))
        else:
            last = LayoutLine(piece.page, piece.y, [(piece.x, text)])
            lines.append(last)
        last.sizes[round(2 * piece.size) / 2] += len(text.strip())
        blank = False
    for line in lines:
        line.cells = _cells(line, ())
    # A cell that fills its column leaves no gap: the columns of the next rows show where to split.
    rows = [{x for x, _ in line.pieces[1:]} if line.is_row else set() for line in lines]
    for first, second in zip(range(len(lines)), range(1, len(lines)), strict=False):
        for line, columns in ((lines[first], rows[second]), (lines[second], rows[first])):
            if columns and lines[first].page == lines[second].page:
                line.cells = max(line.cells, _cells(line, tuple(columns)), key=len)
    return lines


def _cells(line: LayoutLine, columns: tuple[float, ...]) -> list[tuple[float, str]]:
    """Join the pieces of a line up to the next wide gap, or the next of the given columns."""
    cells: list[tuple[float, str]] = []
    end = 0.0
    for x, text in line.pieces:
        before = cells[-1][1] if cells else ""
        gap = x - end
        beyond = bool(cells) and x > cells[-1][0]
        wide = gap > 1.3 * line.size and gap > 0.12 * width(before, line.size)
        marker = len(cells) == 1 and _is_marker(before.strip()) and gap > line.size / 2
        at_column = any(abs(x - column) <= 1 for column in columns)
        if not cells or (beyond and (wide or marker or at_column)):
            cells.append((x, text))
        else:
            cells[-1] = (cells[-1][0], _glue(before, text))
        end = cells[-1][0] + width(cells[-1][1], line.size)
    return cells


def _glue(before: str, text: str) -> str:
    apart = before[-1].isspace() or text[0].isspace()
    asian = before.rstrip()[-1] >= _WIDE_FROM or text.lstrip()[0] >= _WIDE_FROM
    return before.rstrip() + (" " if apart and not asian else "") + text.lstrip()


def _without_running(lines: list[LayoutLine], heights: Mapping[int, float]) -> list[LayoutLine]:
    """Drop text that recurs at the same height near the edges: headers, footers, page numbers."""
    if len(heights) < 2 or not lines:  # noqa: PLR2004 — nothing recurs on a single page
        return lines
    body = _body(lines)

    def key(line: LayoutLine) -> tuple[int, str] | None:
        height = heights[line.page]
        if _EDGE * height < line.y < (1 - _EDGE) * height:
            return None
        # Page numbers change from page to page; so do chapter numbers, but those are headings.
        small = line.size <= body * _HEADING_RATIO
        words = re.sub(r"\d+", "#", line.text) if small else line.text
        return round(line.y / 3), re.sub(r"\s+", "", words)

    places = [key(line) for line in lines]
    pages: dict[tuple[int, str], set[int]] = {}
    for line, place in zip(lines, places, strict=True):
        if place is not None:
            pages.setdefault(place, set()).add(line.page)
    min_pages = max(2, _RECURS * len(heights))
    return [
        line
        for line, place in zip(lines, places, strict=True)
        if place is None or len(pages[place]) < min_pages
    ]


def _body(lines: Sequence[LayoutLine]) -> float:
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes.update(line.sizes)
    return sizes.most_common(1)[0][0]


class _Writer:
    """Iterates over the lines and passes blocks to the builder."""

    def __init__(
        self, lines: list[LayoutLine], outline: Mapping[str, int], builder: DocumentBuilder
    ) -> None:
        self._lines = lines
        self._builder = builder
        self._body = _body(lines)
        large = {line.size for line in lines if self._is_large(line)}
        self._levels = {size: n for n, size in enumerate(sorted(large, reverse=True), start=1)}
        self._outline = {} if large else {_plain(title): n for title, n in outline.items()}
        self._margins = self._measure_margins()
        self._leading = self._measure_leading()
        self._hyphenated = set(re.findall(r"\w+-\w+", " ".join(line.text for line in lines)))

    def write(self) -> None:
        at = 0
        while at < len(self._lines):
            end = self._rows_from(at)
            if end - at > 1:
                run = object()
                for line in self._lines[at:end]:
                    words = (re.sub(r"\s+", " ", text).strip() for _, text in line.cells)
                    self._builder.line(" | ".join(words), run)
            elif (level := self._level(self._lines[at])) is not None:
                end = self._heading(at, level)
            else:
                end = self._block(at)
            at = end

    def _is_large(self, line: LayoutLine) -> bool:
        text = line.text
        return (
            line.size >= self._body * _HEADING_RATIO
            and len(text) <= _MAX_HEADING
            and any(character.isalpha() for character in text)
            and not line.is_row
        )

    def _level(self, line: LayoutLine) -> int | None:
        if self._is_large(line):
            return min(self._levels[line.size], 6)
        return self._outline.get(_plain(line.text))

    def _heading(self, at: int, level: int) -> int:
        """Write a heading of one or several lines."""
        text, end = self._lines[at].text, at + 1
        while end < len(self._lines) and self._is_large(self._lines[at]):
            line, following = self._lines[end - 1], self._lines[end]
            gap = line.y - following.y
            if following.size != line.size or following.page != line.page or following.is_row:
                break
            if not 0 < gap <= 1.4 * line.size or len(text) + len(following.text) > _MAX_HEADING:
                break
            text = self._join(text, following.text)
            end += 1
        self._builder.heading(level, text)
        return end

    def _rows_from(self, at: int) -> int:
        """Return the end of the table that starts at a line; a single line is not a table."""
        end = at
        while end < len(self._lines) and self._lines[end].is_row:
            if end > at and not self._share_column(self._lines[end - 1], self._lines[end]):
                break
            end += 1
        return end

    def _share_column(self, first: LayoutLine, second: LayoutLine) -> bool:
        """Return whether two lines share the left or right edge of a column after the first."""
        tolerance = 1.5 * self._body

        def edges(line: LayoutLine) -> list[tuple[float, float]]:
            return [(x, x + width(text, line.size)) for x, text in line.cells[1:]]

        return any(
            abs(start - other_start) <= tolerance or abs(end - other_end) <= tolerance
            for start, end in edges(first)
            for other_start, other_end in edges(second)
        )

    def _block(self, at: int) -> int:
        """Write consecutive lines that belong together: a paragraph, or separate short lines."""
        run = object()
        text = self._lines[at].text
        is_item = self._lines[at].has_marker
        end = at + 1
        while end < len(self._lines):
            previous, line = self._lines[end - 1], self._lines[end]
            if self._rows_from(end) - end > 1 or self._level(line) is not None:
                break
            if not (
                self._continues(previous, line) or (line.has_marker and line.page == previous.page)
            ):
                break
            divided = self._is_divided(previous, line)
            if line.has_marker or not (divided or self._is_full(previous, line)):
                self._put(text, run, is_line=is_item)
                text, is_item = line.text, True
            else:
                text = self._join(text, line.text)
            end += 1
        self._put(text, run, is_line=is_item)
        return end

    def _put(self, text: str, run: object, *, is_line: bool) -> None:
        text = re.sub(r"\s+", " ", text.replace("\u00ad", ""))
        if is_line:
            self._builder.line(text, run)
        else:
            self._builder.paragraph(text)

    def _continues(self, first: LayoutLine, second: LayoutLine) -> bool:
        """Return whether a line belongs to the block of the previous one."""
        if abs(first.size - second.size) > 0.1 * self._body:
            return False
        if first.page != second.page:
            ends = first.text.endswith(_ENDS)
            return not second.has_marker and not ends and self._is_full(first, second)
        return 0 < first.y - second.y <= 1.3 * self._leading * max(first.size, second.size)

    def _is_divided(self, first: LayoutLine, second: LayoutLine) -> bool:
        """Return whether a word is divided between two lines."""
        return bool(_DIVIDED.search(first.text)) and second.text[:1].islower()

    def _is_full(self, first: LayoutLine, second: LayoutLine) -> bool:
        """Return whether the next word did not fit into a line."""
        word = second.text[:1] if second.text[:1] >= _WIDE_FROM else second.text.split(" ")[0]
        return first.right + width(word, first.size) >= 0.9 * self._margins[self._column(first)]

    def _column(self, line: LayoutLine) -> tuple[int, int]:
        return line.page, round(line.cells[0][0] / (6 * self._body))

    def _measure_margins(self) -> dict[tuple[int, int], float]:
        margins: dict[tuple[int, int], float] = {}
        for line in self._lines:
            column = self._column(line)
            margins[column] = max(margins.get(column, 0.0), line.right)
        return margins

    def _measure_leading(self) -> float:
        """Return the usual line spacing in font sizes, from full lines to the lines after them."""
        distances: Counter[float] = Counter()
        for first, second in zip(self._lines, self._lines[1:], strict=False):
            if first.page == second.page and first.size == second.size and not first.is_row:
                distance = (first.y - second.y) / first.size
                if 1 <= distance <= 2.2 and self._is_full(first, second):  # noqa: PLR2004
                    distances[round(distance, 1)] += 1
        return distances.most_common(1)[0][0] if distances else 1.5

    def _join(self, text: str, following: str) -> str:
        """Join two lines: without the hyphen of a divided word, and without a blank in Chinese."""
        if text.endswith("\u00ad"):
            return text[:-1] + following
        divided = _DIVIDED.search(text)
        rest = re.match(r"\w+", following)
        if divided and rest and following[0].islower():
            word = f"{divided[1]}-{rest[0]}"
            return (text if word in self._hyphenated else text[:-1]) + following
        asian = text[-1:] >= _WIDE_FROM or following[:1] >= _WIDE_FROM
        return text + ("" if asian else " ") + following


def _plain(title: str) -> str:
    return re.sub(r"\s+", "", title).casefold()
