"""How strange a message is: out-of-scope detection that needs no out-of-scope examples.

Two signs, each in standard deviations of messages in scope, are added: a low best logit (no class
wants it) and a large distance to the nearest training messages (Sun et al., "Out-of-distribution
detection with deep nearest neighbors", 2022). Where out-of-scope examples exist, how much their own
class wants the message is the third.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from knowledge_base.encoders.base_models import Vectors

_NEIGHBOURS: Final = 10
_BLOCK: Final = 2_000
_REMEMBERED: Final = 2_500  # training messages compared with: more cost time and add nothing
Array = NDArray[np.float64]


@dataclass(frozen=True)
class NeighbourIndex:
    """Training messages the model remembers: their vectors and their places in the data."""

    vectors: Vectors
    rows: NDArray[np.int64]

    @classmethod
    def of(cls, vectors: Vectors, targets: NDArray[np.int64], seed: int = 0) -> Self:
        """Remember all messages, or as many of each class as fit."""
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(targets))
        rank = np.zeros(len(targets), dtype=np.int64)
        for label in np.unique(targets):
            rows = order[targets[order] == label]
            rank[rows] = np.arange(len(rows))
        rows = np.sort(np.lexsort((order, rank))[:_REMEMBERED])
        return cls(np.ascontiguousarray(vectors[rows], dtype=np.float32), rows)

    def distances(self, vectors: Vectors, unlike: NDArray[np.int64] | None = None) -> Array:
        """Return 1 − the mean cosine to the ten nearest, shape (n,).

        `unlike` are the places of the vectors themselves in the data, which do not count.
        """
        blocks = range(0, len(vectors), _BLOCK)
        if len(blocks) > 1:  # memory stays flat on any number of texts
            parts = [slice(at, at + _BLOCK) for at in blocks]
            places = [None if unlike is None else unlike[part] for part in parts]
            found = zip(parts, places, strict=True)
            return np.concatenate([self.distances(vectors[part], own) for part, own in found])
        cosines = vectors @ self.vectors.T
        if unlike is not None:
            cosines[unlike[:, np.newaxis] == self.rows[np.newaxis]] = -1.0
        others = cosines.shape[1] - (unlike is not None)
        count = max(1, min(_NEIGHBOURS, others))
        nearest = np.partition(cosines, -count, axis=1)[:, -count:]
        return np.asarray(1.0 - nearest.mean(axis=1), dtype=np.float64)


@dataclass(frozen=True)
class OutOfScopeDetector:
    """Turns the signs into one score; `mean` and `spread` are those of messages in scope."""

    mean: Array
    spread: Array

    @classmethod
    def fit(cls, signs: Array) -> Self:
        """Measure signs, shape (n, 2 or 3), of messages in scope that the model has not seen."""
        return cls(signs.mean(axis=0), np.maximum(signs.std(axis=0), 1e-6))

    def score(self, signs: Array) -> Array:
        """Return scores, shape (n,), of signs, shape (n, 2 or 3): 0 is usual, more is stranger.

        A sign that was not measured (the out-of-scope class was added later) is left out.
        """
        signs = signs[:, : len(self.mean)]
        return np.asarray(((signs - self.mean) / self.spread).mean(axis=1))


def signs(logits: Array, outside: NDArray[np.bool_], distances: Array) -> Array:
    """Return the signs of strangeness, (n, 2), or (n, 3) where a class is out of scope.

    `logits` have the shape (n, classes); `outside` marks the out-of-scope class.
    """
    best = np.where(outside, -np.inf, logits).max(axis=1)
    columns = [-best, distances]
    if outside.any():
        columns.append(logits[:, outside].max(axis=1))
    return np.stack(columns, axis=1)


def save(memory: NeighbourIndex, novelty: OutOfScopeDetector, path: Path) -> None:
    """Write both to one .npz file, the vectors in half precision."""
    vectors = memory.vectors.astype(np.float16)
    np.savez(path, vectors=vectors, rows=memory.rows, **asdict(novelty))


def load(path: Path) -> tuple[NeighbourIndex, OutOfScopeDetector]:
    """Read what `save` wrote."""
    with np.load(path) as arrays:
        memory = NeighbourIndex(arrays["vectors"].astype(np.float32), arrays["rows"])
        return memory, OutOfScopeDetector(arrays["mean"], arrays["spread"])
