"""Surges: days on which a topic has more negative messages than its own past explains.

Three steps, all of them recursions over days, for many topics at once:

1. *Baseline.* A dynamic generalised linear model of each topic's daily count: a level that drifts,
   a slope, and a factor for each day of the week, all on the log scale, under negative binomial
   noise whose dispersion is estimated too. The update is the extended Kalman filter's, as in West,
   Harrison and Migon, "Dynamic generalized linear models and Bayesian forecasting", Journal of the
   American Statistical Association 80 (1985). What is not yet known of the baseline widens the
   prediction, so a young topic does not raise alarms for want of a past.
2. *Score.* The place of the count in the distribution predicted for it, as a normal score;
   counts are discrete, so the place within the count's own probability is drawn (Brockwell,
   "Universal residuals", Statistics and Probability Letters 77 (2007)). Under the model the scores
   are independent and standard normal, whatever the topic's size, season and dispersion.
3. *Sequential test.* Page's CUSUM of the scores ("Continuous inspection schemes", Biometrika 41
   (1954)). Its threshold is that of the wanted mean time between false alarms, by the Markov chain
   of Brook and Evans ("An approach to the probability distribution of cusum run length",
   Biometrika 59 (1972)). Models are wrong somewhere, so the threshold is corrected, slowly, by the
   alarms themselves, as in Gibbs and Candès, "Adaptive conformal inference under distribution
   shift", NeurIPS 34 (2021): over a long time their rate is the budget, whatever the counts do.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
WEEK: Final = 7
_STATES: Final = 2 + WEEK  # level, slope, and a factor for each day of the week
_CHAIN: Final = 120  # states of the Markov chain that approximates the CUSUM
_MAX_THRESHOLD: Final = 12.0  # some 10^10 days without a false alarm
_MAX_SCORE: Final = 6.0  # higher scores carry no further information


@dataclass(frozen=True)
class DetectorSettings:
    """The mobility of a baseline, and the accepted number of false alarms."""

    budget: float = 1.0  # false alarms a week, over all topics together
    warm_up: int = 28  # days before a topic is judged
    fewest: int = 3  # messages a day: smaller counts are never an alarm
    reference: float = 0.8  # half of the shift the CUSUM is tuned for, in standard deviations
    level: float = 0.006  # standard deviation of a day's drift of the log level
    slope: float = 0.0004  # and of its slope
    weekday: float = 0.004  # and of the factors of the week
    dispersion: float = 0.05  # the initial value; variance = m + d·m²
    memory: float = 120.0  # days after which an observation of the dispersion counts 1/e
    outlier: float = 2.5  # standard deviations: errors are clipped to it before the update
    correction: float = 0.15  # by how much an alarm raises the threshold
    leeway: float = 1.5  # how far the threshold may be corrected
    ongoing: int = 2  # days within which another alarm of a topic is the same surge
    charged: int = 2  # alarms of one surge that count against the budget: a long one is no error


class DetectorOutput(NamedTuple):
    """The results, day by day; every array has the shape of the counts.

    `expected` and `spread` are the predicted mean and standard deviation, `score` is the normal
    score, `chart` the CUSUM after the day, `alarm` whether it crossed the threshold.
    """

    expected: Floats
    spread: Floats
    score: Floats
    chart: Floats
    alarm: NDArray[np.bool_]


def detect_surges(
    counts: NDArray[np.int64],
    *,
    ties: Floats,
    first_weekday: int = 0,
    settings: DetectorSettings | None = None,
) -> DetectorOutput:
    """Detect surges in daily counts, shape (days, …, topics).

    The topics of the last axis share the budget.
    `ties`, of the same shape and uniform in 0 to 1, give the place of a count within its own
    probability: the same numbers give the same alarms. `first_weekday` is 0 for a Monday.
    """
    settings = settings or DetectorSettings()
    baseline = _Baseline(counts, settings)
    shape = counts.shape[1:]
    chart, streak, last = np.zeros(shape), np.zeros(shape), np.full(shape, -np.inf)
    correction = np.zeros((*shape[:-1], 1))
    expected, spread, scores, charts = (np.zeros(counts.shape) for _ in range(4))
    output = DetectorOutput(expected, spread, scores, charts, np.zeros(counts.shape, np.bool_))
    for day, count in enumerate(counts):
        mean, variance = baseline.predict((first_weekday + day) % WEEK)
        score = normal_score(count, mean, variance, ties[day])
        if day >= settings.warm_up:
            chart = np.maximum(
                0.0, chart + np.clip(score, -_MAX_SCORE, _MAX_SCORE) - settings.reference
            )
            limit = np.maximum(0.0, _limits(mean, settings) + correction)
            alarm = (chart > limit) & (count >= settings.fewest)
            streak = np.where(alarm, np.where(day - last > settings.ongoing, 1, streak + 1), streak)
            last = np.where(alarm, day, last)
            charged = (alarm & (streak <= settings.charged)).sum(axis=-1, keepdims=True)
            correction += settings.correction * (charged - settings.budget / WEEK)
            correction = np.clip(correction, -settings.leeway, settings.leeway)
            output.alarm[day], output.chart[day] = alarm, chart
            chart = np.where(alarm, 0.0, chart)
        output.expected[day], output.spread[day] = mean, np.sqrt(variance)
        output.score[day] = score
        baseline.learn(count)
    return output


def _limits(mean: Floats, settings: DetectorSettings) -> Floats:
    """Return each topic's threshold: the budget is divided in proportion to the roots of the means.

    A doubling of a large topic concerns more people and can be distinguished from chance sooner.
    """
    share = np.sqrt(mean)
    share /= share.sum(axis=-1, keepdims=True)
    days = np.log(WEEK / (settings.budget * share))
    return np.interp(days, *_table(settings.reference))


@cache
def _table(reference: float) -> tuple[Floats, Floats]:
    """Return logarithms of days between false alarms, and the thresholds that lead to them."""
    days = np.linspace(0.0, np.log(1e7), 60)
    return days, np.array([threshold(float(np.exp(day)), reference) for day in days])


class _Baseline:
    """The filter: log m = level + factor of the weekday; the level grows by the slope."""

    def __init__(self, counts: NDArray[np.int64], settings: DetectorSettings) -> None:
        """Start from the mean of the first two weeks, with a large variance."""
        self._settings = settings
        shape = counts.shape[1:]
        self._state = np.zeros((*shape, _STATES))
        self._state[..., 0] = np.log(counts[: 2 * WEEK].mean(axis=0) + 0.1)
        deviations = np.array([0.3, 0.01, *[0.25] * WEEK]) ** 2
        self._covariance = np.broadcast_to(np.diag(deviations), (*shape, _STATES, _STATES)).copy()
        self._drift = np.array([settings.level, settings.slope, *[settings.weekday] * WEEK]) ** 2
        self._row = np.zeros(_STATES)
        # Sums behind the dispersion: squared errors beyond the Poisson's, and squared means.
        self._excess = np.full(shape, settings.dispersion * 30.0)
        self._weight = np.full(shape, 30.0)

    def predict(self, weekday: int) -> tuple[Floats, Floats]:
        """Advance by a day; return the mean and the variance of its counts."""
        self._state[..., 0] += self._state[..., 1]
        covariance = self._covariance
        covariance[..., 0, :] += covariance[..., 1, :]
        covariance[..., :, 0] += covariance[..., :, 1]
        places = np.arange(_STATES)
        covariance[..., places, places] += self._drift
        self._row = np.zeros(_STATES)
        self._row[[0, 2 + weekday]] = 1.0
        self._gain = covariance @ self._row
        self._state_variance = self._gain @ self._row
        self._mean = np.exp(np.clip(self._state @ self._row, -5.0, 14.0))
        self._noise = self._mean + self._mean**2 * self._dispersion()
        return self._mean, self._noise + self._mean**2 * self._state_variance

    def _dispersion(self) -> Floats:
        return np.asarray(np.maximum(self._excess / self._weight, 1e-3))

    def learn(self, count: NDArray[np.int64]) -> None:
        """Correct the baseline by the day's counts; outliers are clipped."""
        mean, settings = self._mean, self._settings
        spread = np.sqrt(self._noise + mean**2 * self._state_variance)
        error = np.clip(count - mean, -settings.outlier * spread, settings.outlier * spread)
        variance = (
            self._noise / mean**2 + self._state_variance
        )  # of the working error, on the log scale
        self._state += self._gain * (error / mean / variance)[..., None]
        outer = self._gain[..., :, None] * self._gain[..., None, :]
        self._covariance -= outer / variance[..., None, None]
        # A square that weighs the same at every size: (m + d·m²) is estimated relative to m².
        weight = (mean / (1.0 + mean * self._dispersion())) ** 2
        clipped = np.clip(count - mean, -_MAX_SCORE * spread, _MAX_SCORE * spread)
        excess = (clipped**2 - mean) / mean**2 - self._state_variance
        keep = np.exp(-1.0 / settings.memory)
        self._excess = keep * self._excess + weight * excess
        self._weight = keep * self._weight + weight


