from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base.encoders.base_models import Vectors
from knowledge_base.index import dense
from knowledge_base.index.dense import (
    FLAT_UP_TO,
    DenseIndex,
    bytes_for,
    kind_for,
    lists_for,
    sample_for,
)
from knowledge_base.index.vector_stores import Kind, Numbers

MANY, DIMENSION = 60_000, 24
STEP = 3  # numbers are not rows
KINDS: tuple[Kind, ...] = ("flat", "ivf")


def made(count: int, dimension: int, seed: int = 0) -> Vectors:
    """Unit vectors around the centres that every seed shares."""
    centres = np.random.default_rng(99).standard_normal((600, dimension), dtype=np.float32)
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((count, dimension), dtype=np.float32)
    vectors = centres[rng.integers(len(centres), size=count)] + np.float32(0.8) * noise
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def numbered(*numbers: int) -> Numbers:
    return np.array(numbers, dtype=np.int64)


def none_of(dimension: int) -> Vectors:
    return np.zeros((0, dimension), dtype=np.float32)


VECTORS = made(MANY, DIMENSION)
NUMBERS = STEP * np.arange(MANY, dtype=np.int64)
QUERIES = made(50, DIMENSION, seed=1)


@pytest.fixture(scope="module")
def many() -> DenseIndex:
    return DenseIndex.build(VECTORS, NUMBERS)


@pytest.fixture(scope="module")
def stored(many: DenseIndex) -> Vectors:
    return many.vectors()


@pytest.fixture(scope="module")
def mapped(many: DenseIndex, tmp_path_factory: pytest.TempPathFactory) -> DenseIndex:
    path = tmp_path_factory.mktemp("dense") / "dense"
    many.save(path)
    return DenseIndex.load(path)


def recall(index: DenseIndex, vectors: Vectors, allowed: Numbers | None, k: int = 10) -> float:
    """Share of the true neighbours found, vectors standing for the numbers in NUMBERS."""
    rows = np.arange(MANY) if allowed is None else allowed // STEP
    found = 0
    for query in QUERIES:
        best = NUMBERS[rows[np.argsort(-(vectors[rows] @ query))[:k]]]
        found += len(np.intersect1d(index.search(query, k, allowed=allowed)[0], best))
    return found / (len(QUERIES) * min(k, len(rows)))


def test_few_vectors_are_kept_as_they_are_and_many_in_lists() -> None:
    assert kind_for(FLAT_UP_TO, 384) == "flat"
    assert kind_for(FLAT_UP_TO + 1, 384) == "ivf"


def test_a_budget_below_four_bytes_a_number_asks_for_lists() -> None:
    assert kind_for(10_000, 384, budget=4 * 10_000 * 384) == "flat"
    assert kind_for(10_000, 384, budget=4 * 10_000 * 384 - 1) == "ivf"
    assert bytes_for("ivf", 10_000, 384) * 4 == bytes_for("flat", 10_000, 384)


def test_a_million_vectors_go_into_4096_lists() -> None:
    assert lists_for(1_000_000) == 4096
    assert sample_for(1_000_000) == 96 * 4096


