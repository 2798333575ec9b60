"""Evaluation of an intent classifier on labelled texts, overall and by slice."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.progress import track

from bot.core.types import OUT_OF_SCOPE, CarelineError
from bot.nlu import calibration, language
from bot.nlu.intent_classifier import IntentModel, Prediction
from bot.training import intent_peers
from bot.training.datasets import Example
from bot.training.intent_peers import PeerPrediction
from knowledge_base.encoders.base_models import Vectors

_BATCH: Final = 256
_WARM_UP: Final = 20
_TIMED: Final = 200
_SHORT, _LONG = 4, 20  # words


def _length(text: str) -> str:
    words = max(len(text.split()), len(text) // 2 if language.detect(text) == "zh" else 0)
    return "short" if words <= _SHORT else "long" if words > _LONG else "medium"


SLICES: Final[Mapping[str, Callable[[Example], str]]] = {
    "language": lambda example: language.detect(example.text),
    "length": lambda example: _length(example.text),
    "intent": lambda example: example.intent,
}


def evaluate(
    model: IntentModel,
    examples: Sequence[Example],
    by: Sequence[str] = (),
    *,
    training_set: tuple[Sequence[Example], Vectors] | None = None,
    progress: bool = False,
) -> dict[str, Any]:
    """Return the metrics of a model on examples; rates are fractions, times milliseconds.

    Labels that the model does not have are listed and count as errors. With the model's
    `training_set`, its examples and their features, the metrics of simple peers come beside it.
    """
    if not examples:
        message = "there is nothing to evaluate: the file has no rows"
        raise CarelineError(message)
    if unknown := sorted(set(by) - set(SLICES)):
        message = f"cannot slice by {', '.join(unknown)}: choose from {', '.join(SLICES)}"
        raise CarelineError(message)
    texts = [e.input if model.contextual else e.text for e in examples]
    starts = range(0, len(texts), _BATCH)
    predictions = [
        prediction
        for at in track(
            starts, "evaluating", console=Console(stderr=True), disable=not progress, transient=True
        )
        for prediction in model.predict(texts[at : at + _BATCH])
    ]
    result = _metrics(model, examples, predictions)
    result["latency_ms"] = _latency(model, texts)
    if training_set is not None:
        result["peers"] = _peer_metrics(model, training_set, examples)
    if by:
        result["by"] = {name: _slice_metrics(model, examples, predictions, name) for name in by}
    return result


def _peer_metrics(
    model: IntentModel,
    training_set: tuple[Sequence[Example], Vectors],
    examples: Sequence[Example],
) -> dict[str, Any]:
    """Return the metrics of each peer, over all examples and by language."""
    texts = [example.text for example in examples]
    queries = model.encoder.queries(texts)
    train, features = training_set
    predictions = intent_peers.predict(train, features[:, : queries.shape[1]], texts, queries)
    truth = np.array([example.intent for example in examples])
    languages = np.array([language.detect(text) for text in texts])
    return {
        name: {
            **_peer_rows(prediction, truth, np.full(len(truth), fill_value=True)),
            "language": {
                code: _peer_rows(prediction, truth, languages == code)
                for code in sorted(set(languages.tolist()))
            },
        }
        for name, prediction in predictions.items()
    }


def _peer_rows(prediction: PeerPrediction, truth: Any, rows: Any) -> dict[str, Any]:
    """Return the metrics of a peer for some rows."""
    truth, labels = truth[rows], prediction.labels[rows]
    is_oos = truth == OUT_OF_SCOPE
    scores, rejected = prediction.oos_scores[rows], prediction.rejected[rows]
    return {
        "n": len(truth),
        "accuracy": _mean((labels == truth)[~is_oos]),
        "right": _mean(np.where(is_oos, rejected, (labels == truth) & ~rejected)),
        "macro_f1": _macro_f1(truth[~is_oos], labels[~is_oos]) if (~is_oos).any() else None,
        "oos_auroc": calibration.auroc(scores[~is_oos], scores[is_oos]),
    }


def _slice_metrics(
    model: IntentModel, examples: Sequence[Example], predictions: Sequence[Prediction], name: str
) -> dict[str, Any]:
    rows: dict[str, list[int]] = defaultdict(list)
    for number, example in enumerate(examples):
        rows[SLICES[name](example)].append(number)
    return {
        value: _metrics(model, [examples[i] for i in numbers], [predictions[i] for i in numbers])
        for value, numbers in sorted(rows.items())
    }


def _metrics(
    model: IntentModel, examples: Sequence[Example], predictions: Sequence[Prediction]
) -> dict[str, Any]:
    truth = np.array([example.intent for example in examples])
    predicted = np.array([prediction.best.intent for prediction in predictions])
    confidence = np.array([prediction.best.confidence for prediction in predictions])
    rejected = np.array([prediction.rejected for prediction in predictions])
    scores = np.array([prediction.oos_score for prediction in predictions])
    is_oos = truth == OUT_OF_SCOPE
    in_scope = ~is_oos
    right = predicted == truth
    answered, wrong = _promise(model, predictions, right)
    return {
        "n": len(examples),
        "accuracy": _mean(right[in_scope]),
        "right": _mean(np.where(is_oos, rejected, right & ~rejected)),
        "macro_f1": _macro_f1(truth[in_scope], predicted[in_scope]) if in_scope.any() else None,
        "ece": calibration.expected_calibration_error(confidence[in_scope], right[in_scope])
        if in_scope.any()
        else None,
        "oos": {
            "n": int(is_oos.sum()),
            "auroc": calibration.auroc(scores[in_scope], scores[is_oos]),
            "recall": _mean(rejected[is_oos]),
            "false_oos": _mean(rejected[in_scope]),
        },
        "answered": answered,
        "wrong_among_answered": wrong,
        "unknown_labels": dict(
            Counter(label for label in truth[in_scope].tolist() if label not in model.labels)
        ),
    }


def _macro_f1(truth: Any, predicted: Any) -> float:
    """Return the mean F1 over the labels that occur in `truth`."""
    from sklearn.metrics import f1_score

    labels = np.unique(truth)
    return float(f1_score(truth, predicted, labels=labels, average="macro", zero_division=0))


def _promise(
    model: IntentModel, predictions: Sequence[Prediction], right: Any
) -> tuple[float | None, float | None]:
    """Return the share answered at the promise's threshold, and the share of those wrong.

    Both are None if the model has no promise.
    """
    if model.calibration.promise is None:
        return None, None
    certified = np.array([bool(prediction.is_certified) for prediction in predictions])
    return float(certified.mean()), _mean(~right[certified])


def _mean(values: Any) -> float | None:
    return float(values.mean()) if len(values) else None


def _latency(model: IntentModel, texts: Sequence[str]) -> dict[str, float]:
    for text in texts[:_WARM_UP]:
        model.predict([text])
    times = []
    for text in texts[:_TIMED]:
        started = time.perf_counter()
        model.predict([text])
        times.append(1000 * (time.perf_counter() - started))
    return percentiles(times)


def percentiles(times: Sequence[float]) -> dict[str, float]:
    """Return the median and the 95th percentile of times in milliseconds."""
    p50, p95 = np.percentile(times, [50, 95])
    return {"p50": round(float(p50), 3), "p95": round(float(p95), 3)}
