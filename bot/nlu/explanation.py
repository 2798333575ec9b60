"""Explanation of a prediction: similar examples, and the contribution of each word."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from bot.core.types import IntentScore, InvalidMessageError
from bot.nlu.intent_classifier import IntentModel

_NEIGHBOURS: Final = 5
_MAX_WORDS: Final = 60  # words whose contribution is measured
# A word, or one or two Han characters: most Chinese words have two.
_TOKEN = re.compile(r"[\u3400-\u9fff]{1,2}|[^\W_\u3400-\u9fff]+(?:['’\-][^\W_\u3400-\u9fff]+)*")


@dataclass(frozen=True)
class SimilarMessage:
    """A training example near the message; similarity is the cosine."""

    text: str
    intent: str
    source: str
    similarity: float


@dataclass(frozen=True)
class TokenContribution:
    """A word and its contribution: `message[start:end] == text`.

    The weight is the decrease of the intent's log-odds without the word (occlusion; Zeiler and
    Fergus, 2014): above 0 it supports the intent, below 0 it contradicts it.
    """

    text: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True)
class Explanation:
    """An explained prediction; an `oos_score` from `oos_threshold` up is rejected."""

    intent: str
    confidence: float
    rejected: bool
    oos_score: float
    oos_threshold: float
    runner_up: IntentScore | None
    neighbours: tuple[SimilarMessage, ...]
    tokens: tuple[TokenContribution, ...]

    def as_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return asdict(self)


def explain(model: IntentModel, text: str) -> Explanation:
    """Explain the model's best intent, even if it was rejected, for a message without context."""
    if not text.strip():
        message = "the text is empty: write what a customer could write"
        raise InvalidMessageError(message)
    prediction = model.predict([text])[0]
    best = model.labels.index(prediction.best.intent)
    others = [score for score in prediction.ranking if score.intent != prediction.best.intent]
    return Explanation(
        intent=prediction.best.intent,
        confidence=prediction.best.confidence,
        rejected=prediction.rejected,
        oos_score=round(prediction.oos_score, 4),
        oos_threshold=round(model.calibration.oos_threshold, 4),
        runner_up=others[0] if others else None,
        neighbours=_neighbours(model, text),
        tokens=_tokens(model, text, best),
    )


def _neighbours(model: IntentModel, text: str) -> tuple[SimilarMessage, ...]:
    corrected = model.parameters.speller.correct(text, model.encoder.knows)
    cosines = model.parameters.neighbours.vectors @ model.encoder.queries([corrected])[0]
    nearest = np.argsort(-cosines, kind="stable")[:_NEIGHBOURS]
    examples = [(model.parameters.examples[i], float(cosines[i])) for i in nearest]
    return tuple(SimilarMessage(e.text, e.intent, e.source, round(c, 4)) for e, c in examples)


def _tokens(model: IntentModel, text: str, intent: int) -> tuple[TokenContribution, ...]:
    spans = [match.span() for match in _TOKEN.finditer(text)][:_MAX_WORDS]
    pieces = _correct_pieces(model, text, spans)
    without = [
        "".join([*pieces[:place], " ", *pieces[place + 1 :]]) for place in range(1, len(pieces), 2)
    ]
    odds = _log_odds(model, ["".join(pieces), *without], intent)
    return tuple(
        TokenContribution(text[start:end], start, end, round(odds[0] - remaining, 4))
        for (start, end), remaining in zip(spans, odds[1:], strict=True)
    )


def _correct_pieces(model: IntentModel, text: str, spans: Sequence[tuple[int, int]]) -> list[str]:
    """Return the words and the texts between them in turn, with typing errors corrected.

    They are corrected one by one, so that each word is looked up only once.
    """
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    parts = [text[start:end] for start, end in pairwise(edges)]
    return [model.parameters.speller.correct(part, model.encoder.knows) for part in parts]


def _log_odds(model: IntentModel, texts: Sequence[str], intent: int) -> list[float]:
    logits = model.logits(model.features(texts), texts)
    probabilities = model.calibration.probabilities(logits)[:, intent]
    safe = np.clip(probabilities, 1e-9, 1 - 1e-9)
    return [float(value) for value in np.log(safe / (1 - safe))]
