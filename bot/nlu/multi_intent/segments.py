"""Segmentation of a message: the positions where one request may end and the next begin. Pure.

`splitter` decides which of them are real, from the meanings of the parts.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

_MIN_WORDS: Final = 2  # a shorter part is not a request
_MIN_HAN: Final = 3
_MAX_JOINTS: Final = 200  # joints that are tried
_CONTEXT: Final = 200  # characters on each side of a joint that are checked for words
_MAX_BOUNDARIES: Final = 12  # a long message without structure has dozens
_HAN = re.compile(r"[\u3400-\u9fff]")
_SENTENCE = re.compile(r"\S[^.?!;。？！；\n]*[.?!;。？！；]*")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
# What joins two requests and belongs to neither. No alternative starts inside a run of blanks, and
# possessive quantifiers avoid backtracking: a message of thousands of blanks is read in no time.
_JOINT = re.compile(
    r"""
    (?<=[.?!;…])["')\]]*\s+(?:(?:and|also|plus|oh|then|so|but)\b[,:]?\s+)*(?:also\b,?\s+)?
    | (?<!\s)(?:\s*+[,;–—-])?+\s++(?:(?:and\s+also|and\s+then|and|also|plus|but\s+also|
        as\s+well\s+as|oh\s+and|another\s+(?:thing|question)\s*(?:is|:|,)?|besides|
        additionally)\b|&)[,:]?\s+(?:also\s+)?
    | ,\s+(?=(?:how|what|when|where|why|which|who|can|could|do|does|is|are|will|would|may|i)\b)
    | (?:(?<!\s)|(?!\s))[^\S\n]*+\n\s*
    | (?:(?<!\s)|(?!\s))\s*+[。？！；…]+\s*(?:还有|還有|另外|以及|顺便(?:问一下)?|順便(?:問一下)?|
        同时|同時|而且|并且|並且|再问一下|对了|對了|然后|然後)?[，,]?\s*
    | (?:(?<!\s)|(?!\s))(?:\s*+[，,、])?+\s*+(?:还有就是|還有就是|还有|還有|另外|以及|
        顺便(?:问一下|问下)?|順便(?:問一下)?|同时|同時|而且|并且|並且|再问一下|对了|對了|
        然后|然後)[，,：:]?\s*
    | (?:(?<!\s)|(?!\s))\s*+，\s*
    """,
    re.VERBOSE | re.IGNORECASE,
)


def boundaries(text: str) -> list[tuple[int, int]]:
    """Return (end of the left part, start of the right part) of each possible boundary."""
    return list(islice(_boundaries(text), _MAX_BOUNDARIES))


def _boundaries(text: str) -> Iterator[tuple[int, int]]:
    for match in islice(_JOINT.finditer(text), _MAX_JOINTS):
        start, end = match.span()
        before, after = text[max(0, start - _CONTEXT) : start], text[end : end + _CONTEXT]
        if _has_words(before) and _has_words(after):
            yield start, end


def _has_words(part: str) -> bool:
    return len(_WORD.findall(part)) >= _MIN_WORDS or len(_HAN.findall(part)) >= _MIN_HAN


def sentences(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of the sentences that have words."""
    spans = [match.span() for match in _SENTENCE.finditer(text)]
    return [(start, end) for start, end in spans if _has_words(text[start:end])][:_MAX_BOUNDARIES]
