"""Word files: their text under the headings of their styles, without headers and footers.

The file is a zip of XML, read as a stream: the few elements needed here do not require a library,
and only text is ever unpacked.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from knowledge_base.documents import Document, KnowledgeError
from knowledge_base.sources import archives
from knowledge_base.sources.document_builder import (
    DocumentBuilder,
    parse_metadata,
    primary_language,
)

_MAX_PART: Final = 64 * 2**20  # unpacked bytes of the text, or of the styles
_OLE: Final = b"\xd0\xcf\x11\xe0"  # magic bytes of old and of encrypted files, which are not zip
_WORD: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_STRICT: Final = "http://purl.oclc.org/ooxml/wordprocessingml/main"
_MARKUP: Final = "http://schemas.openxmlformats.org/markup-compatibility/2006"
# Deleted and moved text, the second copy of a drawing's text, and ruby annotations.
_SKIPPED: Final = frozenset({"w:del", "w:moveFrom", "mc:Fallback", "w:rt"})
_BLANKS: Final = {"w:tab": " ", "w:br": " ", "w:cr": " ", "w:noBreakHyphen": "-"}
_OFF: Final = frozenset({"0", "false", "off"})
_BODY_LEVEL: Final = 9
_HEADING = re.compile(r"heading (\d)")


def read_docx(raw: bytes, name: str) -> Iterator[Document]:
    """Yield the document of a Word file; raise KnowledgeError if it is not one."""
    if raw.startswith(_OLE):
        message = "it is protected by a password or of the old format: save a .docx without one"
        raise KnowledgeError(message, "locked")
    builder = DocumentBuilder()
    properties = _Properties()
    with archives.open_archive(io.BytesIO(raw)) as archive:
        names = set(archive.namelist())
        if "word/document.xml" not in names:
            message = "it holds no Word document: save it as .docx again"
            raise KnowledgeError(message, "no_word")
        styles = _Styles()
        for part, reader in (("word/styles.xml", styles), ("docProps/core.xml", properties)):
            if part in names:
                _parse(archive, part, reader.start, reader.end, reader.data)
        body = _Body(builder, styles)
        _parse(archive, "word/document.xml", body.start, body.end, body.data)
    fields = {
        "title": properties.values.get("title"),
        "tags": properties.values.get("keywords"),
        "language": primary_language(properties.values.get("language")),
    }
    yield builder.document(name, parse_metadata(fields))


_Start = Callable[[str, dict[str, str]], None]


def _parse(
    archive: zipfile.ZipFile,
    part: str,
    start: _Start,
    end: Callable[[str], None],
    data: Callable[[str], None],
) -> None:
    """Parse a part as a stream; names are `w:p`, whatever prefix the file uses."""
    raw = archives.unpack(archive, archive.getinfo(part), _MAX_PART)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, attributes: start(
        _short(name), {_short(key): value for key, value in attributes.items()}
    )
    parser.EndElementHandler = lambda name: end(_short(name))
    parser.CharacterDataHandler = data
    parser.StartDoctypeDeclHandler = _refuse
    parser.buffer_text = True
    try:
        parser.Parse(raw, True)  # noqa: FBT003 — the parser takes no keywords
    except (expat.ExpatError, ValueError) as error:
        message = f"it is damaged ({part}: {error}): save it as .docx again"
        raise KnowledgeError(message) from error


def _short(name: str) -> str:
    space, _, local = name.rpartition(" ")
    prefix = {_WORD: "w:", _STRICT: "w:", _MARKUP: "mc:"}.get(space, "")
    return f"{prefix}{local}"


def _refuse(*_: object) -> None:
    message = "it defines XML entities, which no Word file does: save it as .docx again"
    raise KnowledgeError(message)


@dataclass
class _Style:
    name: str = ""
    parent: str | None = None
    level: int | None = None
    is_item: bool = False


class _Styles:
    """The styles of the file: their ids can be translated, the names behind them are not."""

    def __init__(self) -> None:
        self._styles: dict[str, _Style] = {}
        self._open = _Style()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        value = attributes.get("w:val", "")
        if name == "w:style":
            self._open = self._styles.setdefault(attributes.get("w:styleId", ""), _Style())
        elif name == "w:name":
            self._open.name = value.lower()
        elif name == "w:basedOn":
            self._open.parent = value
        elif name == "w:outlineLvl":
            self._open.level = _level(value)
        elif name == "w:numPr":
            self._open.is_item = True

    def end(self, name: str) -> None:
        """Do nothing: no end tag matters here."""

    def data(self, text: str) -> None:
        """Ignore the text: styles have none."""

    def meaning(self, identifier: str) -> tuple[str, int | None, bool]:
        """Return the name, the heading level if any, and whether it is a list item."""
        name, level, is_item, visited = "", None, False, set[str]()
        at: str | None = identifier
        while at in self._styles and at not in visited:
            visited.add(at)
            style = self._styles[at]
            name = name or style.name
            heading = _HEADING.match(style.name)
            own = int(heading[1]) if heading else 0 if style.name == "title" else style.level
            level = own if level is None else level
            is_item = is_item or style.is_item or style.name.startswith("list")
            at = style.parent
        return name, None if level == _BODY_LEVEL + 1 else level, is_item


def _level(value: str) -> int | None:
    """Return the heading level of an outline level, which starts at 0; 9 means none."""
    return int(value) + 1 if value.isdecimal() and int(value) <= _BODY_LEVEL else None


class _Properties:
    """The metadata of the file."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self._open = ""

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        self._open = name

    def end(self, _name: str) -> None:
        self._open = ""

    def data(self, text: str) -> None:
        if self._open:
            self.values[self._open] = self.values.get(self._open, "") + text


