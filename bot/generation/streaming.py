"""Splitting of replies for streaming."""

import re
from collections.abc import Iterator


def pieces(text: str) -> Iterator[str]:
    """Yield a text in pieces for streaming: words, or a few Han characters."""
    yield from re.findall(
        r"[\u3400-\u9fff\u3000-\u303f\uff00-\uffef]{1,4}|[^\S\n]*\S+\s*|\s+", text
    )
