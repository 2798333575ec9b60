"""Log entries about failed action servers, without data of the customer."""

import logging
from typing import Final

from bot.actions.calls import ActionCall, ActionResult
from bot.core.privacy import redact

_logger = logging.getLogger(__name__)

_MAX_REASON: Final = 200  # characters
_MIN_VALUE: Final = 3  # characters of a text or slot that is removed from the log


def failure(call: ActionCall, reason: str, details: str) -> ActionResult:
    """Return a failed result; log the reason without texts or slots of the customer."""
    for value in sorted((call.text, *call.slots.values()), key=len, reverse=True):
        if len(value) >= _MIN_VALUE:
            details = details.replace(value, "[…]")
    details = " ".join(redact(details).split())[:_MAX_REASON]
    _logger.warning("%s failed on the action server (%s): %s", call.name, reason, details)
    return ActionResult((), failed=reason)
