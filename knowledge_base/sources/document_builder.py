"""What every kind of source is written into: a document, block by block."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePosixPath
from typing import Any, Self

from knowledge_base.documents import Document, KnowledgeError, Section

_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ]\d\d:.*)?")  # times of day make no difference
_BETWEEN_TAGS = re.compile(r"[,;|，；、]")


@dataclass(frozen=True)
class SourceFailure:
    """A source that could not be read, and why, in words for the person who ingests.

    `reason` and `facts` are those of the error, for pages that say it in another language.
    """

    path: str
    error: str
    reason: str = ""
    facts: Mapping[str, str | int] = field(default_factory=dict)

    @classmethod
    def of(cls, path: str, error: KnowledgeError) -> Self:
        """Return the failure of a source that an error tells of."""
        return cls(path, str(error), error.reason, error.facts)


def same_id(identifier: str) -> SourceFailure:
    """Return the failure of an article whose id another one has already."""
    said = "another article has the same id; the first one stays"
    return SourceFailure(identifier, said, "same_id")


@dataclass(frozen=True)
class SourceMetadata:
    """What a source says of itself beside its text."""

    title: str | None = None
    url: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    audience: str | None = None
    valid_from: str | None = None
    valid_until: str | None = None


def details(found: Mapping[str, Any]) -> SourceMetadata:
    """Check what a source says of itself; raise KnowledgeError naming the wrong value."""
    first, last = _day(found, "valid_from"), _day(found, "valid_until")
    if first and last and first > last:
        message = f"it is valid from {first} until {last}: exchange the dates"
        facts = {"key": "valid_from", "first": first, "last": last}
        raise KnowledgeError(message, "exchange_dates", **facts)
    return SourceMetadata(
        title=_word(found, "title"),
        url=_word(found, "url"),
        language=_word(found, "language"),
        tags=_tags(found.get("tags")),
        audience=_word(found, "audience"),
        valid_from=first,
        valid_until=last,
    )


def tongue(code: str | None) -> str | None:
    """Return the language of a code that may name a region too: zh of zh-CN."""
    return re.split("[-_]", (code or "").strip())[0].lower() or None


def _word(found: Mapping[str, Any], key: str) -> str | None:
    value = found.get(key)
    if isinstance(value, dict | list):
        message = f"its {key} must be one text, not several"
        raise KnowledgeError(message, "not_one_text", key=key)
    return (str(value).strip() or None) if value is not None else None


def _day(found: Mapping[str, Any], key: str) -> str | None:
    value = _word(found, key)
    if value is None:
        return None
    day = _DAY.fullmatch(value)
    try:
        return date.fromisoformat(day[1] if day else value[:0]).isoformat()
    except ValueError as error:
        message = f"its {key} is {value!r}, which is no date: write it like 2026-12-31"
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
    """Collects blocks of text under a path of headings and notes where each section lies.

    The layout of the text tells its structure: paragraphs and tables stand apart by a blank line;
    rows and items are lines below each other, the first of them below the paragraph that leads
    into them.
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
        found = [section.headings[0] for section in self._sections if section.headings]
        return found[0] if found else (self._path[0][1] if self._path else None)

    def heading(self, level: int, text: str) -> None:
        """Go on below a heading; one without words is none."""
        if text.strip():
            self._close()
            above = tuple((at, name) for at, name in self._path if at < level)
            self._path = (*above, (level, text.strip()))

    def paragraph(self, text: str) -> None:
        """Add a block that stands by itself."""
        self._add(text, "\n\n", None)

    def line(self, text: str, run: object) -> None:
        """Add a row or an item; those of the same `run` follow each other."""
        self._add(text, "\n" if self._run in {None, run} else "\n\n", run)

    def document(self, name: str, details: SourceMetadata) -> Document:
        """Return what was written; the title is the first heading where there is no other."""
        self._close()
        if not self._parts:
            message = "no text was found in it"
            raise KnowledgeError(message, "without_text")
        return Document(
            id=name,
            title=details.title or self.first_heading or PurePosixPath(name).stem,
            text="".join(self._parts),
            sections=tuple(self._sections),
            url=details.url,
            language=details.language,
            tags=details.tags,
            audience=details.audience,
            valid_from=details.valid_from,
            valid_until=details.valid_until,
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
