"""Training and evaluation of models the way the commands do it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from bot.nlu import intent_classifier
from bot.nlu.intent_classifier import IntentModel
from bot.training import datasets, pipeline
from bot.training.datasets import Example
from bot.training.job import TrainingJob, TrainingOptions
from bot.training.pipeline import TrainingResult
from careline_benchmarks.harness import BenchmarkContext
from knowledge_base.index.versions import Versions

_PLANTED: Final = 0.4  # share of the labels that a planted failure makes wrong


def read(setting: BenchmarkContext, *parts: str) -> list[Example]:
    """Read labelled texts of the real data."""
    return datasets.read_examples(setting.file(*parts))


def train(
    setting: BenchmarkContext,
    examples: Sequence[Example],
    options: TrainingOptions,
    name: str = "model",
) -> tuple[IntentModel, TrainingResult]:
    """Train a model the way `careline train` does, and load it the way the server does."""
    if setting.planted:
        examples = mislabel(examples, _PLANTED, options.seed)[0]
    home, base, is_head = setting.home, options.base, options.method == "head"
    job = TrainingJob(
        examples,
        home.encoder(base) if is_head else home.torch_encoder(base),
        method=options.method,
        valid=options.valid,
        seed=options.seed,
        progress=setting.progress,
    )
    folder = setting.scratch / f"{name}-{base}-{options.method}-{options.seed}"
    versions = Versions(folder, "models", "m")
    run = pipeline.train(job, versions)
    encoder = home.encoder(base) if is_head else None
    model = intent_classifier.load(versions.folder(run.version.id), run.version, encoder)
    return model, run


def mislabel(
    examples: Sequence[Example], share: float, seed: int = 0
) -> tuple[list[Example], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return examples with wrong labels for a share of them, and the rows of those."""
    rng = np.random.default_rng(seed)
    labels = sorted({example.intent for example in examples})
    rows = rng.permutation(len(examples))[: round(share * len(examples))]
    changed = list(examples)
    for row in rows:
        wrong_labels = [label for label in labels if label != examples[row].intent]
        changed[row] = replace(examples[row], intent=str(rng.choice(wrong_labels)))
    return changed, np.sort(rows)


def accuracy(model: IntentModel, examples: Sequence[Example]) -> float:
    """Return the share of in-scope examples whose best intent is right, without abstaining."""
    texts = [example.input if model.contextual else example.text for example in examples]
    batches = [model.predict(texts[at : at + 256]) for at in range(0, len(texts), 256)]
    predictions = [prediction for batch in batches for prediction in batch]
    pairs = zip(predictions, examples, strict=True)
    return float(np.mean([p.best.intent == e.intent for p, e in pairs]))
