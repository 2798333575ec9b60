"""Labelled texts → a version of the intent classifier.

`head` fits a linear head on the frozen encoder. `full` starts from that head and then fine-tunes
encoder and head together (linear probing, then fine-tuning: Kumar et al., 2022).
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from bot.nlu.calibration import (
    expected_calibration_error,
    fit_temperature,
    promise_threshold,
    rejection_threshold,
    softmax,
)
from bot.nlu.datasets import Example
from bot.nlu.intents import Calibration, Head, Parameters
from bot.settings import Promise
from bot.types import OUT_OF_SCOPE, CarelineError
from knowledge_base.encoders import TorchEncoder, Vectors
from knowledge_base.versions import Version, Versions

Method = Literal["head", "full"]
_VALIDATION_PART: Final = 0.12
_ENOUGH_TO_SPLIT: Final = 4  # examples a class needs before one is held out
_ENOUGH_CONTEXT: Final = 50  # examples with a history from which a model learns to read one
_REGULARISATION: Final = (0.01, 0.03, 0.1, 0.2)


@dataclass(frozen=True)
class Trained:
    """What one training run produced."""

    version: Version
    seconds: float
    examples: int
    intents: int
    validation: dict[str, float | None]


def train(  # noqa: PLR0913 — one keyword a choice of the person who trains
    examples: Sequence[Example],
    versions: Versions,
    encoder: TorchEncoder,
    *,
    method: Method = "full",
    valid: Sequence[Example] | None = None,
    promise: Promise | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Trained:
    """Train, validate, calibrate and publish a version.

    Without `valid`, a stratified part of the examples is held out for choosing and calibrating.
    A run that fails or is killed leaves the active version as it was.
    """
    started = time.perf_counter()
    labels = sorted({example.intent for example in examples})
    fitted, held = (list(examples), list(valid)) if valid else _split(examples, seed)
    held = [example for example in held if example.intent in labels]
    if not held:
        message = "nothing is left to validate on: give --valid FILE or more examples"
        raise CarelineError(message)

    def build(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        rough = method == "full"  # fine-tuning only starts from this head
        probe = _fit_head(fitted, held, labels, encoder, progress=progress, rough=rough)
        head, vectors = probe.head, probe.held
        if method == "full":
            from bot.nlu import finetuning

            head, vectors = finetuning.finetune(
                encoder,
                head,
                fitted=fitted,
                held=held,
                labels=labels,
                folder=folder / "encoder",
                seed=seed,
                progress=progress,
            )
        targets = _targets(held, labels)
        calibration = _calibrate(head.logits(vectors), targets, labels, promise or Promise())
        metrics = _validate(head.logits(vectors), targets, labels, calibration)
        if method == "head" and not valid:  # calibrated on what it had not seen; now it learns it
            head = probe.refitted(_targets(fitted, labels), targets)
        contextual = sum(1 for e in fitted if e.customer or e.reply) >= _ENOUGH_CONTEXT
        Parameters(head, tuple(labels), calibration, contextual).save(folder)
        details = {
            **_description(examples, encoder),
            "method": method,
            "labels": labels,
            "seed": seed,
            "calibration": asdict(calibration),
        }
        return metrics, details

    version = versions.publish(build)
    in_scope = [label for label in labels if label != OUT_OF_SCOPE]
    seconds = round(time.perf_counter() - started, 3)
    return Trained(version, seconds, len(examples), len(in_scope), version.metrics)


def _description(examples: Sequence[Example], encoder: TorchEncoder) -> dict[str, Any]:
    """Return what a version remembers of its data and its base."""
    return {
        "base": encoder.base.name,
        "encoder": encoder.id,
        "query_prefix": encoder.base.query_prefix,
        "examples": len(examples),
        "counts": dict(Counter(example.intent for example in examples)),
    }


def _split(examples: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
    """Hold out a stratified part; texts that occur twice stay on one side."""
    by_intent: dict[str, list[str]] = {}
    for text, intent in dict.fromkeys((e.text.casefold(), e.intent) for e in examples):
        by_intent.setdefault(intent, []).append(text)
    rng = np.random.default_rng(seed)
    held_texts: set[str] = set()
    for _, texts in sorted(by_intent.items()):
        if len(texts) >= _ENOUGH_TO_SPLIT:
            count = max(1, round(_VALIDATION_PART * len(texts)))
            held_texts.update(texts[i] for i in rng.permutation(len(texts))[:count])
    held = [example for example in examples if example.text.casefold() in held_texts]
    fitted = [example for example in examples if example.text.casefold() not in held_texts]
    return fitted, held


def _targets(examples: Sequence[Example], labels: Sequence[str]) -> NDArray[np.int64]:
    number = {label: i for i, label in enumerate(labels)}
    return np.array([number[example.intent] for example in examples], dtype=np.int64)


@dataclass(frozen=True)
class _Probe:
    """A linear head on the frozen encoder, and what it was fitted and chosen on."""

    head: Head
    strength: float
    fitted: Vectors
    held: Vectors

    def refitted(self, targets: NDArray[np.int64], held_targets: NDArray[np.int64]) -> Head:
        """Return the head of the same strength on all examples, once it is chosen."""
        vectors = np.concatenate([self.fitted, self.held])
        both = np.concatenate([targets, held_targets])
        classes = len(self.head.bias)
        return _logistic(vectors, both, self.strength, classes)


def _fit_head(  # noqa: PLR0913 — the same run's inputs
    fitted: Sequence[Example],
    held: Sequence[Example],
    labels: Sequence[str],
    encoder: TorchEncoder,
    *,
    progress: bool,
    rough: bool,
) -> _Probe:
    """Fit logistic regressions of several strengths and keep the best on the held-out texts."""
    vectors = encoder.queries([e.input for e in fitted], progress=progress, rough=rough)
    held_vectors = encoder.queries([e.input for e in held], progress=progress, rough=rough)
    targets, held_targets = _targets(fitted, labels), _targets(held, labels)
    probes = []
    for strength in _REGULARISATION:
        head = _logistic(vectors, targets, strength, len(labels))
        right = head.logits(held_vectors).argmax(axis=1) == held_targets
        probes.append((float(right.mean()), _Probe(head, strength, vectors, held_vectors)))
    return max(probes, key=lambda probe: probe[0])[1]


def _logistic(vectors: Vectors, targets: NDArray[np.int64], strength: float, classes: int) -> Head:
    from sklearn.linear_model import LogisticRegression

    mean = vectors.mean(axis=0)
    scale = np.maximum(vectors.std(axis=0), 1e-6)
    model = LogisticRegression(C=strength, max_iter=500)
    model.fit((vectors - mean) / scale, targets)
    return _as_head(model, mean, scale, classes)


def _as_head(model: Any, mean: Vectors, scale: Vectors, classes: int) -> Head:
    """Bring scikit-learn's coefficients into one row a class; two classes share one row there."""
    weight = np.zeros((classes, len(mean)), dtype=np.float32)
    bias = np.full(classes, -1e3, dtype=np.float32)  # a class only seen in validation never wins
    if len(model.classes_) == 2:  # noqa: PLR2004
        weight[model.classes_] = np.vstack([-model.coef_[0] / 2, model.coef_[0] / 2])
        bias[model.classes_] = [-model.intercept_[0] / 2, model.intercept_[0] / 2]
    else:
        weight[model.classes_] = model.coef_
        bias[model.classes_] = model.intercept_
    return Head(mean.astype(np.float32), scale.astype(np.float32), weight, bias)


