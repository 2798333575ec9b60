"""`careline bench promise`: whether a certified threshold holds, and its coverage."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.core.types import OUT_OF_SCOPE
from bot.nlu import calibration
from bot.nlu.calibration import softmax
from bot.nlu.drift import DriftMonitor, DriftReference
from bot.nlu.intent_classifier import IntentModel
from bot.nlu.out_of_scope import compute_signals
from bot.training.job import TrainingOptions
from careline_benchmarks import model_training
from careline_benchmarks.harness import (
    Benchmark,
    BenchmarkContext,
    BenchmarkReport,
    at_least,
    at_most,
)

_SPLITS: Final = 200
_SHARE: Final = 0.02
_CERTAINTY: Final = 0.95


def _scores(
    model: IntentModel, texts: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return logits, (n, classes), out-of-scope scores and distances, (n,)."""
    vectors = np.concatenate(
        [model.features(texts[at : at + 256]) for at in range(0, len(texts), 256)]
    )
    logits = model.logits(vectors, texts)
    distances = model.parameters.neighbours.distances(vectors)
    scores = model.parameters.oos_detector.score(compute_signals(logits, model.is_oos, distances))
    return logits, scores, distances.in_scope


def _splits(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Certify on one half of the test set, and evaluate on the other; two hundred times."""
    train = model_training.read(setting, "intents", "banking77", "train.csv")
    test = model_training.read(setting, "intents", "banking77", "test.csv")
    model, _ = model_training.train(setting, train, TrainingOptions("head", "minilm"))
    logits, _, distances = _scores(model, [example.text for example in test])
    number = {label: i for i, label in enumerate(model.labels)}
    targets = np.array([number[example.intent] for example in test])
    figures = _over_splits(logits, targets, planted=setting.planted)
    result.figures["banking77"] = figures
    result.bars += [
        at_most("promise: broken", figures["broken"], 0.08),
        at_least("promise: mean coverage", figures["coverage"], 0.78),
        at_least("clarify: true intent among the buttons", figures["offered"], 0.90),
        at_most("clarify: mean buttons", figures["buttons"], 3.0),
    ]
    _mixed(setting, model, (logits, targets), result)
    _shift(setting, model, (logits, distances), result)


def _over_splits(
    logits: NDArray[np.float64], targets: NDArray[np.int64], *, planted: bool
) -> dict[str, float]:
    rng = np.random.default_rng(0)
    rows: list[tuple[bool, float, float, float]] = []
    for _ in range(_SPLITS):
        order = rng.permutation(len(targets))
        half = len(order) // 2
        rows.append(_one_split(logits, targets, (order[:half], order[half:]), planted=planted))
    broken, coverage, offered, buttons = (
        float(np.mean(column)) for column in zip(*rows, strict=True)
    )
    return {"broken": broken, "coverage": coverage, "offered": offered, "buttons": buttons}


def _one_split(
    logits: NDArray[np.float64],
    targets: NDArray[np.int64],
    halves: tuple[NDArray[np.int64], NDArray[np.int64]],
    *,
    planted: bool,
) -> tuple[bool, float, float, float]:
    """Return whether the promise broke, the coverage, how often the truth is offered, buttons."""
    calibration_rows, new = halves
    temperature = calibration.fit_temperature(logits[calibration_rows], targets[calibration_rows])
    chances = softmax(logits, temperature)
    best, wrong = chances.max(axis=1), chances.argmax(axis=1) != targets
    certificate = calibration.certify(
        best[calibration_rows], wrong[calibration_rows], _SHARE, _CERTAINTY
    )
    threshold = certificate.threshold if certificate.threshold is not None else 2.0
    if planted:  # the threshold that looks right on the calibration half, without a certificate
        order = np.argsort(-best[calibration_rows])
        rates = np.cumsum(wrong[calibration_rows][order]) / np.arange(1, len(order) + 1)
        valid = np.flatnonzero(rates <= _SHARE)
        threshold = float(best[calibration_rows][order][valid[-1]]) if len(valid) else 2.0
    candidate = calibration.candidate_threshold(
        chances[calibration_rows], targets[calibration_rows], best[calibration_rows] < threshold
    )
    answered = best[new] >= threshold
    broken = bool(answered.any() and wrong[new][answered].mean() > _SHARE)
    unclear = chances[new][~answered]
    sets = unclear >= candidate
    true = sets[np.arange(len(unclear)), targets[new][~answered]]
    if not len(unclear):
        return broken, 1.0, 1.0, 0.0
    return broken, float(answered.mean()), float(true.mean()), float(sets.sum(axis=1).mean())


def _mixed(
    setting: BenchmarkContext,
    model: IntentModel,
    banking: tuple[NDArray[np.float64], NDArray[np.int64]],
    result: BenchmarkReport,
) -> None:
    """Add messages about anything: answering one of those is wrong."""
    rows = model_training.read(setting, "intents", "clinc150", "test.csv")
    strange = [example.text for example in rows if example.intent == OUT_OF_SCOPE]
    logits = np.concatenate([banking[0], _scores(model, strange)[0]])
    nowhere = np.full(len(strange), -1)
    targets = np.concatenate([banking[1], nowhere])
    rng = np.random.default_rng(1)
    figures: list[tuple[bool, float]] = []
    for _ in range(_SPLITS):
        order = rng.permutation(len(targets))
        calibration_rows, new = order[: len(order) // 2], order[len(order) // 2 :]
        chances = softmax(logits, 1.0)
        best, wrong = chances.max(axis=1), chances.argmax(axis=1) != targets
        certificate = calibration.certify(
            best[calibration_rows], wrong[calibration_rows], _SHARE, _CERTAINTY
        )
        answered = best[new] >= (
            certificate.threshold if certificate.threshold is not None else 2.0
        )
        broken = bool(answered.any() and wrong[new][answered].mean() > _SHARE)
        figures.append((broken, float(answered.mean())))
    result.figures["with out of scope"] = {
        "broken": float(np.mean([was_broken for was_broken, _ in figures])),
        "coverage": float(np.mean([answered for _, answered in figures])),
    }


def _shift(
    setting: BenchmarkContext, model: IntentModel, banking: tuple[Any, Any], result: BenchmarkReport
) -> None:
    """Send other customers' messages: the monitor must detect them, and not before."""
    logits, distances = banking
    best = model.calibration.probabilities(logits).max(axis=1)
    half = len(best) // 2
    order = np.random.default_rng(2).permutation(len(best))
    reference = DriftReference.sample(distances[order[:half]], best[order[:half]])
    usual = DriftMonitor(reference)
    early = [usual.watch(float(distances[i]), float(best[i])) for i in order[half:]]
    shifted = [e.text for e in model_training.read(setting, "intents", "hwu64", "valid.csv")][:400]
    if setting.planted:
        shifted = [
            e.text for e in model_training.read(setting, "intents", "banking77", "train.csv")
        ][::25]
    foreign, _, far = _scores(model, shifted)
    confident = model.calibration.probabilities(foreign).max(axis=1)
    flags = [usual.watch(float(d), float(c)) for d, c in zip(far, confident, strict=True)]
    result.figures["shift"] = {"noticed after": flags.index(True) + 1 if any(flags) else None}
    result.bars += [
        at_most("drift: looks at usual messages that raised a flag", float(np.mean(early)), 0.0),
        at_least("drift: a planted shift is flagged", float(flags[-1]), 1.0),
    ]


BENCHMARK: Final = Benchmark({"splits": _splits})
