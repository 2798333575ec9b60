"""The training set of a version, stored for later incremental training."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np

from bot.core.types import CarelineError
from bot.training.datasets import Example
from knowledge_base.encoders.base_models import Vectors

_EXAMPLES: Final = "training_set.jsonl.gz"
_VECTORS: Final = "training_vectors.npy"


def save(folder: Path, examples: Sequence[Example], vectors: Vectors) -> None:
    """Write examples and their vectors, shape (n, dimension), in half precision."""
    with gzip.open(folder / _EXAMPLES, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(e), ensure_ascii=False) + "\n" for e in examples)
    np.save(folder / _VECTORS, vectors.astype(np.float16))


def is_stored(folder: Path) -> bool:
    """Return whether a version kept what it was trained on."""
    return (folder / _EXAMPLES).exists()


def load(folder: Path) -> tuple[list[Example], Vectors]:
    """Read what `save` wrote; raise CarelineError if there is nothing."""
    if not is_stored(folder):
        message = f"{folder.name} did not keep what it was trained on: run `careline train`"
        raise CarelineError(message)
    with gzip.open(folder / _EXAMPLES, "rt", encoding="utf-8") as file:
        examples = [Example(**json.loads(line)) for line in file]
    return examples, np.load(folder / _VECTORS).astype(np.float32)
