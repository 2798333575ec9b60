"""Tables of articles: CSV with questions and answers, and JSONL."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from knowledge_base.documents import Document, KnowledgeError, Section
from knowledge_base.sources.document_builder import DocumentBuilder, SourceFailure, parse_metadata

_MAX_REPORTED: Final = 100  # broken rows of one file that are reported one by one
_MAX_ROW_LINES: Final = 200  # an unclosed quotation mark would make the rest of the file one row
_MAX_CELL: Final = 2**20
_QUESTION, _ANSWER = "question", "answer"


class _BrokenRows:
    """Reports the broken rows of a file, and counts those beyond the maximum."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0

    def failure(self, row: str, reason: str) -> Iterator[SourceFailure]:
        self._count += 1
        if self._count <= _MAX_REPORTED:
            yield SourceFailure(self._name, f"{row}: {reason}")

    def rest(self) -> Iterator[SourceFailure]:
        if self._count > _MAX_REPORTED:
            yield SourceFailure(
                self._name, f"{self._count - _MAX_REPORTED} more rows are broken like these"
            )


def read_csv(source: str, name: str) -> Iterator[Document | SourceFailure]:
    """Yield an article per row; a broken row is reported and the rows after it are read."""
    lines = source.split("\n")
    header = next((number for number, line in enumerate(lines) if line.strip()), 0)
    delimiter, columns = _columns(lines[header])
    broken = _BrokenRows(name)
    for number, parsed in enumerate(_rows(lines, header + 1, delimiter), start=1):
        try:
            row = _row(columns, parsed.cells, parsed.reason)
            if row.get(_QUESTION) and row.get(_ANSWER):
                yield _faq(f"{name}#{number}", row)
        except KnowledgeError as error:
            yield from broken.failure(f"row {number} (line {parsed.line})", str(error))
    yield from broken.rest()


def _columns(line: str) -> tuple[str, list[str]]:
    """Return the delimiter, and the names in the first row."""
    for delimiter in (",", ";", "\t"):
        columns = [cell.strip().lower() for cell in next(csv.reader([line], delimiter=delimiter))]
        if {_QUESTION, _ANSWER} <= set(columns):
            return delimiter, columns
    names = sorted(cell.strip() for cell in next(csv.reader([line])))
    message = f"its first row must name question and answer; it has {names}"
    raise KnowledgeError(message, "no_questions", found=", ".join(names))


@dataclass(frozen=True)
class _ParsedRow:
    """A row and its line in the file, or why it is broken."""

    line: int
    cells: tuple[str, ...] = ()
    reason: str | None = None


def _rows(lines: list[str], start: int, delimiter: str) -> Iterator[_ParsedRow]:
    """Yield the rows of a CSV; after a broken one, continue with the next line."""
    csv.field_size_limit(_MAX_CELL)
    at = start
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        ends = (f"{line}\n" for line in lines[at : at + _MAX_ROW_LINES])
        reader = csv.reader(ends, delimiter=delimiter, strict=True)
        try:
            cells = next(reader)
        except csv.Error as error:
            yield _ParsedRow(at + 1, reason=f"it is not CSV ({error}): mend its quotation marks")
            at += 1
        else:
            yield _ParsedRow(at + 1, tuple(cells))
            at += reader.line_num


def _row(columns: list[str], cells: tuple[str, ...], reason: str | None) -> dict[str, str]:
    if reason is not None:
        raise KnowledgeError(reason)
    if any(cell.strip() for cell in cells[len(columns) :]):
        message = (
            f"it has {len(cells)} cells and the first row {len(columns)}: "
            "put quotation marks around cells that hold separators"
        )
        raise KnowledgeError(message)
    return dict(zip(columns, (cell.strip() for cell in cells), strict=False))


def _faq(name: str, row: dict[str, Any]) -> Document:
    """Return the article of a question and its answer."""
    builder = DocumentBuilder()
    builder.heading(1, str(row[_QUESTION]))
    builder.paragraph(str(row[_ANSWER]))
    return builder.document(name, parse_metadata({**row, "title": row[_QUESTION]}))


def read_jsonl(source: str, name: str) -> Iterator[Document | SourceFailure]:
    """Yield an article per line; a broken line is reported and the lines after it are read."""
    broken = _BrokenRows(name)
    for number, line in enumerate(source.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            document = _article(line, f"{name}#{number}")
        except (ValueError, RecursionError, KnowledgeError) as error:
            yield from broken.failure(f"line {number} is not an article", str(error))
        else:
            if document is not None:
                yield document
    yield from broken.rest()


def _article(line: str, place: str) -> Document | None:
    """Return the article of a line, None for one without text; the text is not changed."""
    row = json.loads(line)
    if not isinstance(row, dict):
        message = "it must be an object in braces, with id and text or with question and answer"
        raise KnowledgeError(message)
    json.dumps(row, ensure_ascii=False).encode()  # raises for an unpaired surrogate
    if "text" not in row and _QUESTION in row and _ANSWER in row:
        question, answer = _text(row, _QUESTION), _text(row, _ANSWER)
        identifier = _text(row, "id") or place
        fields = {**row, _QUESTION: question, _ANSWER: answer}
        return _faq(identifier, fields) if question.strip() and answer.strip() else None
    text, identifier = _text(row, "text", needed=True), _text(row, "id", needed=True)
    if not identifier.strip():
        message = "its id is empty: give it one"
        raise KnowledgeError(message)
    metadata = parse_metadata(row)
    if not text.strip():
        return None
    headings = row.get("headings") or ()
    if not isinstance(headings, str | list | tuple):
        message = "its headings must be a list of texts"
        raise KnowledgeError(message)
    headings = (headings,) if isinstance(headings, str) else tuple(map(str, headings))
    title = metadata.title or ""
    section = Section((title, *headings) if title else headings, 0, len(text))
    return Document(
        id=identifier,
        title=title,
        text=text,
        sections=(section,),
        url=metadata.url,
        language=metadata.language,
        tags=metadata.tags,
        audience=metadata.audience,
        valid_from=metadata.valid_from,
        valid_until=metadata.valid_until,
    )


def _text(row: dict[str, Any], key: str, *, needed: bool = False) -> str:
    if needed and key not in row:
        message = f"it has no {key}: give it id and text, or question and answer"
        raise KnowledgeError(message)
    value = row.get(key)
    if isinstance(value, dict | list | bool):
        message = f"its {key} must be text"
        raise KnowledgeError(message)
    return "" if value is None else str(value)
