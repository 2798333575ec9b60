"""`careline bench surge`: simulated years with and without surges."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.analytics.surge_detection import WEEK, DetectorSettings, detect_surges
from careline_benchmarks.harness import (
    Benchmark,
    BenchmarkContext,
    BenchmarkReport,
    at_least,
    at_most,
)

_YEAR: Final = 364
_DOUBLED: Final = 20.0  # messages a day of the topic that is doubled
_WITHIN: Final = 2  # days
_ONSETS: Final = 8
_SHARE: Final = 0.2  # by which the false alarms may miss their budget

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CountSimulation:
    """The parameters of simulated daily counts, which the detector does not know."""

    years: int = 200
    topics: int = 6
    smallest: float = 2.0  # messages a day
    largest: float = 40.0
    dispersion: tuple[float, float] = (0.01, 0.05)  # variance = m + d·m²
    weekday: float = 0.3  # standard deviation of the logarithm of a weekday's factor
    season: float = 0.3  # amplitude over the year
    trend: float = 0.3  # standard deviation of a year's growth, of the logarithm
    lasting: float = 0.0  # correlation of a day's own level with the day before's


# The limits on detection are for the first; the others must not exceed the budget.
WORLDS: Final[dict[str, CountSimulation]] = {
    "ordinary": CountSimulation(),
    "poisson": CountSimulation(years=50, dispersion=(0.0, 0.0)),
    "rough": CountSimulation(years=50, dispersion=(0.1, 0.4)),
    "strong seasons": CountSimulation(years=50, weekday=0.8, season=0.7),
    "lasting moods": CountSimulation(years=50, dispersion=(0.05, 0.15), lasting=0.7),
    "growing": CountSimulation(years=50, trend=1.0),
    "small": CountSimulation(years=50, smallest=0.2, largest=4.0),
    "many topics": CountSimulation(years=20, topics=40),
}


def means(world: CountSimulation, rng: np.random.Generator) -> Floats:
    """Return the expected counts, shape (days, years, topics)."""
    shape = (world.years, world.topics)
    days = np.arange(DetectorSettings().warm_up + _YEAR)
    base = np.exp(rng.uniform(np.log(world.smallest), np.log(world.largest), shape))
    week = np.exp(rng.normal(0.0, world.weekday, (WEEK, *shape)))
    week /= week.mean(axis=0)
    phase = rng.uniform(0.0, 2.0 * np.pi, shape)
    turn = 2.0 * np.pi * days[:, None, None] / _YEAR + phase
    growth = rng.normal(0.0, world.trend, shape) * days[:, None, None] / _YEAR
    return np.asarray(
        base * week[days % WEEK] * (1.0 + world.season * np.sin(turn)) * np.exp(growth)
    )


def counts(mean: Floats, world: CountSimulation, rng: np.random.Generator) -> Counts:
    """Draw negative binomial counts; a part of the noise may last for days."""
    spread = rng.uniform(*world.dispersion, mean.shape[1:])
    if world.lasting:
        noise = rng.normal(0.0, np.sqrt(spread / 2.0), mean.shape)
        fresh = np.sqrt(1.0 - world.lasting**2)
        for day in range(1, len(noise)):
            noise[day] = world.lasting * noise[day - 1] + fresh * noise[day]
        mean = mean * np.exp(noise - spread / 4.0)
        spread = spread / 2.0
    if world.dispersion[1] == 0.0:
        return np.asarray(rng.poisson(mean))
    return np.asarray(rng.poisson(rng.gamma(1.0 / spread, mean * spread)))


def false_alarms(world: CountSimulation, plan: DetectorSettings, seed: int) -> float:
    """Return the alarms per week in years without a surge, over all topics."""
    rng = np.random.default_rng(seed)
    drawn = counts(means(world, rng), world, rng)
    alarms = detect_surges(drawn, ties=rng.random(drawn.shape), settings=plan)
    return float(alarms.alarm[plan.warm_up :].sum()) / (world.years * _YEAR / WEEK)


def flagged(world: CountSimulation, plan: DetectorSettings, factor: float, seed: int) -> float:
    """Return the share of surges that are flagged within two days.

    The topic had 20 messages a day in the week before. Surges begin on all days of the week,
    between three and twelve months after the first day.
    """
    rng = np.random.default_rng(seed)
    mean = means(world, rng)
    hits: list[Any] = []
    for onset in np.linspace(90, len(mean) - _WITHIN, _ONSETS).astype(int):
        raised = mean[: onset + _WITHIN].copy()
        raised[:, :, 0] *= _DOUBLED / mean[onset - WEEK : onset, :, 0].mean(axis=0)
        raised[onset:, :, 0] *= factor
        drawn = counts(raised, world, rng)
        seen = detect_surges(drawn, ties=rng.random(drawn.shape), settings=plan)
        hits.append(seen.alarm[onset:, :, 0].any(axis=0))
    return float(np.mean(hits))


def _budget(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Compare false alarms with the budget, for the ordinary simulation and unusual ones."""
    plan = DetectorSettings()
    more, less = (
        replace(plan, budget=plan.budget * times if setting.planted else plan.budget)
        for times in (2.0, 0.5)
    )
    ratios: dict[str, float] = {}
    for name, world in WORLDS.items():
        share = ratios[name] = round(false_alarms(world, more, seed=11) / plan.budget, 3)
        result.bars.append(at_most(f"surge: false alarms over budget, {name}", share, 1 + _SHARE))
    spent = false_alarms(WORLDS["ordinary"], less, seed=13) / plan.budget
    result.bars.append(at_least("surge: budget that is spent, ordinary", spent, 1 - _SHARE))
    result.figures["false_alarms_a_week"] = ratios


def _power(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Count the doublings that are detected in time; if planted, nothing is doubled."""
    share = flagged(
        WORLDS["ordinary"], DetectorSettings(), 1.0 if setting.planted else 2.0, seed=12
    )
    result.bars.append(at_least("surge: doublings at 20 a day flagged within 2 days", share, 0.9))
    result.figures["flagged"] = round(share, 4)


BENCHMARK: Final = Benchmark({"budget": _budget, "doublings": _power})
