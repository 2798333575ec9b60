"""A message and the ones before it, as one text for the classifier.

"And to Norway?" cannot be understood alone. A model trained on dialogs reads each message with the
reply and the customer message before it.
"""

import re
from typing import Final

from bot.core.privacy import mask

_SEPARATOR: Final = " ‖ "
_NUMBER: Final = re.compile(r"\d{4,}")
_CHARACTERS: Final = 90  # of each earlier text; its beginning is enough to show the subject


def neutral(text: str) -> str:
    """Return a text with uniform addresses and long numbers; offsets stay.

    They do not help to find the intent, and mislead a model, which has never seen each of them.
    """
    return _NUMBER.sub(lambda number: "0" * len(number[0]), mask(text))


def in_context(text: str, customer: str | None, reply: str | None) -> str:
    """Return a message with the customer's message and the reply before it, newest first."""
    earlier = [part[:_CHARACTERS].strip() for part in (reply, customer) if part]
    return _SEPARATOR.join(map(neutral, [text, *earlier]))


def message_of(text: str) -> str:
    """Return the message without the context that `in_context` added."""
    return text.split(_SEPARATOR, 1)[0]
