"""Personal data out of a text before it is written anywhere. Pure."""

import re
from typing import Final

_EMAIL = re.compile(
    r"[A-Za-z0-9._%+\-\uff0e\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]+[@\uff20]"
    r"[A-Za-z0-9\-]+(?:[.\uff0e][A-Za-z0-9\-]+)+"
)
_CARD = re.compile(r"(?<![\dA-Za-z])\d(?:[ \-.]{0,2}\d){12,18}(?!\d)")
# At least eight digits with the separators people write in phone numbers; order numbers start
# with a letter and amounts have a currency or decimals, so neither is taken for one.
_PHONE = re.compile(r"(?<![\w.$€£¥])(?:\+|00)?\(?\d(?:[ ()\-./]{0,2}\d){7,14}(?![\w%])")
_DATE = re.compile(r"(?:19|20)\d\d[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d")
_FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF1A)}
_GIFT_CARD_DIGITS: Final = 16


def redact(text: str) -> str:
    """Replace card numbers, e-mail addresses and phone numbers by `[card]`, `[email]`, `[phone]`.

    Full-width digits count as digits. Dates and order numbers stay.
    """
    narrow = text.translate(_FULL_WIDTH)  # one character for one: offsets agree
    found = [(match.span(), "[email]") for match in _EMAIL.finditer(text)]
    found += [(match.span(), "[card]") for match in _CARD.finditer(narrow) if _is_card(match[0])]
    found += [
        (match.span(), "[phone]") for match in _PHONE.finditer(narrow) if not _DATE.search(match[0])
    ]
    longest_first = sorted(found, key=lambda item: (item[0][0], -item[0][1]))
    pieces: list[str] = []
    at = 0
    for (start, end), label in longest_first:
        if start >= at:
            pieces += [text[at:start], label]
            at = end
    return "".join([*pieces, text[at:]])


def _is_card(found: str) -> bool:
    """Tell whether digits are a payment card by its check digit (Luhn), or a 16-digit code."""
    digits = [int(character) for character in found if character.isdigit()]
    if len(digits) == _GIFT_CARD_DIGITS:
        return True
    total = sum(digits[-1::-2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return total % 10 == 0
