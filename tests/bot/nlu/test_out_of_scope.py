from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.nlu import out_of_scope
from bot.nlu.calibration import auroc
from bot.nlu.out_of_scope import NeighbourDistances, NeighbourIndex, OutOfScopeDetector
from knowledge_base.encoders.base_models import Vectors

NONE = np.zeros(4000, dtype=bool)
MIXED = np.arange(90) % 2 == 0


def unit(count: int, seed: int = 0, size: int = 8) -> Vectors:
    vectors = np.random.default_rng(seed).normal(size=(count, size))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def test_the_distance_is_one_less_the_cosine_to_the_nearest() -> None:
    vectors, asked = unit(50), unit(5, seed=1)
    memory = NeighbourIndex.build(vectors, np.zeros(50, dtype=np.int64))
    nearest = (asked @ vectors.T).max(axis=1)
    assert np.allclose(memory.distances(asked).in_scope, 1.0 - nearest, atol=1e-6)
    assert memory.distances(asked).oos is None


@pytest.mark.parametrize("count", [2, 10, 80])
def test_an_index_of_an_older_version_compares_with_several(count: int) -> None:
    vectors, asked = unit(50), unit(5, seed=1)
    memory = NeighbourIndex(vectors, np.arange(50), count=count)
    nearest = np.sort(asked @ vectors.T, axis=1)[:, -min(count, 50) :]
    assert np.allclose(memory.distances(asked).in_scope, 1.0 - nearest.mean(axis=1), atol=1e-6)


def test_out_of_scope_examples_have_distances_of_their_own() -> None:
    vectors, strange, asked = unit(50), unit(20, seed=2), unit(5, seed=1)
    memory = NeighbourIndex(vectors, np.arange(50), strange)
    distances = memory.distances(asked)
    assert distances.oos is not None
    assert np.allclose(distances.oos, 1.0 - (asked @ strange.T).max(axis=1), atol=1e-6)
    assert NeighbourIndex(vectors, np.arange(50), strange[:0]).distances(asked).oos is None


def test_all_messages_are_remembered_in_their_order_where_they_fit() -> None:
    memory = NeighbourIndex.build(unit(40), np.arange(40) % 3)
    assert memory.rows.tolist() == list(range(40))


def test_small_classes_are_remembered_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out_of_scope, "_MAX_STORED", 60)
    targets = np.array([0] * 400 + [1] * 20 + [2] * 10)
    memory = NeighbourIndex.build(unit(430), targets)
    kept = np.bincount(targets[memory.rows])
    assert kept.tolist() == [30, 20, 10]
    assert (np.diff(memory.rows) > 0).all()
    assert np.array_equal(memory.vectors, unit(430)[memory.rows])
    assert memory.rows[29] > 30  # a sample of the large class, not its beginning


def test_signs_are_the_best_logit_in_scope_the_distance_and_the_strangers_own_class() -> None:
    logits = np.array([[3.0, 1.0, 9.0], [0.0, 2.0, -1.0]])
    distances = NeighbourDistances(np.array([0.1, 0.4]))
    inside_only = out_of_scope.compute_signals(logits, np.array([False] * 3), distances)
    assert inside_only.tolist() == [[-9.0, 0.1], [-2.0, 0.4]]
    with_strangers = out_of_scope.compute_signals(logits, np.array([False, False, True]), distances)
    assert with_strangers.tolist() == [[-3.0, 0.1, 9.0], [-2.0, 0.4, -1.0]]
    both = replace(distances, oos=np.array([0.5, 0.2]))
    with_both = out_of_scope.compute_signals(logits, np.array([False, False, True]), both)
    assert with_both.tolist() == [[-3.0, 0.1, 9.0, -0.5], [-2.0, 0.4, -1.0, -0.2]]


def test_a_score_counts_in_standard_deviations_of_usual_messages() -> None:
    usual = np.random.default_rng(0).normal(loc=(5.0, 0.2), scale=(2.0, 0.05), size=(4000, 2))
    measured = OutOfScopeDetector.fit(usual, NONE[:4000])
    assert abs(measured.score(usual).mean()) < 1e-6
    assert measured.score(np.array([[9.0, 0.3]]))[0] == pytest.approx(2.0, abs=0.1)
    assert measured.score(np.array([[1.0, 0.1]]))[0] == pytest.approx(-2.0, abs=0.1)


def test_a_sign_that_never_varies_divides_by_nothing() -> None:
    measured = OutOfScopeDetector.fit(np.array([[1.0, 0.5]] * 10), NONE[:10])
    assert measured.score(np.array([[1.0, 0.5]])).tolist() == [0.0]


def test_a_saved_memory_measures_the_same(tmp_path: Path) -> None:
    memory = NeighbourIndex.build(unit(30), np.zeros(30, dtype=np.int64))
    measured = OutOfScopeDetector.fit(np.random.default_rng(0).normal(size=(90, 3)), MIXED)
    out_of_scope.save(memory, measured, tmp_path / "novelty.npz")
    loaded, again = out_of_scope.load(tmp_path / "novelty.npz")
    assert loaded.vectors.dtype == np.float32
    again_distances, distances = loaded.distances(unit(5, 1)), memory.distances(unit(5, 1))
    assert np.allclose(again_distances.in_scope, distances.in_scope, atol=1e-3)
    assert np.array_equal(loaded.rows, memory.rows)
    assert np.array_equal(again.mean, measured.mean)
    assert np.array_equal(again.spread, measured.spread)
    assert np.array_equal(again.weights, measured.weights)
    assert again.bias == measured.bias


def test_files_of_older_versions_are_read_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "novelty.npz"
    vectors = unit(30)
    np.savez(path, vectors=vectors, rows=np.arange(30), mean=np.zeros(2), spread=np.ones(2))
    loaded, detector = out_of_scope.load(path)
    assert loaded.count == 10
    assert detector.score(np.array([[1.0, 3.0, 100.0]])).tolist() == [2.0]


def test_examples_decide_which_signals_count() -> None:
    rng = np.random.default_rng(0)
    is_oos = np.arange(400) % 4 == 0
    signals = rng.normal(size=(400, 2))
    signals[:, 0] += 3 * is_oos  # the other one says nothing
    fitted = OutOfScopeDetector.fit(signals, is_oos)
    scores = fitted.score(signals)
    assert (auroc(scores[~is_oos], scores[is_oos]) or 0.0) > 0.97
    assert fitted.weights[0] > 5 * abs(fitted.weights[1])
    assert abs(scores[~is_oos].mean()) < 1e-6
    assert scores[~is_oos].std() == pytest.approx(1.0)
    few = OutOfScopeDetector.fit(signals[:80], is_oos[:80])
    assert len(few.weights) == 0
