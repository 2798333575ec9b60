import time

import numpy as np

from knowledge_base.encoders.base_models import Vectors
from knowledge_base.quality import near_duplicates


def unit(rows: int, dimension: int, seed: int = 0) -> Vectors:
    found = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)


def test_rare_words_tell_more_than_common_ones() -> None:
    weights = near_duplicates.word_weights([["order", "zip"], ["order"], ["order", "tent"]])
    assert weights["zip"] == weights["tent"] == 1.0
    assert 0.0 < weights["order"] < 1.0


def test_texts_that_share_words_have_close_vectors() -> None:
    rows = [["return", "label", "days"], ["return", "label", "hours"], ["tent", "poles"], []]
    folded = near_duplicates.hash_words(rows, near_duplicates.word_weights(rows))
    cosines = folded @ folded.T
    assert cosines[0, 1] > 0.3 > abs(cosines[0, 2])
    assert not folded[3].any()


def test_only_near_rows_of_one_group_that_share_words_are_pairs() -> None:
    vectors = np.eye(4, dtype=np.float32)[[0, 0, 0, 1]]
    words = np.eye(4, dtype=np.float32)[[2, 2, 2, 3]]
    groups = np.array([0, 0, 1, 0], dtype=np.int32)
    found = near_duplicates.find_pairs(vectors, words, groups, k=3, min_cosine=0.1)
    assert [(pair.first, pair.second) for pair in found] == [(0, 1)]
    assert found[0].meaning == found[0].words == 1.0


def test_no_rows_and_one_row_have_no_pairs() -> None:
    for n in (0, 1):
        empty = np.zeros((n, 4), dtype=np.float32)
        groups = np.zeros(n, dtype=np.int32)
        assert near_duplicates.find_pairs(empty, empty, groups, k=3, min_cosine=0.1) == []


def test_blocks_find_what_the_whole_table_would() -> None:
    vectors, words = unit(1100, 16), unit(1100, 32, seed=1)
    groups = np.zeros(1100, dtype=np.int32)
    found = {
        (p.first, p.second)
        for p in near_duplicates.find_pairs(vectors, words, groups, k=4, min_cosine=0.2)
    }
    both = vectors @ vectors.T + words @ words.T
    np.fill_diagonal(both, -9)
    wanted = {
        (min(i, j), max(i, j))
        for i in range(1100)
        for j in np.argsort(-both[i])[:4].tolist()
        if words[i] @ words[j] >= 0.2
    }
    assert found == wanted


def test_ten_thousand_rows_take_seconds() -> None:
    vectors, words = unit(10_000, 384), unit(10_000, 768, seed=1)
    started = time.process_time()
    near_duplicates.find_pairs(
        vectors, words, np.zeros(10_000, dtype=np.int32), k=12, min_cosine=0.12
    )
    assert time.process_time() - started < 60  # a loop over pairs would take many minutes


def test_the_nearest_row_is_found_for_each_query() -> None:
    rows = unit(700, 8)
    places, scores = near_duplicates.nearest_rows(rows[[3, 600]], rows)
    assert places.tolist() == [3, 600]
    assert scores.min() > 0.999
