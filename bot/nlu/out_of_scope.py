"""Out-of-scope detection that does not need out-of-scope examples.

Two signals, each in standard deviations of in-scope messages, are averaged: a low best logit (no
class fits) and a large distance to the nearest training messages (Sun et al., "Out-of-distribution
detection with deep nearest neighbors", 2022). If there are out-of-scope examples, the logit of
their class is the third.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from knowledge_base.encoders.base_models import Vectors

_NEIGHBOURS: Final = 10
_BLOCK: Final = 2_000
_MAX_STORED: Final = 2_500  # training messages; more cost time and do not help
Array = NDArray[np.float64]


@dataclass(frozen=True)
class NeighbourIndex:
    """Stored training messages: their vectors and their rows in the data."""

    vectors: Vectors
    rows: NDArray[np.int64]

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

    def distances(self, vectors: Vectors, own_rows: NDArray[np.int64] | None = None) -> Array:
        """Return 1 − the mean cosine to the ten nearest, shape (n,).

        `own_rows` are the rows of the vectors themselves in the data, which are excluded.
        """
        blocks = range(0, len(vectors), _BLOCK)
        if len(blocks) > 1:  # limits the memory for any number of texts
            parts = [slice(at, at + _BLOCK) for at in blocks]
            rows = [None if own_rows is None else own_rows[part] for part in parts]
            pairs = zip(parts, rows, strict=True)
            return np.concatenate([self.distances(vectors[part], own) for part, own in pairs])
        cosines = vectors @ self.vectors.T
        if own_rows is not None:
            cosines[own_rows[:, np.newaxis] == self.rows[np.newaxis]] = -1.0
        available = cosines.shape[1] - (own_rows is not None)
        count = max(1, min(_NEIGHBOURS, available))
        nearest = np.partition(cosines, -count, axis=1)[:, -count:]
        return np.asarray(1.0 - nearest.mean(axis=1), dtype=np.float64)


@dataclass(frozen=True)
class OutOfScopeDetector:
    """Turns the signals into one score; `mean` and `spread` are those of in-scope messages."""

    mean: Array
    spread: Array

    @classmethod
    def fit(cls, signals: Array) -> Self:
        """Fit on signals, shape (n, 2 or 3), of in-scope messages outside the training data."""
        return cls(signals.mean(axis=0), np.maximum(signals.std(axis=0), 1e-6))

    def score(self, signals: Array) -> Array:
        """Return scores, shape (n,), of signals, shape (n, 2 or 3): 0 is usual, more is unusual.

        A signal without a fit (the out-of-scope class was added later) is ignored.
        """
        signals = signals[:, : len(self.mean)]
        return np.asarray(((signals - self.mean) / self.spread).mean(axis=1))


def compute_signals(logits: Array, is_oos: NDArray[np.bool_], distances: Array) -> Array:
    """Return the signals, (n, 2), or (n, 3) with an out-of-scope class.

    `logits` have the shape (n, classes); `is_oos` marks the out-of-scope class.
    """
    best = np.where(is_oos, -np.inf, logits).max(axis=1)
    columns = [-best, distances]
    if is_oos.any():
        columns.append(logits[:, is_oos].max(axis=1))
    return np.stack(columns, axis=1)


def save(neighbours: NeighbourIndex, detector: OutOfScopeDetector, path: Path) -> None:
    """Write both to one .npz file, the vectors in half precision."""
    vectors = neighbours.vectors.astype(np.float16)
    np.savez(path, vectors=vectors, rows=neighbours.rows, **asdict(detector))


def load(path: Path) -> tuple[NeighbourIndex, OutOfScopeDetector]:
    """Read what `save` wrote."""
    with np.load(path) as arrays:
        neighbours = NeighbourIndex(arrays["vectors"].astype(np.float32), arrays["rows"])
        return neighbours, OutOfScopeDetector(arrays["mean"], arrays["spread"])
