"""The scorer: from features of a sentence to the probability that it is supported. Pure."""

import json
from dataclasses import dataclass
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.generation.verification.features import NAMES

Features = NDArray[np.float64]
_MAX_LOGIT: Final = 30.0  # beyond it, exp is 0 or 1 anyway


@dataclass(frozen=True)
class SupportScorer:
    """A logistic regression: a weight for each of `features.NAMES`, and the intercept."""

    weights: tuple[float, ...]
    intercept: float

    def __post_init__(self) -> None:
        """Reject weights for other features."""
        if len(self.weights) != len(NAMES):
            message = f"a scorer needs {len(NAMES)} weights, not {len(self.weights)}"
            raise ValueError(message)

    def score(self, features: Features) -> float:
        """Return the probability of support of features, shape (13,)."""
        total = float(features @ np.array(self.weights)) + self.intercept
        return float(1 / (1 + np.exp(-np.clip(total, -_MAX_LOGIT, _MAX_LOGIT))))


def load(name: str) -> SupportScorer:
    """Read one of the scorers in `support_scorer.json`: `with_encoder` or `words_only`.

    Raises:
        ValueError: It was fitted on other features.
    """
    file = resources.files("bot.generation.verification") / "support_scorer.json"
    fitted = json.loads(file.read_text(encoding="utf-8"))
    if tuple(fitted["features"]) != tuple(NAMES):
        message = "support_scorer.json was fitted on other features: fit it again"
        raise ValueError(message)
    return SupportScorer(tuple(fitted[name]["weights"]), fitted[name]["intercept"])


DEFAULT: Final = load("with_encoder")
WORDS: Final = load("words_only")
