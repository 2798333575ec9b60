"""Sentence encoders in torch: a light path for the common kind, sentence-transformers for others.

Most sentence encoders are a BERT, mean pooling and normalisation. Those are run by a few lines of
torch, which load in a fraction of the time that the training libraries need.
"""

import copy
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from knowledge_base.documents import KnowledgeError
from knowledge_base.progress import track

BATCH: Final = 64
_WEIGHTS: Final = "*.safetensors"


class SentenceModel(Protocol):
    """A torch module that turns texts into unit vectors, in service and in training."""

    @property
    def dimension(self) -> int:
        """The length of a vector."""

    backbone: Any  # the transformer inside: a torch module with `encoder.layer`

    def embed(self, texts: Sequence[str], /, *, max_tokens: int | None = None) -> Any:
        """Return a tensor of unit vectors, shape (n, dimension), through which gradients flow."""

    def knows(self, word: str, /) -> bool:
        """Return whether a word is in the vocabulary; True where that is unknown."""

    def save(self, folder: Path, /) -> None:
        """Write a sentence-transformers folder in half precision."""


def device() -> str:
    """Return the device for torch: a GPU if there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def computes_bfloat16() -> bool:
    """Return whether the device computes in bfloat16, which torch emulates slowly elsewhere."""
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported())  # noqa: SLF001


def load(path: str) -> SentenceModel:
    """Load a folder or hub name in float32; raise KnowledgeError if it does not exist."""
    try:
        if _is_mean_pooled(Path(path)):
            return MeanPoolingModel.load(Path(path))
        return _SentenceTransformerModel.load(path)
    except (OSError, ValueError) as error:
        message = f"the model {path} cannot be loaded: {str(error).splitlines()[0]}"
        raise KnowledgeError(message) from error


def _is_mean_pooled(folder: Path) -> bool:
    """Return whether a local folder is a BERT with mean pooling and normalisation."""
    from knowledge_base.encoders import bert

    modules = folder / "modules.json"
    if not (modules.exists() and (folder / "tokenizer.json").exists()):
        return False
    kinds = [entry["type"].rsplit(".", 1)[-1] for entry in json.loads(modules.read_text("utf-8"))]
    if kinds != ["Transformer", "Pooling", "Normalize"]:
        return False
    pooling = json.loads((folder / "1_Pooling" / "config.json").read_text("utf-8"))
    enabled = [key for key, value in pooling.items() if value is True and key.startswith("pooling")]
    mean = pooling.get("pooling_mode") == "mean" or enabled == ["pooling_mode_mean_tokens"]
    return mean and bert.can_load(folder)


class MeanPoolingModel:
    """A transformer, the mean of its token vectors, normalised."""

    def __init__(self, backbone: Any, tokenizer: Any, folder: Path) -> None:
        """Combine the parts; `folder` is the source of the files other than the weights."""
        self.backbone = backbone
        self._tokenizer = tokenizer
        self.folder = folder
        self.pad = int(backbone.config.get("pad_token_id") or 0)
        self.dimension = int(backbone.config["hidden_size"])

    @property
    def max_tokens(self) -> int:
        """The number of tokens of a text that are read."""
        return int(self._tokenizer.truncation["max_length"])

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a sentence-transformers folder."""
        from tokenizers import Tokenizer

        from knowledge_base.encoders.bert import BertEncoder

        backbone = BertEncoder.load(folder)
        positions = int(backbone.config["max_position_embeddings"])
        config = json.loads((folder / "sentence_bert_config.json").read_text("utf-8"))
        limit = int(config.get("max_seq_length") or positions)
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(min(limit, positions))
        return cls(backbone.to(device()).eval(), tokenizer, folder)

    def embed(self, texts: Sequence[str], /, *, max_tokens: int | None = None) -> Any:
        """Return a tensor of unit vectors, shape (n, dimension), through which gradients flow."""
        import torch

        ids, mask = self._inputs(texts, max_tokens)
        states = self.backbone(ids, mask)
        weights = mask.unsqueeze(-1).to(states.dtype)
        means = (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1e-9)
        return torch.nn.functional.normalize(means.float(), dim=1)

    def knows(self, word: str, /) -> bool:
        """Return whether a word is one piece of the vocabulary, between the special ones."""
        return len(self._tokenizer.encode(word).ids) <= 3  # noqa: PLR2004

    def _inputs(self, texts: Sequence[str], max_tokens: int | None) -> tuple[Any, Any]:
        import torch

        rows = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        if max_tokens is not None:  # the last token ends the text and stays
            rows = [
                [*row[: max_tokens - 1], row[-1]] if len(row) > max_tokens else row for row in rows
            ]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [self.pad] * (longest - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        return ids.to(device()), mask.to(device())

    def __deepcopy__(self, memo: dict[int, Any]) -> "MeanPoolingModel":
        """Copy the weights; the tokenizer, which training does not change, is shared."""
        backbone = copy.deepcopy(self.backbone, memo)
        return MeanPoolingModel(backbone, self._tokenizer, self.folder)

    def save(self, folder: Path, /) -> None:
        """Write the weights in half precision and the other files as they were."""
        ignored = shutil.ignore_patterns(_WEIGHTS, "*.bin", "*.md", "onnx", "openvino")
        shutil.copytree(self.folder, folder, ignore=ignored)
        self.backbone.save(folder)


class _SentenceTransformerModel:
    """Any other stack of modules, run by sentence-transformers."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.backbone = model[0].auto_model
        self.dimension = int(model.get_embedding_dimension() or 0)

    @classmethod
    def load(cls, path: str) -> Self:
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        kwargs = {"dtype": torch.float32}
        return cls(SentenceTransformer(path, device=device(), model_kwargs=kwargs).eval())

    def embed(self, texts: Sequence[str], /, *, max_tokens: int | None = None) -> Any:
        import torch

        features = self._model.tokenize(list(texts))
        inputs = {
            name: tensor[:, :max_tokens].to(device()) if tensor.ndim == 2 else tensor.to(device())  # noqa: PLR2004
            for name, tensor in features.items()
        }
        vectors = self._model(inputs)["sentence_embedding"]
        return torch.nn.functional.normalize(vectors.float(), dim=1)

    def knows(self, word: str, /) -> bool:
        del word
        return True

    def save(self, folder: Path, /) -> None:
        copy.deepcopy(self._model).half().save(str(folder), create_model_card=False)


def encode(
    model: SentenceModel, texts: Sequence[str], *, progress: bool = False
) -> NDArray[np.float32]:
    """Return unit vectors, shape (n, dimension); texts of similar length share a batch."""
    import torch

    vectors = np.zeros((len(texts), model.dimension), dtype=np.float32)
    batches = list(_batches(texts))
    with torch.inference_mode():
        for rows in track(batches, "encoding", len(batches), shown=progress):
            vectors[rows] = model.embed([texts[i] for i in rows]).float().cpu().numpy()
    return vectors


def _batches(texts: Sequence[str]) -> Iterator[list[int]]:
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]), reverse=True)
    for at in range(0, len(order), BATCH):
        yield order[at : at + BATCH]
