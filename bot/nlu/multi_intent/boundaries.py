"""Scores of possible boundaries between two requests in a message. Pure.

Both scores are logistic regressions (log-odds). They were fitted on pairs of questions, joined in
the ways people join them, and on single questions, in English and Chinese, from the training parts
of several sets of support questions; each worked as well on a set that was not used.
"""

import re
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
_CUES: Final = (6.92, 3.22, 2.85, 0.0)  # also; a new sentence; and; a comma or less
_NGRAM_CUES: Final = (6.57, 2.56, 2.24, 0.0)


def classify_joint(text: str, end: int, start: int) -> int:
    """Return the kind of the joint `text[end:start]`: 0 also, 1 sentence, 2 and, 3 other."""
    joint = text[end:start]
    if _ALSO.search(joint):
        return 0
    if _SENTENCE.search(joint) or text[:end].rstrip()[-1:] in tuple(".?!;…"):
        return 1
    return 2 if _AND.search(joint) else 3


def score_ngrams(kind: int, left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Return the score of a boundary by n-gram logits of both parts, shape (classes,).

    The logits are standardised first, since heads differ in scale.
    """
    first, second = _standardise(left), _standardise(right)
    both = float(np.minimum(first, second).max())  # an intent that both parts support
    similarity = float((first * second).mean())
    best = 0.19 * float(first.max()) + 0.51 * float(second.max())
    return 0.86 * similarity + best - 1.49 * both + _NGRAM_CUES[kind] - 3.04


def score_predictions(kind: int, whole: Prediction, left: Prediction, right: Prediction) -> float:
    """Return the score of a boundary by the predictions for the message and both parts.

    Two requests are each clear (their confidences), have little in common (the overlap of their
    distributions) and are less unusual than the message that contains both.
    """
    clear = left.best.confidence * right.best.confidence
    shares = {score.intent: score.confidence for score in left.ranking}
    overlap = sum(min(shares.get(s.intent, 0.0), s.confidence) for s in right.ranking)
    less, more = sorted((left.oos_score, right.oos_score))
    strange = -1.43 * less - 0.97 * more + 1.33 * whole.oos_score
    return 0.72 * clear - 12.24 * overlap + strange + _CUES[kind] - 2.96


def _standardise(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((logits - logits.mean()) / (logits.std() + 1e-9))
