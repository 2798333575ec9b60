"""Fitting the scores of boundaries between two requests."""

import numpy as np
import pytest

from bot.nlu.multi_intent import boundaries, segments, splitter
from bot.training import boundary_scorer
from bot.training.boundary_scorer import BoundaryFeatures
from bot.training.datasets import Example

EXAMPLES = [
    Example("Where is my parcel?", "status", "a"),
    Example("can I still cancel it", "cancel", "a"),
    Example("I want a refund.", "refund", "a"),
    Example("我的包裹在哪里？", "status", "a"),
    Example("怎么取消订单", "cancel", "a"),
]


def test_joined_messages_keep_both_questions_and_their_boundary() -> None:
    messages = boundary_scorer.join_examples(EXAMPLES, 200)
    single, joined = messages[:200], messages[200:]
    assert all(message.boundary is None for message in single)
    seen = 0
    for message in joined:
        assert message.boundary is not None
        end, start = message.boundary
        parts = [message.text[:end], message.text[start:]]
        known = [e.text.rstrip(".?？").lower() for e in EXAMPLES]
        assert [part.rstrip(".?？").lower() in known for part in parts] == [True, True]
        places = segments.boundaries(message.text)
        seen += any(boundary_scorer._is_true(place, message) for place in places)
    assert seen > 0.9 * len(joined)


def rows(seed: int, width: int) -> BoundaryFeatures:
    """Boundaries whose first feature is high where they are true."""
    rng = np.random.default_rng(seed)
    is_true = np.arange(2000) >= 1000
    features = rng.normal(size=(2000, width))
    features[:, 0] += 3.0 * is_true
    return BoundaryFeatures(features, is_true, np.arange(2000), frozenset(range(1000)))


def test_the_fit_finds_the_feature_and_keeps_the_meaning_of_the_thresholds() -> None:
    ngrams = rows(0, len(boundaries.NGRAM_FEATURES))
    weights = np.array(list(boundary_scorer.fit_ngrams(ngrams).values()))
    scores = ngrams.features @ weights[:-1] + weights[-1]
    assert weights[0] == max(weights)
    assert np.mean(scores[ngrams.is_true] < splitter.MIN_NGRAM_SCORE) == pytest.approx(
        0.03, abs=0.01
    )
    predictions = rows(1, len(boundaries.PREDICTION_FEATURES))
    weights = np.array(list(boundary_scorer.fit_predictions(predictions, 1000).values()))
    scores = predictions.features @ weights[:-1] + weights[-1]
    false_splits = np.mean(scores[:1000] > splitter.SECOND_SPLIT)
    assert false_splits == pytest.approx(0.017, abs=0.005)


def test_the_shipped_weights_are_of_these_features() -> None:
    shipped = boundaries.load()
    assert tuple(shipped["ngrams"])[:-1] == boundaries.NGRAM_FEATURES
    assert tuple(shipped["predictions"])[:-1] == boundaries.PREDICTION_FEATURES
