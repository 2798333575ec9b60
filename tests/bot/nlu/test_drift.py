import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.nlu import drift
from bot.nlu.drift import Array, DriftMonitor, DriftReference

RNG = np.random.default_rng(0)


def usual(count: int, rng: np.random.Generator = RNG) -> tuple[Array, Array]:
    """Return distances and confidences of everyday messages."""
    return rng.beta(2, 8, count), rng.beta(8, 2, count)


REFERENCE = DriftReference.sample(*usual(3000))


def watch(monitor: DriftMonitor, distances: Array, confidences: Array) -> list[bool]:
    pairs = zip(distances.tolist(), confidences.tolist(), strict=True)
    return [monitor.watch(distance, confidence) for distance, confidence in pairs]


def test_messages_like_the_calibration_set_raise_no_alarm() -> None:
    monitor = DriftMonitor(REFERENCE)
    assert not any(watch(monitor, *usual(3000, np.random.default_rng(1))))
    assert not monitor.drifted


@pytest.mark.parametrize("kind", ["distances", "confidences"])
def test_messages_that_differ_in_either_way_raise_it_until_they_agree_again(kind: str) -> None:
    monitor = DriftMonitor(REFERENCE)
    rng = np.random.default_rng(2)
    watch(monitor, *usual(200, rng))
    distances, confidences = usual(300, rng)
    strange = (
        (distances + 0.3, confidences) if kind == "distances" else (distances, confidences / 2)
    )
    said = watch(monitor, *strange)
    assert not said[0]
    assert said[-1]
    assert monitor.drifted
    after = watch(monitor, *usual(400, rng))
    assert after[0]
    assert not after[-1]
    assert not monitor.drifted


def test_nothing_is_said_before_the_window_is_full() -> None:
    monitor = DriftMonitor(REFERENCE)
    said = watch(monitor, np.full(200, 5.0), np.zeros(200))
    assert said == [False] * 199 + [True]


def test_confidences_that_were_rounded_are_no_drift() -> None:
    """A model that is nearly always nearly certain reports many ones."""
    rng = np.random.default_rng(3)
    sure = 1.0 - 10.0 ** -rng.uniform(1, 10, 3000)
    reference = DriftReference.sample(usual(3000)[0], sure)
    fresh = np.round(1.0 - 10.0 ** -rng.uniform(1, 10, 200), 6)
    assert not reference.differs(usual(200)[0], fresh)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(100, 400), st.floats(0.0, 0.6))
def test_the_chance_is_the_one_scipy_computes(seed: int, count: int, shift: float) -> None:
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(seed)
    a = np.round(rng.normal(size=800), 4)
    b = np.round(rng.normal(size=count) + shift, 4)
    ours, theirs = drift.p_value(a, b), float(ks_2samp(a, b, method="asymp").pvalue)
    assert ours == pytest.approx(drift.p_value(b, a))
    assert ours >= 0.5 * theirs
    if 1e-6 < theirs < 0.05:  # scipy mends the series for small samples, which does not matter here
        assert ours <= 3.0 * theirs


def test_a_sample_of_the_calibration_set_is_kept_in_pairs(tmp_path: Path) -> None:
    distances = np.arange(5000.0)
    reference = DriftReference.sample(distances, distances + 0.5)
    assert len(reference.distances) == 1000
    assert np.array_equal(reference.confidences, reference.distances + 0.5)
    assert np.median(reference.distances) == pytest.approx(2500, abs=400)
    reference.save(tmp_path / "reference.npz")
    loaded = DriftReference.load(tmp_path / "reference.npz")
    assert np.array_equal(loaded.distances, reference.distances)
    assert np.array_equal(loaded.confidences, reference.confidences)


def test_messages_from_many_threads_are_all_counted() -> None:
    monitor = DriftMonitor(REFERENCE)
    distances, confidences = usual(100)

    def many() -> None:
        watch(monitor, distances, confidences)

    threads = [threading.Thread(target=many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert monitor._count == 800
    assert len(monitor._window) == 200
