"""Scores of possible boundaries between two requests in a message. Pure.

Both scores are logistic regressions (log-odds), whose weights are in `boundary_scorer.json`;
`bot.training.boundary_scorer` fits them.
"""

import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.nlu.intent_classifier import Prediction

_ALSO = re.compile(
    r"also|besides|plus|another|additionally|as\s+well|还有|還有|另外|以及|顺便|順便|同时|同時|而且|"
    r"并且|並且|再问|对了|對了|然后|然後",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.?!;。？！；…\n]")
_AND = re.compile(r"\band\b|&", re.IGNORECASE)
JOINTS: Final = ("also", "sentence", "and")  # kinds 0 to 2; kind 3 is a comma or less
NGRAM_FEATURES: Final = (*JOINTS, "similarity", "left", "right", "shared")
PREDICTION_FEATURES: Final = (
    *JOINTS, "clear", "overlap", "less unusual", "more unusual", "whole unusual",
)  # fmt: skip


def classify_joint(text: str, end: int, start: int) -> int:
    """Return the kind of the joint `text[end:start]`: 0 also, 1 sentence, 2 and, 3 other."""
    joint = text[end:start]
    if _ALSO.search(joint):
        return 0
    if _SENTENCE.search(joint) or text[:end].rstrip()[-1:] in tuple(".?!;…"):
        return 1
    return 2 if _AND.search(joint) else 3


def ngram_features(kind: int, left: NDArray[np.float64], right: NDArray[np.float64]) -> list[float]:
    """Return the values of `NGRAM_FEATURES` from n-gram logits of both parts, shape (classes,).

    The logits are standardised first, since heads differ in scale. `shared` is the score of the
    intent that both parts support most.
    """
    first, second = _standardise(left), _standardise(right)
    shared = float(np.minimum(first, second).max())
    similarity = float((first * second).mean())
    return [*_joint(kind), similarity, float(first.max()), float(second.max()), shared]


def prediction_features(
    kind: int, whole: Prediction, left: Prediction, right: Prediction
) -> list[float]:
    """Return the values of `PREDICTION_FEATURES` for a message and its parts.

    Two requests are each clear (their confidences), have little in common (the overlap of their
    distributions) and are less unusual than the message that contains both.
    """
    clear = left.best.confidence * right.best.confidence
    shares = {score.intent: score.confidence for score in left.ranking}
    overlap = sum(min(shares.get(s.intent, 0.0), s.confidence) for s in right.ranking)
    less, more = sorted((left.oos_score, right.oos_score))
    return [*_joint(kind), clear, overlap, less, more, whole.oos_score]


def score_ngrams(kind: int, left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Return the score of a boundary by n-gram logits of both parts, shape (classes,)."""
    return _score(ngram_features(kind, left, right), _NGRAM_WEIGHTS)


def score_predictions(kind: int, whole: Prediction, left: Prediction, right: Prediction) -> float:
    """Return the score of a boundary by the predictions for the message and both parts."""
    return _score(prediction_features(kind, whole, left, right), _PREDICTION_WEIGHTS)


def load() -> dict[str, dict[str, float]]:
    """Read the shipped weights: `ngrams` and `predictions`, each by feature.

    Raises:
        ValueError: They were fitted on other features.
    """
    file = resources.files("bot.nlu.multi_intent") / "boundary_scorer.json"
    fitted: dict[str, dict[str, float]] = json.loads(file.read_text(encoding="utf-8"))
    for name, features in (("ngrams", NGRAM_FEATURES), ("predictions", PREDICTION_FEATURES)):
        if tuple(fitted[name]) != (*features, "intercept"):
            message = "boundary_scorer.json was fitted on other features: fit it again"
            raise ValueError(message)
    return fitted


def _weights(fitted: Mapping[str, float]) -> NDArray[np.float64]:
    return np.array(list(fitted.values()))


def _score(features: list[float], weights: NDArray[np.float64]) -> float:
    return float(np.array([*features, 1.0]) @ weights)


def _joint(kind: int) -> list[float]:
    return [float(kind == number) for number in range(len(JOINTS))]


def _standardise(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((logits - logits.mean()) / (logits.std() + 1e-9))


_FITTED: Final = load()
_NGRAM_WEIGHTS: Final = _weights(_FITTED["ngrams"])
_PREDICTION_WEIGHTS: Final = _weights(_FITTED["predictions"])
