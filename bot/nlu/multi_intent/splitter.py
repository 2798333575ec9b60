"""Splitting of a message with several requests: "where is my parcel and can I still cancel it".

A message is split if both parts are known requests with different intents and the boundary between
them scores high; see `boundaries`. N-grams select the boundaries whose parts are classified. Long
messages without a clear intent are classified by their clearest sentence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from bot.core.intent_history import IntentHistory
from bot.nlu.context import in_context
from bot.nlu.intent_classifier import Prediction
from bot.nlu.multi_intent.boundaries import classify_joint, score_ngrams, score_predictions
from bot.nlu.multi_intent.segments import boundaries, sentences

MIN_NGRAM_SCORE: Final = -1.2  # log-odds of boundaries to classify; loses 0.03 of the true ones
FIRST_SPLIT: Final = -0.5  # log-odds from which a message is split
SECOND_SPLIT: Final = 0.5  # log-odds from which a part is split again; 0.017 of single questions
_MIN_CONFIDENCE: Final = 0.4  # of a part that is a request
_UNCLEAR: Final = 0.5  # confidence below which a long message is classified by its sentences
_CLEAR: Final = 0.8  # confidence of a sentence that represents the whole message
_MIN_SENTENCES: Final = 3  # of a long message


class IntentPredictor(Protocol):
    """An intent model, and its fast approximation."""

    def predict(self, texts: Sequence[str], history: IntentHistory = ..., /) -> list[Prediction]:
        """Classify texts of a conversation with this intent history."""

    def ngram_logits(self, texts: Sequence[str], /) -> NDArray[np.float64]:
        """Return the logits of n-grams alone, shape (n, classes): fast and approximate."""


@dataclass(frozen=True)
class MessagePart:
    """A request inside a message: `message[start:end] == text`."""

    text: str
    start: int
    end: int
    prediction: Prediction


def find(
    text: str,
    model: IntentPredictor,
    customer: str | None,
    reply: str | None,
    history: IntentHistory = (),
) -> list[MessagePart]:
    """Return the requests of a message, in order; at least one.

    `customer` and `reply` are the messages before, `history` is the intent history (all omitted for
    a model that was not trained on them). The parts are classified without context.
    """
    whole = model.predict([in_context(text, customer, reply)], history)[0]
    parts = _divide(MessagePart(text, 0, len(text), whole), model, (FIRST_SPLIT, SECOND_SPLIT))
    if len(parts) == 1 and whole.confidence < _UNCLEAR:
        return [_clearest(parts[0], model)]
    return parts


def _divide(
    part: MessagePart, model: IntentPredictor, thresholds: Sequence[float]
) -> list[MessagePart]:
    """Split a part at its best boundary, and its halves again: a threshold per split."""
    places = _select_boundaries(part.text, model) if thresholds else []
    if not places:
        return [part]
    predictions = model.predict(_pieces(part.text, [(end, start) for end, start, _ in places]))
    best: tuple[float, tuple[MessagePart, MessagePart] | None] = (thresholds[0], None)
    for number, (end, start, kind) in enumerate(places):
        first, second = predictions[2 * number], predictions[2 * number + 1]
        if first.intent == second.intent or not (_is_request(first) and _is_request(second)):
            continue
        score = score_predictions(kind, part.prediction, first, second)
        if score >= best[0]:
            halves = (_part(part, 0, end, first), _part(part, start, len(part.text), second))
            best = (score, halves)
    if best[1] is None:
        return [part]
    return [piece for half in best[1] for piece in _divide(half, model, thresholds[1:])]


def _is_request(prediction: Prediction) -> bool:
    return not prediction.rejected and prediction.confidence >= _MIN_CONFIDENCE


def _select_boundaries(text: str, model: IntentPredictor) -> list[tuple[int, int, int]]:
    """Return (end, start, kind of joint) of the boundaries whose parts should be classified."""
    places = boundaries(text)
    if not places:
        return []
    logits = model.ngram_logits(_pieces(text, places))
    selected = []
    for number, (end, start) in enumerate(places):
        kind = classify_joint(text, end, start)
        score = score_ngrams(kind, logits[2 * number], logits[2 * number + 1])
        if score >= MIN_NGRAM_SCORE:
            selected.append((end, start, kind))
    return selected


def _pieces(text: str, places: Sequence[tuple[int, int]]) -> list[str]:
    return [piece for end, start in places for piece in (text[:end], text[start:])]


def _part(whole: MessagePart, start: int, end: int, prediction: Prediction) -> MessagePart:
    return MessagePart(whole.text[start:end], whole.start + start, whole.start + end, prediction)


def _clearest(whole: MessagePart, model: IntentPredictor) -> MessagePart:
    """Return a long message with the prediction for its clearest sentence; others unchanged."""
    spans = sentences(whole.text)
    if len(spans) < _MIN_SENTENCES:
        return whole
    predictions = model.predict([whole.text[start:end] for start, end in spans])
    accepted = [p for p in predictions if not p.rejected]
    best = max(accepted, key=lambda p: p.best.confidence, default=None)
    if best is None or best.best.confidence < _CLEAR:
        return whole
    return MessagePart(whole.text, whole.start, whole.end, best)
