"""Defects of a single text: damaged characters, too little or too much text. Pure."""

import re
from typing import Final

_LONG: Final = 1_000  # characters; the encoders read about the first five hundred
_SHORT: Final = 1
_REPLACEMENT: Final = "\ufffd"
_ENTITY: Final = re.compile(
    r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{2,5}|#x[0-9a-f]{2,5});", re.IGNORECASE
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_INVISIBLE: Final = re.compile(r"[\u200b\u2060\ufeff]")
_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_MIN_HAN: Final = 3  # fewer Chinese characters can be valid in another encoding by chance


def _narrow(byte: int) -> str:
    """Return the character for a byte if UTF-8 is decoded as Western European."""
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


_BYTES: Final = {_narrow(byte): byte for byte in range(0x80, 0x100)}
_NEXT: Final = "[" + re.escape("".join(_narrow(byte) for byte in range(0x80, 0xC0))) + "]"
# The first bytes of characters with two (¡ to ÿ), three and four bytes in UTF-8.
_GARBLED: Final = re.compile(f"[ÂÃ]{_NEXT}|[à-ï]{_NEXT}{{2}}|ð{_NEXT}{{3}}")


def find_damage(text: str) -> tuple[str, str | None] | None:
    """Return what is wrong with a text's characters, and the repaired text if it is certain."""
    if _REPLACEMENT in text:
        return "replacement characters: the original letters are lost", None
    repaired = _GARBLED.sub(_repair, text)
    if repaired != text:
        return "UTF-8 that was read as Western European", repaired
    if chinese := _from_gbk(text):
        return "UTF-8 that was read as GBK", chinese
    if _ENTITY.search(text):
        import html

        return "HTML entities", html.unescape(text)
    for pattern, name in ((_CONTROL, "control characters"), (_INVISIBLE, "invisible characters")):
        if pattern.search(text):
            return name, pattern.sub("", text)
    return None


def _repair(match: re.Match[str]) -> str:
    raw = bytes(_BYTES[character] for character in match[0])
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return match[0]


def _from_gbk(text: str) -> str | None:
    if len(_HAN.findall(text)) < _MIN_HAN:
        return None
    try:
        repaired = text.encode("gbk").decode("utf-8")
    except UnicodeError:
        return None
    return repaired if _HAN.search(repaired) else None


def find_size_defect(text: str) -> str | None:
    """Return `empty`, `short` or `long` for texts with nothing to learn, or too much."""
    if not text.strip():
        return "empty"
    if len(text.strip()) <= _SHORT:
        return "short"
    return "long" if len(text) > _LONG else None
