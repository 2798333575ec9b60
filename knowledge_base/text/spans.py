"""Shared types of the entity extractors: a value with its span, and width normalisation."""

from typing import Final, NamedTuple

_FULL_WIDTH: Final = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    0x3000: 0x20,
    0xFFE5: 0xA5,
    0xFFE1: 0xA3,
    0xA0: 0x20,
    0x2019: 0x27,
    0x2013: 0x2D,
}


class ValueSpan(NamedTuple):
    """A value at `text[start:end]`."""

    kind: str
    value: str
    start: int
    end: int


def narrow(text: str) -> str:
    """Return a text with half-width letters and digits, one character for one."""
    return text if text.isascii() else text.translate(_FULL_WIDTH)
