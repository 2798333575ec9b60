"""New examples and intents for a trained version, in a fraction of the time, without forgetting.

`head`: the linear model is fitted again on the new vectors and those kept ones that hold it up.
`full` and `lora`: the network goes on from its weights, on the new examples and as many old ones
(rehearsal), so that what it knows is not overwritten. Calibration stays; a promise does not cover
what was added since.
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
from bot.nlu.intent_classifier import Calibration, LinearHead, ModelParameters
from bot.nlu.ngrams import NgramHead
from bot.training import fine_tuned_models, fine_tuning, linear, model_card, pipeline, training_set
from bot.training.curves import TrainingCurves
from bot.training.datasets import Example
from bot.training.fine_tuned_models import LabelledTexts
from bot.training.fine_tuning import SCALE, FineTunedNetwork
from bot.training.job import HeldOutPredictions, memory_of, targets_of
from bot.training.pipeline import TrainingResult
from bot.training.recipe import TrainingRecipe
from knowledge_base.encoders.base_models import BaseModel, ModelEncoder, TorchEncoder, Vectors
from knowledge_base.index.versions import Version, Versions
from knowledge_base.text.spelling import SpellingCorrector

_CHECKED: Final = 10  # one new example in so many is looked at before it is learnt
_PASSES: Final = 2  # times the new examples are seen in rehearsal
_GENTLE: Final = TrainingRecipe(epochs=1, typos=0.1)


@dataclass(frozen=True)
class _Learnt:
    """The parts of the new version, and what it says of new examples it had not seen."""

    head: LinearHead
    sparse: NgramHead
    vectors: Vectors
    unseen: HeldOutPredictions
    engine: str
    plain: LinearHead | None = None


def extend(
    version: Version,
    versions: Versions,
    added: Sequence[Example],
    encoder: ModelEncoder | None,
    *,
    progress: bool = False,
) -> TrainingResult:
    """Publish a version that knows what `version` knows and the examples `added`.

    `encoder` is the base's; versions that have an encoder of their own, fine-tuned, do not use it.
    Examples that the version knows already are skipped.
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
            learnt = _refit(examples, before, vectors, labels, frozen, recipe)
        else:
            origin = (version, folder, target)
            learnt = _rehearse(origin, examples, len(old), before, labels, curves)
        outside = np.array([label == OUT_OF_SCOPE for label in labels])
        why = f"{len(fresh)} examples were added since; `careline train` certifies again"
        calibration = replace(before.calibration, promise=None, coverage=None, missing=why)
        metrics = pipeline.validate(learnt.unseen, outside, calibration)
        parameters = _grown(before, learnt, examples, labels, calibration)
        if frozen is None:
            parameters = replace(parameters, tone=pipeline.tone_head(target, learnt.engine, prefix))
        parameters.save(target)
        if frozen is not None:
            _take_over(folder, target)
        training_set.save(target, examples, learnt.vectors)
        details = {
            **version.details,
            "from": version.id,
            "labels": labels,
            "engine": learnt.engine,
            "examples": len(examples),
            "counts": dict(Counter(example.intent for example in examples)),
            "calibration": asdict(calibration),
        }
        curves.save(target)
        model_card.write(target, metrics, details, learnt.unseen.logits, learnt.unseen.targets)
        return metrics, details

    return pipeline.trained(versions.publish(build), started)


def _grown(
    before: ModelParameters,
    learnt: _Learnt,
    examples: Sequence[Example],
    labels: Sequence[str],
    calibration: Calibration,
) -> ModelParameters:
    """Return the old parameters with what was learnt."""
    vectors = learnt.vectors[:, : before.memory.vectors.shape[1]]
    memory = memory_of(vectors, targets_of(examples, labels), labels)
    return replace(
        before,
        head=learnt.head,
        sparse=learnt.sparse,
        plain=learnt.plain,
        labels=tuple(labels),
        speller=SpellingCorrector.from_texts([example.text for example in examples]),
        memory=memory,
        examples=pipeline.remembered(examples, memory),
        reference=None,
        calibration=calibration,
    )


def _take_over(folder: Path, target: Path) -> None:
    """Copy what other models learnt on the same encoder: which turns need what."""
    for name in (retrieval_gate.FOLDER, dialogue_acts.FOLDER):
        if (folder / name).is_dir():
            shutil.copytree(folder / name, target / name)


