"""A message together with what was said before it, as one text for the classifier.

"And to Norway?" means nothing alone. A model that was trained on dialogs reads each message with
the reply and the customer message before it.
"""

import re
from typing import Final

from bot.core.privacy import masked

_SEPARATOR: Final = " ‖ "
_NUMBER: Final = re.compile(r"\d{4,}")
_CHARACTERS: Final = 90  # of each earlier text; its beginning says what it is about


def neutral(text: str) -> str:
    """Return a text whose addresses and long numbers are all alike; offsets still hold.

    They say nothing about what is wanted, and lead a model astray: each is one it has never seen.
    """
    return _NUMBER.sub(lambda number: "0" * len(number[0]), masked(text))


def in_context(text: str, customer: str | None, reply: str | None) -> str:
    """Return a message with the customer's message and the reply before it, newest first."""
    earlier = [part[:_CHARACTERS].strip() for part in (reply, customer) if part]
    return _SEPARATOR.join(map(neutral, [text, *earlier]))


def message_of(text: str) -> str:
    """Return the message alone of what `in_context` made."""
    return text.split(_SEPARATOR, 1)[0]
