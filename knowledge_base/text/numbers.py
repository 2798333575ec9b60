"""Numbers as customers write them: digits, English words, Chinese numerals."""

import re
from decimal import Decimal
from typing import Final

_UNITS: Final = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS: Final = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90,
}  # fmt: skip
_SCALES: Final = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_WORD: Final = "|".join(sorted({*_UNITS, *_TENS, *_SCALES} - {"zero"}, key=len, reverse=True))
# Sources of regular expressions, to be used in larger ones.
DIGITS: Final = r"[0-9]+(?:[.,][0-9]+)*"
ENGLISH: Final = (
    rf"(?:a (?=hundred|thousand))?(?:{_WORD})"
    rf"(?:(?:[ -]|(?<=hundred) and |(?<=thousand) and )(?:{_WORD}))*"
)
CHINESE: Final = r"[零〇一二两三四五六七八九十俩仨][零〇一二两三四五六七八九十百千万亿]*"

_FIGURES: Final = {character: value for value, character in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
    "俩": 2,
    "仨": 3,
}
_STEPS: Final = {"十": 10, "百": 100, "千": 1000}
_MULTIPLES: Final = {"万": 10_000, "亿": 100_000_000}
_LETTER_MULTIPLES: Final = {"k": 1000, "m": 1_000_000, "百": 100, "千": 1000, **_MULTIPLES}
_THOUSANDS: Final = 3  # digits after a thousands separator
_DIGITS_ONLY: Final = re.compile(r"[零〇一二三四五六七八九]{2,}")


def parse(text: str) -> Decimal | None:
    """Return the number that the whole text is; None if it is none or a vague one."""
    text = text.strip().lower()
    if not text:
        return None
    if text[0].isascii() and text[0].isdigit():
        multiple = _LETTER_MULTIPLES.get(text[-1])
        figure = _from_digits(text[:-1].rstrip() if multiple else text)
        return figure * multiple if multiple and figure is not None else figure
    value = from_english(text) if text.isascii() else from_chinese(text)
    return None if value is None else Decimal(value)


def plain(value: Decimal) -> str:
    """Format a count or amount without needless zeros: `3`, `12.50`."""
    whole = value.to_integral_value()
    return f"{whole:f}" if value == whole else f"{value:.2f}"


def _from_digits(text: str) -> Decimal | None:
    if not text.isascii() or not text.replace(".", "").replace(",", "").isdigit():
        return None
    head, separator, tail = text, "", ""
    at = max(text.rfind("."), text.rfind(","))
    if at >= 0:
        head, separator, tail = text[:at], text[at], text[at + 1 :]
    grouped = len(tail) == _THOUSANDS and (separator == "," or "." in head)
    digits = head.replace(".", "").replace(",", "")
    return Decimal(digits + tail if grouped or not tail else f"{digits or '0'}.{tail}")


def from_english(text: str) -> int | None:
    """Return the value of number words, `one hundred and twenty`; None for a mere list of them."""
    total, group, room = 0, 0, 1_000_000
    for word in text.lower().replace("-", " ").split():
        if word in {"a", "and"}:
            group = group or int(word == "a")
        elif word in _SCALES:
            group, total, room = _scale(group or 1, total, _SCALES[word])
        else:
            value = _UNITS.get(word, _TENS.get(word))
            if value is None or value >= room:
                return None
            group += value
            room = 10 if word in _TENS else 1
    return total + group


def _scale(group: int, total: int, scale: int) -> tuple[int, int, int]:
    if scale == _SCALES["hundred"]:
        return group * scale, total, scale
    return 0, total + group * scale, scale


def from_chinese(text: str) -> int | None:
    """Return the value of Chinese numerals, `两百五`, `二〇二六`; None for `两三` and the like."""
    if _DIGITS_ONLY.fullmatch(text):
        years = len(text) > 2 or text[0] in "零〇"  # noqa: PLR2004 - two in a row are a guess
        return int("".join(str(_FIGURES[character]) for character in text)) if years else None
    total, section, figure, step = 0, 0, -1, 0
    for character in text:
        if character in _FIGURES:
            if figure > 0:
                return None
            figure = _FIGURES[character]
            step = 1 if figure == 0 else step
        elif character in _STEPS:
            section += (1 if figure < 0 else figure) * _STEPS[character]
            figure, step = -1, _STEPS[character]
        elif character in _MULTIPLES:
            total = (total + section + max(figure, 0)) * _MULTIPLES[character]
            section, figure, step = 0, -1, _MULTIPLES[character]
        else:
            return None
    if figure > 0 and step > _STEPS["十"]:
        figure *= step // 10  # 两百五 is 250, 一万二 is 12,000
    return total + section + max(figure, 0)