@given(st.integers(0, 50_000_000))
def test_lists_are_never_nearly_empty(count: int) -> None:
    assert 1 <= lists_for(count) <= max(1, count // 32)
    assert sample_for(count) <= count


def test_size_chooses_the_kind(many: DenseIndex) -> None:
    assert many.kind == "ivf"
    assert (many.count, many.dimension, many.size) == (MANY, DIMENSION, MANY * DIMENSION)
    few = DenseIndex.build(VECTORS[:100])
    assert (few.kind, few.count, few.size) == ("flat", 100, 4 * 100 * DIMENSION)


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_are_those_given(kind: Kind) -> None:
    index = DenseIndex.build(VECTORS[:300], NUMBERS[:300][::-1], kind=kind)
    assert index.kind == kind
    assert index.numbers.tolist() == NUMBERS[:300].tolist()
    assert np.allclose(index.vectors(), VECTORS[:300][::-1], atol=0.01)


def test_numbers_count_from_zero_by_default() -> None:
    assert DenseIndex.build(VECTORS[:4]).numbers.tolist() == [0, 1, 2, 3]


def test_a_flat_search_is_exact() -> None:
    index = DenseIndex.build(VECTORS[:5_000], NUMBERS[:5_000])
    for query in QUERIES:
        numbers, cosines = index.search(query, 10)
        truth = VECTORS[:5_000] @ query
        assert numbers.tolist() == NUMBERS[np.argsort(-truth)[:10]].tolist()
        assert np.allclose(cosines, np.sort(truth)[::-1][:10], atol=1e-5)


def test_lists_find_nearly_all_neighbours(many: DenseIndex, stored: Vectors) -> None:
    assert recall(many, stored, None) >= 0.97
    assert recall(many, VECTORS, None) >= 0.95  # codes are of 8 bits


def test_the_best_come_first_with_the_cosines_of_the_stored_vectors(many: DenseIndex) -> None:
    numbers, cosines = many.search(QUERIES[0], 20)
    assert list(cosines) == sorted(cosines, reverse=True)
    assert np.allclose(cosines, many.cosines(QUERIES[0], numbers), atol=1e-4)


def test_codes_are_close_to_the_vectors(stored: Vectors) -> None:
    assert np.abs(stored - VECTORS).mean() < 0.002
    assert np.abs(np.einsum("nd,nd->n", stored, VECTORS) - 1).mean() < 0.002


def test_one_list_finds_less(many: DenseIndex, stored: Vectors, tmp_path: Path) -> None:
    many.save(tmp_path / "dense")
    assert recall(DenseIndex.load(tmp_path / "dense", lists=1), stored, None) < 0.9


def test_building_twice_gives_the_same(tmp_path: Path) -> None:
    for name in ("a", "b"):
        DenseIndex.build(VECTORS[:20_000], kind="ivf").save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_give_what_the_whole_gives(kind: Kind) -> None:
    def blocks() -> Iterator[tuple[Numbers, Vectors]]:
        for at in range(0, 3_000, 700):
            yield NUMBERS[at : min(3_000, at + 700)], VECTORS[at : min(3_000, at + 700)]

    streamed = DenseIndex.stream(
        blocks(), count=3_000, dimension=DIMENSION, sample=VECTORS[:3_000], kind=kind
    )
    whole = DenseIndex.build(VECTORS[:3_000], NUMBERS[:3_000], kind=kind)
    assert streamed.kind == whole.kind
    assert np.allclose(streamed.vectors(), whole.vectors(), atol=0.02)
    assert streamed.numbers.tolist() == whole.numbers.tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_come_in_the_order_asked_for(kind: Kind) -> None:
    index = DenseIndex.build(VECTORS[:400], NUMBERS[:400], kind=kind)
    wanted = np.random.default_rng(3).permutation(NUMBERS[:400])[:50]
    assert np.array_equal(index.vectors(wanted), index.vectors()[wanted // STEP])
    expected = index.vectors(wanted) @ QUERIES[0]
    assert np.allclose(index.cosines(QUERIES[0], wanted), expected, atol=1e-6)
    assert index.vectors(numbered()).shape == (0, DIMENSION)
    assert index.cosines(QUERIES[0], numbered()).shape == (0,)


@pytest.mark.parametrize("kind", KINDS)
def test_all_there_is_can_be_asked_for(kind: Kind) -> None:
    index = DenseIndex.build(VECTORS[:3_000], NUMBERS[:3_000], kind=kind)
    numbers, cosines = index.search(QUERIES[0], 5_000)
    assert sorted(numbers.tolist()) == NUMBERS[:3_000].tolist()
    assert len(cosines) == 3_000


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_found_where_nothing_is(kind: Kind) -> None:
    index = DenseIndex.build(VECTORS[:200], kind=kind)
    empty = index.with_changes(index.numbers, numbered(), none_of(DIMENSION))
    for index_, k in ((index, 0), (empty, 5)):
        numbers, cosines = index_.search(QUERIES[0], k)
        assert len(numbers) == len(cosines) == 0
    assert empty.count == 0
    assert empty.vectors().shape == (0, DIMENSION)
    assert empty.with_changes(numbered(), numbered(7), VECTORS[:1]).search(VECTORS[0], 3)[0] == [7]


def test_an_index_of_nothing_can_be_built_and_grows() -> None:
    index = DenseIndex.build(none_of(DIMENSION))
    assert (index.kind, index.count, index.dimension) == ("flat", 0, DIMENSION)
    grown = index.with_changes(numbered(), NUMBERS[:9], VECTORS[:9])
    assert grown.search(VECTORS[4], 1)[0].tolist() == [4 * STEP]


SHARES = [1, 9, 500, dense._MAX_SCORED, dense._MAX_SCORED + 1, 6_000, 20_000, 50_000, MANY]


@pytest.mark.parametrize("share", SHARES)
def test_a_filter_of_any_size_loses_no_neighbours(
    many: DenseIndex, stored: Vectors, share: int
) -> None:
    drawn = np.random.default_rng(share).choice(NUMBERS, share, replace=False)
    assert recall(many, stored, drawn) >= 0.99


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_filter_that_leaves_only_what_is_far_off_loses_no_neighbours(
    many: DenseIndex, stored: Vectors, share: float
) -> None:
    far = np.argsort((stored @ QUERIES.T).max(axis=1))[: int(share * MANY)]
    assert recall(many, stored, NUMBERS[far]) >= 0.99


def test_a_single_neighbour_is_found_behind_a_filter(many: DenseIndex, stored: Vectors) -> None:
    for seed in range(3):
        drawn = np.random.default_rng(seed).choice(NUMBERS, 8_000, replace=False)
        assert recall(many, stored, drawn, k=1) >= 0.99


def test_numbers_far_apart_are_filtered_too() -> None:
    numbers = NUMBERS[:9_000] * 10**12
    index = DenseIndex.build(VECTORS[:9_000], numbers, kind="ivf")
    allowed = numbers[::2]
    found, cosines = index.search(QUERIES[0], 10, allowed=allowed)
    best = np.sort(index.cosines(QUERIES[0], allowed))[::-1]
    assert np.isin(found, allowed).all()
    assert np.allclose(cosines, best[:10], atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_only_the_allowed_are_found(kind: Kind, data: st.DataObject) -> None:
    index = SMALL[kind]
    allowed = data.draw(st.lists(st.integers(0, STEP * 3_200), max_size=60))
    allowed += data.draw(st.sampled_from([[], NUMBERS[:2_400].tolist()]))
    k = data.draw(st.integers(1, 30))
    known = [number for number in set(allowed) if number in SMALL_NUMBERS]
    numbers, cosines = index.search(QUERIES[0], k, allowed=np.array(allowed, dtype=np.int64))
    best = np.sort(index.cosines(QUERIES[0], np.array(known, dtype=np.int64)))[::-1][:k]
    assert set(numbers.tolist()) <= set(known)
    assert len(set(numbers.tolist())) == len(numbers) == min(k, len(known))
    assert np.allclose(cosines, best, atol=1e-4)


SMALL_NUMBERS = frozenset(NUMBERS[:3_000].tolist())
SMALL = {kind: DenseIndex.build(VECTORS[:3_000], NUMBERS[:3_000], kind=kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_changed_index_is_what_it_should_be(kind: Kind, data: st.DataObject) -> None:
    index = SMALL[kind]
    removed = data.draw(st.lists(st.sampled_from(NUMBERS[:3_000].tolist()), unique=True))
    free = st.integers(STEP * 3_000, STEP * 9_000)
    added = data.draw(st.lists(free | st.sampled_from(removed or [9_999]), unique=True))
    vectors = made(len(added), DIMENSION, seed=5)
    changed = index.with_changes(numbered(*removed), numbered(*added), vectors)
    kept = np.setdiff1d(index.numbers, numbered(*removed))
    assert changed.numbers.tolist() == sorted([*kept.tolist(), *added])
    assert np.array_equal(changed.vectors(kept), index.vectors(kept))
    assert np.abs(changed.vectors(numbered(*added)) - vectors).max(initial=0) < 0.1
    assert index.count == 3_000  # the index it came from is as it was
    for number, vector in zip(added[:3], vectors, strict=False):
        assert changed.search(vector, 1)[0].tolist() == [number]


def test_a_changed_index_finds_its_neighbours(many: DenseIndex, stored: Vectors) -> None:
    """A tenth is replaced by vectors never trained on."""
    away = NUMBERS[::10]
    fresh = made(len(away), DIMENSION, seed=8)
    changed = many.with_changes(away, away, fresh)
    expected = stored.copy()
    expected[::10] = changed.vectors(away)
    assert np.abs(expected[::10] - fresh).mean() < 0.002
    assert changed.kind == many.kind
    assert recall(changed, expected, None) >= 0.97
    assert recall(changed, expected, NUMBERS[:30_000]) >= 0.99
    assert recall(many, stored, None) >= 0.97


def test_a_changed_mapped_index_can_be_saved(mapped: DenseIndex, tmp_path: Path) -> None:
    changed = mapped.with_changes(NUMBERS[:5], numbered(1), QUERIES[:1])
    changed.save(tmp_path / "dense")
    again = DenseIndex.load(tmp_path / "dense")
    assert again.numbers.tolist() == [1, *NUMBERS[5:].tolist()]
    assert np.array_equal(again.vectors(), changed.vectors())
    assert again.search(QUERIES[0], 1)[0].tolist() == [1]


def test_a_loaded_index_says_the_same(
    many: DenseIndex, mapped: DenseIndex, stored: Vectors
) -> None:
    assert (mapped.kind, mapped.count, mapped.dimension) == ("ivf", MANY, DIMENSION)
    assert np.array_equal(mapped.vectors(), stored)
    for allowed in (None, NUMBERS[::2], NUMBERS[:50]):
        for query in QUERIES[:5]:
            ours, theirs = (i.search(query, 10, allowed=allowed) for i in (many, mapped))
            assert np.array_equal(ours[0], theirs[0])
            assert np.array_equal(ours[1], theirs[1])


def test_a_loaded_flat_index_says_the_same(tmp_path: Path) -> None:
    SMALL["flat"].save(tmp_path / "dense")
    again = DenseIndex.load(tmp_path / "dense")
    assert again.kind == "flat"
    assert np.array_equal(again.vectors(), VECTORS[:3_000])
    assert again.search(VECTORS[7], 1)[0].tolist() == [7 * STEP]


def test_a_loaded_index_may_be_saved_over_its_own_file(tmp_path: Path) -> None:
    path = tmp_path / "dense"
    SMALL["ivf"].save(path)
    index = DenseIndex.load(path)
    index.save(path)
    assert np.array_equal(index.vectors(), SMALL["ivf"].vectors())
    assert np.array_equal(DenseIndex.load(path).vectors(), index.vectors())
    assert [file.name for file in tmp_path.iterdir()] == ["dense"]


def test_a_file_may_be_moved_while_it_is_served(tmp_path: Path) -> None:
    SMALL["ivf"].save(tmp_path / "dense")
    index = DenseIndex.load(tmp_path / "dense")
    (tmp_path / "dense").unlink()
    assert np.array_equal(index.vectors(), SMALL["ivf"].vectors())
    assert index.search(VECTORS[7], 1)[0].tolist() == [7 * STEP]


def test_threads_search_one_index_at_once(mapped: DenseIndex) -> None:
    filters = (None, NUMBERS[::2], NUMBERS[:50], NUMBERS[20_000:])
    asked = [(query, allowed) for query in QUERIES for allowed in filters]
    alone = [mapped.search(query, 10, allowed=allowed) for query, allowed in asked]
    fresh = DenseIndex(mapped._store)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda one: fresh.search(one[0], 10, allowed=one[1]), asked))
    for first, second in zip(alone, together, strict=True):
        assert np.array_equal(first[0], second[0])
        assert np.array_equal(first[1], second[1])


def test_a_search_leaves_the_number_of_threads_as_it_was(mapped: DenseIndex) -> None:
    import faiss

    before = faiss.omp_get_max_threads()
    mapped.search(QUERIES[0], 10)
    assert faiss.omp_get_max_threads() == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_number_stands_for_one_vector(kind: Kind) -> None:
    with pytest.raises(ValueError, match="occurs twice"):
        DenseIndex.build(VECTORS[:3], numbered(1, 2, 1), kind=kind)
    index = SMALL[kind]
    with pytest.raises(ValueError, match="already"):
        index.with_changes(numbered(), numbered(0), VECTORS[:1])
    with pytest.raises(ValueError, match="already"):
        index.with_changes(numbered(), numbered(1, 1), VECTORS[:2])


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_number_is_named(kind: Kind) -> None:
    index = SMALL[kind]
    with pytest.raises(ValueError, match=r"no vector 1$"):
        index.vectors(numbered(0, 1))
    with pytest.raises(ValueError, match=r"no vector 99999$"):
        index.cosines(QUERIES[0], numbered(99_999))
    with pytest.raises(ValueError, match=r"no vector -3$"):
        index.with_changes(numbered(-3), numbered(), none_of(DIMENSION))


def test_shapes_and_numbers_must_fit() -> None:
    with pytest.raises(ValueError, match="3 numbers need vectors"):
        DenseIndex.build(VECTORS[:4], numbered(1, 2, 3))
    with pytest.raises(ValueError, match="start at 0"):
        DenseIndex.build(VECTORS[:2], numbered(1, -1))
    with pytest.raises(ValueError, match="need vectors of shape"):
        SMALL["ivf"].with_changes(numbered(), numbered(1), none_of(DIMENSION + 1))


def test_lists_need_a_sample() -> None:
    with pytest.raises(ValueError, match="sample"):
        DenseIndex.stream([], count=MANY, dimension=DIMENSION, sample=none_of(DIMENSION))
    sampled = DenseIndex.stream([], count=MANY, dimension=DIMENSION, sample=VECTORS[:2_000])
    assert (sampled.kind, sampled.count) == ("ivf", 0)