@dataclass
class _Paragraph:
    text: list[str] = field(default_factory=list)
    style: str = ""
    level: int | None = None
    is_item: bool | None = None


@dataclass
class _Table:
    row: list[str] = field(default_factory=list)
    cell: list[str] = field(default_factory=list)


class _Body:
    """Passes the text to the builder, paragraph by paragraph and row by row."""

    def __init__(self, builder: DocumentBuilder, styles: _Styles) -> None:
        self._builder = builder
        self._styles = styles
        self._paragraphs: list[_Paragraph] = []
        self._tables: list[_Table] = []
        self._run: object = None
        self._skipping = 0
        self._in_text = self._in_run = self._hidden = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._skipping or name in _SKIPPED:
            self._skipping += 1
        elif name == "w:p":
            self._paragraphs.append(_Paragraph())
        elif name == "w:tbl":
            if not self._tables:
                self._run = object()
            self._tables.append(_Table())
        elif name == "w:r":
            self._in_run, self._hidden = True, False
        elif self._paragraphs:
            self._within(name, attributes.get("w:val", ""), self._paragraphs[-1])

    def _within(self, name: str, value: str, paragraph: _Paragraph) -> None:
        if name == "w:t":
            self._in_text = True
        elif name in _BLANKS and self._in_run:
            paragraph.text.append(_BLANKS[name])
        elif name == "w:pStyle":
            paragraph.style = value
        elif name == "w:outlineLvl":
            paragraph.level = _level(value)
        elif name == "w:numId":
            paragraph.is_item = value != "0"
        elif name == "w:vanish":
            self._hidden = self._in_run and value not in _OFF

    def data(self, text: str) -> None:
        if self._in_text and not self._hidden and not self._skipping:
            self._paragraphs[-1].text.append(text)

    def end(self, name: str) -> None:
        if self._skipping:
            self._skipping -= 1
        elif name == "w:t":
            self._in_text = False
        elif name == "w:r":
            self._in_run = self._hidden = False
        elif name == "w:p" and self._paragraphs:
            self._finish(self._paragraphs.pop())
        elif name == "w:tc" and self._tables:
            table = self._tables[-1]
            table.row.append(" ".join(table.cell))
            table.cell = []
        elif name == "w:tr" and self._tables:
            self._row()
        elif name == "w:tbl" and self._tables:
            self._tables.pop()
            self._run = self._run if self._tables else None

    def _row(self) -> None:
        table = self._tables[-1]
        row, table.row = table.row, []
        if len(self._tables) == 1:
            self._builder.line(" | ".join(row) if any(row) else "", self._run)
        elif any(row):  # a table inside a cell of another table
            self._tables[-2].cell.append(", ".join(filter(None, row)))

    def _finish(self, paragraph: _Paragraph) -> None:
        text = re.sub(r"\s+", " ", "".join(paragraph.text)).strip()
        if self._tables:
            self._tables[-1].cell += [text] if text else []
            return
        name, level, is_item = self._styles.meaning(paragraph.style)
        level = level if paragraph.level is None else paragraph.level
        if not text or name.startswith("toc "):
            return
        if level is not None and level <= _BODY_LEVEL:
            self._builder.heading(level, text)
            self._run = None
        elif is_item if paragraph.is_item is None else paragraph.is_item:
            self._run = self._run or object()
            self._builder.line(text, self._run)
        else:
            self._run = None
            self._builder.paragraph(text)