def normal_score(count: NDArray[np.int64], mean: Floats, variance: Floats, tie: Floats) -> Floats:
    """Return the place of counts in negative binomials, as standard normal scores."""
    special = _special()
    size = mean**2 / np.maximum(variance - mean, 1e-6 * mean)
    success = size / (size + mean)
    above = special.betainc(count + 1.0, size, 1.0 - success)  # P(X > count)
    at_least = np.where(count > 0, special.betainc(np.maximum(count, 1), size, 1.0 - success), 1.0)
    tail = above + tie * (at_least - above)
    return np.asarray(-special.ndtri(np.clip(tail, 1e-12, 1.0 - 1e-12)))


def threshold(days: float, reference: float) -> float:
    """Return the CUSUM's threshold for a mean number of days between false alarms."""
    low, high = 0.0, _MAX_THRESHOLD
    for _ in range(50):
        middle = (low + high) / 2.0
        low, high = (middle, high) if run_length(middle, reference) < days else (low, middle)
    return (low + high) / 2.0


def run_length(limit: float, reference: float) -> float:
    """Return the mean number of days until a CUSUM of standard normal scores passes a limit."""
    ndtr = _special().ndtr
    width = 2.0 * limit / (2 * _CHAIN - 1)
    here = np.arange(_CHAIN) * width
    upper = ndtr(here[None, :] - here[:, None] + width / 2.0 + reference)
    lower = ndtr(here[None, :] - here[:, None] - width / 2.0 + reference)
    chain = upper - lower
    chain[:, 0] = upper[:, 0]
    return float(np.linalg.solve(np.eye(_CHAIN) - chain, np.ones(_CHAIN))[0])


def _special() -> Any:
    """Return SciPy's functions, imported on first use to keep the start fast."""
    from scipy import special

    return special
