"""Probabilities that mean what they say, and thresholds with a guarantee. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

NEVER: Final = 1e9  # a strangeness nothing reaches
_OFFERED: Final = 0.92  # aimed at, so that the promised .9 holds for samples of a hundred
_STARTS: Final = (0.25, 0.5)  # shares answered at which the two sequences of tests begin
_GRID: Final = 100  # thresholds tried: a whole sequence, at most
_BINS: Final = 15
_SHARPEST: Final = 0.3  # a few held-out examples, all right, would ask for infinite confidence
_FALSE_OOS: Final = 0.04  # in-scope messages that may be rejected, on validation data
_FEW: Final = 100  # in-scope validation examples below which their quantile is not trusted
_STRANGE: Final = 2.0  # the score that is trusted instead
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

    def loss(log_temperature: float) -> float:
        return log_loss(logits, targets, float(np.exp(log_temperature)))

    bounds = (np.log(_SHARPEST), np.log(20.0))
    found = minimize_scalar(loss, bounds=bounds, method="bounded")
    return float(np.exp(found.x))


def log_loss(logits: Array, targets: NDArray[np.int64], temperature: float = 1.0) -> float:
    """Return the mean negative log-likelihood of class numbers `targets`, shape (n,)."""
    chosen = softmax(logits, temperature)[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


def expected_calibration_error(confidence: Array, correct: NDArray[np.bool_]) -> float:
    """Return the mean gap of confidence and accuracy over 15 bins of equal width."""
    said, true, sizes = reliability(confidence, correct)
    return float((np.abs(said - true) * sizes).sum())


def reliability(confidence: Array, correct: NDArray[np.bool_]) -> tuple[Array, Array, Array]:
    """Return mean confidence, accuracy and share of the rows of each bin that is not empty."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    inside = [bins == b for b in np.unique(bins)]
    said = np.array([confidence[chosen].mean() for chosen in inside])
    true = np.array([correct[chosen].mean() for chosen in inside])
    return said, true, np.array([chosen.mean() for chosen in inside])


def rejection_threshold(in_scope: Array, out_of_scope: Array) -> float:
    """Return the score at and above which a message is rejected as out of scope.

    Scores are strangeness, in standard deviations of messages in scope. At most 4 % of in-scope
    validation messages are rejected; with enough out-of-scope examples, as few as that costs
    nothing in balanced accuracy.
    """
    if len(in_scope) == 0:
        return NEVER
    strict = float(np.quantile(in_scope, 1.0 - _FALSE_OOS))
    if len(in_scope) < _FEW:  # the quantile of a few easy examples would reject nearly all
        strict = max(strict, _STRANGE)
    if len(out_of_scope) < _TOO_FEW:
        return strict
    candidates = np.unique(np.concatenate([in_scope, out_of_scope]))
    candidates = candidates[candidates >= strict]
    if len(candidates) == 0:
        return strict
    gain = [(out_of_scope >= c).mean() - (in_scope >= c).mean() for c in candidates]
    return float(candidates[int(np.argmax(gain))])


def candidate_threshold(probabilities: Array, targets: NDArray[np.int64], asked: Array) -> float:
    """Return the probability from which an intent is offered in a clarifying question.

    Split conformal prediction (Sadinle et al., "Least ambiguous set-valued classifiers", 2019) over
    the messages that would be asked about, `asked`, a mask of shape (n,): the true intent of a new
    one of those is offered with a probability of at least .9.
    """
    true = np.sort(probabilities[np.arange(len(targets)), targets][asked.astype(bool)])
    rank = int(np.floor((1.0 - _OFFERED) * (len(true) + 1)))
    return float(true[rank - 1]) if rank >= 1 else 0.0


@dataclass(frozen=True)
class Certificate:
    """A promise that can be kept: the lowest confidence to answer at, and how much that answers.

    `threshold` is None when nothing can be promised; `missing` says why, and what it would take.
    """

    threshold: float | None
    coverage: float
    missing: str | None = None


def certify(
    confidence: Array, wrong: NDArray[np.bool_], share: float, certainty: float
) -> Certificate:
    """Return the lowest confidence whose answers are certified by calibration data.

    P(share wrong among answered > `share`) ≤ 1 − `certainty` over the draw of the data: thresholds
    are tested from the high ones down, each with the exact binomial upper bound (Clopper-Pearson),
    until one fails (fixed-sequence testing; Angelopoulos et al., "Learn then Test", 2021). There
    are two sequences, one from a quarter and one from half of the messages answered, between which
    the error is divided (Bonferroni). Confidence below 0 marks messages that are never answered.
    """
    possible = int((confidence >= 0).sum())
    order = np.argsort(-confidence, kind="stable")[:possible]
    sorted_confidence, mistakes = confidence[order], np.cumsum(wrong[order])
    alpha = (1.0 - certainty) / len(_STARTS)
    needed = int(np.ceil(np.log(alpha) / np.log(1.0 - share)))
    if possible < needed:
        missing = f"{possible} held-out messages; {needed} are needed even without a mistake"
        return Certificate(None, 0.0, missing)
    answered_best = 0
    step = max(1, len(confidence) // _GRID)
    starts = [min(max(needed, int(start * len(confidence))), possible) for start in _STARTS]
    for start in starts:
        for place in range(start, possible + 1, step):
            answered = _with_ties(sorted_confidence, place)
            if upper_bound(int(mistakes[answered - 1]), answered, alpha) > share:
                break
            answered_best = max(answered_best, answered)
    if answered_best == 0:
        surest = _with_ties(sorted_confidence, starts[0])
        rate = mistakes[surest - 1] / surest
        missing = (
            f"of the surest {surest} held-out messages {rate:.1%} are wrong: "
            f"too many to promise {share:.1%}"
        )
        return Certificate(None, 0.0, missing)
    coverage = answered_best / len(confidence)
    return Certificate(float(sorted_confidence[answered_best - 1]), coverage)


def upper_bound(mistakes: int, answered: int, alpha: float) -> float:
    """Return the Clopper-Pearson upper bound, at 1 − alpha, of a rate of mistakes."""
    from scipy.stats import beta

    if mistakes >= answered:
        return 1.0
    return float(beta.ppf(1.0 - alpha, mistakes + 1, answered - mistakes))


def _with_ties(sorted_confidence: Array, place: int) -> int:
    """Return how many a threshold at this place answers: all that are equal, or none of them."""
    lowest = sorted_confidence[place - 1]
    return int(np.searchsorted(-sorted_confidence, -lowest, side="right"))


def auroc(in_scope: Sequence[float] | Array, out_of_scope: Sequence[float] | Array) -> float | None:
    """Return the chance that an out-of-scope score exceeds an in-scope one; None without both."""
    from scipy.stats import rankdata

    m, n = len(in_scope), len(out_of_scope)
    if m == 0 or n == 0:
        return None
    ranks = rankdata(np.concatenate([np.asarray(out_of_scope), np.asarray(in_scope)]))
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (m * n))
