from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge_base.index.sparse import SparseIndex, terms

TEXTS = (
    "Refunds arrive within five days of the return",
    "Parcels to Norway take a week",
    "退货需要七天",
    "Returning a parcel is free, free, free",
    "",
)


def test_words_are_stemmed_and_function_words_dropped() -> None:
    assert terms("Returning the parcels and your REFUNDS") == ["return", "parcel", "refund"]


def test_chinese_is_indexed_by_pairs_of_characters() -> None:
    assert terms("退货政策") == ["退货", "货政", "政策"]


def test_a_lone_character_is_a_term() -> None:
    assert terms("退") == ["退"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7天无理由退货", {"7", "天无", "无理", "理由", "由退", "退货"}),
        ("我的iPhone坏了", {"我的", "iphon", "坏了"}),
        ("VIP会员", {"vip", "会员"}),
    ],
)
def test_latin_and_digits_beside_chinese_do_not_swallow_it(text: str, expected: set[str]) -> None:
    assert set(terms(text)) == expected


@pytest.mark.parametrize("text", ["", " \n", "?!…", "the of and", "👍"])
def test_texts_without_content_have_no_terms(text: str) -> None:
    assert terms(text) == []


def test_words_with_apostrophes_stay_whole() -> None:
    assert len(terms("won't")) == 1


def test_sparse_scores_are_highest_where_the_words_stand() -> None:
    index = SparseIndex.build(TEXTS)
    scores, _ = index.scores("How do refunds arrive?")
    assert scores.shape == (len(TEXTS),)
    assert int(scores.argmax()) == 0
    assert scores[1] == scores[2] == scores[4] == 0.0


def test_sparse_search_knows_chinese() -> None:
    scores, _ = SparseIndex.build(TEXTS).scores("怎么退货")
    assert int(scores.argmax()) == 2
    assert np.count_nonzero(scores) == 1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([*" ".join(TEXTS).split(), "zebra"]), min_size=1, max_size=8))
def test_no_passage_is_better_than_the_perfect_one(words: list[str]) -> None:
    scores, perfect = SparseIndex.build(TEXTS).scores(" ".join(words))
    assert (scores >= 0.0).all()
    assert float(scores.max()) <= perfect + 1e-4


def test_a_passage_that_is_best_for_its_only_term_is_perfect() -> None:
    scores, perfect = SparseIndex.build(TEXTS).scores("Norway")
    assert float(scores.max()) == pytest.approx(perfect)


def test_an_unknown_word_counts_as_much_as_the_rarest_known_one() -> None:
    index = SparseIndex.build(TEXTS)
    scores, known = index.scores("refunds")
    more_scores, more = index.scores("refunds zebra")
    assert np.array_equal(scores, more_scores)
    _, two = index.scores("refunds zebra giraffe")
    assert more - known == pytest.approx(two - more)
    assert more > known


def test_a_query_of_unknown_words_scores_nothing() -> None:
    scores, perfect = SparseIndex.build(TEXTS).scores("zebra")
    assert not scores.any()
    assert scores.shape == (len(TEXTS),)
    assert perfect > 0.0


def test_a_query_without_words_has_no_perfect_score() -> None:
    scores, perfect = SparseIndex.build(TEXTS).scores("?")
    assert not scores.any()
    assert perfect == 0.0


def test_texts_without_any_words_can_be_indexed() -> None:
    scores, _ = SparseIndex.build(["👍", "…"]).scores("refund")
    assert scores.tolist() == [0.0, 0.0]


def test_a_saved_sparse_index_scores_the_same(tmp_path: Path) -> None:
    index = SparseIndex.build(TEXTS)
    index.save(tmp_path / "sparse")
    again = SparseIndex.load(tmp_path / "sparse")
    for query in ("parcels for free", "退货", "zebra"):
        scores, perfect = index.scores(query)
        loaded_scores, loaded_perfect = again.scores(query)
        assert np.allclose(scores, loaded_scores)
        assert perfect == pytest.approx(loaded_perfect)


def test_rows_that_stay_and_texts_that_come_score_as_if_built_anew(tmp_path: Path) -> None:
    SparseIndex.build(TEXTS).save(tmp_path / "sparse")
    fresh = ("Gift cards last two years", "礼品卡两年有效")
    changed = SparseIndex.load(tmp_path / "sparse").with_changes(np.array([3, 0]), fresh)
    anew = SparseIndex.build([TEXTS[3], TEXTS[0], *fresh])
    for query in ("refunds", "gift card", "礼品卡", "Norway", "parcel free"):
        assert np.allclose(changed.scores(query)[0], anew.scores(query)[0])
        assert changed.scores(query)[1] == pytest.approx(anew.scores(query)[1])


def test_a_slip_of_the_finger_is_read_as_the_word_it_was_to_be() -> None:
    index = SparseIndex.build(TEXTS)
    right, _ = index.scores("norway parcels")
    slipped, _ = index.scores("norwya parcles", lambda _word: False)
    assert np.allclose(right, slipped)


def test_a_word_that_is_one_is_not_taken_for_a_slip() -> None:
    index = SparseIndex.build(["the boat is free", "the coast is near"])
    assert index.scores("goat", lambda word: word == "goat")[0].tolist() == [0.0, 0.0]
    assert index.scores("goat", lambda _word: False)[0][0] > 0


def test_traditional_and_simplified_chinese_find_each_other() -> None:
    index = SparseIndex.build(["退貨需要七天", "礼品卡"])
    assert index.scores("退货")[0][0] > 0
    assert index.scores("禮品卡")[0][1] > 0
