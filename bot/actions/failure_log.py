"""Says in the log why an action server failed, and nothing of what the customer told."""

import logging
from typing import Final

from bot.actions.calls import ActionCall, ActionResult
from bot.core.privacy import redact

_logger = logging.getLogger(__name__)

_LONGEST_REASON: Final = 200
_SHORTEST_VALUE: Final = 3  # of slots that are kept out of the log


def failure(call: ActionCall, failed: str, why: str) -> ActionResult:
    """Return a failed result; its reason goes to the log without words or slots of the customer."""
    for value in sorted((call.text, *call.slots.values()), key=len, reverse=True):
        if len(value) >= _SHORTEST_VALUE:
            why = why.replace(value, "[…]")
    why = " ".join(redact(why).split())[:_LONGEST_REASON]
    _logger.warning("%s failed on the action server (%s): %s", call.name, failed, why)
    return ActionResult((), failed=failed)
