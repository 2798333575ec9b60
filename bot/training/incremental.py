"""Incremental training: adds examples and intents to a trained version without forgetting.

`head`: the linear model is fitted again on the new vectors and its old support vectors. `full` and
`lora`: the network is trained further on the new examples and as many old ones (rehearsal), so that
it does not forget. The calibration stays; a promise does not cover what was added later.
"""

import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from bot.core.types import OUT_OF_SCOPE, CarelineError
from bot.nlu import context_features, dialogue_acts, retrieval_gate
from bot.nlu.calibration import Calibration
from bot.nlu.intent_classifier import LinearHead, ModelParameters
from bot.nlu.ngrams import NgramHead
from bot.training import fine_tuned_models, fine_tuning, linear, model_card, pipeline, training_set
from bot.training.curves import TrainingCurves
from bot.training.datasets import Example
from bot.training.fine_tuned_models import LabelledTexts
from bot.training.fine_tuning import SCALE, FineTunedNetwork
from bot.training.job import HeldOutPredictions, build_neighbour_index, class_numbers
from bot.training.pipeline import TrainingResult
from bot.training.recipe import TrainingRecipe
from knowledge_base.encoders.base_models import BaseModel, ModelEncoder, TorchEncoder, Vectors
from knowledge_base.index.versions import Version, Versions
from knowledge_base.text.spelling import SpellingCorrector

_HELD_OUT: Final = 10  # one new example in this many is held out for validation
_PASSES: Final = 2  # over the new examples in rehearsal
_REHEARSAL: Final = TrainingRecipe(epochs=1, typos=0.1)


@dataclass(frozen=True)
class _ExtendedModel:
    """The parts of the new version, and its predictions for held-out new examples."""

    head: LinearHead
    sparse: NgramHead
    vectors: Vectors
    predictions: HeldOutPredictions
    engine: str
    dense_head: LinearHead | None = None


