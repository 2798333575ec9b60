"""The training pipeline: labelled texts become a version of the intent classifier.

`head` fits linear models on the frozen encoder's vectors and on n-grams together. `full` and `lora`
fine-tune the encoder first, and add the n-gram model's scores to those of the network.
"""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.core.privacy import redact
from bot.core.settings import Promise
from bot.core.types import OUT_OF_SCOPE, CarelineError
from bot.nlu import dialogue_acts, emotion_classifier, out_of_scope, retrieval_gate
from bot.nlu.calibration import (
    Calibration,
    candidate_threshold,
    certify,
    expected_calibration_error,
    fit_temperature,
    rejection_threshold,
    softmax,
)
from bot.nlu.drift import DriftReference
from bot.nlu.intent_classifier import ModelParameters, SimilarExample
from bot.nlu.out_of_scope import NeighbourDistances, NeighbourIndex, OutOfScopeDetector
from bot.training import (
    classifier_heads,
    fine_tuned_models,
    linear,
    model_card,
    training_set,
    turn_classifiers,
)
from bot.training.checkpoints import Checkpoints
from bot.training.context_augmentation import is_contextual
from bot.training.curves import TrainingCurves
from bot.training.datasets import Example
from bot.training.job import (
    FittedClassifier,
    HeldOutPredictions,
    Targets,
    TrainingJob,
    build_neighbour_index,
)
from knowledge_base.encoders import onnx_encoder
from knowledge_base.encoders.base_models import BaseModel, ModelEncoder, TorchEncoder, Vectors
from knowledge_base.index.versions import Version, Versions
from knowledge_base.text.spelling import SpellingCorrector

_logger = logging.getLogger(__name__)

_FOLDS: Final = 5


@dataclass(frozen=True)
class TrainingResult:
    """The result of one training."""

    version: Version
    seconds: float
    examples: int
    intents: int
    validation: dict[str, float | None]
    engine: str
    calibration: Calibration


