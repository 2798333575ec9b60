"""Filters for passages by language, audience, tags and validity."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from knowledge_base.documents import Document

STAFF: Final = frozenset({"staff", "agent", "agents", "internal"})  # hidden from customers
_ALWAYS: Final = (0, 10**7)  # days, as ordinals: before and after all dates


@dataclass(frozen=True)
class PassageFilter:
    """Conditions that a passage must fulfil; an empty field sets no condition.

    A passage without a language, or without an audience, matches all of them. `tags` matches
    passages with any of them, `on` passages that are valid on that day.
    """

    languages: frozenset[str] = field(default=frozenset())
    audiences: frozenset[str] = field(default=frozenset())
    hidden: frozenset[str] = field(default=frozenset())
    tags: frozenset[str] = field(default=frozenset())
    on: date | None = None

    @classmethod
    def public(cls, today: date) -> Self:
        """Return the filter for what customers may read today."""
        return cls(hidden=STAFF, on=today)


@dataclass(frozen=True)
class FilterFields:
    """The fields that filters use, as arrays with one entry per row.

    `language` and `audience` are numbers in `names`, -1 for none; the tags of row i are
    `tags[starts[i]:starts[i + 1]]`; days are ordinals.
    """

    names: tuple[str, ...]
    language: NDArray[np.int32]
    audience: NDArray[np.int32]
    tags: NDArray[np.int32]
    starts: NDArray[np.int64]
    since: NDArray[np.int32]
    until: NDArray[np.int32]

    @classmethod
    def from_documents(cls, documents: Sequence[Document]) -> Self:
        """Return the fields of the rows; each row has the fields of its document."""
        numbers: dict[str, int] = {}

        def number(name: str) -> int:
            return numbers.setdefault(name, len(numbers))

        tags = [[number(tag) for tag in document.tags] for document in documents]
        return cls(
            language=_array(number(d.language) if d.language else -1 for d in documents),
            audience=_array(number(d.audience) if d.audience else -1 for d in documents),
            tags=_array(tag for row in tags for tag in row),
            starts=np.cumsum([0, *map(len, tags)], dtype=np.int64),
            since=_array(_day(d.valid_from, _ALWAYS[0]) for d in documents),
            until=_array(_day(d.valid_until, _ALWAYS[1]) for d in documents),
            names=tuple(numbers),
        )

    def matching_rows(self, passage_filter: PassageFilter) -> NDArray[np.bool_] | None:
        """Return which rows match, shape (n,); None when all do."""
        fits = np.ones(len(self.language), dtype=bool)
        if passage_filter.languages:
            fits &= self._one_of(self.language, passage_filter.languages) | (self.language < 0)
        if passage_filter.audiences:
            fits &= self._one_of(self.audience, passage_filter.audiences) | (self.audience < 0)
        if passage_filter.hidden:
            fits &= ~self._one_of(self.audience, passage_filter.hidden)
        if passage_filter.tags:
            rows = np.repeat(np.arange(len(fits)), np.diff(self.starts))
            tagged = np.zeros(len(fits), dtype=bool)
            tagged[rows[self._one_of(self.tags, passage_filter.tags)]] = True
            fits &= tagged
        if passage_filter.on is not None:
            day = passage_filter.on.toordinal()
            fits &= (self.since <= day) & (day <= self.until)
        return None if fits.all() else fits

    def _one_of(self, values: NDArray[np.int32], names: Iterable[str]) -> NDArray[np.bool_]:
        accepted = set(names)
        return np.isin(values, [n for n, name in enumerate(self.names) if name in accepted])

    def save(self, path: Path) -> None:
        """Write the arrays to one .npz file."""
        arrays: dict[str, Any] = {k: v for k, v in vars(self).items() if k != "names"}
        np.savez(path, names=np.array(self.names, dtype=np.str_), **arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            fields = {name: arrays[name] for name in arrays.files}
        return cls(**{**fields, "names": tuple(map(str, fields["names"]))})


def _array(values: Iterable[int]) -> NDArray[np.int32]:
    return np.fromiter(values, dtype=np.int32)


def _day(text: str | None, default: int) -> int:
    return date.fromisoformat(text).toordinal() if text else default