def _fresh(version: Version, old: Sequence[Example], added: Sequence[Example]) -> list[Example]:
    """Return the examples a version does not know; raise CarelineError when it knows all."""
    known = {(example.input, example.intent) for example in old}
    fresh = [example for example in added if (example.input, example.intent) not in known]
    if not fresh:
        why = "was trained on all of these examples already" if added else "gets no examples"
        message = f"{version.id} {why}: nothing to add"
        raise CarelineError(message)
    return fresh


def _checked(examples: Sequence[Example], first: int) -> list[int]:
    """Return the places of new examples that are kept to look at.

    They are never the last examples of an intent, which could not be learnt then.
    """
    left = Counter(example.intent for example in examples[first:])
    chosen = []
    for place in range(first, len(examples), _CHECKED):
        if left[examples[place].intent] > 1:
            left[examples[place].intent] -= 1
            chosen.append(place)
    return chosen or [first]


def _refit(  # noqa: PLR0913, PLR0917 — old and new, and how they are learnt
    examples: Sequence[Example],
    before: ModelParameters,
    kept: Vectors,
    labels: Sequence[str],
    encoder: ModelEncoder,
    recipe: TrainingRecipe,
) -> _Learnt:
    first = len(kept)
    texts = [example.input for example in examples]
    targets = targets_of(examples, labels)
    fresh = encoder.queries(texts[first:])
    if before.leans:  # what was wanted before the new ones is not known
        nothing = np.zeros((len(fresh), before.leans), dtype=np.float32)
        fresh = np.hstack([context_features.encode(encoder.queries, texts[first:]), nothing])
    vectors = np.concatenate([kept, fresh])
    narrow = vectors[:, : before.memory.vectors.shape[1]]
    known = linear.HybridModel(before.head, before.sparse)
    extension = linear.IncrementalFit(known, first, vectors, texts, targets, len(labels), recipe)
    checked = _checked(examples, first)
    rest = sorted(set(range(len(texts))) - set(checked))
    logits = extension.fit(without=checked).logits(vectors[checked], [texts[i] for i in checked])
    distances = memory_of(narrow[rest], targets[rest], labels).distances(narrow[checked])
    unseen = HeldOutPredictions(logits, distances, targets[checked])
    model = extension.fit()
    plain = linear.fit_plain(vectors, targets, len(labels))
    return _Learnt(model.head, model.sparse, vectors, unseen, encoder.engine, plain)


def _rehearse(  # noqa: PLR0913, PLR0917 — the version it comes from, and what is added
    origin: tuple[Version, Path, Path],
    examples: Sequence[Example],
    first: int,
    before: ModelParameters,
    labels: Sequence[str],
    curves: TrainingCurves,
) -> _Learnt:
    version, folder, target = origin
    prefix = version.details["query_prefix"]
    encoder = TorchEncoder(BaseModel(version.id, str(folder / "encoder"), query_prefix=prefix))
    everything = LabelledTexts.of(examples, labels)
    rng = np.random.default_rng(version.details["seed"])
    checked = _checked(examples, first)
    new = sorted(set(range(first, len(examples))) - set(checked)) or checked
    sample = rng.permutation(first)[: _PASSES * len(new)].tolist()
    rows = [*new * _PASSES, *sample]
    network = FineTunedNetwork(
        encoder,
        [everything.texts[i] for i in new],
        everything.targets[new],
        len(labels),
        _GENTLE.for_examples(len(rows)),
        seed=version.details["seed"],
    )
    network.start(encoder.queries(network.texts))
    network.keep(before.head.weight / np.float32(SCALE))
    held = LabelledTexts([everything.texts[i] for i in sample], everything.targets[sample])
    texts = [everything.texts[i] for i in rows]
    fine_tuning.polish(network, texts, everything.targets[rows], curves, scale=0.5)
    vectors = network.encode(everything.texts)
    sparse = fine_tuned_models.beside(everything, len(labels), version.details["sparse_weight"])
    network.save(target / "encoder")
    head = network.head()
    made = TorchEncoder(replace(encoder.base, path=str(target / "encoder")))
    engine = fine_tuned_models.export(
        made, target / "engine", everything.texts, held, (head, sparse)
    )
    rest = sorted(set(range(len(examples))) - set(checked))
    seen = LabelledTexts([everything.texts[i] for i in rest], everything.targets[rest])
    trial = fine_tuned_models.beside(seen, len(labels), version.details["sparse_weight"])
    logits = head.logits(vectors[checked]) + trial.logits([everything.texts[i] for i in checked])
    distances = memory_of(vectors[rest], seen.targets, labels).distances(vectors[checked])
    unseen = HeldOutPredictions(logits, distances, everything.targets[checked])
    return _Learnt(head, sparse, vectors, unseen, engine)
