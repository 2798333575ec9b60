"""Training of the scores by which a message of two requests is split.

Positive examples are two questions with a connective; negative ones are single questions. The model
that describes the parts has not seen these questions. `careline_benchmarks.boundary_fit` fits the
weights of `bot/nlu/multi_intent/boundary_scorer.json` on public data.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from bot.nlu.multi_intent import boundaries, segments
from bot.nlu.multi_intent.splitter import MIN_NGRAM_SCORE, SECOND_SPLIT, IntentPredictor
from bot.training.datasets import Example
from knowledge_base.text.chinese import has_chinese

_TEMPLATES: Final = (
    "{left} and {right}",
    "{left}, and {right}",
    "{left} and also {right}",
    "{left}, also {right}",
    "{left}. {right}",
    "{left}? {right}",
    "{left}. Also, {right}",
    "{left}; {right}",
    "{left}, {right}",
)
_CHINESE_TEMPLATES: Final = (
    "{left}，还有{right}",
    "{left}，另外{right}",
    "{left}。{right}",
    "{left}？{right}",
    "{left}？顺便问一下，{right}",
    "{left}，{right}",
)
_INVERSE_L2: Final = 100.0  # scikit-learn's `C`
# The scores are shifted so that the thresholds of `splitter` have these shares of errors.
_MAX_MISSED: Final = 0.03  # true boundaries below MIN_NGRAM_SCORE
_MAX_FALSE_SPLITS: Final = 0.017  # single questions from SECOND_SPLIT up


@dataclass(frozen=True)
class JoinedMessage:
    """A message, and the boundary (end, start) between its two requests; None for one request."""

    text: str
    boundary: tuple[int, int] | None


@dataclass(frozen=True)
class BoundaryFeatures:
    """The boundaries of messages: features, shape (n, f), and whether each is between requests."""

    features: NDArray[np.float64]
    is_true: NDArray[np.bool_]
    message: NDArray[np.int64]  # the number of the message, shape (n,)
    singles: frozenset[int]  # numbers of messages with one request

    def __add__(self, other: Self) -> Self:
        """Return the boundaries of both; the other's messages are numbered after these."""
        after = 1 + int(self.message.max())
        return replace(
            self,
            features=np.concatenate([self.features, other.features]),
            is_true=np.concatenate([self.is_true, other.is_true]),
            message=np.concatenate([self.message, after + other.message]),
            singles=self.singles | {after + number for number in other.singles},
        )


def join_examples(examples: Sequence[Example], count: int, seed: int = 0) -> list[JoinedMessage]:
    """Return `count` messages of two questions with different intents, and as many single ones."""
    rng = random.Random(seed)  # noqa: S311 — not for secrets
    messages = [JoinedMessage(rng.choice(examples).text, None) for _ in range(count)]
    while len(messages) < 2 * count:
        left, right = rng.sample(examples, 2)
        is_chinese = has_chinese(left.text)
        if left.intent != right.intent and is_chinese == has_chinese(right.text):
            template = rng.choice(_CHINESE_TEMPLATES if is_chinese else _TEMPLATES)
            messages.append(_join(left.text, right.text, template))
    return messages


def _join(left: str, right: str, template: str) -> JoinedMessage:
    left = left.rstrip(" .?!。？！")
    if not template.startswith(("{left}.", "{left}?")) and not right.startswith(("I ", "I'")):
        right = right[:1].lower() + right[1:]
    text = template.format(left=left, right=right)
    return JoinedMessage(text, (len(left), len(text) - len(right)))


def ngram_rows(model: IntentPredictor, messages: Sequence[JoinedMessage]) -> BoundaryFeatures:
    """Return the n-gram features of all boundaries."""
    rows = []
    for number, message in enumerate(messages):
        places = segments.boundaries(message.text)
        if not places:
            continue
        logits = model.ngram_logits(_pieces(message.text, places))
        for place, (left, right) in zip(places, _pairs(logits), strict=True):
            kind = boundaries.classify_joint(message.text, *place)
            features = boundaries.ngram_features(kind, left, right)
            rows.append((features, _is_true(place, message), number, message.boundary is None))
    return _collect(rows)


def prediction_rows(model: IntentPredictor, messages: Sequence[JoinedMessage]) -> BoundaryFeatures:
    """Return the prediction features of the boundaries between two different known requests."""
    rows = []
    for number, message in enumerate(messages):
        places = segments.boundaries(message.text)
        if not places:
            continue
        whole, *parts = model.predict([message.text, *_pieces(message.text, places)])
        for place, (left, right) in zip(places, _pairs(parts), strict=True):
            if left.intent == right.intent or left.rejected or right.rejected:
                continue
            kind = boundaries.classify_joint(message.text, *place)
            features = boundaries.prediction_features(kind, whole, left, right)
            rows.append((features, _is_true(place, message), number, message.boundary is None))
    return _collect(rows)


def fit_ngrams(rows: BoundaryFeatures) -> dict[str, float]:
    """Return the weights by feature; 3 % of the true boundaries score below `MIN_NGRAM_SCORE`."""
    weights = _fit(rows)
    scores = np.sort((rows.features @ weights)[rows.is_true])
    intercept = MIN_NGRAM_SCORE - scores[int(_MAX_MISSED * len(scores))]
    return _named(boundaries.NGRAM_FEATURES, weights, float(intercept))


def fit_predictions(rows: BoundaryFeatures, singles: int) -> dict[str, float]:
    """Return the weights by feature; of `singles` questions, 1.7 % score above `SECOND_SPLIT`."""
    weights = _fit(rows)
    highest: dict[int, float] = {}
    for score, number in zip(rows.features @ weights, rows.message.tolist(), strict=True):
        if number in rows.singles:
            highest[number] = max(highest.get(number, -np.inf), score)
    ranked = sorted(highest.values(), reverse=True)
    if not ranked:
        message = "no single question has a boundary: fit on longer questions"
        raise ValueError(message)
    intercept = SECOND_SPLIT - ranked[min(int(_MAX_FALSE_SPLITS * singles), len(ranked) - 1)]
    return _named(boundaries.PREDICTION_FEATURES, weights, intercept)


def _fit(rows: BoundaryFeatures) -> NDArray[np.float64]:
    from sklearn.linear_model import LogisticRegression

    regression = LogisticRegression(C=_INVERSE_L2, max_iter=1000)
    return np.asarray(regression.fit(rows.features, rows.is_true).coef_[0], dtype=np.float64)


def _named(
    names: Sequence[str], weights: NDArray[np.float64], intercept: float
) -> dict[str, float]:
    values = [*weights.tolist(), intercept]
    return {name: round(v, 2) for name, v in zip((*names, "intercept"), values, strict=True)}


def _pieces(text: str, places: Sequence[tuple[int, int]]) -> list[str]:
    return [piece for end, start in places for piece in (text[:end], text[start:])]


def _pairs(parts: Sequence[Any] | NDArray[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(parts[::2], parts[1::2], strict=True)


def _is_true(place: tuple[int, int], message: JoinedMessage) -> bool:
    """Return whether a boundary is the one between the requests; joints may overlap in part."""
    if message.boundary is None:
        return False
    (end, start), (true_end, true_start) = place, message.boundary
    return end < true_start and true_end < start


def _collect(rows: Sequence[tuple[list[float], bool, int, bool]]) -> BoundaryFeatures:
    features, is_true, numbers, _ = zip(*rows, strict=True)
    singles = frozenset(number for _, _, number, is_single in rows if is_single)
    return BoundaryFeatures(np.array(features), np.array(is_true), np.array(numbers), singles)
