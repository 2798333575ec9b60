"""A low-rank adapter on query vectors, trained on the queries of one knowledge base."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge_base.array_file import ArrayFile
from knowledge_base.encoders.base_models import Vectors


@dataclass(frozen=True)
class QueryAdapter(ArrayFile):
    """A low-rank residual: q' = unit(q + A·B·q); `up` is A, (d, r), `down` is B, (r, d)."""

    up: NDArray[np.float32]
    down: NDArray[np.float32]

    def apply(self, vectors: Vectors) -> Vectors:
        """Return adapted unit vectors, shape (n, d)."""
        adapted = vectors + (vectors @ self.down.T) @ self.up.T
        return np.asarray(
            adapted / np.linalg.norm(adapted, axis=1, keepdims=True), dtype=np.float32
        )
