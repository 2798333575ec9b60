"""Dialogue acts: whether a customer requests an action or asks a question about it.

"Send it back" and "can it be sent back?" have the same intent and different routes. The model is
trained on transcripts whose turns are labelled with their route; a home without them has patterns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from bot.core.types import CarelineError
from bot.nlu.binary_classifier import BinaryClassifier
from bot.nlu.intent_classifier import QueryEncoder

FOLDER: Final = "wishing"  # the name inside model versions
_DETAILS: Final = "wishing.json"


@dataclass(frozen=True)
class DialogueActClassifier:
    """A fitted model of requests and questions, and the intents it was fitted on."""

    classifier: BinaryClassifier
    intents: frozenset[str]

    def scores(self, encoder: QueryEncoder, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability that each turn is a request, shape (n,)."""
        return self.classifier.scores(encoder, texts)

    def save(self, folder: Path) -> None:
        """Write the model into a folder of its own."""
        self.classifier.save(folder, _DETAILS, intents=sorted(self.intents))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; raise CarelineError if it is damaged."""
        classifier, details = BinaryClassifier.load(folder, _DETAILS)
        if "intents" not in details:
            message = f"{folder / _DETAILS} names no intents; run `careline train` again"
            raise CarelineError(message)
        return cls(classifier, frozenset(details["intents"]))
