from pathlib import Path

import numpy as np
import pytest

from bot.nlu import out_of_scope
from bot.nlu.out_of_scope import NeighbourIndex, OutOfScopeDetector
from knowledge_base.encoders.base_models import Vectors


def unit(count: int, seed: int = 0, size: int = 8) -> Vectors:
    vectors = np.random.default_rng(seed).normal(size=(count, size))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def test_the_distance_is_one_less_the_mean_cosine_to_the_ten_nearest() -> None:
    vectors, asked = unit(50), unit(5, seed=1)
    memory = NeighbourIndex.build(vectors, np.zeros(50, dtype=np.int64))
    nearest = np.sort(asked @ vectors.T, axis=1)[:, -10:]
    assert np.allclose(memory.distances(asked), 1.0 - nearest.mean(axis=1), atol=1e-6)


def test_a_remembered_message_is_not_its_own_neighbour() -> None:
    vectors = unit(50)
    memory = NeighbourIndex.build(vectors, np.zeros(50, dtype=np.int64))
    places = np.arange(50)
    with_itself, without = memory.distances(vectors), memory.distances(vectors, places)
    assert (without > with_itself).all()
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1.0)
    assert np.allclose(without, 1.0 - np.sort(cosines, axis=1)[:, -10:].mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("count", [2, 5, 10])
def test_a_memory_of_a_few_compares_with_all_the_others(count: int) -> None:
    vectors = np.repeat(unit(1), count, axis=0)
    memory = NeighbourIndex.build(vectors, np.zeros(count, dtype=np.int64))
    assert np.allclose(memory.distances(vectors, np.arange(count)), 0.0, atol=1e-6)


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
    distances = np.array([0.1, 0.4])
    inside_only = out_of_scope.compute_signals(logits, np.array([False] * 3), distances)
    assert inside_only.tolist() == [[-9.0, 0.1], [-2.0, 0.4]]
    with_strangers = out_of_scope.compute_signals(logits, np.array([False, False, True]), distances)
    assert with_strangers.tolist() == [[-3.0, 0.1, 9.0], [-2.0, 0.4, -1.0]]


def test_a_score_counts_in_standard_deviations_of_usual_messages() -> None:
    usual = np.random.default_rng(0).normal(loc=(5.0, 0.2), scale=(2.0, 0.05), size=(4000, 2))
    measured = OutOfScopeDetector.fit(usual)
    assert abs(measured.score(usual).mean()) < 1e-6
    assert measured.score(np.array([[9.0, 0.3]]))[0] == pytest.approx(2.0, abs=0.1)
    assert measured.score(np.array([[1.0, 0.1]]))[0] == pytest.approx(-2.0, abs=0.1)


def test_a_sign_that_never_varies_divides_by_nothing() -> None:
    measured = OutOfScopeDetector.fit(np.array([[1.0, 0.5]] * 10))
    assert measured.score(np.array([[1.0, 0.5]])).tolist() == [0.0]


def test_a_saved_memory_measures_the_same(tmp_path: Path) -> None:
    memory = NeighbourIndex.build(unit(30), np.zeros(30, dtype=np.int64))
    measured = OutOfScopeDetector.fit(np.random.default_rng(0).normal(size=(20, 3)))
    out_of_scope.save(memory, measured, tmp_path / "novelty.npz")
    loaded, again = out_of_scope.load(tmp_path / "novelty.npz")
    assert loaded.vectors.dtype == np.float32
    assert np.allclose(loaded.distances(unit(5, 1)), memory.distances(unit(5, 1)), atol=1e-3)
    assert np.array_equal(loaded.rows, memory.rows)
    assert np.array_equal(again.mean, measured.mean)
    assert np.array_equal(again.spread, measured.spread)
