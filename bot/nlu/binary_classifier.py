"""A linear yes/no classifier of messages in their conversation.

It is a linear model on the sentence embedding of `context.in_context` and on its n-grams, with a
calibrated temperature: the same kind of model as the intent classifier.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bot.core.types import CarelineError
from bot.nlu.calibration import softmax
from bot.nlu.intent_classifier import LinearHead, QueryEncoder
from bot.nlu.ngrams import NgramHead
from knowledge_base.atomic_files import write_json


@dataclass(frozen=True)
class BinaryClassifier:
    """A fitted model; class 1 is "yes"."""

    head: LinearHead
    sparse: NgramHead
    temperature: float

    def scores(self, encoder: QueryEncoder, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability of "yes" for each text, shape (n,).

        Args:
            encoder: The encoder the model was fitted on.
            texts: The output of `context.in_context` for each message.
        """
        logits = self.head.logits(encoder.queries(texts)) + self.sparse.logits(texts)
        return softmax(logits, self.temperature)[:, 1]

    def save(self, folder: Path, name: str, **details: Any) -> None:
        """Write the model and `details` into a folder; `name` is that of the JSON file."""
        folder.mkdir(parents=True, exist_ok=True)
        self.head.save(folder / "head.npz")
        self.sparse.save(folder)
        write_json(folder / name, {"temperature": self.temperature, **details})

    @classmethod
    def load(cls, folder: Path, name: str) -> tuple[Self, Mapping[str, Any]]:
        """Read what `save` wrote: the model and the contents of its JSON file.

        Raises:
            CarelineError: The folder is damaged.
        """
        try:
            details = json.loads((folder / name).read_text(encoding="utf-8"))
            head = LinearHead.load(folder / "head.npz")
            return cls(head, NgramHead.load(folder), float(details["temperature"])), details
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"{folder} cannot be read: {error!r}; run `careline train` again"
            raise CarelineError(message) from error
