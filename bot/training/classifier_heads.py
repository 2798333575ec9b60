"""Linear heads on the frozen encoder: the method that trains in a minute.

Dialogs are learnt in two rounds. What a message is about depends on what the conversation was
about, and in service that is only guessed: the first round's guesses, on examples it has not seen,
are what the second one reads; see `threads`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from bot.nlu import calibration as numbers
from bot.nlu import context_features
from bot.training import context_augmentation, folds, linear
from bot.training.datasets import Example
from bot.training.linear import HybridModel
from bot.training.recipe import TrainingRecipe
from knowledge_base.encoders.base_models import ModelEncoder, Vectors

Logits = NDArray[np.float64]
_DENSE: Final = 1.0  # the length of what is read beside the n-grams; best of three on dialogs
_GUESSING: Final = 3  # folds of the first round


@dataclass(frozen=True)
class FeatureMatrix:
    """Examples as the heads read them: features (n, width), the first `dimension` are vectors."""

    examples: Sequence[Example]
    texts: Sequence[str]
    features: Vectors
    targets: NDArray[np.int64]
    classes: int
    dimension: int

    @classmethod
    def read(
        cls,
        examples: Sequence[Example],
        labels: Sequence[str],
        manner: "HeadTrainingConfig",
        *,
        in_thread: bool,
    ) -> Self:
        """Encode examples; with `in_thread` each in its conversation and alone."""
        texts = [example.input for example in examples]
        number = {label: i for i, label in enumerate(labels)}
        targets = np.array([number[example.intent] for example in examples], dtype=np.int64)
        queries = partial(manner.encoder.queries, progress=manner.progress)
        features = context_features.encode(queries, texts) if in_thread else queries(texts)
        dimension = features.shape[1] // (2 if in_thread else 1)
        return cls(examples, texts, features, targets, len(labels), dimension)

    @property
    def vectors(self) -> Vectors:
        """The vectors alone, shape (n, dimension)."""
        return self.features[:, : self.dimension]

    def fitted(self, recipe: TrainingRecipe) -> HybridModel:
        """Return the model of all examples."""
        return linear.fit(self.features, self.texts, self.targets, self.classes, recipe)

    def out_of_fold(self, parts: NDArray[np.int64], recipe: TrainingRecipe) -> Logits:
        """Return what models say that have not seen an example's fold, shape (n, classes)."""
        return linear.out_of_fold(
            self.features, self.texts, self.targets, self.classes, parts, recipe
        )

    def settled(self, recipe: TrainingRecipe, parts: NDArray[np.int64]) -> TrainingRecipe:
        """Return the recipe with the weight of the embeddings that is best out of fold."""
        return linear.settled(recipe, self.features, self.texts, self.targets, self.classes, parts)

    def leaning(self, logits: Logits, temperature: float) -> Self:
        """Return the data with what was wanted before each example, guessed by these logits."""
        about = context_augmentation.history_features(
            self.examples, numbers.softmax(logits, temperature)
        )
        return replace(self, features=np.hstack([self.features, about]))

    def with_moved(self, encoder: ModelEncoder, pairs: Sequence[tuple[int, int]]) -> Self:
        """Return the data and behind it its examples `i`, in the conversations of `j`."""
        if not pairs:
            return self
        own, hosts = (list(part) for part in zip(*pairs, strict=True))
        moved = [
            replace(
                self.examples[i], customer=self.examples[j].customer, reply=self.examples[j].reply
            )
            for i, j in pairs
        ]
        texts = [example.input for example in moved]
        about = self.features[hosts, 2 * self.dimension :]
        features = np.hstack([context_features.encode(encoder.queries, texts), about])
        return replace(
            self,
            examples=[*self.examples, *moved],
            texts=[*self.texts, *texts],
            features=np.vstack([self.features, features]),
            targets=np.concatenate([self.targets, self.targets[own]]),
        )


@dataclass(frozen=True)
class HeadTrainingConfig:
    """How heads are fitted."""

    encoder: ModelEncoder
    recipe: TrainingRecipe
    folds: int
    seed: int = 0
    progress: bool = False


@dataclass(frozen=True)
class FittedHeads:
    """A fitted model, and what it says of examples it has not seen, shape (n, classes)."""

    model: HybridModel
    learnt: FeatureMatrix  # the examples given, and behind them those that were moved
    held: (
        FeatureMatrix  # the examples not seen: of a file of their own, or those given, out of fold
    )
    unseen: Logits
    recipe: TrainingRecipe
    leans: int  # see `intents.Parameters`


def fit(
    examples: Sequence[Example],
    valid: Sequence[Example] | None,
    labels: Sequence[str],
    manner: HeadTrainingConfig,
) -> FittedHeads:
    """Fit the heads; without `valid`, each example is judged by models that have not seen its fold.

    Dialogs, or none: only where enough examples have a history do the heads read one.
    """
    in_thread = context_augmentation.is_contextual(examples)
    data = FeatureMatrix.read(examples, labels, manner, in_thread=in_thread)
    held = FeatureMatrix.read(valid, labels, manner, in_thread=in_thread) if valid else None
    parts = folds.assign(examples, manner.folds, manner.seed)
    learnt, recipe = data, manner.recipe
    if not in_thread:
        recipe = data.settled(recipe, parts)
    else:
        recipe = replace(recipe, dense=recipe.dense or _DENSE)
        guesses = data.out_of_fold(folds.assign(examples, _GUESSING, manner.seed), recipe)
        temperature = numbers.fit_temperature(guesses, data.targets)
        if held is not None:
            held = held.leaning(data.fitted(recipe).logits(held.features, held.texts), temperature)
        data = data.leaning(guesses, temperature)
        moved = context_augmentation.sample_contexts(examples, manner.seed)
        learnt = data.with_moved(manner.encoder, moved)
        parts = np.concatenate([parts, parts[[i for i, _ in moved]]])
    model = learnt.fitted(recipe)
    leans = len(labels) if in_thread else 0
    if held is not None:
        unseen = model.logits(held.features, held.texts)
        return FittedHeads(model, learnt, held, unseen, recipe, leans)
    unseen = learnt.out_of_fold(parts, recipe)[: len(examples)]
    return FittedHeads(model, learnt, data, unseen, recipe, leans)
