from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.nlu import emotion_classifier
from bot.nlu.context import in_context
from bot.nlu.emotion_classifier import EMOTIONS, SENTIMENTS, EmotionClassifier, SentimentEmotion
from knowledge_base.encoders import base_models
from knowledge_base.encoders.base_models import TorchEncoder

FITTING = {
    "negative": {"frustrated", "angry", "anxious", "confused"},
    "neutral": {"calm", "confused", "anxious"},
    "positive": {"happy", "calm"},
}


@pytest.fixture(scope="module")
def encoder(tiny_encoder: Path) -> TorchEncoder:
    return TorchEncoder(base_models.resolve(str(tiny_encoder), tiny_encoder.parent))


@pytest.fixture(scope="module")
def head(encoder: TorchEncoder) -> EmotionClassifier:
    rows = emotion_classifier.examples()[::6]
    return emotion_classifier.fit(encoder.queries([row["text"] for row in rows]), rows)


def read(head: EmotionClassifier, encoder: TorchEncoder, *texts: str) -> list[SentimentEmotion]:
    return head.read(encoder.queries(texts), texts)


def test_the_examples_are_labelled_with_tones_that_do_not_contradict() -> None:
    rows = emotion_classifier.examples()
    assert len(rows) > 2000
    assert {row["sentiment"] for row in rows} == set(SENTIMENTS)
    assert {row["emotion"] for row in rows} == set(EMOTIONS)
    assert all(row["text"].strip() for row in rows)


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("This is outrageous, you are thieves and I want my money back!!!", "negative"),
        ("I am so disappointed, it broke on the first day and nobody helps", "negative"),
        ("太慢了，又坏了，麻烦死了，差评", "negative"),
        ("又坏了，真的很失望", "negative"),
        ("Thank you so much, you were wonderful, I love it!", "positive"),
        ("太好了，非常满意，谢谢！", "positive"),
        ("What are your opening hours on Sunday", "neutral"),
        ("订单号是A10234", "neutral"),
    ],
)
def test_an_unmistakable_message_is_read_right(
    head: EmotionClassifier, encoder: TorchEncoder, text: str, sentiment: str
) -> None:
    assert read(head, encoder, text)[0].sentiment == sentiment


def test_what_was_said_before_does_not_change_the_words_heard(
    head: EmotionClassifier, encoder: TorchEncoder
) -> None:
    vector = encoder.queries(["ok"])
    before = in_context("ok", "You are thieves!!!", "We hate that this happened.")
    assert head.read(vector, ["ok"]) == head.read(vector, [before])


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30), st.integers(0, 2**32), st.floats(0.01, 30.0))
def test_sentiment_and_emotion_never_contradict_each_other(
    head: EmotionClassifier, text: str, seed: int, size: float
) -> None:
    width = len(head.mean) - 7
    vector = size * np.random.default_rng(seed).normal(size=(1, width)).astype(np.float32)
    (heard,) = head.read(vector, [text])
    assert heard.emotion in FITTING[heard.sentiment]
    assert 0.0 <= heard.negativity <= 1.0
    assert (heard.negativity > 0.5) <= (heard.sentiment == "negative")


def test_all_tones_are_heard(head: EmotionClassifier, encoder: TorchEncoder) -> None:
    rows = emotion_classifier.examples()[1::12]
    heard = read(head, encoder, *(row["text"] for row in rows))
    assert {one.emotion for one in heard} == set(EMOTIONS)
    right = np.mean([one.sentiment == r["sentiment"] for one, r in zip(heard, rows, strict=True)])
    assert right > 0.45  # a third by chance; the encoder is tiny


def test_a_saved_head_hears_the_same(
    head: EmotionClassifier, encoder: TorchEncoder, tmp_path: Path
) -> None:
    head.save(tmp_path / "tone.npz")
    texts = ("where is it", "太好了", "you are thieves")
    loaded = EmotionClassifier.load(tmp_path / "tone.npz")
    assert read(loaded, encoder, *texts) == read(head, encoder, *texts)
