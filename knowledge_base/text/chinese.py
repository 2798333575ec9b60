"""Detection of Chinese characters, and mapping of Traditional to Simplified ones."""

import re
from typing import Final

from knowledge_base.text.han_characters import SIMPLIFIED, TRADITIONAL

_HAN = re.compile(r"[\u3400-\u9fff]")
_TO_SIMPLIFIED: Final = {
    ord(old): ord(new) for old, new in zip(TRADITIONAL, SIMPLIFIED, strict=True)
}


def has_chinese(text: str) -> bool:
    """Return whether a text contains Chinese characters."""
    return _HAN.search(text) is not None


def simplified(text: str) -> str:
    """Return a text in Simplified characters, one for one, so that offsets stay valid."""
    return text.translate(_TO_SIMPLIFIED)
