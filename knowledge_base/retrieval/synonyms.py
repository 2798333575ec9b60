"""Synonyms of one business: a query in one wording also finds the other."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Self

import yaml

from knowledge_base.documents import KnowledgeError
from knowledge_base.text.chinese import simplified

_MAX_VARIANTS: Final = 6
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True)
class Synonyms:
    """Groups of interchangeable terms."""

    groups: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a YAML list of lists; no file means no synonyms."""
        if not path.exists():
            return cls()
        try:
            rows = yaml.safe_load(path.read_text(encoding="utf-8")) or []
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            message = f"{path} cannot be read: {str(error).splitlines()[0]}"
            raise KnowledgeError(message) from error
        for number, row in enumerate(rows if isinstance(rows, list) else [rows], start=1):
            if not isinstance(row, list) or not all(isinstance(term, str) for term in row):
                message = f"{path}: group {number} must be a list of terms, like [parcel, package]"
                raise KnowledgeError(message)
        return cls(tuple(tuple(simplified(term.lower()) for term in row) for row in rows))

    @cached_property
    def _group_of(self) -> dict[str, tuple[str, ...]]:
        return {term: group for group in self.groups for term in group}

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self._group_of, key=len, reverse=True)
        return re.compile("|".join(map(_term_pattern, longest_first)) or r"(?!)", re.IGNORECASE)

    def variants(self, query: str) -> list[str]:
        """Return the query in other wordings, one term replaced in each; at most six."""
        plain = simplified(query.lower())
        return list(dict.fromkeys(self._variants(plain)))[:_MAX_VARIANTS]

    def _variants(self, plain: str) -> Iterator[str]:
        for match in self._pattern.finditer(plain):
            for other in self._group_of[match[0].lower()]:
                if other != match[0]:
                    yield plain[: match.start()] + other + plain[match.end() :]


def _term_pattern(term: str) -> str:
    """Return a pattern for a whole term; Chinese has no spaces between words."""
    escaped = re.escape(term)
    return escaped if _HAN.search(term) else rf"(?<!\w){escaped}(?!\w)"
