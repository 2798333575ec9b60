"""Sentiment and emotion: small linear heads on the vectors of the encoder.

They are trained on messages written for the purpose (`emotions/`), and their features are the
encoder's vector and scores of word lists. Most messages are neutral, so neutral examples have a
higher weight, and the word lists' own opinion is added: both help on other kinds of text.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from bot.nlu import sentiment_lexicon
from bot.nlu.calibration import softmax
from bot.nlu.context import message_of
from knowledge_base.array_file import ArrayFile
from knowledge_base.encoders.base_models import Vectors

SENTIMENTS: Final = ("negative", "neutral", "positive")
EMOTIONS: Final = ("calm", "confused", "frustrated", "angry", "anxious", "happy")
_FOLDER: Final = Path(__file__).with_name("emotions")
_STRENGTH: Final = 0.001  # strong regularisation, so that it generalises to other texts
_EMOTION_STRENGTH: Final = 0.01
_WEIGHTS: Final = {"negative": 1.0, "neutral": 3.0, "positive": 2.0}
_WORDS: Final = 0.4  # weight of the word lists' opinion relative to the head's probabilities
# The emotions that fit a sentiment: the two results must not contradict each other.
_FITTING: Final = {
    "negative": ("frustrated", "angry", "anxious", "confused"),
    "neutral": ("calm", "confused", "anxious"),
    "positive": ("happy", "calm"),
}


@dataclass(frozen=True)
class SentimentEmotion:
    """The sentiment and emotion of a message, and the probability that it is negative."""

    sentiment: str
    emotion: str
    negativity: float


@dataclass(frozen=True)
class EmotionClassifier(ArrayFile):
    """Two linear heads, (3, d) and (6, d), on standardised vectors with word-list features."""

    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    sentiment_weight: NDArray[np.float32]
    sentiment_bias: NDArray[np.float32]
    emotion_weight: NDArray[np.float32]
    emotion_bias: NDArray[np.float32]

    def read(self, vectors: Vectors, texts: Sequence[str]) -> list[SentimentEmotion]:
        """Return the sentiment and emotion of texts with these vectors, shape (n, dimension)."""
        words = [sentiment_lexicon.score_words(message_of(text)) for text in texts]
        inputs = (np.hstack([vectors, [w.features for w in words]]) - self.mean) / self.spread
        shares = softmax(inputs @ self.sentiment_weight.T + self.sentiment_bias)
        shares = (shares + _WORDS * np.array([w.opinion for w in words])) / (1 + _WORDS)
        feelings = inputs @ self.emotion_weight.T + self.emotion_bias
        return [_combine(share, feeling) for share, feeling in zip(shares, feelings, strict=True)]


def _combine(shares: NDArray[Any], feelings: NDArray[Any]) -> SentimentEmotion:
    name = SENTIMENTS[int(shares.argmax())]
    fitting = [EMOTIONS.index(emotion) for emotion in _FITTING[name]]
    emotion = EMOTIONS[max(fitting, key=lambda number: float(feelings[number]))]
    return SentimentEmotion(name, emotion, round(float(shares[0]), 4))


def examples() -> list[dict[str, str]]:
    """Return the training messages of the heads: `text`, `sentiment`, `emotion`."""
    rows = []
    for path in sorted(_FOLDER.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows += list(csv.DictReader(file))
    return rows


class MessageEncoder(Protocol):
    """Any encoder of customers' messages."""

    def queries(self, texts: Sequence[str], /) -> Vectors:
        """Return unit vectors, shape (n, dimension)."""


def fit_on_examples(encoder: MessageEncoder) -> EmotionClassifier:
    """Return heads for an encoder, fitted to the messages of `examples`."""
    rows = examples()
    return fit(encoder.queries([row["text"] for row in rows]), rows)


# Base encoders are used for many trainings; a fine-tuned one only once, so it is not cached.
fit_cached = lru_cache(maxsize=4)(fit_on_examples)


def fit(vectors: Vectors, rows: Sequence[dict[str, str]]) -> EmotionClassifier:
    """Fit the heads on labelled messages and their vectors, shape (n, dimension)."""
    from sklearn.linear_model import LogisticRegression

    features = [sentiment_lexicon.score_words(row["text"]).features for row in rows]
    inputs = np.hstack([vectors, features]).astype(np.float32)
    mean, spread = inputs.mean(axis=0), np.maximum(inputs.std(axis=0), 1e-6)
    standard = (inputs - mean) / spread
    sentiments = LogisticRegression(C=_STRENGTH, max_iter=2000, class_weight=_WEIGHTS)
    # The classes are sorted alphabetically, like SENTIMENTS.
    sentiments.fit(standard, [row["sentiment"] for row in rows])
    emotions = LogisticRegression(C=_EMOTION_STRENGTH, max_iter=2000)
    emotions.fit(standard, [EMOTIONS.index(row["emotion"]) for row in rows])
    arrays = (
        mean,
        spread,
        sentiments.coef_,
        sentiments.intercept_,
        emotions.coef_,
        emotions.intercept_,
    )
    return EmotionClassifier(*(np.asarray(array, dtype=np.float32) for array in arrays))
