"""Fine-tuning as part of a training: network, n-grams beside it, the engine that serves both."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from bot.nlu import calibration as numbers
from bot.nlu.intent_classifier import LinearHead
from bot.nlu.ngrams import NgramHead
from bot.training import fine_tuning, folds, linear
from bot.training.checkpoints import Checkpoints
from bot.training.curves import TrainingCurves
from bot.training.datasets import Example
from bot.training.fine_tuning import FineTunedNetwork
from bot.training.job import (
    FittedClassifier,
    HeldOutPredictions,
    Targets,
    TrainingJob,
    memory_of,
    targets_of,
)
from knowledge_base.encoders import onnx_encoder
from knowledge_base.encoders.base_models import TorchEncoder, Vectors

_HELD_OUT: Final = 8  # one part in so many is held out to choose and calibrate on
_SPARSE_WEIGHTS: Final = (0.0, 0.1, 0.2, 0.4)  # of the n-grams' scores beside the network's
_LOST: Final = 0.003  # validation accuracy the int8 engine may cost before torch serves instead
_CALIBRATING: Final = 128  # training texts the engine's 8 bits are fitted to


@dataclass(frozen=True)
class LabelledTexts:
    """Texts as the classifier reads them and their class numbers, shape (n,)."""

    texts: Sequence[str]
    targets: Targets

    @classmethod
    def of(cls, examples: Sequence[Example], labels: Sequence[str]) -> "LabelledTexts":
        """Take examples apart."""
        return cls([example.input for example in examples], targets_of(examples, labels))


def fit(
    job: TrainingJob,
    labels: Sequence[str],
    folder: Path,
    checkpoints: Checkpoints,
    curves: TrainingCurves,
) -> FittedClassifier:
    """Fine-tune a copy of the encoder, then learn the held-out examples, and export the engine."""
    encoder = job.encoder
    if not isinstance(encoder, TorchEncoder):
        message = "fine-tuning needs the encoder in torch"
        raise TypeError(message)
    seen, held = _parts(job, labels)
    network = FineTunedNetwork(
        encoder,
        seen.texts,
        seen.targets,
        len(labels),
        job.recipe.for_examples(len(seen.texts)),
        seed=job.seed,
        lora=job.method == "lora",
    )
    network.start(encoder.queries(seen.texts, progress=job.progress))
    fine_tuning.train(network, (held.texts, held.targets), checkpoints, curves)
    vectors, held_vectors = network.encode(seen.texts), network.encode(held.texts)
    weight = _weight_beside(network, seen, held, held_vectors)
    sparse = beside(seen, len(labels), weight)
    logits = network.head().logits(held_vectors) + sparse.logits(held.texts)
    distances = memory_of(vectors, seen.targets, labels).distances(held_vectors)
    unseen = HeldOutPredictions(logits, distances, held.targets)
    if not job.valid:
        seen = LabelledTexts.of(job.examples, labels)
        fine_tuning.polish(network, seen.texts, seen.targets, curves)
        vectors = network.encode(seen.texts)
        sparse = beside(seen, len(labels), weight)
    network.save(folder / "encoder")
    tuned = TorchEncoder(replace(encoder.base, path=str(folder / "encoder")))
    head, details = network.head(), {"sparse_weight": weight}
    engine = export(tuned, folder / "engine", seen.texts, held, (head, sparse))
    return FittedClassifier(head, sparse, vectors, seen.targets, unseen, engine, details=details)


def _parts(job: TrainingJob, labels: Sequence[str]) -> tuple[LabelledTexts, LabelledTexts]:
    """Return what is learnt and what is held out."""
    if job.valid:
        return LabelledTexts.of(job.examples, labels), LabelledTexts.of(job.valid, labels)
    parts = folds.assign(job.examples, _HELD_OUT, job.seed)
    pairs = list(zip(job.examples, parts, strict=True))
    return (
        LabelledTexts.of([example for example, part in pairs if part], labels),
        LabelledTexts.of([example for example, part in pairs if not part], labels),
    )


def _weight_beside(
    network: FineTunedNetwork, seen: LabelledTexts, held: LabelledTexts, held_vectors: Vectors
) -> float:
    """Return the weight of the n-grams' scores that best explains the held-out examples."""
    model = linear.fit(None, seen.texts, seen.targets, network.classes)
    dense, sparse = network.head().logits(held_vectors), model.sparse.logits(held.texts)

    def loss(weight: float) -> float:
        logits = dense + weight * sparse
        return numbers.log_loss(logits, held.targets, numbers.fit_temperature(logits, held.targets))

    return min(_SPARSE_WEIGHTS, key=loss)


def beside(seen: LabelledTexts, classes: int, weight: float) -> NgramHead:
    """Fit the n-gram model that stands beside a network.

    Its bias is left out: the network has none to add it to, and it says little.
    """
    model = linear.fit(None, seen.texts, seen.targets, classes)
    return replace(model.sparse, weight=model.sparse.weight * np.float32(weight))


def export(
    encoder: TorchEncoder,
    folder: Path,
    texts: Sequence[str],
    held: LabelledTexts,
    heads: tuple[LinearHead, NgramHead],
) -> str:
    """Make the int8 engine of a fine-tuned encoder, unless it loses too much; return its name."""
    rng = np.random.default_rng(0)
    chosen = [texts[i] for i in rng.permutation(len(texts))[:_CALIBRATING]]
    onnx_encoder.export(encoder, folder, chosen)
    if not onnx_encoder.is_usable(folder):
        return encoder.engine
    quick = onnx_encoder.OnnxEncoder(encoder.base, folder)

    def accuracy(vectors: Vectors) -> float:
        logits = heads[0].logits(vectors) + heads[1].logits(held.texts)
        return float((logits.argmax(axis=1) == held.targets).mean())

    if accuracy(quick.queries(held.texts)) < accuracy(encoder.queries(held.texts)) - _LOST:
        onnx_encoder.mark_unusable(folder)
        return encoder.engine
    return quick.engine
