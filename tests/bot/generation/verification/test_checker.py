"""The whole check, on replies written by hand and on hostile text."""

import time
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from bot.generation.verification import SupportCheck, SupportIssue, SupportScorer
from knowledge_base.chunking import sentences
from knowledge_base.encoders.base_models import Vectors
from tests.bot.generation.verification.cases_en import ENGLISH
from tests.bot.generation.verification.cases_zh import CHINESE

RETURNS, *_ = ENGLISH[0]
CHECK = SupportCheck(None)


class Letters:
    """An encoder whose vectors count letters."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def queries(self, texts: Sequence[str], /) -> Vectors:
        return self.passages(texts)

    def passages(self, texts: Sequence[str], /, *, progress: bool = False) -> Vectors:
        del progress
        self.seen += texts
        rows = np.zeros((len(texts), 64), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for letter in text:
                row[ord(letter) % 64] += 1
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6))


def cases(*, held_back: bool) -> Iterator[tuple[str, str, bool]]:
    number = 0
    for passage, true, false in (*ENGLISH, *CHINESE):
        for statement in (*true, *(text for text, _ in false)):
            number += 1
            if (number % 2 == 1) == held_back:
                yield passage, statement, statement in true


def test_there_are_sixty_cases_of_each_language_and_more_of_what_is_false() -> None:
    for language in (ENGLISH, CHINESE):
        assert sum(len(true) + len(false) for _, true, false in language) >= 60
        assert sum(len(false) for *_, false in language) >= 30


@pytest.mark.parametrize("held_back", [False, True])
def test_what_was_never_looked_at_is_told_apart_as_well(*, held_back: bool) -> None:
    told: dict[bool, list[bool]] = {True: [], False: []}
    for passage, statement, true in cases(held_back=held_back):
        told[true].append(CHECK.check(statement, [passage]).supported == true)
    assert np.mean(told[False]) >= 0.9
    assert np.mean(told[True]) >= 0.65


def test_whole_sentences_of_a_passage_are_supported_whatever_they_say() -> None:
    for passage, *_ in (*ENGLISH, *CHINESE):
        for start, end in sentences(passage):
            verdict = CHECK.check(passage[start:end], ["Something else.", passage])
            assert verdict.supported
            assert verdict.flaws == ()


def test_a_verdict_says_where_a_statement_stands() -> None:
    verdict = CHECK.check(
        "In Canada the return label is free.", ["Shops\nWe have two shops.", RETURNS]
    )
    assert verdict.passage == 1
    assert verdict.start is not None
    assert RETURNS[verdict.start : verdict.end] == "In the US and Canada the return label is free."


def test_two_sentences_are_supported_when_both_are() -> None:
    first, second = "It must be unused.", "In the US the return label is free."
    assert CHECK.check(f"{first} {second}", [RETURNS]).supported
    verdict = CHECK.check(f"{first} In the US the return label costs $5.", [RETURNS])
    assert not verdict.supported
    assert SupportIssue.MONEY in verdict.flaws


def test_one_sentence_may_join_two_passages() -> None:
    passages = ["Gift cards are valid for 5 years.", "Vouchers are valid for 12 months."]
    joined = "Gift cards are valid for 5 years and vouchers for 12 months."
    assert CHECK.check(joined, passages).supported
    swapped = "Gift cards are valid for 12 months and vouchers are valid for 5 years."
    assert not CHECK.check(swapped, passages).supported


def test_a_greeting_beside_a_statement_needs_no_support() -> None:
    assert CHECK.check("Hello! Thanks for asking. It must be unused.", [RETURNS]).supported


def test_many_statements_get_the_verdicts_they_get_alone() -> None:
    statements = ["It must be unused.", "It may be used.", "You have 30 days to return it."]
    assert CHECK.check_all(statements, [RETURNS]) == [CHECK.check(s, [RETURNS]) for s in statements]
    assert CHECK.check_all([], [RETURNS]) == []


@pytest.mark.parametrize("statement", ["", " ", "…"])
def test_nothing_is_not_supported(statement: str) -> None:
    verdict = CHECK.check(statement, [RETURNS])
    assert not verdict.supported
    assert verdict.flaws == (SupportIssue.MEANING,)


def test_no_passage_supports_nothing() -> None:
    verdict = CHECK.check("It must be unused.", [])
    assert not verdict.supported
    assert (verdict.passage, verdict.start, verdict.end) == (None, None, None)
    assert not SupportCheck(Letters()).check("It must be unused.", [""]).supported


def test_the_threshold_decides_what_the_scorer_leaves_open() -> None:
    doubtful = SupportScorer((0.0,) * 13, 0.0)
    text = "The label for returns is free in Canada."
    assert SupportCheck(None, doubtful, 0.4).check(text, [RETURNS]).supported
    assert SupportCheck(None, doubtful, 0.6).check(text, [RETURNS]).flaws == (SupportIssue.MEANING,)


def test_a_passage_is_encoded_once() -> None:
    letters = Letters()
    check = SupportCheck(letters)
    check.check_all(["It must be unused.", "The label is free."], [RETURNS])
    before = len(letters.seen)
    check.check("It must be unused.", [RETURNS])
    assert len(letters.seen) == before
    assert len(set(letters.seen)) == before


@pytest.mark.parametrize(
    ("statement", "passage"),
    [
        ("1" * 4_000, "1" * 20_000),
        ("1,1." * 1_000, "9:" * 10_000),
        ("not if only " * 333, "not if only unless " * 1_000),
        ("不" * 4_000, "不如果只" * 5_000),
        ("三" * 4_000, "三十" * 10_000),
        ("A" * 4_000, "A-" * 10_000),
        ("two and " * 500, "twenty-" * 2_800),
        ("a. " * 1_333, "b. " * 6_666),
        (" " * 3_999 + "a", "https://" * 2_500),
        ("我" * 4_000, "i " * 10_000),
    ],
)
def test_hostile_text_takes_no_longer(statement: str, passage: str) -> None:
    begin = time.thread_time()  # what other programs take does not count
    CHECK.check(statement, [passage])
    assert time.thread_time() - begin < 8.0


def test_a_check_takes_milliseconds() -> None:
    passages = [passage for passage, *_ in ENGLISH[:4]]
    CHECK.check("You can return an item within 60 days.", passages)
    begin = time.thread_time()
    for days in range(20):
        CHECK.check(f"You can return an item within {days} days.", passages)
    assert time.thread_time() - begin < 20 * 0.15
