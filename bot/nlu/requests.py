"""One message, several requests: "where is my parcel and can I still change the address".

A message is divided at a possible boundary when both parts are clear requests of different intents
and the whole is none: the product of the parts' confidences must exceed the whole's share by a
margin. Long messages in which nothing is clear are read part by part.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bot.nlu.context import in_context
from bot.nlu.intents import Prediction
from bot.nlu.segments import boundaries, sentences

_MARGIN: Final = 0.55  # .70 of joined pairs right, .012 of single questions divided, on validation
_WHOLE: Final = 0.3  # weight of the whole's confidence against dividing it
_LEVELS: Final = 2  # times a part is divided again: at most four requests
_UNCLEAR: Final = 0.5  # confidence below which a long message is read in parts
_CLEAR: Final = 0.8  # confidence of a part that speaks for the whole
_RAMBLING: Final = 3  # sentences from which a message is long

Predict = Callable[[Sequence[str]], list[Prediction]]


@dataclass(frozen=True)
class Part:
    """A request inside a message: `message[start:end] == text`."""

    text: str
    start: int
    end: int
    prediction: Prediction


def find(text: str, predict: Predict, customer: str | None, reply: str | None) -> list[Part]:
    """Return the requests of a message, in order; at least one.

    `predict` classifies texts, `customer` and `reply` are what was said before (None, or left out,
    for a model that was not trained on it).
    """
    whole = predict([in_context(text, customer, reply)])[0]
    parts = _divide(Part(text, 0, len(text), whole), predict, _LEVELS)
    if len(parts) == 1 and whole.confidence < _UNCLEAR:
        return [_clearest(parts[0], predict)]
    return parts


def _divide(part: Part, predict: Predict, levels: int) -> list[Part]:
    places = boundaries(part.text) if levels else []
    if not places:
        return [part]
    pieces = [piece for end, start in places for piece in (part.text[:end], part.text[start:])]
    read = predict(pieces)
    best: tuple[float, tuple[Part, Part] | None] = (_MARGIN, None)
    for number, (end, start) in enumerate(places):
        left, right = read[2 * number], read[2 * number + 1]
        if left.rejected or right.rejected or left.intent == right.intent:
            continue
        together = left.best.confidence * right.best.confidence
        score = together - _WHOLE * part.prediction.best.confidence
        if score >= best[0]:
            divided = (_part(part, 0, end, left), _part(part, start, len(part.text), right))
            best = (score, divided)
    if best[1] is None:
        return [part]
    return [piece for half in best[1] for piece in _divide(half, predict, levels - 1)]


def _part(whole: Part, start: int, end: int, prediction: Prediction) -> Part:
    return Part(whole.text[start:end], whole.start + start, whole.start + end, prediction)


def _clearest(whole: Part, predict: Predict) -> Part:
    """Return a rambling message with what its clearest sentence asks; others as they are."""
    spans = sentences(whole.text)
    if len(spans) < _RAMBLING:
        return whole
    read = predict([whole.text[start:end] for start, end in spans])
    known = [p for p in read if not p.rejected]
    best = max(known, key=lambda p: p.best.confidence, default=None)
    if best is None or best.best.confidence < _CLEAR:
        return whole
    return Part(whole.text, whole.start, whole.end, best)
