"""A low-rank adapter on query vectors, trained on the queries of one knowledge base."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from knowledge_base.encoders.base_models import Vectors


@dataclass(frozen=True)
class QueryAdapter:
    """A low-rank residual: q' = unit(q + A·B·q); `up` is A, (d, r), `down` is B, (r, d)."""

    up: NDArray[np.float32]
    down: NDArray[np.float32]

    def apply(self, vectors: Vectors) -> Vectors:
        """Return adapted unit vectors, shape (n, d)."""
        adapted = vectors + (vectors @ self.down.T) @ self.up.T
        return np.asarray(
            adapted / np.linalg.norm(adapted, axis=1, keepdims=True), dtype=np.float32
        )

    def save(self, path: Path) -> None:
        """Write both matrices to one .npz file."""
        np.savez(path, up=self.up, down=self.down)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            return cls(arrays["up"], arrays["down"])
