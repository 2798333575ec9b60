"""Out-of-scope detection, with or without out-of-scope examples.

The signals are a low best logit (no class fits) and a large distance to the nearest training
message (Sun et al., "Out-of-distribution detection with deep nearest neighbors", 2022); with
out-of-scope examples also the logit of their class and the distance to the nearest of them. Each is
in standard deviations of in-scope messages. Enough out-of-scope examples decide the weights by a
logistic regression; otherwise the signals are averaged.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from knowledge_base.encoders.base_models import Vectors

_NEIGHBOURS_BEFORE: Final = 10  # of indexes that were stored without their number
_BLOCK: Final = 2_000
_MAX_STORED: Final = 10_000  # training messages; more cost time and do not help
_MIN_EXAMPLES: Final = 30  # of both kinds, from which the weights are fitted
Array = NDArray[np.float64]


@dataclass(frozen=True)
class NeighbourDistances:
    """The distances of messages to training messages: 1 − the mean cosine to the nearest, (n,)."""

    in_scope: Array
    oos: Array | None = None  # None without out-of-scope examples


@dataclass(frozen=True)
class NeighbourIndex:
    """Stored in-scope training messages: their vectors and their rows in the data.

    `oos_vectors` are those of out-of-scope messages; the distance is to the nearest `count`.
    """

    vectors: Vectors
    rows: NDArray[np.int64]
    oos_vectors: Vectors | None = None
    count: int = 1

    @classmethod
    def build(cls, vectors: Vectors, targets: NDArray[np.int64], seed: int = 0) -> Self:
        """Store all messages, or an equal number of each class up to the limit."""
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(targets))
        rank = np.zeros(len(targets), dtype=np.int64)
        for label in np.unique(targets):
            rows = order[targets[order] == label]
            rank[rows] = np.arange(len(rows))
        rows = np.sort(np.lexsort((order, rank))[:_MAX_STORED])
        return cls(np.ascontiguousarray(vectors[rows], dtype=np.float32), rows)

    def distances(self, vectors: Vectors) -> NeighbourDistances:
        """Return the distances of messages, given their vectors, shape (n, dimension)."""
        in_scope = _distances(vectors, self.vectors, self.count)
        if self.oos_vectors is None or not len(self.oos_vectors):
            return NeighbourDistances(in_scope)
        return NeighbourDistances(in_scope, _distances(vectors, self.oos_vectors, self.count))


def _distances(vectors: Vectors, stored: Vectors, count: int) -> Array:
    """Return 1 − the mean cosine to the nearest stored vectors, shape (n,)."""
    result = np.zeros(len(vectors))
    for at in range(0, len(vectors), _BLOCK):  # limits the memory for any number of texts
        cosines = vectors[at : at + _BLOCK] @ stored.T
        if count > 1:
            nearest = min(count, cosines.shape[1])
            best = np.partition(cosines, -nearest, axis=1)[:, -nearest:].mean(axis=1)
        else:
            best = cosines.max(axis=1)
        result[at : at + _BLOCK] = 1.0 - best
    return result


@dataclass(frozen=True)
class OutOfScopeDetector:
    """Turns the signals into one score; `mean` and `spread` are those of in-scope messages.

    score = signals, standardised · weights + bias.
    """

    mean: Array
    spread: Array
    weights: Array = field(default_factory=lambda: np.zeros(0))  # empty: the mean of the signals
    bias: float = 0.0

    @classmethod
    def fit(cls, signals: Array, is_oos: NDArray[np.bool_]) -> Self:
        """Fit on signals, shape (n, 2 to 4), of messages outside the training data."""
        in_scope = signals if is_oos.all() else signals[~is_oos]
        mean, spread = in_scope.mean(axis=0), np.maximum(in_scope.std(axis=0), 1e-6)
        if min(is_oos.sum(), (~is_oos).sum()) < _MIN_EXAMPLES:
            return cls(mean, spread)
        from sklearn.linear_model import LogisticRegression

        standardised = (signals - mean) / spread
        model = LogisticRegression(class_weight="balanced", max_iter=500)
        model.fit(standardised, is_oos)
        scores = standardised[~is_oos] @ model.coef_[0]
        scale = max(float(scores.std()), 1e-6)
        return cls(mean, spread, model.coef_[0] / scale, -float(scores.mean()) / scale)

    def score(self, signals: Array) -> Array:
        """Return scores, shape (n,), of signals: 0 is usual, more is unusual.

        A signal without a fit (the out-of-scope class was added later) is ignored.
        """
        standardised = (signals[:, : len(self.mean)] - self.mean) / self.spread
        if not len(self.weights):
            return np.asarray(standardised.mean(axis=1))
        return np.asarray(standardised @ self.weights + self.bias)


def compute_signals(
    logits: Array, is_oos: NDArray[np.bool_], distances: NeighbourDistances
) -> Array:
    """Return the signals, (n, 2), or up to (n, 4) with an out-of-scope class and examples of it.

    `logits` have the shape (n, classes); `is_oos` marks the out-of-scope class.
    """
    best = np.where(is_oos, -np.inf, logits).max(axis=1)
    columns = [-best, distances.in_scope]
    if is_oos.any():
        columns.append(logits[:, is_oos].max(axis=1))
        if distances.oos is not None:
            columns.append(-distances.oos)
    return np.stack(columns, axis=1)


def save(neighbours: NeighbourIndex, detector: OutOfScopeDetector, path: Path) -> None:
    """Write both to one .npz file, the vectors in half precision."""
    empty = np.zeros((0, neighbours.vectors.shape[1]))
    oos_vectors = empty if neighbours.oos_vectors is None else neighbours.oos_vectors
    np.savez(
        path,
        vectors=neighbours.vectors.astype(np.float16),
        rows=neighbours.rows,
        oos_vectors=oos_vectors.astype(np.float16),
        count=np.array(neighbours.count),
        mean=detector.mean,
        spread=detector.spread,
        weights=detector.weights,
        bias=np.array(detector.bias),
    )


def load(path: Path) -> tuple[NeighbourIndex, OutOfScopeDetector]:
    """Read what `save` wrote."""
    with np.load(path) as arrays:
        oos_vectors = arrays["oos_vectors"].astype(np.float32) if "oos_vectors" in arrays else None
        count = int(arrays["count"]) if "count" in arrays else _NEIGHBOURS_BEFORE
        vectors = arrays["vectors"].astype(np.float32)
        neighbours = NeighbourIndex(vectors, arrays["rows"], oos_vectors, count)
        detector = OutOfScopeDetector(arrays["mean"], arrays["spread"])
        if "weights" in arrays:
            bias = float(arrays["bias"])
            detector = replace(detector, weights=arrays["weights"], bias=bias)
        return neighbours, detector
