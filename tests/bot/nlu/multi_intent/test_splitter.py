"""Dividing messages: with a made-up classifier, and with a trained one on the demo's content."""

import json
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bot.container import Home
from bot.core.intent_history import IntentHistory
from bot.core.types import IntentScore
from bot.nlu.intent_classifier import IntentModel, Prediction
from bot.nlu.multi_intent import splitter
from bot.nlu.multi_intent.splitter import MessagePart
from tests.conftest import DEMO

Scores = dict[str, tuple[str, float]]
REJECTED = "oos"


class Reader:
    """Knows some texts by heart; all others are refunds, hardly."""

    def __init__(self, known: Scores) -> None:
        self.known = known
        self.read: list[str] = []

    def predict(self, texts: Sequence[str], history: IntentHistory = ()) -> list[Prediction]:
        del history
        self.read += texts
        return [self._one(text) for text in texts]

    def ngram_logits(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Speak for another intent each time, so that every boundary looks promising."""
        return np.eye(2 * len(texts))[: len(texts)]

    def _one(self, text: str) -> Prediction:
        intent, confidence = self.known.get(text, ("refund", 0.3))
        score = IntentScore("refund" if intent == REJECTED else intent, confidence)
        strange = 3.0 * (1.0 - confidence)
        return Prediction((score,), score, strange, intent == REJECTED)


def find(text: str, known: Scores) -> list[tuple[str, str]]:
    parts = splitter.find(text, Reader(known), None, None)
    assert all(text[part.start : part.end] == part.text for part in parts)
    return [(part.text, part.prediction.intent) for part in parts]


TWO = "where is it and can I cancel"
CLEAR: Scores = {"where is it": ("status", 0.9), "can I cancel": ("cancel", 0.9)}


def test_two_clear_requests_are_divided() -> None:
    assert find(TWO, CLEAR) == [("where is it", "status"), ("can I cancel", "cancel")]


@pytest.mark.parametrize(
    "known",
    [
        {**CLEAR, "can I cancel": ("status", 0.9)},  # both ask the same
        {**CLEAR, "can I cancel": (REJECTED, 0.9)},
        {**CLEAR, "can I cancel": ("cancel", 0.3)},  # a part that is not clear
        {**CLEAR, TWO: ("status", 1.0), "can I cancel": ("cancel", 0.6)},  # the whole is clearer
        {},
    ],
    ids=["one intent", "stranger", "unclear", "clear whole", "nothing"],
)
def test_a_message_stays_whole_unless_both_parts_are_clear_and_differ(known: Scores) -> None:
    parts = find(TWO, {TWO: ("status", 0.6), **known})
    assert parts == [(TWO, "status")]


def test_boundaries_that_look_hopeless_at_a_glance_are_not_read() -> None:
    class Same(Reader):
        def ngram_logits(self, texts: Sequence[str]) -> NDArray[np.float64]:
            return np.tile(np.eye(40)[0], (len(texts), 1))

    reader = Same(CLEAR)
    splitter.find("where is it, can I cancel", reader, None, None)
    assert reader.read == ["where is it, can I cancel"]


def test_the_word_also_parts_what_a_comma_does_not() -> None:
    unclear: Scores = {"my tent came": ("status", 0.6), "can I cancel": ("cancel", 0.6)}
    assert len(find("my tent came, can I cancel", unclear)) == 1
    assert len(find("my tent came and also can I cancel", unclear)) == 2


def test_of_several_places_the_clearest_is_taken() -> None:
    text = "the boots and the socks came and where is the tent"
    known = {
        "the boots and the socks came": ("thanks", 0.95),
        "where is the tent": ("status", 0.95),
        "the boots": ("size", 0.8),
        "the socks came and where is the tent": ("status", 0.8),
    }
    assert find(text, known)[0] == ("the boots and the socks came", "thanks")


def test_a_part_may_be_divided_again_and_there_are_at_most_four() -> None:
    asked = [f"question number {n}" for n in "abcdef"]
    text = " and ".join(asked)

    class Any(Reader):
        def _one(self, text: str) -> Prediction:
            several = text.count("question")
            score = IntentScore(text, 0.95 if several <= 3 else 0.8)
            return Prediction((score,), score, 0.5 * several, rejected=False)

    parts = splitter.find(text, Any({}), None, None)
    assert 3 <= len(parts) <= 4
    assert [part.start for part in parts] == sorted(part.start for part in parts)
    assert " and ".join(part.text for part in parts) == text


def test_only_the_whole_is_read_with_what_was_said_before() -> None:
    reader = Reader(CLEAR)
    splitter.find(TWO, reader, "hello", "How can I help?")
    assert reader.read[0].startswith(TWO)
    assert reader.read[0].endswith("hello")
    assert reader.read[1:3] == ["where is it", "can I cancel"]


RAMBLING = "I was on holiday. It rained all week. Where is my order?"


def test_a_rambling_message_means_what_its_clearest_sentence_asks() -> None:
    known = {"Where is my order?": ("status", 0.9), "It rained all week.": (REJECTED, 0.99)}
    assert find(RAMBLING, known) == [(RAMBLING, "status")]


@pytest.mark.parametrize(
    "known",
    [
        {"Where is my order?": ("status", 0.7)},
        {"Where is my order?": ("status", 0.9), RAMBLING: ("refund", 0.6)},
        {"Where is my order?": (REJECTED, 0.9)},
    ],
    ids=["nothing clear", "clear as a whole", "stranger"],
)
def test_a_rambling_message_without_a_clear_sentence_stays_as_it_is(known: Scores) -> None:
    assert find(RAMBLING, known) == [(RAMBLING, "refund")]


def test_two_sentences_are_not_rambling() -> None:
    text = "It rained all week. Where is my order?"
    known: Scores = {"Where is my order?": ("status", 0.9), text: ("refund", 0.3)}
    assert find(text, known) == [(text, "refund")]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["where is it", " and ", "my tent", "，", "退款了吗", "? ", ". ", "A10234"]
        ),
        max_size=15,
    ).map("".join),
    st.floats(0.0, 1.0),
)
def test_parts_are_pieces_of_the_message_in_order(text: str, confidence: float) -> None:
    class Guess(Reader):
        def _one(self, text: str) -> Prediction:
            score = IntentScore(str(len(text) % 3), confidence)
            return Prediction((score,), score, 0.0, rejected=len(text) % 7 == 0)

    parts = splitter.find(text, Guess({}), None, None)
    assert 1 <= len(parts) <= 4
    assert all(text[part.start : part.end] == part.text for part in parts)
    assert all(a.end <= b.start for a, b in pairwise(parts))


@pytest.fixture(scope="module")
def model(trained: Home) -> IntentModel:
    loaded = trained.model()
    assert loaded is not None
    return loaded


def test_the_demos_two_requests_are_divided_and_single_ones_are_not(
    model: IntentModel, capsys: pytest.CaptureFixture[str]
) -> None:
    """The encoder is tiny here; a real one divides many more."""
    lines = (DEMO / "tests" / "two_requests.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    counted = {1: [0, 0], 2: [0, 0]}  # requests: rows, those that are as they should be
    for row in rows:
        wanted = [request["intent"] for request in row["requests"]]
        parts: list[MessagePart] = splitter.find(row["text"], model, None, None)
        found = [part.prediction.best.intent for part in parts]
        counted[len(wanted)][0] += 1
        counted[len(wanted)][1] += len(parts) == 1 if len(wanted) == 1 else found == wanted
    (singles, whole), (doubles, divided) = counted[1], counted[2]
    with capsys.disabled():
        shares = f"both right {divided}/{doubles}, single ones whole {whole}/{singles}"
        print(f"\nmessages with two requests: {shares}")  # noqa: T201 — how good it is, at a glance
    assert min(singles, doubles) >= 50
    assert divided / doubles >= 0.3
    assert whole / singles >= 0.85


@pytest.mark.parametrize("times", [20, 300])
def test_a_message_without_end_is_read_in_a_bounded_number_of_pieces(times: int) -> None:
    reader = Reader({})
    text = "where is it and can I cancel. " * times
    assert len(splitter.find(text, reader, None, None)) == 1
    sentences = len(reader.read) - 1 - 2 * 12  # the whole, and both sides of twelve boundaries
    assert sentences <= times
