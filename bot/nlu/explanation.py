"""Why a message was understood as it was: similar examples, and what each word contributed."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from bot.core.types import IntentScore, InvalidMessageError
from bot.nlu.calibration import softmax
from bot.nlu.intent_classifier import IntentModel

_NEIGHBOURS: Final = 5
_MOST: Final = 60  # words that are left out one by one
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
    """A word and what it contributed: `message[start:end] == text`.

    The weight is how much the intent's log-odds fall when the word is left out (occlusion; Zeiler
    and Fergus, 2014): above 0 it speaks for the intent, below 0 against it.
    """

    text: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True)
class Explanation:
    """Why a message was understood as it was; `oos_score` from `oos_threshold` up is rejected."""

    intent: str
    confidence: float
    rejected: bool
    oos_score: float
    oos_threshold: float
    runner_up: IntentScore | None
    neighbours: tuple[SimilarMessage, ...]
    tokens: tuple[TokenContribution, ...]

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def explain(model: IntentModel, text: str) -> Explanation:
    """Explain the model's best intent, whether it was rejected or not, for a message alone."""
    if not text.strip():
        message = "the text is empty: write what a customer could write"
        raise InvalidMessageError(message)
    prediction = model.predict([text])[0]
    chosen = model.labels.index(prediction.best.intent)
    others = [score for score in prediction.ranking if score.intent != prediction.best.intent]
    return Explanation(
        intent=prediction.best.intent,
        confidence=prediction.best.confidence,
        rejected=prediction.rejected,
        oos_score=round(prediction.oos_score, 4),
        oos_threshold=round(model.calibration.oos_threshold, 4),
        runner_up=others[0] if others else None,
        neighbours=_neighbours(model, text),
        tokens=_tokens(model, text, chosen),
    )


def _neighbours(model: IntentModel, text: str) -> tuple[SimilarMessage, ...]:
    read = model.parameters.speller.correct(text, model.encoder.knows)
    cosines = model.parameters.memory.vectors @ model.encoder.queries([read])[0]
    nearest = np.argsort(-cosines, kind="stable")[:_NEIGHBOURS]
    found = [(model.parameters.examples[i], float(cosines[i])) for i in nearest]
    return tuple(SimilarMessage(e.text, e.intent, e.source, round(c, 4)) for e, c in found)


def _tokens(model: IntentModel, text: str, chosen: int) -> tuple[TokenContribution, ...]:
    spans = [match.span() for match in _TOKEN.finditer(text)][:_MOST]
    pieces = _as_read(model, text, spans)
    without = [
        "".join([*pieces[:place], " ", *pieces[place + 1 :]]) for place in range(1, len(pieces), 2)
    ]
    odds = _log_odds(model, ["".join(pieces), *without], chosen)
    return tuple(
        TokenContribution(text[start:end], start, end, round(odds[0] - left, 4))
        for (start, end), left in zip(spans, odds[1:], strict=True)
    )


def _as_read(model: IntentModel, text: str, spans: Sequence[tuple[int, int]]) -> list[str]:
    """Return what lies between the words and the words in turn, slips put right as the model does.

    Slips are put right word by word, so that each word needs to be looked at once only.
    """
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    parts = [text[start:end] for start, end in pairwise(edges)]
    return [model.parameters.speller.correct(part, model.encoder.knows) for part in parts]


def _log_odds(model: IntentModel, texts: Sequence[str], chosen: int) -> list[float]:
    logits = model.logits(model.features(texts), texts)
    chances = softmax(logits, model.calibration.temperature)[:, chosen]
    safe = np.clip(chances, 1e-9, 1 - 1e-9)
    return [float(value) for value in np.log(safe / (1 - safe))]
