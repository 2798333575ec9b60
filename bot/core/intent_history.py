"""Intent history of a conversation: intent probabilities with decay from turn to turn. Pure."""

from collections.abc import Sequence
from typing import Final

from bot.core.types import IntentScore

DECAY: Final = 0.5  # weight of an earlier turn relative to the one after it
_MIN_WEIGHT: Final = 0.01  # intents with less are dropped

IntentHistory = tuple[tuple[str, float], ...]  # intents and their weights, the highest first


def update_history(before: IntentHistory, ranking: Sequence[IntentScore]) -> IntentHistory:
    """Return the intent history after one more message of the customer."""
    counts = {intent: DECAY * count for intent, count in before}
    for score in ranking:
        counts[score.intent] = counts.get(score.intent, 0.0) + score.confidence
    weights = [
        (intent, round(count, 4)) for intent, count in counts.items() if count >= _MIN_WEIGHT
    ]
    return tuple(sorted(weights, key=lambda pair: (-pair[1], pair[0])))
