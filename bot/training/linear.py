"""A linear support vector machine on sentence embeddings and n-grams together."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.nlu.context import message_of
from bot.nlu.intent_classifier import LinearHead
from bot.nlu.ngrams import NgramHead, NgramVocabulary
from bot.training.recipe import TrainingRecipe
from knowledge_base.encoders.base_models import Vectors

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_RECIPE: Final = TrainingRecipe()
_SPREAD: Final = 5.0  # decision values are around ±1: times this, softmax gives probabilities
DENSE: Final = 0.7  # the length of a centred embedding relative to two blocks of length 1
_WEIGHTS: Final = (0.7, 1.2, 2.2)  # candidates; the first one is preferred if they are equal
_CONTEXT_WEIGHT: Final = 0.25  # of an example whose label its context may have decided
_MAX_ALL_FOLDS: Final = 3_000  # examples up to which the candidates are evaluated on all folds
_DENSE_STRENGTH: Final = 0.05
_NEVER: Final = -1e3  # the logit of a class without examples
_SUPPORT_MARGIN: Final = 1.05  # rows within this margin may be support vectors; 1, and a reserve


@dataclass(frozen=True)
class HybridModel:
    """The two halves of one linear model: logits = head(vectors) + sparse(texts)."""

    head: LinearHead
    sparse: NgramHead

    def logits(self, vectors: Vectors | None, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return logits, shape (n, classes); without vectors, those of the n-grams."""
        scores = self.sparse.logits(texts)
        return scores if vectors is None else scores + self.head.logits(vectors)


def fit(
    vectors: Vectors | None,
    texts: Sequence[str],
    targets: NDArray[np.int64],
    classes: int,
    recipe: TrainingRecipe = _RECIPE,
) -> HybridModel:
    """Fit one-against-rest machines; without `vectors`, on the n-grams alone.

    `vectors` have the shape (n, dimension), `targets` are class numbers, shape (n,).
    """
    from scipy.sparse import csr_matrix, hstack
    from sklearn.svm import LinearSVC

    vocabulary = NgramVocabulary.fit(texts)
    dense = np.zeros((len(texts), 0), dtype=np.float32) if vectors is None else vectors
    scaling = _Scaling.fit(dense, recipe)
    features = hstack([csr_matrix(scaling(dense)), vocabulary.matrix(texts)]).tocsr()
    model = LinearSVC(C=recipe.strength, random_state=0)
    weight, bias = _coefficients(model, features, targets, classes, example_weights(texts))
    return _hybrid(weight, bias, scaling, vocabulary)


