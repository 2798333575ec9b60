"""Probabilities that mean what they say, and thresholds with a guarantee. Pure."""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

_BINS: Final = 15
_SHARPEST: Final = 0.3  # a few held-out examples, all right, would ask for infinite confidence
_FALSE_OOS: Final = 0.04  # in-scope messages that may be rejected, on validation data
_FEW: Final = 100  # in-scope validation examples below which their quantile is not trusted
_TOO_FEW: Final = 20  # out-of-scope examples below which a rate says nothing


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    """Return probabilities, shape (n, classes), of logits divided by the temperature."""
    scaled = logits / temperature
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    exponentials = np.exp(scaled)
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def fit_temperature(logits: Array, targets: NDArray[np.int64]) -> float:
    """Return the temperature with the least negative log-likelihood (Guo et al., 2017).

    Logits have the shape (n, classes), targets are class numbers, shape (n,).
    """
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(targets))

    def loss(log_temperature: float) -> float:
        chosen = softmax(logits, float(np.exp(log_temperature)))[rows, targets]
        return float(-np.log(np.maximum(chosen, 1e-12)).mean())

    found = minimize_scalar(loss, bounds=(np.log(_SHARPEST), np.log(20.0)), method="bounded")
    return float(np.exp(found.x))


def expected_calibration_error(confidence: Array, correct: NDArray[np.bool_]) -> float:
    """Return the mean gap of confidence and accuracy over 15 bins of equal width."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [
        abs(float(confidence[bins == b].mean()) - float(correct[bins == b].mean()))
        * float((bins == b).mean())
        for b in np.unique(bins)
    ]
    return float(sum(gaps))


def rejection_threshold(in_scope: Array, out_of_scope: Array) -> float:
    """Return the score at and above which a message is rejected as out of scope.

    Scores rise with strangeness. At most 4 % of in-scope validation messages are rejected; with
    enough out-of-scope examples, as few as that costs nothing in balanced accuracy.
    """
    if len(in_scope) == 0:
        return 1.0
    strict = float(np.quantile(in_scope, 1.0 - _FALSE_OOS))
    if len(in_scope) < _FEW:  # the quantile of a few easy examples would reject nearly all
        strict = max(strict, 0.5)
    if len(out_of_scope) < _TOO_FEW:
        return strict
    candidates = np.unique(np.concatenate([in_scope[in_scope >= strict], out_of_scope]))
    candidates = candidates[candidates >= strict]
    if len(candidates) == 0:
        return strict
    gain = [(out_of_scope >= c).mean() - (in_scope >= c).mean() for c in candidates]
    return float(candidates[int(np.argmax(gain))])


def promise_threshold(
    confidence: Array, wrong: NDArray[np.bool_], share: float, certainty: float
) -> float | None:
    """Return the lowest confidence whose answers are certified, or None when none can be.

    Thresholds are tested from the highest down (fixed-sequence testing, Angelopoulos et al.,
    "Learn then Test", 2021), each with the exact binomial upper bound (Clopper–Pearson), so that
    P(wrong among answered > share) ≤ 1 − certainty for the threshold returned.
    """
    from scipy.stats import beta

    order = np.argsort(-confidence, kind="stable")
    sorted_confidence, mistakes = confidence[order], np.cumsum(wrong[order])
    # The sequence must be fixed before the labels are seen: a grid of answered counts is.
    needed = int(np.ceil(np.log(1.0 - certainty) / np.log(1.0 - share)))
    grid = range(needed, len(order) + 1, max(1, len(order) // 50))
    best: float | None = None
    for answered in grid:
        if answered < len(order) and sorted_confidence[answered] == sorted_confidence[answered - 1]:
            continue  # a threshold answers all that are equal: count them whole, or not at all
        k = int(mistakes[answered - 1])
        upper = 1.0 if k >= answered else float(beta.ppf(certainty, k + 1, answered - k))
        if upper > share:
            break
        best = float(sorted_confidence[answered - 1])
    return best


def auroc(in_scope: Sequence[float] | Array, out_of_scope: Sequence[float] | Array) -> float | None:
    """Return the chance that an out-of-scope score exceeds an in-scope one; None without both."""
    from scipy.stats import rankdata

    m, n = len(in_scope), len(out_of_scope)
    if m == 0 or n == 0:
        return None
    ranks = rankdata(np.concatenate([np.asarray(out_of_scope), np.asarray(in_scope)]))
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (m * n))
