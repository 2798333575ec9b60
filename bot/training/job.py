"""A training job, and the data passed between its steps."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bot.core.settings import Promise
from bot.core.types import OUT_OF_SCOPE
from bot.nlu.intent_classifier import LinearHead
from bot.nlu.ngrams import NgramHead
from bot.nlu.out_of_scope import NeighbourDistances, NeighbourIndex
from bot.training.datasets import Example
from bot.training.recipe import TrainingRecipe
from bot.training.turn_classifiers import LabelledTurn
from knowledge_base.encoders.base_models import ModelEncoder, Vectors

Method = Literal["head", "full", "lora"]
Targets = NDArray[np.int64]
Logits = NDArray[np.float64]


@dataclass(frozen=True)
class TrainingOptions:
    """The choices of one training; the examples come from the home."""

    method: Method = "full"
    base: str | None = None  # a base model's name; None is the home's
    valid: Sequence[Example] | None = None  # None: a part of the examples is held back
    seed: int = 0
    progress: bool = False


@dataclass(frozen=True)
class TrainingJob:
    """The inputs of a training."""

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
    """Predictions for examples outside the training data, which calibration is based on."""

    logits: Logits
    distances: NeighbourDistances
    targets: Targets


@dataclass(frozen=True)
class FittedClassifier:
    """A trained classifier before calibration, and the vectors of its examples."""

    head: LinearHead
    sparse: NgramHead
    vectors: Vectors
    targets: Targets
    held_out: HeldOutPredictions
    engine: str
    dense_head: LinearHead | None = None
    details: dict[str, Any] = field(default_factory=dict)
    examples: Sequence[Example] = ()  # the training examples, if they are more than the given ones
    history_width: int = 0  # see `intent_classifier.ModelParameters`
    dimension: int | None = None  # of the vectors, if the features have more columns


def class_numbers(examples: Sequence[Example], labels: Sequence[str]) -> Targets:
    """Return class numbers, shape (n,)."""
    number = {label: i for i, label in enumerate(labels)}
    return np.array([number[example.intent] for example in examples], dtype=np.int64)


def build_neighbour_index(
    vectors: Vectors, targets: Targets, labels: Sequence[str]
) -> NeighbourIndex:
    """Index the examples, in-scope and out-of-scope ones apart."""
    oos = labels.index(OUT_OF_SCOPE) if OUT_OF_SCOPE in labels else -1
    in_scope = np.flatnonzero(targets != oos)
    neighbours = NeighbourIndex.build(vectors[in_scope], targets[in_scope])
    oos_vectors = vectors[targets == oos] if oos >= 0 else None
    return replace(neighbours, rows=in_scope[neighbours.rows], oos_vectors=oos_vectors)
