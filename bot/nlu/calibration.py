"""Calibrated probabilities, and thresholds with statistical guarantees. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

NEVER: Final = 1e9  # an out-of-scope score that no message reaches
_TARGET_COVERAGE: Final = 0.92  # above the promised 0.9, so that it holds for samples of a hundred
_STARTS: Final = (0.25, 0.5)  # shares answered at which the two sequences of tests begin
_GRID: Final = 100  # thresholds in a whole sequence, at most
_BINS: Final = 15
_MIN_TEMPERATURE: Final = 0.3  # a few correct held-out examples would ask for infinite confidence
_FALSE_OOS: Final = 0.04  # share of in-scope validation messages that may be rejected
_MIN_IN_SCOPE: Final = 100  # in-scope validation examples from which their quantile is reliable
_DEFAULT_SCORE: Final = 2.0  # the least threshold with fewer examples
_MIN_OUT_OF_SCOPE: Final = 20  # out-of-scope examples from which a rate is meaningful


@dataclass(frozen=True)
class Calibration:
    """The parameters that turn logits into decisions.

    Confidences from `promise` up are certified to keep the promise, None if there is no
    certificate; `coverage` is the share of validation messages they answer. A clarifying question
    offers the intents with a probability of at least `candidate`.
    """

    temperature: float = 1.0
    oos_threshold: float = NEVER
    promise: float | None = None
    share: float | None = None  # certified share of wrong answers, with probability `certainty`
    certainty: float | None = None
    coverage: float | None = None
    missing: str | None = None  # why there is no certificate, and what is needed for one
    candidate: float = 0.1

    def probabilities(self, logits: Array) -> Array:
        """Return calibrated probabilities, shape (n, classes), of logits."""
        return softmax(logits, self.temperature)

    def covers(self, share: float, certainty: float) -> bool:
        """Return whether the certificate is at least as strict as a promise."""
        if self.promise is None or self.share is None or self.certainty is None:
            return False
        return self.share <= share and self.certainty >= certainty


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    """Return probabilities, shape (n, classes), of logits divided by the temperature."""
    scaled = logits / temperature
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    exponentials = np.exp(scaled)
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def fit_temperature(logits: Array, targets: NDArray[np.int64]) -> float:
    """Return the temperature with the lowest negative log-likelihood (Guo et al., 2017).

    Logits have the shape (n, classes), targets are class numbers, shape (n,).
    """
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        return log_loss(logits, targets, float(np.exp(log_temperature)))

    bounds = (np.log(_MIN_TEMPERATURE), np.log(20.0))
    result = minimize_scalar(loss, bounds=bounds, method="bounded")
    return float(np.exp(result.x))


def log_loss(logits: Array, targets: NDArray[np.int64], temperature: float = 1.0) -> float:
    """Return the mean negative log-likelihood of class numbers `targets`, shape (n,)."""
    probabilities = softmax(logits, temperature)[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(probabilities, 1e-12)).mean())


def expected_calibration_error(confidence: Array, correct: NDArray[np.bool_]) -> float:
    """Return the mean gap of confidence and accuracy over 15 bins of equal width."""
    confidences, accuracies, shares = reliability(confidence, correct)
    return float((np.abs(confidences - accuracies) * shares).sum())


def reliability(confidence: Array, correct: NDArray[np.bool_]) -> tuple[Array, Array, Array]:
    """Return the mean confidence, the accuracy and the share of the rows of each non-empty bin."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    inside = [bins == b for b in np.unique(bins)]
    confidences = np.array([confidence[rows].mean() for rows in inside])
    accuracies = np.array([correct[rows].mean() for rows in inside])
    return confidences, accuracies, np.array([rows.mean() for rows in inside])


