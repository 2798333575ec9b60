"""Simple entities by pattern, with offsets into the message and a normal form."""

import re
from collections.abc import Mapping
from typing import Final

from bot.types import Entity

_FULL_WIDTH: Final = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    0x3000: 0x20,
    0xFFE5: 0xA5,
}
BUILT_IN: Final[Mapping[str, str]] = {
    "email": r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+",
    "date": r"(?:19|20)\d\d[-./]\d{1,2}[-./]\d{1,2}|(?:\d{4}年)?\d{1,2}月\d{1,2}[日号]",
    "phone": r"(?<![A-Za-z0-9_.$€£¥])(?:\+|00)?\(?\d(?:[ ()\-./]{0,2}\d){7,14}(?![A-Za-z0-9_%])",
    "money": r"(?:[$€£¥]\s?\d+(?:[.,]\d+)*)|(?:\d+(?:[.,]\d+)*\s?(?:dollars?|usd|美元|元|块))",
}


class EntityFinder:
    """Finds entities by the built-in patterns and those of the home's policy."""

    def __init__(self, patterns: Mapping[str, str]) -> None:
        """Compile the patterns; the home's own come first and win where two overlap."""
        merged = {**patterns, **{k: v for k, v in BUILT_IN.items() if k not in patterns}}
        self._patterns = {name: re.compile(p, re.IGNORECASE) for name, p in merged.items()}

    def find(self, text: str) -> tuple[Entity, ...]:
        """Return the entities of a message in the order they stand there."""
        narrow = text.translate(_FULL_WIDTH)  # one character for one: offsets stay true
        taken: list[Entity] = []
        for name, pattern in self._patterns.items():
            for match in pattern.finditer(narrow):
                start, end = match.span()
                if all(end <= other.start or start >= other.end for other in taken):
                    value = re.sub(r"\s+", "", match[0]).upper()
                    taken.append(Entity(name, value, text[start:end], start, end))
        return tuple(sorted(taken, key=lambda entity: entity.start))
