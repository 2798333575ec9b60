"""What a conversation has been about: the chances of its intents, fading turn by turn. Pure."""

from collections.abc import Sequence
from typing import Final

from bot.core.types import IntentScore

DECAY: Final = 0.5  # what an earlier turn counts beside the one after it
_LEAST: Final = 0.01  # what counts less is left out

IntentHistory = tuple[tuple[str, float], ...]  # intents, the likeliest first, and what they count


def update_history(before: IntentHistory, ranking: Sequence[IntentScore]) -> IntentHistory:
    """Return what a conversation is about after one more message of the customer's."""
    counts = {intent: DECAY * count for intent, count in before}
    for score in ranking:
        counts[score.intent] = counts.get(score.intent, 0.0) + score.confidence
    kept = [(intent, round(count, 4)) for intent, count in counts.items() if count >= _LEAST]
    return tuple(sorted(kept, key=lambda pair: (-pair[1], pair[0])))