def rejection_threshold(in_scope: Array, out_of_scope: Array) -> float:
    """Return the score at and above which a message is rejected as out of scope.

    Scores are in standard deviations of in-scope messages. At most 4 % of in-scope validation
    messages are rejected; with enough out-of-scope examples, the threshold is the one with the best
    balanced accuracy among those.
    """
    if len(in_scope) == 0:
        return NEVER
    strict = float(np.quantile(in_scope, 1.0 - _FALSE_OOS))
    if len(in_scope) < _MIN_IN_SCOPE:  # the quantile of a few easy examples rejects nearly all
        strict = max(strict, _DEFAULT_SCORE)
    if len(out_of_scope) < _MIN_OUT_OF_SCOPE:
        return strict
    candidates = np.unique(np.concatenate([in_scope, out_of_scope]))
    candidates = candidates[candidates >= strict]
    if len(candidates) == 0:
        return strict
    gain = [(out_of_scope >= c).mean() - (in_scope >= c).mean() for c in candidates]
    return float(candidates[int(np.argmax(gain))])


def candidate_threshold(probabilities: Array, targets: NDArray[np.int64], unclear: Array) -> float:
    """Return the probability from which an intent is offered in a clarifying question.

    Split conformal prediction (Sadinle et al., "Least ambiguous set-valued classifiers", 2019) over
    the messages that lead to such a question, `unclear`, a mask of shape (n,): the true intent of a
    new one of those is offered with a probability of at least 0.9.
    """
    true = np.sort(probabilities[np.arange(len(targets)), targets][unclear.astype(bool)])
    rank = int(np.floor((1.0 - _TARGET_COVERAGE) * (len(true) + 1)))
    return float(true[rank - 1]) if rank >= 1 else 0.0


@dataclass(frozen=True)
class Certificate:
    """A certified promise: the lowest confidence to answer at, and the share that answers.

    `threshold` is None if nothing can be promised; `reason` says why, and what is needed.
    """

    threshold: float | None
    coverage: float
    reason: str | None = None


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
        reason = f"{possible} held-out messages; {needed} are needed even without a mistake"
        return Certificate(None, 0.0, reason)
    answered_best = 0
    step = max(1, len(confidence) // _GRID)
    starts = [min(max(needed, int(start * len(confidence))), possible) for start in _STARTS]
    for start in starts:
        for position in range(start, possible + 1, step):
            answered = _with_ties(sorted_confidence, position)
            if upper_bound(int(mistakes[answered - 1]), answered, alpha) > share:
                break
            answered_best = max(answered_best, answered)
    if answered_best == 0:
        surest = _with_ties(sorted_confidence, starts[0])
        rate = mistakes[surest - 1] / surest
        reason = (
            f"of the surest {surest} held-out messages {rate:.1%} are wrong: "
            f"too many to promise {share:.1%}"
        )
        return Certificate(None, 0.0, reason)
    coverage = answered_best / len(confidence)
    return Certificate(float(sorted_confidence[answered_best - 1]), coverage)


def upper_bound(mistakes: int, answered: int, alpha: float) -> float:
    """Return the Clopper-Pearson upper bound, at 1 − alpha, of a rate of mistakes."""
    from scipy.stats import beta

    if mistakes >= answered:
        return 1.0
    return float(beta.ppf(1.0 - alpha, mistakes + 1, answered - mistakes))


def _with_ties(sorted_confidence: Array, position: int) -> int:
    """Return how many messages a threshold at this position answers, with all equal ones."""
    lowest = sorted_confidence[position - 1]
    return int(np.searchsorted(-sorted_confidence, -lowest, side="right"))


def auroc(in_scope: Sequence[float] | Array, out_of_scope: Sequence[float] | Array) -> float | None:
    """Return the chance that an out-of-scope score exceeds an in-scope one; None without both."""
    from scipy.stats import rankdata

    m, n = len(in_scope), len(out_of_scope)
    if m == 0 or n == 0:
        return None
    ranks = rankdata(np.concatenate([np.asarray(out_of_scope), np.asarray(in_scope)]))
    return float((ranks[:n].sum() - n * (n + 1) / 2) / (m * n))
