import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.nlu.context import in_context
from bot.nlu.ngrams import NgramHead, NgramVocabulary
from tests.conftest import ROOT

TEXTS = ["Where is my parcel?", "my refund is late", "退款在哪里", "ok"]
VOCABULARY = NgramVocabulary.fit(TEXTS)


def weight(vocabulary: NgramVocabulary, text: str, term: str) -> float:
    rows, weights, _ = vocabulary.features(text)
    return float(weights[rows.tolist().index(vocabulary.rows[term])])


def test_words_and_pieces_of_words_are_terms() -> None:
    assert {"\twhere", "\tmy parcel", " whe", "parc", "p", " ok ", "\t退款在哪里"} <= set(
        VOCABULARY.terms
    )
    assert len(set(VOCABULARY.terms)) == len(VOCABULARY.terms)


def test_case_width_and_script_of_a_text_make_no_difference() -> None:
    same = {TEXTS[0]: ("WHERE is MY parcel?", "Ｗhere is my parcel?"), TEXTS[2]: ("退款在哪裡",)}
    for text, others in same.items():
        for other in others:
            rows, weights, known = VOCABULARY.features(other)
            assert known == 1.0
            assert np.array_equal(rows, VOCABULARY.features(text)[0])
            assert np.array_equal(weights, VOCABULARY.features(text)[1])


def test_what_was_said_before_is_left_to_the_encoder() -> None:
    alone, spoken = TEXTS[0], in_context(TEXTS[0], "my refund is late", "退款在哪里")
    assert np.array_equal(VOCABULARY.features(alone)[0], VOCABULARY.features(spoken)[0])


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_each_block_of_a_text_has_the_length_one_or_is_empty(text: str) -> None:
    rows, weights, known = NgramVocabulary.fit([text, "something else"]).features(text)
    terms = NgramVocabulary.fit([text, "something else"]).terms
    for block in (True, False):
        part = [w for row, w in zip(rows, weights, strict=True) if (terms[row][0] == "\t") == block]
        assert np.linalg.norm(part) == pytest.approx(1.0 if part else 0.0, abs=1e-5)
    assert known == (1.0 if len(rows) else 0.0)


def test_a_text_of_unknown_words_has_no_features() -> None:
    rows, weights, known = VOCABULARY.features("ъщъы")
    assert (len(rows), len(weights), known) == (0, 0, 0.0)
    assert 0.0 < VOCABULARY.features("my ъщъыъы")[2] < 0.5


def test_a_rare_word_weighs_more_than_a_frequent_one_and_repetition_a_little() -> None:
    vocabulary = NgramVocabulary.fit(["my parcel", "my refund", "my tent"])
    assert weight(vocabulary, "my parcel", "\tparcel") > weight(vocabulary, "my parcel", "\tmy")
    once, twice = (weight(vocabulary, f"my {tents}", "\ttent") for tents in ("tent", "tent tent"))
    assert once < twice < 2 * once


def test_terms_of_one_text_alone_are_left_out_of_large_sets() -> None:
    texts = [f"parcel {number}" for number in range(999)]
    assert "\t7" in NgramVocabulary.fit(texts).rows
    assert "\t7" not in NgramVocabulary.fit([*texts, "parcel tent"]).rows
    assert "\tparcel" in NgramVocabulary.fit([*texts, "parcel tent"]).rows


def test_only_the_beginning_of_an_endless_text_is_read() -> None:
    assert (
        VOCABULARY.features("my " * 3000)[0].tolist()
        == VOCABULARY.features("my " * 900)[0].tolist()
    )
    assert VOCABULARY.features("ъ" * 2000 + " refund")[2] == 0.0


def test_a_matrix_has_the_features_of_each_text_in_its_row() -> None:
    matrix = VOCABULARY.matrix([*TEXTS, "xyzzy"]).toarray()
    assert matrix.shape == (5, len(VOCABULARY.terms))
    for row, text in zip(matrix, [*TEXTS, "xyzzy"], strict=True):
        rows, weights, _ = VOCABULARY.features(text)
        assert np.allclose(row[rows], weights)
        assert np.count_nonzero(row) == len(rows)


def test_logits_are_the_features_times_the_weights() -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(len(VOCABULARY.terms), 3)).astype(np.float32)
    logits = NgramHead(VOCABULARY, weights).logits([*TEXTS, "xyzzy"])
    assert np.allclose(logits, VOCABULARY.matrix([*TEXTS, "xyzzy"]).toarray() @ weights, atol=1e-4)
    assert NgramHead(VOCABULARY, weights).logits([]).shape == (0, 3)


def test_a_saved_head_says_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(len(VOCABULARY.terms), 3)).astype(np.float32)
    head = NgramHead(VOCABULARY, weights)
    head.save(tmp_path)
    loaded = NgramHead.load(tmp_path)
    assert loaded.vocabulary.terms == VOCABULARY.terms
    assert np.allclose(loaded.logits(TEXTS), head.logits(TEXTS), atol=0.01)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=5))
def test_terms_of_any_text_survive_the_file(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    vocabulary = NgramVocabulary.fit([*texts, "parcel"])
    folder = tmp_path_factory.mktemp("head")
    NgramHead(vocabulary, np.zeros((len(vocabulary.terms), 2), dtype=np.float32)).save(folder)
    assert NgramHead.load(folder).vocabulary.terms == vocabulary.terms


def test_every_process_puts_the_terms_in_the_same_order() -> None:
    code = (
        "from bot.nlu.ngrams import NgramVocabulary; "
        "print(ascii(NgramVocabulary.fit(['where is my parcel', 'my refund is late']).terms))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
