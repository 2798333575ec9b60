"""Chinese characters: found, and Traditional and Simplified ones made equal for matching."""

import re
from typing import Final

from knowledge_base.text.han_characters import SIMPLIFIED, TRADITIONAL

_HAN = re.compile(r"[\u3400-\u9fff]")
_TO_SIMPLIFIED: Final = {
    ord(old): ord(new) for old, new in zip(TRADITIONAL, SIMPLIFIED, strict=True)
}


def has_chinese(text: str) -> bool:
    """Tell whether there are Chinese characters in a text."""
    return _HAN.search(text) is not None


def simplified(text: str) -> str:
    """Return a text for matching: one character for one, so that offsets stay true."""
    return text.translate(_TO_SIMPLIFIED)
