"""A builder that turns every kind of source into a document, block by block."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePosixPath
from typing import Any, Self

from knowledge_base.documents import Document, KnowledgeError, Section

_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ]\d\d:.*)?")  # times of day are ignored
_BETWEEN_TAGS = re.compile(r"[,;|，；、]")


@dataclass(frozen=True)
class SourceFailure:
    """A source that could not be read, and why, in words for the user.

    `reason` and `facts` are those of the error, for translated pages.
    """

    path: str
    error: str
    reason: str = ""
    facts: Mapping[str, str | int] = field(default_factory=dict)

    @classmethod
    def from_error(cls, path: str, error: KnowledgeError) -> Self:
        """Return the failure of a source described by an error."""
        return cls(path, str(error), error.reason, error.facts)


def duplicate_id_failure(identifier: str) -> SourceFailure:
    """Return the failure of an article whose id is taken by another one."""
    error = "another article has the same id; the first one stays"
    return SourceFailure(identifier, error, "same_id")


@dataclass(frozen=True)
class SourceMetadata:
    """The metadata of a source."""

    title: str | None = None
    url: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    audience: str | None = None
    valid_from: str | None = None
    valid_until: str | None = None


def parse_metadata(fields: Mapping[str, Any]) -> SourceMetadata:
    """Validate the metadata of a source; raise KnowledgeError that names the invalid value."""
    first, last = _day(fields, "valid_from"), _day(fields, "valid_until")
    if first and last and first > last:
        message = f"it is valid from {first} until {last}: exchange the dates"
        facts = {"key": "valid_from", "first": first, "last": last}
        raise KnowledgeError(message, "exchange_dates", **facts)
    return SourceMetadata(
        title=_word(fields, "title"),
        url=_word(fields, "url"),
        language=_word(fields, "language"),
        tags=_tags(fields.get("tags")),
        audience=_word(fields, "audience"),
        valid_from=first,
        valid_until=last,
    )


def primary_language(code: str | None) -> str | None:
    """Return the language of a code that may include a region: zh for zh-CN."""
    return re.split("[-_]", (code or "").strip())[0].lower() or None


def _word(fields: Mapping[str, Any], key: str) -> str | None:
    value = fields.get(key)
    if isinstance(value, dict | list):
        message = f"its {key} must be one text, not several"
        raise KnowledgeError(message, "not_one_text", key=key)
    return (str(value).strip() or None) if value is not None else None


def _day(fields: Mapping[str, Any], key: str) -> str | None:
    value = _word(fields, key)
    if value is None:
        return None
    day = _DAY.fullmatch(value)
    try:
        return date.fromisoformat(day[1] if day else value[:0]).isoformat()
    except ValueError as error:
        message = f"its {key} is {value!r}, which is not a date: write it like 2026-12-31"
        raise KnowledgeError(message, "no_date", key=key, value=value) from error


def _tags(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = _BETWEEN_TAGS.split(value)
    if not isinstance(value, list | tuple | None) or any(
        isinstance(tag, dict | list) for tag in value or ()
    ):
        message = f"its tags must be a list of words, not {type(value).__name__}"
        raise KnowledgeError(message, "no_tags", key="tags")
    words = (str(tag).strip() for tag in value or () if tag is not None)
    return tuple(dict.fromkeys(word for word in words if word))


class DocumentBuilder:
    """Collects blocks of text below a path of headings, and records each section.

    The layout of the text shows its structure: paragraphs and tables are separated by a blank line;
    rows and items are consecutive lines, directly below the paragraph that introduces them.
    """

    def __init__(self) -> None:
        """Start with no text."""
        self._parts: list[str] = []
        self._length = 0
        self._path: tuple[tuple[int, str], ...] = ()
        self._sections: list[Section] = []
        self._open_at: int | None = None
        self._run: object = None

    @property
    def first_heading(self) -> str | None:
        """The first heading that has text below it, or the last one that has none."""
        self._close()
        headings = [section.headings[0] for section in self._sections if section.headings]
        return headings[0] if headings else (self._path[0][1] if self._path else None)

    def heading(self, level: int, text: str) -> None:
        """Start a section with this heading; an empty heading is ignored."""
        if text.strip():
            self._close()
            above = tuple((at, name) for at, name in self._path if at < level)
            self._path = (*above, (level, text.strip()))

    def paragraph(self, text: str) -> None:
        """Add a paragraph."""
        self._add(text, "\n\n", None)

    def line(self, text: str, run: object) -> None:
        """Add a row or an item; those of the same `run` are consecutive lines."""
        self._add(text, "\n" if self._run in {None, run} else "\n\n", run)

    def document(self, name: str, metadata: SourceMetadata) -> Document:
        """Return the document; without a title, its title is the first heading."""
        self._close()
        if not self._parts:
            message = "no text was found in it"
            raise KnowledgeError(message, "without_text")
        return Document(
            id=name,
            title=metadata.title or self.first_heading or PurePosixPath(name).stem,
            text="".join(self._parts),
            sections=tuple(self._sections),
            url=metadata.url,
            language=metadata.language,
            tags=metadata.tags,
            audience=metadata.audience,
            valid_from=metadata.valid_from,
            valid_until=metadata.valid_until,
        )

    def _add(self, text: str, separator: str, run: object) -> None:
        text = text.strip()
        if not text:
            return
        if self._parts:
            self._put("\n\n" if self._open_at is None else separator)
        if self._open_at is None:
            self._open_at = self._length
        self._put(text)
        self._run = run

    def _put(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def _close(self) -> None:
        if self._open_at is not None:
            names = tuple(name for _, name in self._path)
            self._sections.append(Section(names, self._open_at, self._length))
            self._open_at = None
        self._run = None
