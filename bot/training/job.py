"""A training job, and what its steps hand on to each other."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bot.core.settings import Promise
from bot.core.types import OUT_OF_SCOPE
from bot.nlu.intent_classifier import LinearHead
from bot.nlu.ngrams import NgramHead
from bot.nlu.out_of_scope import NeighbourIndex
from bot.training.datasets import Example
from bot.training.recipe import TrainingRecipe
from bot.training.turn_classifiers import LabelledTurn
from knowledge_base.encoders.base_models import ModelEncoder, Vectors

Method = Literal["head", "full", "lora"]
Targets = NDArray[np.int64]
Logits = NDArray[np.float64]


@dataclass(frozen=True)
class TrainingJob:
    """What is to be trained."""

    examples: Sequence[Example]
    encoder: ModelEncoder
    method: Method = "full"
    valid: Sequence[Example] | None = None
    promise: Promise = field(default_factory=Promise)
    recipe: TrainingRecipe = field(default_factory=TrainingRecipe)
    seed: int = 0
    progress: bool = False
    retrieval_turns: Sequence[LabelledTurn] = ()  # of transcripts: was knowledge needed?
    dialogue_act_turns: Sequence[LabelledTurn] = ()  # of transcripts: request or question?


@dataclass(frozen=True)
class HeldOutPredictions:
    """What a model says of examples it was not trained on: the ground calibration stands on."""

    logits: Logits
    distances: NDArray[np.float64]
    targets: Targets


@dataclass(frozen=True)
class FittedClassifier:
    """A trained classifier before calibration, and the vectors of what it learnt."""

    head: LinearHead
    sparse: NgramHead
    vectors: Vectors
    targets: Targets
    unseen: HeldOutPredictions
    engine: str
    plain: LinearHead | None = None
    details: dict[str, Any] = field(default_factory=dict)
    examples: Sequence[Example] = ()  # those learnt, where they are more than those given
    leans: int = 0  # see `intents.Parameters`
    dimension: int | None = None  # of the vectors where the heads read more beside them


def targets_of(examples: Sequence[Example], labels: Sequence[str]) -> Targets:
    """Return class numbers, shape (n,)."""
    number = {label: i for i, label in enumerate(labels)}
    return np.array([number[example.intent] for example in examples], dtype=np.int64)


def memory_of(vectors: Vectors, targets: Targets, labels: Sequence[str]) -> NeighbourIndex:
    """Remember the examples in scope: out-of-scope ones would make strange messages familiar."""
    outside = labels.index(OUT_OF_SCOPE) if OUT_OF_SCOPE in labels else -1
    inside = np.flatnonzero(targets != outside)
    memory = NeighbourIndex.build(vectors[inside], targets[inside])
    return replace(memory, rows=inside[memory.rows])
