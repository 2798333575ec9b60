"""File types by content; the declared type is ignored. Pure."""

import re
import unicodedata
from typing import Final

TEXT: Final = "text/plain"
IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_STARTS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
_SPACES: Final = frozenset("\t\n\r\f")
_MAX_NAME: Final = 100


def kind(content: bytes) -> str | None:
    """Return the media type of a PNG, JPEG, GIF, WebP, PDF or UTF-8 text; None for others."""
    for start, media_type in _STARTS:
        if content.startswith(start):
            return media_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return TEXT if _is_text(content) else None


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return bool(text.strip()) and all(c >= " " or c in _SPACES for c in text)


def safe_name(name: str) -> str:
    """Return a file name without folders, control characters and direction marks."""
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(c for c in last if not unicodedata.category(c).startswith("C"))
    stem, dot, suffix = " ".join(plain.split()).rpartition(".")
    if dot and len(suffix) <= 10:  # noqa: PLR2004 — longer ones are not suffixes
        return f"{stem[: _MAX_NAME - len(suffix)]}.{suffix}" if stem else f"file.{suffix}"
    return " ".join(plain.split())[:_MAX_NAME] or "file"
