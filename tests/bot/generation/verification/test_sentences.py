"""How a text is read: sentences, clauses, words, and what it leans on."""

import numpy as np

from bot.generation.verification.alignment import IndexedPassage, SentenceIndex, align
from bot.generation.verification.features import NAMES, SIGNS, SupportFeatures, extract
from bot.generation.verification.sentences import parse_sentences
from bot.generation.verification.similarity import SentenceSimilarity
from tests.bot.generation.verification.test_checker import Letters


def test_offsets_are_those_of_the_text_itself() -> None:
    text = "Ｆｉｒｓｔ １２ days.  退貨免費。\n- last"
    assert [text[s.start : s.end] for s in parse_sentences(text)] == [
        "Ｆｉｒｓｔ １２ days.",
        "退貨免費。",
        "- last",
    ]
    assert parse_sentences(text)[1].text == "退货免费。"


def test_words_that_say_the_same_have_one_key() -> None:
    one, other = (
        parse_sentences("We ship parcels.")[0],
        parse_sentences("They deliver a package.")[0],
    )
    assert one.keys == other.keys != frozenset()


def test_function_words_carry_nothing_but_the_us_is_a_place() -> None:
    assert parse_sentences("It is for us.")[0].keys == frozenset()
    assert parse_sentences("It is for the US.")[0].keys == {"usa"}


def test_a_sentence_leans_on_the_sentences_that_cover_it() -> None:
    passages = [
        IndexedPassage.from_text(0, "Tents are heavy. The label is free."),
        IndexedPassage.from_text(1, "Boots are warm. Refunds take five days."),
    ]
    support = align(
        parse_sentences("The label is free and refunds take five days.")[0],
        SentenceIndex(passages),
        None,
    )
    assert support is not None
    assert [s.text for s in support.sentences] == ["Refunds take five days.", "The label is free."]
    assert support.places == (1, 0)


def test_a_passage_says_its_own_sentences_and_not_half_of_one() -> None:
    passage = IndexedPassage.from_text(
        0, "Return\nYou can return it if it is new. It is free.\nA | B"
    )
    for whole in ("you can return it if it is new", "It is free.", "A: B.", "It is free. A, B"):
        assert passage.contains(parse_sentences(whole)[0]) or len(parse_sentences(whole)) > 1
    for half in ("You can return it.", "It is new.", "is free", "It is fre"):
        assert not passage.contains(parse_sentences(half)[0])


def test_features_are_as_many_as_their_names() -> None:
    passage = IndexedPassage.from_text(0, "The label is free.")
    sentence = parse_sentences("The label is free.")[0]
    ground = SupportFeatures([passage])
    found = extract(sentence, ground, align(sentence, ground.index, None), 1.0, ())
    assert len(found) == len(NAMES) == len(SIGNS)
    assert found[:6].tolist() == [1.0] * 6


def test_nearness_is_one_for_the_same_and_little_for_anything() -> None:
    near = SentenceSimilarity(Letters()).nearness(["abc abc"], ["abc abc", "zzzz qqqq"])
    assert near.shape == (1, 2)
    assert np.isclose(near[0, 0], 1.0, atol=1e-5)
    assert near[0, 1] < 0.5