def train(job: TrainingJob, versions: Versions) -> TrainingResult:
    """Train, validate, calibrate and publish a version.

    Without `valid`, `head` is calibrated out of fold, and `full` on a held-out part, which is added
    to the training at the end. If a run fails or is killed, the active version does not change.
    """
    started = time.perf_counter()
    labels = sorted({example.intent for example in job.examples})
    job = _with_known_labels(job, labels)
    curves = TrainingCurves(progress=job.progress)

    def build(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        if job.method == "head":
            fitted = _fit_head(job, labels)
        else:
            checkpoints = Checkpoints(versions.root / ".unfinished", _facts(job))
            fitted = fine_tuned_models.fit(job, labels, folder, checkpoints, curves)
            checkpoints.clear()
        is_oos = np.array([label == OUT_OF_SCOPE for label in labels])
        calibration, detector = calibrate(fitted.held_out, is_oos, job.promise)
        metrics = validate(fitted.held_out, is_oos, calibration)
        rows = slice(len(job.examples))
        vectors = fitted.vectors[rows, : fitted.dimension]
        neighbours = build_neighbour_index(vectors, fitted.targets[rows], labels)
        ModelParameters(
            head=fitted.head,
            sparse=fitted.sparse,
            dense_head=fitted.dense_head,
            labels=tuple(labels),
            speller=SpellingCorrector.from_texts([example.text for example in job.examples]),
            neighbours=neighbours,
            oos_detector=detector,
            examples=similar_examples(job.examples, neighbours),
            emotion_head=emotion_classifier.fit_cached(job.encoder)
            if job.method == "head"
            else fit_emotion_head(folder, fitted.engine, job.encoder.base.query_prefix),
            reference=_reference(fitted.held_out, is_oos, calibration),
            calibration=calibration,
            contextual=is_contextual(job.examples),
            history_width=fitted.history_width,
        ).save(folder)
        _fit_turn_classifiers(job, folder, fitted)
        training_set.save(folder, fitted.examples or job.examples, fitted.vectors)
        details = {
            **_description(job),
            **fitted.details,
            "labels": labels,
            "engine": fitted.engine,
            "calibration": asdict(calibration),
        }
        curves.save(folder)
        model_card.write(folder, metrics, details, fitted.held_out.logits, fitted.held_out.targets)
        return metrics, details

    return make_result(versions.publish(build), started)


def _with_known_labels(job: TrainingJob, labels: Sequence[str]) -> TrainingJob:
    """Return the job without validation examples of unknown intents, with a warning."""
    if job.valid is None:
        return job
    valid = [example for example in job.valid if example.intent in labels]
    if not valid:
        message = "no example of --valid has an intent that is trained: check its labels"
        raise CarelineError(message)
    if left_out := Counter(e.intent for e in job.valid) - Counter(e.intent for e in valid):
        _logger.warning("--valid holds labels that are not trained: %s", dict(left_out))
    return replace(job, valid=valid)


def make_result(version: Version, started: float) -> TrainingResult:
    """Return the result of a run that started at a time of `time.perf_counter`."""
    details = version.details
    return TrainingResult(
        version=version,
        seconds=round(time.perf_counter() - started, 3),
        examples=details["examples"],
        intents=sum(label != OUT_OF_SCOPE for label in details["labels"]),
        validation=version.metrics,
        engine=details["engine"],
        calibration=Calibration(**details["calibration"]),
    )


def _facts(job: TrainingJob) -> list[Any]:
    """Return everything a fine-tuning depends on: a killed one continues if nothing changed."""
    texts = [(example.input, example.intent) for example in (*job.examples, *(job.valid or ()))]
    return [job.encoder.id, job.method, job.seed, asdict(job.recipe), texts]


def _description(job: TrainingJob) -> dict[str, Any]:
    """Return the details of a version about its data and its base."""
    base = job.encoder.base
    return {
        "base": base.name,
        "encoder": job.encoder.id,
        "query_prefix": base.query_prefix,
        "method": job.method,
        "seed": job.seed,
        "recipe": asdict(job.recipe),
        "examples": len(job.examples),
        "counts": dict(Counter(example.intent for example in job.examples)),
    }


def similar_examples(
    examples: Sequence[Example], neighbours: NeighbourIndex
) -> tuple[SimilarExample, ...]:
    """Return the examples of an index, in its order."""
    indexed = [examples[row] for row in neighbours.rows]
    return tuple(SimilarExample(redact(e.text), e.intent, e.source) for e in indexed)


def _fit_head(job: TrainingJob, labels: Sequence[str]) -> FittedClassifier:
    """Fit a hybrid on the frozen encoder; held out are `valid`, or all examples out of fold."""
    config = classifier_heads.HeadTrainingConfig(
        job.encoder, job.recipe, _FOLDS, job.seed, job.progress
    )
    heads = classifier_heads.fit(job.examples, job.valid, labels, config)
    data, validation = heads.data, heads.validation
    rows = slice(len(job.examples))
    vectors, targets = data.vectors[rows], data.targets[rows]
    if heads.parts is None:
        neighbours = build_neighbour_index(vectors, targets, labels)
        distances = neighbours.distances(validation.vectors)
    else:
        distances = _out_of_fold_distances(vectors, targets, heads.parts, labels)
    held_out = HeldOutPredictions(heads.held_out, distances, validation.targets)
    return FittedClassifier(
        heads.model.head,
        heads.model.sparse,
        data.features,
        data.targets,
        held_out,
        job.encoder.engine,
        linear.fit_dense(data.features, data.targets, len(labels)),
        {"recipe": asdict(heads.recipe)},
        examples=data.examples,
        history_width=heads.history_width,
        dimension=data.dimension,
    )


def _out_of_fold_distances(
    vectors: Vectors, targets: Targets, parts: NDArray[np.int64], labels: Sequence[str]
) -> NeighbourDistances:
    """Return the distances of examples to those of the other folds."""
    in_scope, oos = np.ones(len(parts)), np.ones(len(parts))
    for fold in np.unique(parts):
        train, test = parts != fold, parts == fold
        if not train.any():
            continue
        neighbours = build_neighbour_index(vectors[train], targets[train], labels)
        distances = neighbours.distances(vectors[test])
        in_scope[test] = distances.in_scope
        if distances.oos is not None:
            oos[test] = distances.oos
    has_oos = OUT_OF_SCOPE in labels
    return NeighbourDistances(in_scope, oos if has_oos else None)


def _fit_turn_classifiers(job: TrainingJob, folder: Path, fitted: FittedClassifier) -> None:
    """Fit the retrieval gate and the dialogue acts on the encoder of the version."""
    encoder: ModelEncoder = job.encoder
    if job.method != "head":
        encoder = own_encoder(folder, fitted.engine, job.encoder.base.query_prefix)
    gate = turn_classifiers.fit_retrieval_gate(encoder, job.retrieval_turns)
    if gate is not None:
        gate.save(folder / retrieval_gate.FOLDER)
    acts = turn_classifiers.fit_dialogue_acts(encoder, job.dialogue_act_turns)
    if acts is not None:
        acts.save(folder / dialogue_acts.FOLDER)


def own_encoder(folder: Path, engine: str, prefix: str) -> ModelEncoder:
    """Load a version's own encoder, as in service."""
    base = BaseModel(folder.name, str(folder / "encoder"), query_prefix=prefix)
    return (
        onnx_encoder.OnnxEncoder(base, folder / "engine")
        if engine == onnx_encoder.NAME
        else TorchEncoder(base)
    )


def fit_emotion_head(
    folder: Path, engine: str, prefix: str
) -> emotion_classifier.EmotionClassifier:
    """Fit the emotion heads on the vectors of a version's own encoder."""
    return emotion_classifier.fit_on_examples(own_encoder(folder, engine, prefix))


def calibrate(
    held_out: HeldOutPredictions, is_oos: NDArray[np.bool_], promise: Promise
) -> tuple[Calibration, OutOfScopeDetector]:
    """Return the calibration and the out-of-scope detector, from held-out predictions."""
    logits, targets = held_out.logits, held_out.targets
    temperature = fit_temperature(logits, targets)
    probabilities = softmax(logits, temperature)
    in_scope = ~is_oos[targets]
    signals = out_of_scope.compute_signals(logits, is_oos, held_out.distances)
    detector = OutOfScopeDetector.fit(signals, ~in_scope)
    scores = detector.score(signals)
    threshold = rejection_threshold(scores[in_scope], scores[~in_scope])
    best, predicted = best_in_scope(probabilities, is_oos)
    rejected = (scores >= threshold) | is_oos[probabilities.argmax(axis=1)]
    certificate = certify(
        np.where(rejected, -1.0, best),
        predicted != targets,
        promise.wrong_among_answered,
        promise.confidence,
    )
    unclear = ~rejected & in_scope & (best < (certificate.threshold or 1.0))
    return (
        Calibration(
            temperature=temperature,
            oos_threshold=threshold,
            promise=certificate.threshold,
            share=promise.wrong_among_answered,
            certainty=promise.confidence,
            coverage=certificate.coverage if certificate.threshold is not None else None,
            missing=certificate.reason,
            candidate=candidate_threshold(probabilities, targets, unclear),
        ),
        detector,
    )


def _reference(
    held_out: HeldOutPredictions, is_oos: NDArray[np.bool_], calibration: Calibration
) -> DriftReference | None:
    """Return the reference for drift detection, if there is a promise."""
    if calibration.promise is None:
        return None
    probabilities = calibration.probabilities(held_out.logits)
    return DriftReference.sample(
        held_out.distances.in_scope, best_in_scope(probabilities, is_oos)[0]
    )


def best_in_scope(
    probabilities: NDArray[np.float64], is_oos: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], Targets]:
    """Return the probability and the number of the best in-scope class, shape (n,) each."""
    masked = np.where(is_oos, -1.0, probabilities)
    return masked.max(axis=1), masked.argmax(axis=1)


def validate(
    held_out: HeldOutPredictions, is_oos: NDArray[np.bool_], calibration: Calibration
) -> dict[str, Any]:
    """Return accuracy and macro-F1 over in-scope rows, and the calibration error over all."""
    from sklearn.metrics import f1_score

    targets = held_out.targets
    probabilities = calibration.probabilities(held_out.logits)
    in_scope = ~is_oos[targets]
    _, predicted = best_in_scope(probabilities, is_oos)
    right = probabilities.argmax(axis=1) == targets
    ece = expected_calibration_error(probabilities.max(axis=1), right)
    if not in_scope.any():
        return {"accuracy": None, "macro_f1": None, "ece": ece}
    macro = f1_score(targets[in_scope], predicted[in_scope], average="macro")
    accuracy = float((predicted[in_scope] == targets[in_scope]).mean())
    return {"accuracy": accuracy, "macro_f1": float(macro), "ece": ece}
