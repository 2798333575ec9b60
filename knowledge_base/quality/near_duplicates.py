"""Search for passages with similar meanings and words, block by block."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log
from typing import Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from knowledge_base.encoders.base_models import Vectors

_AXES: Final = 768  # dimensions of the hashed words; collisions are rare
_MIN_TEXTS: Final = 200  # fewer texts say little about how rare a word is
_BLOCK: Final = 512  # rows compared with all others at a time


@dataclass(frozen=True)
class SimilarPair:
    """Two rows, `first < second`, with the cosine of their vectors and that of their words."""

    first: int
    second: int
    meaning: float
    words: float


def word_weights(rows: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return the weight of each word: 1 if only a single row has it, less the more common it is.

    It is the inverse document frequency, as a share of that of the rarest word.
    """
    counts = Counter(word for row in rows for word in set(row))
    size = max(len(rows), _MIN_TEXTS)
    return {word: log(1.0 + size / n) / log(1.0 + size) for word, n in counts.items()}


def hash_words(rows: Sequence[Sequence[str]], weights: dict[str, float]) -> Vectors:
    """Return unit vectors of weighted words, shape (n, axes); a row without words is zero.

    Signed feature hashing: dot products approximate those of the full vocabulary
    (Weinberger et al., "Feature hashing for large scale multitask learning", 2009).
    """
    hashes = {word: crc32(word.encode()) for word in weights}
    vectors = np.zeros((len(rows), _AXES), dtype=np.float32)
    for row, words in zip(vectors, rows, strict=True):
        for word in set(words):
            bucket = hashes[word]
            row[bucket % _AXES] += weights[word] if bucket & 0x10000 else -weights[word]
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)


def find_pairs(
    vectors: Vectors, words: Vectors, groups: NDArray[np.int32], *, k: int, min_cosine: float
) -> list[SimilarPair]:
    """Return the pairs of rows of one group whose words have a cosine of `min_cosine` or more.

    For each row, its k nearest by the mean of both cosines. `vectors` (n, d) and `words` (n, axes)
    are unit vectors or zero; only rows with the same number in `groups` (n,) are compared. Time
    grows with n², in matrix products; memory with n.
    """
    pairs: dict[tuple[int, int], SimilarPair] = {}
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        for pair in _nearest_pairs(vectors[rows], words[rows], k, min_cosine):
            first, second = sorted((int(rows[pair.first]), int(rows[pair.second])))
            pairs[first, second] = SimilarPair(first, second, pair.meaning, pair.words)
    return [pairs[key] for key in sorted(pairs)]


def _nearest_pairs(
    vectors: Vectors, words: Vectors, k: int, min_cosine: float
) -> Iterator[SimilarPair]:
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
                if shared[row, column] >= min_cosine:
                    together = float(shared[row, column])
                    yield SimilarPair(
                        at + row, column, float(both[row, column]) - together, together
                    )


def nearest_rows(queries: Vectors, rows: Vectors) -> tuple[NDArray[np.int64], Vectors]:
    """Return for each query (m, d) its nearest row (n, d) and the cosine, shapes (m,)."""
    nearest = np.zeros(len(queries), dtype=np.int64)
    scores = np.zeros(len(queries), dtype=np.float32)
    for at in range(0, len(queries), _BLOCK):
        cosines = queries[at : at + _BLOCK] @ rows.T
        nearest[at : at + _BLOCK] = cosines.argmax(axis=1)
        scores[at : at + _BLOCK] = cosines.max(axis=1)
    return nearest, scores