def extend(
    version: Version,
    versions: Versions,
    added: Sequence[Example],
    encoder: ModelEncoder | None,
    *,
    progress: bool = False,
) -> TrainingResult:
    """Publish a version trained on the examples of `version` and on those `added`.

    `encoder` is the base encoder; versions with their own fine-tuned encoder do not use it.
    Examples that are already in the version are skipped.
    """
    started = time.perf_counter()
    frozen = encoder if version.details["method"] == "head" else None
    folder = versions.folder(version.id)
    old, vectors = training_set.load(folder)
    fresh = _fresh(version, old, added)
    before = ModelParameters.load(folder)
    names = sorted({example.intent for example in fresh} - set(before.labels))
    labels = [*before.labels, *names]  # old ones keep their numbers
    examples = [*old, *fresh]
    curves = TrainingCurves(progress=progress)
    prefix = str(version.details["query_prefix"])

    def build(target: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        if frozen is not None:
            recipe = TrainingRecipe(**version.details["recipe"])
            extended = _refit(examples, before, vectors, labels, frozen, recipe)
        else:
            origin = (version, folder, target)
            extended = _rehearse(origin, examples, len(old), before, labels, curves)
        is_oos = np.array([label == OUT_OF_SCOPE for label in labels])
        why = f"{len(fresh)} examples were added since; `careline train` certifies again"
        calibration = replace(before.calibration, promise=None, coverage=None, missing=why)
        metrics = pipeline.validate(extended.predictions, is_oos, calibration)
        parameters = _extend_parameters(before, extended, examples, labels, calibration)
        if frozen is None:
            emotion_head = pipeline.fit_emotion_head(target, extended.engine, prefix)
            parameters = replace(parameters, emotion_head=emotion_head)
        parameters.save(target)
        if frozen is not None:
            _copy_turn_classifiers(folder, target)
        training_set.save(target, examples, extended.vectors)
        details = {
            **version.details,
            "from": version.id,
            "labels": labels,
            "engine": extended.engine,
            "examples": len(examples),
            "counts": dict(Counter(example.intent for example in examples)),
            "calibration": asdict(calibration),
        }
        curves.save(target)
        held_out = extended.predictions
        model_card.write(target, metrics, details, held_out.logits, held_out.targets)
        return metrics, details

    return pipeline.make_result(versions.publish(build), started)


def _extend_parameters(
    before: ModelParameters,
    extended: _ExtendedModel,
    examples: Sequence[Example],
    labels: Sequence[str],
    calibration: Calibration,
) -> ModelParameters:
    """Return the old parameters, updated with the extended model."""
    vectors = extended.vectors[:, : before.neighbours.vectors.shape[1]]
    neighbours = build_neighbour_index(vectors, class_numbers(examples, labels), labels)
    neighbours = replace(neighbours, count=before.neighbours.count)
    return replace(
        before,
        head=extended.head,
        sparse=extended.sparse,
        dense_head=extended.dense_head,
        labels=tuple(labels),
        speller=SpellingCorrector.from_texts([example.text for example in examples]),
        neighbours=neighbours,
        examples=pipeline.similar_examples(examples, neighbours),
        reference=None,
        calibration=calibration,
    )


def _copy_turn_classifiers(folder: Path, target: Path) -> None:
    """Copy the classifiers of turns, which use the same encoder."""
    for name in (retrieval_gate.FOLDER, dialogue_acts.FOLDER):
        if (folder / name).is_dir():
            shutil.copytree(folder / name, target / name)


def _fresh(version: Version, old: Sequence[Example], added: Sequence[Example]) -> list[Example]:
    """Return the examples that are not in a version; raise CarelineError if all are."""
    existing = {(example.input, example.intent) for example in old}
    fresh = [example for example in added if (example.input, example.intent) not in existing]
    if not fresh:
        why = "was trained on all of these examples already" if added else "gets no examples"
        message = f"{version.id} {why}: nothing to add"
        raise CarelineError(message)
    return fresh


def _hold_out(examples: Sequence[Example], first: int) -> list[int]:
    """Return the positions of new examples to hold out for validation.

    They are never the last examples of an intent, which could not be trained then.
    """
    remaining = Counter(example.intent for example in examples[first:])
    held_out = []
    for place in range(first, len(examples), _HELD_OUT):
        if remaining[examples[place].intent] > 1:
            remaining[examples[place].intent] -= 1
            held_out.append(place)
    return held_out or [first]


def _refit(
    examples: Sequence[Example],
    before: ModelParameters,
    old_vectors: Vectors,
    labels: Sequence[str],
    encoder: ModelEncoder,
    recipe: TrainingRecipe,
) -> _ExtendedModel:
    first = len(old_vectors)
    texts = [example.input for example in examples]
    targets = class_numbers(examples, labels)
    fresh = encoder.queries(texts[first:])
    if before.history_width:  # the intent histories of the new examples are unknown
        nothing = np.zeros((len(fresh), before.history_width), dtype=np.float32)
        fresh = np.hstack([context_features.encode(encoder.queries, texts[first:]), nothing])
    vectors = np.concatenate([old_vectors, fresh])
    narrow = vectors[:, : before.neighbours.vectors.shape[1]]
    old = linear.HybridModel(before.head, before.sparse)
    extension = linear.IncrementalFit(old, first, vectors, texts, targets, len(labels), recipe)
    held = _hold_out(examples, first)
    rest = sorted(set(range(len(texts))) - set(held))
    logits = extension.fit(without=held).logits(vectors[held], [texts[i] for i in held])
    distances = build_neighbour_index(narrow[rest], targets[rest], labels).distances(narrow[held])
    predictions = HeldOutPredictions(logits, distances, targets[held])
    model = extension.fit()
    dense_head = linear.fit_dense(vectors, targets, len(labels))
    return _ExtendedModel(
        model.head, model.sparse, vectors, predictions, encoder.engine, dense_head
    )


def _rehearse(
    origin: tuple[Version, Path, Path],
    examples: Sequence[Example],
    first: int,
    before: ModelParameters,
    labels: Sequence[str],
    curves: TrainingCurves,
) -> _ExtendedModel:
    version, folder, target = origin
    prefix = version.details["query_prefix"]
    encoder = TorchEncoder(BaseModel(version.id, str(folder / "encoder"), query_prefix=prefix))
    everything = LabelledTexts.from_examples(examples, labels)
    rng = np.random.default_rng(version.details["seed"])
    held_out = _hold_out(examples, first)
    new = sorted(set(range(first, len(examples))) - set(held_out)) or held_out
    sample = rng.permutation(first)[: _PASSES * len(new)].tolist()
    rows = [*new * _PASSES, *sample]
    network = FineTunedNetwork(
        encoder,
        [everything.texts[i] for i in new],
        everything.targets[new],
        len(labels),
        _REHEARSAL.for_examples(len(rows)),
        seed=version.details["seed"],
    )
    network.start(encoder.queries(network.texts))
    network.keep(before.head.weight / np.float32(SCALE))
    held = LabelledTexts([everything.texts[i] for i in sample], everything.targets[sample])
    texts = [everything.texts[i] for i in rows]
    fine_tuning.polish(network, texts, everything.targets[rows], curves, scale=0.5)
    vectors = network.encode(everything.texts)
    sparse = fine_tuned_models.fit_ngram_head(
        everything, len(labels), version.details["sparse_weight"]
    )
    network.save(target / "encoder")
    head = network.head()
    tuned = TorchEncoder(replace(encoder.base, path=str(target / "encoder")))
    engine = fine_tuned_models.export(
        tuned, target / "engine", everything.texts, held, (head, sparse)
    )
    rest = sorted(set(range(len(examples))) - set(held_out))
    train = LabelledTexts([everything.texts[i] for i in rest], everything.targets[rest])
    trial = fine_tuned_models.fit_ngram_head(train, len(labels), version.details["sparse_weight"])
    logits = head.logits(vectors[held_out]) + trial.logits([everything.texts[i] for i in held_out])
    distances = build_neighbour_index(vectors[rest], train.targets, labels).distances(
        vectors[held_out]
    )
    predictions = HeldOutPredictions(logits, distances, everything.targets[held_out])
    return _ExtendedModel(head, sparse, vectors, predictions, engine)
