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
from bot.training.datasets import Example

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
    progress: bool = False,
) -> dict[str, Any]:
    """Return the metrics of a model on examples; rates are fractions, times milliseconds.

    Labels that the model does not have are listed and count as errors.
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
    if by:
        result["by"] = {name: _slice_metrics(model, examples, predictions, name) for name in by}
    return result


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
    from sklearn.metrics import f1_score

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
        "macro_f1": float(f1_score(truth[in_scope], predicted[in_scope], average="macro"))
        if in_scope.any()
        else None,
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
