"""What came before bears on what is meant: how intents follow one another in real dialogs.

A message of a conversation is read like a step of a hidden Markov model (Rabiner, 1989): the
classifier's probabilities, divided by its prior, times the chance of each intent after the last
one. Three numbers are learned from transcripts, so that few dialogs are enough: how often a
conversation stays with its subject, which subjects it changes to, and which it starts with.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.nlu.datasets import Conversation
from bot.types import Role

_SMOOTHING: Final = 0.5  # added to each count
_ENOUGH_TURNS: Final = 50
_STRENGTH: Final = 0.7  # below 1, because neighbouring messages are not independent
_PLEASANTRIES: Final = frozenset({"thanks", "greeting"})  # they do not change the subject


@dataclass(frozen=True)
class Transitions:
    """How likely a conversation stays with its intent, and what it changes to or starts with."""

    stay: float
    change: dict[str, float] = field(default_factory=dict)
    start: dict[str, float] = field(default_factory=dict)

    def follow(
        self,
        probabilities: NDArray[np.float64],
        previous: Sequence[str | None],
        labels: Sequence[str],
    ) -> NDArray[np.float64]:
        """Return probabilities, shape (n, classes), given the intent before each message."""
        even = 1.0 / len(labels)
        change = np.array([self.change.get(label, even) for label in labels])
        start = np.array([self.start.get(label, even) for label in labels])
        place = {label: number for number, label in enumerate(labels)}
        rows = []
        for row, before in zip(probabilities, previous, strict=True):
            weights = start
            if before is not None:
                weights = (1.0 - self.stay) * change
                if before in place:
                    weights = weights.copy()
                    weights[place[before]] += self.stay
            moved = row * (weights / even) ** _STRENGTH
            rows.append(moved / moved.sum())
        return np.stack(rows)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def learn(conversations: Iterable[Conversation], labels: Sequence[str]) -> Transitions | None:
    """Count how intents follow one another; None when there are too few annotated turns."""
    change = dict.fromkeys(labels, _SMOOTHING)
    start = dict.fromkeys(labels, _SMOOTHING)
    stayed = moved = 0
    for conversation in conversations:
        before: str | None = None
        for turn in conversation.turns:
            if turn.role is not Role.CUSTOMER or turn.intent is None or turn.intent not in change:
                continue
            if before is None:
                start[turn.intent] += 1
            elif turn.intent == before:
                stayed += 1
            else:
                moved += 1
                change[turn.intent] += 1
            if turn.intent not in _PLEASANTRIES:
                before = turn.intent
    if stayed + moved < _ENOUGH_TURNS:
        return None
    return Transitions(stayed / (stayed + moved), _shares(change), _shares(start))


def _shares(counts: dict[str, float]) -> dict[str, float]:
    total = sum(counts.values())
    return {label: count / total for label, count in counts.items()}
