"""Dataclasses whose fields are arrays, stored in one .npz file."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np


@dataclass(frozen=True)
class ArrayFile:
    """The base of a dataclass of arrays: each field is stored under its name."""

    def save(self, path: Path) -> None:
        """Write the arrays to one .npz file."""
        np.savez(path, **asdict(self))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            return cls(**{name: arrays[name] for name in arrays.files})
