"""Removal of personal data from texts before they are stored or logged. Pure."""

import re
from collections.abc import Iterator
from typing import Final

_EMAIL = re.compile(
    r"[A-Za-z0-9._%+\-\u00c0-\u024f]+@[A-Za-z0-9\-\u00c0-\u024f]+"
    r"(?:\.[A-Za-z0-9\-\u00c0-\u024f]+)+"
)
_DIGITS = re.compile(r"(?<![\dA-Za-z])\d(?:[ \-.]{0,2}\d){12,}")
# At least eight digits with the usual separators of phone numbers; order numbers start with a
# letter and amounts have a currency or decimals, so neither matches.
_PHONE = re.compile(
    r"(?<![A-Za-z0-9_.$€£¥])(?:\+|00)?\(?\d(?:[ ()\-./]{0,2}\d){7,14}(?![A-Za-z0-9_%])"
)
_DATE = re.compile(r"(?:19|20)\d\d[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d")
_FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_GIFT_CARD_DIGITS: Final = 16
_MIN_CARD_DIGITS: Final = 13
_MAX_CARD_DIGITS: Final = 19


def redact(text: str) -> str:
    """Replace card numbers, e-mail addresses and phone numbers by `[card]`, `[email]`, `[phone]`.

    Full-width digits count as digits. Dates and order numbers are kept. The text is redacted until
    nothing changes, since a replacement can make another match possible.
    """
    while (shorter := _redact_once(text)) != text:
        text = shorter
    return text


def mask(text: str) -> str:
    """Replace personal data by labels of the same length, so that offsets stay valid."""
    for start, end, label in _spans(text):
        text = text[:start] + label[: end - start].ljust(end - start) + text[end:]
    return text


def _redact_once(text: str) -> str:
    pieces: list[str] = []
    at = 0
    for start, end, label in _spans(text):
        pieces += [text[at:start], label]
        at = end
    return "".join([*pieces, text[at:]])


def _spans(text: str) -> list[tuple[int, int, str]]:
    narrow = text.translate(_FULL_WIDTH)  # one character for one, so that offsets stay valid
    matches = [(match.span(), "[email]") for match in _EMAIL.finditer(narrow)]
    matches += [(span, "[card]") for run in _DIGITS.finditer(narrow) for span in _cards(run)]
    matches += [
        (match.span(), "[phone]") for match in _PHONE.finditer(narrow) if not _DATE.search(match[0])
    ]
    return _merge(matches)


def _merge(matches: list[tuple[tuple[int, int], str]]) -> list[tuple[int, int, str]]:
    """Merge overlapping spans under the label of the longest, so that all parts are replaced."""
    spans: list[tuple[int, int, str, int]] = []
    for (start, end), label in sorted(matches):
        if spans and start < spans[-1][1]:
            first, last, name, size = spans.pop()
            longest = (label, end - start) if end - start > size else (name, size)
            spans.append((first, max(last, end), *longest))
        else:
            spans.append((start, end, label, end - start))
    return [(start, end, label) for start, end, label, _ in spans]


def _cards(run: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Yield the spans of whole groups of digits that are a card number, whatever surrounds them."""
    groups = [match.span() for match in re.finditer(r"\d+", run[0])]
    for first, (start, _) in enumerate(groups):
        for _, end in groups[first:]:
            text = run[0][start:end]
            size = sum(character.isdigit() for character in text)
            if size > _MAX_CARD_DIGITS:
                break
            if size >= _MIN_CARD_DIGITS and not _DATE.search(text) and _is_card(text):
                yield run.start() + start, run.start() + end


def _is_card(text: str) -> bool:
    """Return whether digits are a payment card by its check digit (Luhn), or a 16-digit code."""
    digits = [int(character) for character in text if character.isdigit()]
    if len(digits) == _GIFT_CARD_DIGITS:
        return True
    total = sum(digits[-1::-2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return total % 10 == 0
