"""The surge detector: its budget, its power, and what it must not be moved by."""

from dataclasses import replace

import numpy as np
import pytest
from careline_benchmarks import surge_detection as bench
from careline_benchmarks.surge_detection import CountSimulation

from bot.analytics.surge_detection import (
    WEEK,
    DetectorSettings,
    detect_surges,
    normal_score,
    run_length,
    threshold,
)

YEARS = 24


def ties(shape: tuple[int, ...], seed: int = 5) -> bench.Floats:
    return np.random.default_rng(seed).random(shape)


@pytest.mark.parametrize("name", sorted(bench.WORLDS))
def test_false_alarms_stay_within_the_budget_whatever_the_counts_are_like(name: str) -> None:
    world = bench.WORLDS[name]
    world = replace(world, years=min(YEARS, world.years))
    assert bench.false_alarms(world, DetectorSettings(), seed=3) == pytest.approx(1.0, abs=0.2)


def test_a_larger_budget_is_spent_too() -> None:
    world = CountSimulation(years=YEARS)
    assert bench.false_alarms(world, DetectorSettings(budget=3.0), seed=3) == pytest.approx(
        3.0, abs=0.6
    )


def test_a_doubling_is_flagged_within_two_days() -> None:
    world = CountSimulation(years=YEARS)
    assert bench.flagged(world, DetectorSettings(), 2.0, seed=4) > 0.88
    assert bench.flagged(world, DetectorSettings(), 1.0, seed=4) < 0.15


def test_the_chain_tells_the_mean_time_between_alarms_of_normal_scores() -> None:
    # One-sided, twice those of the two-sided chart in Montgomery, Introduction to Statistical
    # Quality Control, table 9.3: 168 and 465 with reference 0.5 and limits 4 and 5.
    assert run_length(4.0, 0.5) == pytest.approx(2 * 168, rel=0.01)
    assert run_length(5.0, 0.5) == pytest.approx(2 * 465, rel=0.01)
    assert threshold(930.0, 0.5) == pytest.approx(5.0, abs=0.02)


def test_scores_of_negative_binomials_are_standard_normal() -> None:
    rng = np.random.default_rng(1)
    mean, dispersion = 3.0, 0.3
    drawn = rng.poisson(rng.gamma(1 / dispersion, mean * dispersion, 40_000))
    flat = np.full(drawn.shape, mean)
    scores = normal_score(drawn, flat, flat + flat**2 * dispersion, rng.random(drawn.shape))
    assert scores.mean() == pytest.approx(0.0, abs=0.02)
    assert scores.std() == pytest.approx(1.0, abs=0.02)
    assert (scores > 2.326).mean() == pytest.approx(0.01, abs=0.002)


def test_the_expectation_follows_week_and_growth() -> None:
    week = np.array([30, 28, 26, 26, 32, 12, 8])
    days = np.arange(200)
    counts = np.round(week[days % WEEK] * np.exp(0.003 * days)).astype(int)[:, None]
    seen = detect_surges(counts, ties=np.full(counts.shape, 0.5))
    assert seen.expected[100:, 0] == pytest.approx(counts[100:, 0], rel=0.1, abs=2.0)
    assert not seen.alarm.any()


def test_a_surge_is_not_soon_taken_for_the_ordinary() -> None:
    counts = np.full((120, 1), 20)
    counts[100:] = 60
    seen = detect_surges(counts, ties=np.full(counts.shape, 0.5))
    assert seen.alarm[100, 0]
    assert seen.expected[107, 0] < 40


def test_young_topics_and_single_messages_raise_no_alarm() -> None:
    counts = np.zeros((60, 2), dtype=int)
    counts[20, 0] = 50  # before it is judged
    counts[50, 1] = 2  # unheard of, and nothing
    assert not detect_surges(counts, ties=ties(counts.shape)).alarm.any()


def test_equal_counts_and_ties_give_equal_alarms() -> None:
    rng = np.random.default_rng(2)
    counts = rng.poisson(15, (150, 4))
    first, second = (detect_surges(counts, ties=ties(counts.shape)) for _ in range(2))
    assert (first.alarm == second.alarm).all()
    shorter = detect_surges(counts[:-1], ties=ties(counts.shape)[:-1])
    assert (shorter.alarm == first.alarm[:-1]).all()  # tomorrow does not change today


def test_topics_of_one_home_share_its_budget() -> None:
    plan = DetectorSettings()
    rng = np.random.default_rng(9)
    alone = rng.poisson(20, (300, 30, 1))
    many = rng.poisson(20, (300, 30, 10))
    rates = [
        detect_surges(c, ties=ties(c.shape), settings=plan).alarm[plan.warm_up :, :, 0].mean()
        for c in (alone, many)
    ]
    assert rates[1] < rates[0] / 4
