"""Which passages lie close together: by meaning and by the words they share, block by block."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from knowledge_base.encoders.base_models import Vectors

_AXES: Final = 768  # words are folded onto so many; two words share one now and then
_FEW: Final = 200  # fewer texts than these tell little of how rare a word is
_BLOCK: Final = 512  # rows compared with all others at a time


@dataclass(frozen=True)
class SimilarPair:
    """Two rows, `first < second`, with the cosine of their vectors and that of their words."""

    first: int
    second: int
    meaning: float
    words: float


def rarity(rows: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return how much each word tells: 1 for one that stands in a single row, towards 0.

    The logarithm of how rare it is, as a share of the rarest word's.
    """
    counts = Counter(word for row in rows for word in set(row))
    size = max(len(rows), _FEW)
    return {word: log(1.0 + size / n) / log(1.0 + size) for word, n in counts.items()}


def folded(rows: Sequence[Sequence[str]], weights: dict[str, float]) -> Vectors:
    """Return unit vectors of weighted words, shape (n, axes); a row without words is zero.

    Signed feature hashing: dot products are, but for chance, those of the full vocabulary
    (Weinberger et al., "Feature hashing for large scale multitask learning", 2009).
    """
    places = {word: crc32(word.encode()) for word in weights}
    made = np.zeros((len(rows), _AXES), dtype=np.float32)
    for row, words in zip(made, rows, strict=True):
        for word in set(words):
            place = places[word]
            row[place % _AXES] += weights[word] if place & 0x10000 else -weights[word]
    lengths = np.linalg.norm(made, axis=1, keepdims=True)
    return np.asarray(made / np.maximum(lengths, 1e-9), dtype=np.float32)


def pairs(
    vectors: Vectors, words: Vectors, groups: NDArray[np.int32], *, k: int, least: float
) -> list[SimilarPair]:
    """Return the pairs of rows of one group whose words' cosine is `least` or more.

    Of each row its k nearest by the mean of both cosines. `vectors` (n, d) and `words` (n, axes)
    are unit vectors or zero, `groups` (n,) tells which rows are compared at all. Time grows with
    n², in matrix products; memory with n.
    """
    found: dict[tuple[int, int], SimilarPair] = {}
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        for pair in _near(vectors[rows], words[rows], k, least):
            first, second = sorted((int(rows[pair.first]), int(rows[pair.second])))
            found[first, second] = SimilarPair(first, second, pair.meaning, pair.words)
    return [found[key] for key in sorted(found)]


def _near(vectors: Vectors, words: Vectors, k: int, least: float) -> Iterator[SimilarPair]:
    n = len(vectors)
    k = min(k, n - 1)
    if k < 1:
        return
    for at in range(0, n, _BLOCK):
        shared = words[at : at + _BLOCK] @ words.T
        both = vectors[at : at + _BLOCK] @ vectors.T
        both += shared
        inside = np.arange(len(both))
        both[inside, at + inside] = -np.inf
        nearest = np.argpartition(both, n - k, axis=1)[:, n - k :]
        for row, columns in enumerate(nearest.tolist()):
            for column in columns:
                if shared[row, column] >= least:
                    together = float(shared[row, column])
                    yield SimilarPair(
                        at + row, column, float(both[row, column]) - together, together
                    )


def best(queries: Vectors, rows: Vectors) -> tuple[NDArray[np.int64], Vectors]:
    """Return for each query (m, d) its nearest row (n, d) and the cosine, shapes (m,)."""
    places = np.zeros(len(queries), dtype=np.int64)
    scores = np.zeros(len(queries), dtype=np.float32)
    for at in range(0, len(queries), _BLOCK):
        found = queries[at : at + _BLOCK] @ rows.T
        places[at : at + _BLOCK] = found.argmax(axis=1)
        scores[at : at + _BLOCK] = found.max(axis=1)
    return places, scores