def example_weights(texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the weights of training texts, shape (n,): less for those in a conversation.

    The label of "and to Norway?" says little about these words elsewhere.
    """
    return np.array([1.0 if message_of(text) == text else _CONTEXT_WEIGHT for text in texts])


@dataclass(frozen=True)
class _Scaling:
    """The scaling of embeddings relative to n-grams: centred, and of this length."""

    mean: NDArray[np.float32]
    factor: np.float32

    @classmethod
    def fit(cls, vectors: Vectors, recipe: TrainingRecipe) -> "_Scaling":
        # Embeddings of one domain have much in common, which would outweigh their differences.
        mean: NDArray[np.float32] = vectors.mean(axis=0)
        length = DENSE if recipe.dense is None else recipe.dense
        return cls(mean, np.float32(length / max(_length(vectors - mean), 1e-6)))

    def __call__(self, vectors: Vectors) -> NDArray[np.float32]:
        return (vectors - self.mean) * self.factor


def _hybrid(
    weight: NDArray[np.float32],
    bias: NDArray[np.float32],
    scaling: _Scaling,
    vocabulary: NgramVocabulary,
) -> HybridModel:
    """Return fitted coefficients as heads for plain embeddings and n-grams."""
    weight, bias = weight * np.float32(_SPREAD), bias * np.float32(_SPREAD)
    width = len(scaling.mean)
    matrix = weight[:, :width] * scaling.factor
    head = LinearHead(matrix, (bias - matrix @ scaling.mean).astype(np.float32))
    return HybridModel(head, NgramHead(vocabulary, np.ascontiguousarray(weight[:, width:].T)))


@dataclass(frozen=True)
class IncrementalFit:
    """A fitted model with examples added after those it was fitted on.

    `vectors` have the shape (n, dimension), `targets` (n,), where new classes are numbered after
    the old ones; the first `known` rows are those that `old` was fitted on.
    """

    old: HybridModel
    known: int
    vectors: Vectors
    texts: Sequence[str]
    targets: NDArray[np.int64]
    classes: int
    recipe: TrainingRecipe = _RECIPE

    @cached_property
    def _scaling(self) -> _Scaling:
        return _Scaling.fit(self.vectors[: self.known], self.recipe)

    @cached_property
    def _vocabulary(self) -> NgramVocabulary:
        return self.old.sparse.vocabulary.extend(self.texts[self.known :], len(self.texts))

    @cached_property
    def _features(self) -> "csr_matrix":
        from scipy.sparse import csr_matrix, hstack

        dense = csr_matrix(self._scaling(self.vectors))
        return hstack([dense, self._vocabulary.matrix(self.texts)]).tocsr()

    @cached_property
    def _sample_weights(self) -> NDArray[np.float64]:
        return example_weights(self.texts)

    @cached_property
    def _margins(self) -> NDArray[np.float64]:
        """The decision values of `old` for its rows, (known, its classes), about -1 to 1."""
        head, sparse = self.old.head, self.old.sparse
        scores = head.logits(self.vectors[: self.known])
        width = self.vectors.shape[1]
        columns = slice(width, width + sparse.weight.shape[0])
        scores += self._features[: self.known, columns] @ sparse.weight
        return scores / _SPREAD

    def _machine(
        self, used: NDArray[np.bool_], number: int
    ) -> tuple[NDArray[np.float64], float] | None:
        """Return the coefficients of one class against the rest; None if it has no examples."""
        from sklearn.svm import LinearSVC

        rows = used.copy()
        if number < self._margins.shape[1]:
            side = np.where(self.targets[: self.known] == number, 1, -1)
            rows[: self.known] &= side * self._margins[:, number] < _SUPPORT_MARGIN
        mine = self.targets[rows] == number
        if not mine.any() or mine.all():
            return None
        model = LinearSVC(C=self.recipe.strength, random_state=0)
        model.fit(self._features[rows], mine, sample_weight=self._sample_weights[rows])
        return model.coef_[0], float(model.intercept_[0])

    def fit(self, without: Sequence[int] = ()) -> HybridModel:
        """Return the model of all rows except those in `without`.

        A support vector machine is determined by its support vectors: with those of the old one and
        the new rows, the result is nearly the same as with all rows (Syed, Liu, Sung: Incremental
        Learning with Support Vector Machines, 1999). New classes use all rows.
        """
        weight = np.zeros((self.classes, self._features.shape[1]), dtype=np.float32)
        bias = np.full(self.classes, _NEVER, dtype=np.float32)
        used = np.ones(len(self.texts), dtype=bool)
        used[list(without)] = False
        with ThreadPoolExecutor() as pool:  # the solver releases the interpreter lock
            for number, fitted in enumerate(
                pool.map(partial(self._machine, used), range(self.classes))
            ):
                if fitted is not None:
                    weight[number], bias[number] = fitted
        return _hybrid(weight, bias, self._scaling, self._vocabulary)


def _length(vectors: Vectors) -> float:
    """Return the mean length of vectors, 1 if there are none or they are empty."""
    return float(np.linalg.norm(vectors, axis=1).mean()) if vectors.size else 1.0


def select_recipe(
    recipe: TrainingRecipe,
    vectors: Vectors,
    texts: Sequence[str],
    targets: NDArray[np.int64],
    classes: int,
    folds: NDArray[np.int64],
) -> TrainingRecipe:
    """Return the recipe with the weight of the embeddings that is best out of fold.

    It depends on the encoder, and decreases with the number of examples: n-grams need many.
    """
    if recipe.dense is not None:
        return recipe
    parts = folds if len(texts) <= _MAX_ALL_FOLDS else np.where(folds == 0, 0, -1)  # only one fold

    def accuracy(dense: float) -> float:
        candidate = replace(recipe, dense=dense)
        logits = out_of_fold(vectors, texts, targets, classes, parts, candidate)
        evaluated = parts >= 0
        return float((logits.argmax(axis=1) == targets)[evaluated].mean())

    return replace(recipe, dense=max(_WEIGHTS, key=accuracy))


def fit_dense(vectors: Vectors, targets: NDArray[np.int64], classes: int) -> LinearHead:
    """Fit a logistic regression on embeddings alone, for messages whose words are all unknown.

    The joint model relies on the n-grams for what they explain, and is poor without them.
    """
    from sklearn.linear_model import LogisticRegression

    mean, spread = vectors.mean(axis=0), np.maximum(vectors.std(axis=0), 1e-6)
    model = LogisticRegression(C=_DENSE_STRENGTH, max_iter=300)
    weight, bias = _coefficients(model, (vectors - mean) / spread, targets, classes)
    weight /= spread.astype(np.float32)
    return LinearHead(weight, bias - weight @ mean)


def _coefficients(
    model: Any,
    features: Any,
    targets: NDArray[np.int64],
    classes: int,
    sample_weight: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit a model, and return one row of coefficients per class, also for two classes."""
    weight = np.zeros((classes, features.shape[1]), dtype=np.float32)
    bias = np.full(classes, _NEVER, dtype=np.float32)
    if len(np.unique(targets)) == 1:  # a fold of a tiny data set with a single class
        bias[targets] = 0.0
        return weight, bias
    model.fit(features, targets, sample_weight=sample_weight)
    two = len(model.classes_) == 2  # noqa: PLR2004
    weight[model.classes_] = np.vstack([-model.coef_, model.coef_]) if two else model.coef_
    bias[model.classes_] = [-model.intercept_[0], model.intercept_[0]] if two else model.intercept_
    return weight, bias


def out_of_fold(
    vectors: Vectors,
    texts: Sequence[str],
    targets: NDArray[np.int64],
    classes: int,
    folds: NDArray[np.int64],
    recipe: TrainingRecipe = _RECIPE,
) -> NDArray[np.float64]:
    """Return the logits of models trained without a text's fold, shape (n, classes)."""
    logits = np.zeros((len(texts), classes))
    for fold in np.unique(folds[folds >= 0]):  # a fold below 0 is always trained on
        train = np.flatnonzero(folds != fold).tolist()
        test = np.flatnonzero(folds == fold).tolist()
        model = fit(vectors[train], [texts[i] for i in train], targets[train], classes, recipe)
        logits[test] = model.logits(vectors[test], [texts[i] for i in test])
    return logits
