"""Fine-tuning as a training method: the network, its n-gram model, and the serving engine."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from bot.nlu.calibration import fit_temperature, log_loss
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
    build_neighbour_index,
    class_numbers,
)
from knowledge_base.encoders import onnx_encoder
from knowledge_base.encoders.base_models import TorchEncoder, Vectors

_HELD_OUT: Final = 8  # one part in this many is held out for selection and calibration
_SPARSE_WEIGHTS: Final = (0.0, 0.1, 0.2, 0.4)  # of the n-grams' scores added to the network's
_MAX_LOSS: Final = 0.003  # of the int8 engine in validation accuracy; otherwise torch serves
_CALIBRATION_TEXTS: Final = 128  # training texts for the quantisation of the engine


@dataclass(frozen=True)
class LabelledTexts:
    """Texts as the classifier reads them, and their class numbers, shape (n,)."""

    texts: Sequence[str]
    targets: Targets

    @classmethod
    def from_examples(cls, examples: Sequence[Example], labels: Sequence[str]) -> "LabelledTexts":
        """Return the texts and class numbers of examples."""
        return cls([example.input for example in examples], class_numbers(examples, labels))


def fit(
    job: TrainingJob,
    labels: Sequence[str],
    folder: Path,
    checkpoints: Checkpoints,
    curves: TrainingCurves,
) -> FittedClassifier:
    """Fine-tune a copy of the encoder, then add the held-out examples, and export the engine."""
    encoder = job.encoder
    if not isinstance(encoder, TorchEncoder):
        message = "fine-tuning needs the encoder in torch"
        raise TypeError(message)
    train, held = _parts(job, labels)
    network = FineTunedNetwork(
        encoder,
        train.texts,
        train.targets,
        len(labels),
        job.recipe.for_examples(len(train.texts)),
        seed=job.seed,
        lora=job.method == "lora",
    )
    network.start(encoder.queries(train.texts, progress=job.progress))
    fine_tuning.train(network, (held.texts, held.targets), checkpoints, curves)
    vectors, held_vectors = network.encode(train.texts), network.encode(held.texts)
    weight = _select_ngram_weight(network, train, held, held_vectors)
    sparse = fit_ngram_head(train, len(labels), weight)
    logits = network.head().logits(held_vectors) + sparse.logits(held.texts)
    distances = build_neighbour_index(vectors, train.targets, labels).distances(held_vectors)
    held_out = HeldOutPredictions(logits, distances, held.targets)
    if not job.valid:
        train = LabelledTexts.from_examples(job.examples, labels)
        fine_tuning.polish(network, train.texts, train.targets, curves)
        vectors = network.encode(train.texts)
        sparse = fit_ngram_head(train, len(labels), weight)
    network.save(folder / "encoder")
    tuned = TorchEncoder(replace(encoder.base, path=str(folder / "encoder")))
    head, details = network.head(), {"sparse_weight": weight}
    engine = export(tuned, folder / "engine", train.texts, held, (head, sparse))
    return FittedClassifier(head, sparse, vectors, train.targets, held_out, engine, details=details)


def _parts(job: TrainingJob, labels: Sequence[str]) -> tuple[LabelledTexts, LabelledTexts]:
    """Return the training and the held-out texts."""
    if job.valid:
        return (
            LabelledTexts.from_examples(job.examples, labels),
            LabelledTexts.from_examples(job.valid, labels),
        )
    parts = folds.assign(job.examples, _HELD_OUT, job.seed)
    pairs = list(zip(job.examples, parts, strict=True))
    return (
        LabelledTexts.from_examples([example for example, part in pairs if part], labels),
        LabelledTexts.from_examples([example for example, part in pairs if not part], labels),
    )


def _select_ngram_weight(
    network: FineTunedNetwork, train: LabelledTexts, held: LabelledTexts, held_vectors: Vectors
) -> float:
    """Return the weight of the n-grams' scores that best explains the held-out examples."""
    model = linear.fit(None, train.texts, train.targets, network.classes)
    dense, sparse = network.head().logits(held_vectors), model.sparse.logits(held.texts)

    def loss(weight: float) -> float:
        logits = dense + weight * sparse
        return log_loss(logits, held.targets, fit_temperature(logits, held.targets))

    return min(_SPARSE_WEIGHTS, key=loss)


def fit_ngram_head(train: LabelledTexts, classes: int, weight: float) -> NgramHead:
    """Fit the n-gram model whose scores are added to a network's.

    Its bias is left out: the network has none to add it to, and its effect is small.
    """
    model = linear.fit(None, train.texts, train.targets, classes)
    return replace(model.sparse, weight=model.sparse.weight * np.float32(weight))


def export(
    encoder: TorchEncoder,
    folder: Path,
    texts: Sequence[str],
    held: LabelledTexts,
    heads: tuple[LinearHead, NgramHead],
) -> str:
    """Export the int8 engine of a fine-tuned encoder, unless it loses too much; return its name."""
    rng = np.random.default_rng(0)
    sample = [texts[i] for i in rng.permutation(len(texts))[:_CALIBRATION_TEXTS]]
    onnx_encoder.export(encoder, folder, sample)
    if not onnx_encoder.is_usable(folder):
        return encoder.engine
    quick = onnx_encoder.OnnxEncoder(encoder.base, folder)

    def accuracy(vectors: Vectors) -> float:
        logits = heads[0].logits(vectors) + heads[1].logits(held.texts)
        return float((logits.argmax(axis=1) == held.targets).mean())

    if accuracy(quick.queries(held.texts)) < accuracy(encoder.queries(held.texts)) - _MAX_LOSS:
        onnx_encoder.mark_unusable(folder)
        return encoder.engine
    return quick.engine