def _calibrate(
    logits: NDArray[np.float64],
    targets: NDArray[np.int64],
    labels: Sequence[str],
    promise: Promise,
) -> Calibration:
    temperature = fit_temperature(logits, targets)
    inside = np.array([label != OUT_OF_SCOPE for label in labels])
    best, chosen = _in_scope_best(softmax(logits, temperature), inside)
    scores, known = 1.0 - best, inside[targets]
    calibration = Calibration(temperature, rejection_threshold(scores[known], scores[~known]))
    wrong = chosen != targets
    certified = promise_threshold(best, wrong, promise.wrong_among_answered, promise.confidence)
    return replace(calibration, promise_threshold=certified)


def _in_scope_best(
    probabilities: NDArray[np.float64], inside: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    masked = np.where(inside, probabilities, -1.0)
    return masked.max(axis=1), masked.argmax(axis=1)


def _validate(
    logits: NDArray[np.float64],
    targets: NDArray[np.int64],
    labels: Sequence[str],
    calibration: Calibration,
) -> dict[str, Any]:
    """Return accuracy and macro-F1 over in-scope rows and the calibration error over all."""
    from sklearn.metrics import f1_score

    probabilities = softmax(logits, calibration.temperature)
    inside = np.array([label != OUT_OF_SCOPE for label in labels])
    known = inside[targets]
    _, chosen = _in_scope_best(probabilities, inside)
    return {
        "accuracy": float((chosen[known] == targets[known]).mean()) if known.any() else None,
        "macro_f1": float(f1_score(targets[known], chosen[known], average="macro"))
        if known.any()
        else None,
        "ece": expected_calibration_error(
            probabilities.max(axis=1), probabilities.argmax(axis=1) == targets
        ),
    }
