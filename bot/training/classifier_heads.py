"""Linear heads on the frozen encoder: the method that trains in a minute.

Dialogs are trained in two rounds. The intent of a message depends on the intents before it, which
are only predicted in service. Therefore the first round's out-of-fold predictions are the history
that the second round is trained with; see `context_augmentation`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from bot.nlu import context_features
from bot.nlu.calibration import fit_temperature, softmax
from bot.training import context_augmentation, folds, linear
from bot.training.datasets import Example
from bot.training.linear import HybridModel
from bot.training.recipe import TrainingRecipe
from knowledge_base.encoders.base_models import ModelEncoder, Vectors

Logits = NDArray[np.float64]
_HISTORY_FOLDS: Final = 2  # of the first round


@dataclass(frozen=True)
class FeatureMatrix:
    """The features of examples, shape (n, width); the first `dimension` columns are vectors."""

    examples: Sequence[Example]
    texts: Sequence[str]
    features: Vectors
    targets: NDArray[np.int64]
    classes: int
    dimension: int

    @classmethod
    def encode(
        cls,
        examples: Sequence[Example],
        labels: Sequence[str],
        config: "HeadTrainingConfig",
        *,
        in_context: bool,
    ) -> Self:
        """Encode examples; with `in_context` both in their conversation and alone."""
        texts = [example.input for example in examples]
        number = {label: i for i, label in enumerate(labels)}
        targets = np.array([number[example.intent] for example in examples], dtype=np.int64)
        queries = partial(config.encoder.queries, progress=config.progress)
        features = context_features.encode(queries, texts) if in_context else queries(texts)
        dimension = features.shape[1] // (2 if in_context else 1)
        return cls(examples, texts, features, targets, len(labels), dimension)

    @property
    def vectors(self) -> Vectors:
        """The vectors alone, shape (n, dimension)."""
        return self.features[:, : self.dimension]

    def fit_model(self, recipe: TrainingRecipe) -> HybridModel:
        """Return the model of all examples."""
        return linear.fit(self.features, self.texts, self.targets, self.classes, recipe)

    def out_of_fold(self, parts: NDArray[np.int64], recipe: TrainingRecipe) -> Logits:
        """Return the logits of models trained without an example's fold, shape (n, classes)."""
        return linear.out_of_fold(
            self.features, self.texts, self.targets, self.classes, parts, recipe
        )

    def select_recipe(self, recipe: TrainingRecipe, parts: NDArray[np.int64]) -> TrainingRecipe:
        """Return the recipe with the weight of the embeddings that is best out of fold."""
        return linear.select_recipe(
            recipe, self.features, self.texts, self.targets, self.classes, parts
        )

    def with_history(self, logits: Logits, temperature: float) -> Self:
        """Return the data with the intent history of each example, predicted by these logits."""
        probabilities = softmax(logits, temperature)
        history = context_augmentation.history_features(self.examples, probabilities)
        return replace(self, features=np.hstack([self.features, history]))

    def with_contexts(self, encoder: ModelEncoder, pairs: Sequence[tuple[int, int]]) -> Self:
        """Return the data, extended by its examples `i` in the conversations of `j`."""
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
        history = self.features[hosts, 2 * self.dimension :]
        features = np.hstack([context_features.encode(encoder.queries, texts), history])
        return replace(
            self,
            examples=[*self.examples, *moved],
            texts=[*self.texts, *texts],
            features=np.vstack([self.features, features]),
            targets=np.concatenate([self.targets, self.targets[own]]),
        )


@dataclass(frozen=True)
class HeadTrainingConfig:
    """The configuration of the training of heads."""

    encoder: ModelEncoder
    recipe: TrainingRecipe
    folds: int
    seed: int = 0
    progress: bool = False


@dataclass(frozen=True)
class FittedHeads:
    """A fitted model, and its logits for examples outside its training data, shape (n, classes)."""

    model: HybridModel
    data: FeatureMatrix  # the examples, then those in other conversations
    validation: FeatureMatrix  # the validation examples, or the training examples out of fold
    held_out: Logits
    recipe: TrainingRecipe
    history_width: int  # see `intent_classifier.ModelParameters`
    parts: NDArray[np.int64] | None = None  # the fold of each example that was predicted out of it


def fit(
    examples: Sequence[Example],
    valid: Sequence[Example] | None,
    labels: Sequence[str],
    config: HeadTrainingConfig,
) -> FittedHeads:
    """Fit the heads; without `valid`, each example is predicted by models without its fold.

    The heads get an intent history only if enough examples have one.
    """
    in_context = context_augmentation.is_contextual(examples)
    data = FeatureMatrix.encode(examples, labels, config, in_context=in_context)
    validation = (
        FeatureMatrix.encode(valid, labels, config, in_context=in_context) if valid else None
    )
    parts = folds.assign(examples, config.folds, config.seed)
    augmented, recipe = data, config.recipe
    if not in_context:
        recipe = data.select_recipe(recipe, parts)
    else:
        recipe = replace(recipe, dense=recipe.dense or linear.DENSE)
        first_parts = folds.assign(examples, _HISTORY_FOLDS, config.seed)
        first_logits = data.out_of_fold(first_parts, recipe)
        temperature = fit_temperature(first_logits, data.targets)
        if validation is not None:
            first_model = data.fit_model(recipe)
            logits = first_model.logits(validation.features, validation.texts)
            validation = validation.with_history(logits, temperature)
        data = data.with_history(first_logits, temperature)
        pairs = context_augmentation.sample_contexts(examples, config.seed)
        augmented = data.with_contexts(config.encoder, pairs)
        parts = np.concatenate([parts, parts[[i for i, _ in pairs]]])
    model = augmented.fit_model(recipe)
    history_width = len(labels) if in_context else 0
    if validation is not None:
        held_out = model.logits(validation.features, validation.texts)
        return FittedHeads(model, augmented, validation, held_out, recipe, history_width)
    held_out = augmented.out_of_fold(parts, recipe)[: len(examples)]
    own_parts = parts[: len(examples)]
    return FittedHeads(model, augmented, data, held_out, recipe, history_width, own_parts)
