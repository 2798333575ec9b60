"""Slips of the finger are put right; everything else stays as it was written."""

import time

import pytest

from knowledge_base.text.spelling import SpellingCorrector

SPELLER = SpellingCorrector.from_texts(
    ["where is my parcel", "my parcel is late", "refund my order", "the order and its refund"] * 2
)


def nothing(_: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("parcl", "parcel"),
        ("parccel", "parcel"),
        ("pracel", "parcel"),
        ("psrcel", "parcel"),
        ("Refnud my oder!", "refund my order!"),
        ("我的parcl在哪里", "我的parcel在哪里"),
        ("parcl_refnud", "parcel_refund"),
    ],
)
def test_one_slip_is_put_right(slip: str, meant: str) -> None:
    assert SPELLER.correct(slip, nothing) == meant


@pytest.mark.parametrize(
    "text",
    [
        "Where is my PARCEL?",
        "is the warranty one parsec long",  # one edit from parcel, but a word the encoder knows
        "my parcels came",  # the `s` would be one too many
        "pracl",  # two slips
        "odr",  # short words have too many neighbours
    ],
)
def test_words_that_are_known_or_like_nothing_stay(text: str) -> None:
    known = {"warranty", "parsec", "parcels", "came", "long"}
    assert SPELLER.correct(text, known.__contains__) == text


@pytest.mark.parametrize(
    "text",
    ["我的包裹在哪里？", "訂單A10234還沒到", "Où est mon colis à Orléans", "🎒 ❤️", ""],
)
def test_chinese_and_other_scripts_stay(text: str) -> None:
    assert SPELLER.correct(text, nothing) == text


@pytest.mark.parametrize("number", ["ORDR10234", "10234PARCL", "A10234", "parcl7oder", "PARCÉL"])
def test_numbers_of_orders_stay(number: str) -> None:
    assert SPELLER.correct(f"where is {number}", nothing) == f"where is {number}"


def test_the_more_frequent_word_is_meant() -> None:
    speller = SpellingCorrector.from_texts(["card", "card", *["care"] * 5])
    assert speller.correct("carx", nothing) == "care"


def test_a_word_of_the_training_texts_stays_and_others_become_what_stood_there_twice() -> None:
    speller = SpellingCorrector.from_texts(["refund", "refund", "lamb"])
    assert speller.correct("the lamb", nothing) == "the lamb"
    assert speller.correct("refnud", nothing) == "refund"
    assert speller.correct("lamx", nothing) == "lamx"  # lamb may be a slip itself


@pytest.mark.parametrize("length", [4, 9, 24, 4_000])
def test_a_long_message_of_nonsense_takes_no_long_time(length: int) -> None:
    letters = "qzxjkvwy"
    word = (letters * 500)[:length]
    text = " ".join([word] * (4_000 // (length + 1) or 1))
    started = time.thread_time()
    assert SPELLER.correct(text, nothing) == text
    assert time.thread_time() - started < 4.0  # it takes .05 s
