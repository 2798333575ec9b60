"""The scorer: from features of a sentence to the probability that it is supported. Pure."""

from dataclasses import dataclass
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


# Fitted by `support_scorer.fit` on statements made from the demo's articles (`data/kb`), and on
# nothing else; `careline bench support --only fit` fits them again and compares. In the order of
# `NAMES`.
DEFAULT: Final = SupportScorer(
    (0.62, 1.04, 0.97, 1.74, 1.31, 0.0, -0.69, 4.02, -0.61, -2.01, -1.09, -0.27, -0.06), -5.16
)
WORDS: Final = SupportScorer(
    (1.02, 1.23, 1.13, 2.07, 1.79, 0.0, -0.61, 0.0, -0.9, -2.4, -1.21, -0.34, -0.55), -2.9
)
