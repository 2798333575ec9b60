"""Traditional and Simplified Chinese made equal for matching."""

from typing import Final

from knowledge_base.han_characters import SIMPLIFIED, TRADITIONAL

_TO_SIMPLIFIED: Final = {
    ord(old): ord(new) for old, new in zip(TRADITIONAL, SIMPLIFIED, strict=True)
}


def simplified(text: str) -> str:
    """Return a text for matching: one character for one, so that offsets stay true."""
    return text.translate(_TO_SIMPLIFIED)
