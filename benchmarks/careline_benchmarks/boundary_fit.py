"""The fit of the weights of message boundaries, on public questions.

`python -m careline_benchmarks.boundary_fit DATA HOME` prints the weights fitted on joined questions
of Banking77 and HWU64, and how well these and the shipped ones find the boundaries of CLINC150.
"""

import functools
import json
import operator
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from bot.container import Home
from bot.core.settings import Settings
from bot.core.types import OUT_OF_SCOPE
from bot.nlu.intent_classifier import IntentModel
from bot.nlu.multi_intent import boundaries
from bot.training import boundary_scorer
from bot.training.boundary_scorer import BoundaryFeatures, JoinedMessage
from bot.training.job import TrainingOptions
from careline_benchmarks import model_training
from careline_benchmarks.harness import BenchmarkContext

_JOINED: Final = 1_000  # joined messages of a set, and as many single ones
_TRAINING: Final = 3_000  # examples of the model that describes their parts


def refit(setting: BenchmarkContext) -> dict[str, Any]:
    """Return the weights by feature, and the AUROC of each score beside the shipped weights'.

    A model of each set's other half describes the parts.
    """
    sets = [_joined(setting, name) for name in ("banking77", "hwu64")]
    rows = [_sum([boundary_scorer.ngram_rows(*part) for part in sets])]
    rows += [_sum([boundary_scorer.prediction_rows(*part) for part in sets])]
    fitted = {
        "ngrams": boundary_scorer.fit_ngrams(rows[0]),
        "predictions": boundary_scorer.fit_predictions(rows[1], len(sets) * _JOINED),
    }
    other, shipped = _joined(setting, "clinc150"), boundaries.load()
    unseen = {
        "ngrams": boundary_scorer.ngram_rows(*other),
        "predictions": boundary_scorer.prediction_rows(*other),
    }
    auroc = {
        name: {"refitted": _auroc(fitted[name], part), "shipped": _auroc(shipped[name], part)}
        for name, part in unseen.items()
    }
    return {**fitted, "auroc": auroc}


def _sum(parts: list[BoundaryFeatures]) -> BoundaryFeatures:
    return functools.reduce(operator.add, parts)


def _joined(setting: BenchmarkContext, name: str) -> tuple[IntentModel, list[JoinedMessage]]:
    """Return a model of one half of a training set, and joined messages of the other."""
    texts = model_training.read(setting, "intents", name, "train.csv")
    examples = [example for example in texts if example.intent != OUT_OF_SCOPE]
    order = np.random.default_rng(0).permutation(len(examples))
    halves = [[examples[i] for i in order[n::2]] for n in range(2)]
    options = TrainingOptions("head", "minilm")
    model, _ = model_training.train(setting, halves[0][:_TRAINING], options, f"joined-{name}")
    return model, boundary_scorer.join_examples(halves[1], _JOINED)


def _auroc(weights: Mapping[str, float], rows: BoundaryFeatures) -> float:
    from sklearn.metrics import roc_auc_score

    *slopes, _ = weights.values()
    return round(float(roc_auc_score(rows.is_true, rows.features @ np.array(slopes))), 4)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="careline-fit-") as scratch:
        home = Home(Settings.load(Path(sys.argv[2])))
        context = BenchmarkContext(Path(sys.argv[1]), home, Path(scratch))
        sys.stdout.write(json.dumps(refit(context), indent=2) + "\n")
