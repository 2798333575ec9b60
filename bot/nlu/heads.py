"""Linear heads on the frozen encoder: the method that trains in a minute.

Dialogs are learnt in two rounds. What a message is about depends on what the conversation was
about, and in service that is only guessed: the first round's guesses, on examples it has not seen,
are what the second one reads; see `threads`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import NDArray

from bot.nlu import calibration as numbers
from bot.nlu import linear, threads
from bot.nlu.context import is_contextual
from bot.nlu.datasets import Example
from bot.nlu.linear import Hybrid
from bot.nlu.recipe import Recipe
from knowledge_base.encoders import ModelEncoder, Vectors

Logits = NDArray[np.float64]


@dataclass(frozen=True)
class Data:
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
        encoder: ModelEncoder,
        *,
        in_thread: bool,
        progress: bool = False,
    ) -> Self:
        """Encode examples; with `in_thread` each in its conversation and alone."""
        texts = [example.input for example in examples]
        number = {label: i for i, label in enumerate(labels)}
        targets = np.array([number[example.intent] for example in examples], dtype=np.int64)
        if in_thread:
            features = threads.encode(partial(encoder.queries, progress=progress), texts)
            return cls(examples, texts, features, targets, len(labels), features.shape[1] // 2)
        features = encoder.queries(texts, progress=progress)
        return cls(examples, texts, features, targets, len(labels), features.shape[1])

    @property
    def vectors(self) -> Vectors:
        """The vectors alone, shape (n, dimension)."""
        return self.features[:, : self.dimension]

    def fitted(self, recipe: Recipe) -> Hybrid:
        """Return the model of all examples."""
        return linear.fit(self.features, self.texts, self.targets, self.classes, recipe)

    def out_of_fold(self, parts: NDArray[np.int64], recipe: Recipe) -> Logits:
        """Return what models say that have not seen an example's fold, shape (n, classes)."""
        return linear.out_of_fold(
            self.features, self.texts, self.targets, self.classes, parts, recipe
        )

    def settled(self, recipe: Recipe, parts: NDArray[np.int64]) -> Recipe:
        """Return the recipe with the weight of the embeddings that is best out of fold."""
        return linear.settled(recipe, self.features, self.texts, self.targets, self.classes, parts)

    def leaning(self, logits: Logits, temperature: float) -> Self:
        """Return the data with what was wanted before each example, guessed by these logits."""
        about = threads.earlier(self.examples, numbers.softmax(logits, temperature))
        features = np.hstack([self.features, about])
        return type(self)(
            self.examples, self.texts, features, self.targets, self.classes, self.dimension
        )


@dataclass(frozen=True)
class Heads:
    """A fitted model, what it was fitted on, and what it says of examples it has not seen."""

    model: Hybrid
    data: Data
    held: Data  # those examples: of a file of their own, or the data out of fold
    unseen: Logits
    recipe: Recipe
    leans: int  # see `intents.Parameters`


def fit(data: Data, held: Data | None, parts: NDArray[np.int64], recipe: Recipe) -> Heads:
    """Fit the heads; without `held`, each example is judged by models that have not seen its fold.

    `parts` are the folds of the data, shape (n,).
    """
    recipe = data.settled(recipe, parts)
    leans = data.classes if is_contextual(data.examples) else 0
    if leans:
        logits = data.out_of_fold(parts, recipe)
        temperature = numbers.fit_temperature(logits, data.targets)
        if held is not None:
            guesses = data.fitted(recipe).logits(held.features, held.texts)
            held = held.leaning(guesses, temperature)
        data = data.leaning(logits, temperature)
    model = data.fitted(recipe)
    if held is not None:
        return Heads(model, data, held, model.logits(held.features, held.texts), recipe, leans)
    return Heads(model, data, data, data.out_of_fold(parts, recipe), recipe, leans)
