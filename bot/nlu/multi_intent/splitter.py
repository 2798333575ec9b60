"""One message, several requests: "where is my parcel and can I still change the address".

A message is divided where both parts are known requests of different intents and the joint between
them is likely to part two; see `joints`. N-grams choose the boundaries that are looked at closely.
Long messages in which nothing is clear are read part by part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from bot.core.intent_history import IntentHistory
from bot.nlu.context import in_context
from bot.nlu.intent_classifier import Prediction
from bot.nlu.multi_intent import boundaries as joints
from bot.nlu.multi_intent.segments import boundaries, sentences

_PROMISING: Final = -1.2  # log-odds below which a boundary is not looked at: .03 of the true ones
# Log-odds from which a message is divided: .80 of joined pairs right, .017 of single questions
# divided, on validation. A part is divided again less readily.
_PARTED: Final = (0.5, -0.5)
_MOST: Final = 60  # boundaries of a message that is looked at for several requests
_READ: Final = 12  # boundaries whose sides are read closely: what is long must not cost without end
_KNOWN: Final = 0.4  # confidence a part needs to be a request
_UNCLEAR: Final = 0.5  # confidence below which a long message is read in parts
_CLEAR: Final = 0.8  # confidence of a part that speaks for the whole
_RAMBLING: Final = 3  # sentences from which a message is long


class IntentPredictor(Protocol):
    """An intent model: exact, and at a glance."""

    def predict(self, texts: Sequence[str], leaning: IntentHistory = ..., /) -> list[Prediction]:
        """Classify texts of a conversation that has been about `leaning`."""

    def glance(self, texts: Sequence[str], /) -> NDArray[np.float64]:
        """Return the logits of n-grams alone, shape (n, classes): quick and rough."""


@dataclass(frozen=True)
class MessagePart:
    """A request inside a message: `message[start:end] == text`."""

    text: str
    start: int
    end: int
    prediction: Prediction


def find(
    text: str,
    reader: IntentPredictor,
    customer: str | None,
    reply: str | None,
    leaning: IntentHistory = (),
) -> list[MessagePart]:
    """Return the requests of a message, in order; at least one.

    `customer` and `reply` are what was said before, `leaning` is what it was about (all left out
    for a model that was not trained on it). Parts of a message are read for themselves.
    """
    whole = reader.predict([in_context(text, customer, reply)], leaning)[0]
    parts = _divide(MessagePart(text, 0, len(text), whole), reader, len(_PARTED))
    if len(parts) == 1 and whole.confidence < _UNCLEAR:
        return [_clearest(parts[0], reader)]
    return parts


def _divide(part: MessagePart, reader: IntentPredictor, levels: int) -> list[MessagePart]:
    places = _promising(part.text, reader) if levels else []
    if not places:
        return [part]
    read = reader.predict(_pieces(part.text, [(end, start) for end, start, _ in places]))
    best: tuple[float, tuple[MessagePart, MessagePart] | None] = (_PARTED[levels - 1], None)
    for number, (end, start, kind) in enumerate(places):
        left, right = read[2 * number], read[2 * number + 1]
        if left.intent == right.intent or not (_known(left) and _known(right)):
            continue
        score = joints.parted(kind, part.prediction, left, right)
        if score >= best[0]:
            divided = (_part(part, 0, end, left), _part(part, start, len(part.text), right))
            best = (score, divided)
    if best[1] is None:
        return [part]
    return [piece for half in best[1] for piece in _divide(half, reader, levels - 1)]


def _known(prediction: Prediction) -> bool:
    return not prediction.rejected and prediction.confidence >= _KNOWN


def _promising(text: str, reader: IntentPredictor) -> list[tuple[int, int, int]]:
    """Return (end, start, kind of joint) of the boundaries that are worth reading both sides."""
    places = boundaries(text)
    if not 0 < len(places) <= _MOST:
        return []
    logits = reader.glance(_pieces(text, places))
    found = []
    for number, (end, start) in enumerate(places):
        kind = joints.cue(text, end, start)
        score = joints.glanced(kind, logits[2 * number], logits[2 * number + 1])
        if score >= _PROMISING:
            found.append((score, (end, start, kind)))
    best = sorted(found, reverse=True)[:_READ]
    return sorted(place for _, place in best)


def _pieces(text: str, places: Sequence[tuple[int, int]]) -> list[str]:
    return [piece for end, start in places for piece in (text[:end], text[start:])]


def _part(whole: MessagePart, start: int, end: int, prediction: Prediction) -> MessagePart:
    return MessagePart(whole.text[start:end], whole.start + start, whole.start + end, prediction)


def _clearest(whole: MessagePart, reader: IntentPredictor) -> MessagePart:
    """Return a rambling message with what its clearest sentence asks; others as they are."""
    spans = sentences(whole.text)
    if len(spans) < _RAMBLING:
        return whole
    read = reader.predict([whole.text[start:end] for start, end in spans])
    known = [p for p in read if not p.rejected]
    best = max(known, key=lambda p: p.best.confidence, default=None)
    if best is None or best.best.confidence < _CLEAR:
        return whole
    return MessagePart(whole.text, whole.start, whole.end, best)
