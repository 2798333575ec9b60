"""Tokenizers for serving: texts to token ids, from an engine's folder.

The tokenizers library needs 280 MB for a vocabulary of 250,000 pieces; sentencepiece needs a fifth
of that and is faster. So a Unigram vocabulary is written as a sentencepiece model if that gives
the same ids, and only the others are run by tokenizers.
"""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

Ids: TypeAlias = list[int]

_TOKENIZER: Final = "tokenizer.json"
_PIECES: Final = "pieces.model"
_SPECIAL: Final = "pieces.json"  # the normalisation, and the tokens that begin and end a text
_SPACE: Final = "▁"
_NORMAL, _UNKNOWN, _CONTROL = 1, 2, 3  # the types of a piece


class Tokenizer(Protocol):
    """A tokenizer that adds the ids that begin and end a text."""

    def ids(self, texts: Sequence[str], /) -> list[Ids]:
        """Return the ids of each text, at most as many as the model reads."""


def save(source: Path, folder: Path, probes: Sequence[str]) -> None:
    """Write the tokenizer of a model into an engine's folder; `probes` must get the same ids."""
    shutil.copyfile(source / _TOKENIZER, folder / _TOKENIZER)
    config = json.loads((source / _TOKENIZER).read_text(encoding="utf-8"))
    if not _is_sentencepiece(config):
        return
    try:
        (folder / _PIECES).write_bytes(_model(config))
        (folder / _SPECIAL).write_text(
            json.dumps(_special_tokens(folder, config)), encoding="utf-8"
        )
        same = _SentencePieceTokenizer(folder, _NO_LIMIT).ids(probes) == _LibraryTokenizer(
            folder, _NO_LIMIT
        ).ids(probes)
    except (RuntimeError, ValueError):
        same = False
    for name in (_TOKENIZER,) if same else (_PIECES, _SPECIAL):
        (folder / name).unlink(missing_ok=True)


def load(folder: Path, max_tokens: int) -> Tokenizer:
    """Load the tokenizer of an engine; no text gets more than `max_tokens` ids."""
    kind = _SentencePieceTokenizer if (folder / _PIECES).exists() else _LibraryTokenizer
    return kind(folder, max_tokens)


_NO_LIMIT: Final = 2**20


class _LibraryTokenizer:
    """A tokenizer of the tokenizers library."""

    def __init__(self, folder: Path, max_tokens: int) -> None:
        from tokenizers import Tokenizer as Library

        self._tokenizer: Any = Library.from_file(str(folder / _TOKENIZER))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)

    def ids(self, texts: Sequence[str], /) -> list[Ids]:
        if len(texts) == 1:
            return [self._tokenizer.encode(texts[0]).ids]
        return [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]


class _SentencePieceTokenizer:
    """A sentencepiece model; texts are normalised like by the original tokenizer."""

    def __init__(self, folder: Path, max_tokens: int) -> None:
        from sentencepiece import SentencePieceProcessor
        from tokenizers import Tokenizer as Library

        special = json.loads((folder / _SPECIAL).read_text(encoding="utf-8"))
        self._normalizer: Any = Library.from_str(json.dumps(special["normalizer"])).normalizer
        self._opens: Ids = special["opens"]
        self._closes: Ids = special["closes"]
        self._room = max_tokens - len(self._opens) - len(self._closes)
        self._pieces: Any = SentencePieceProcessor(model_file=str(folder / _PIECES))

    def ids(self, texts: Sequence[str], /) -> list[Ids]:
        if self._normalizer is not None:
            texts = [self._normalizer.normalize_str(text) for text in texts]
        opened = [text.removeprefix(" ") for text in texts]  # the model adds a space itself
        threads = min(len(texts), os.cpu_count() or 1)
        rows = self._pieces.encode(opened, num_threads=threads)
        return [[*self._opens, *ids[: self._room], *self._closes] for ids in rows]


def _is_sentencepiece(config: dict[str, Any]) -> bool:
    """Return whether a tokenizer was converted from a sentencepiece model."""
    words = config.get("pre_tokenizer") or {}
    return (
        config["model"]["type"] == "Unigram"
        and not config["model"].get("byte_fallback")
        and words.get("type") == "Metaspace"
        and words.get("replacement") == _SPACE
        and words.get("prepend_scheme") == "always"
    )


def _model(config: dict[str, Any]) -> bytes:
    """Return the vocabulary as a sentencepiece model that does not normalise spaces."""
    from sentencepiece import sentencepiece_model_pb2

    model: Any = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]
    unknown = config["model"]["unk_id"]
    added = {token["id"] for token in config["added_tokens"]}
    for number, (piece, score) in enumerate(config["model"]["vocab"]):
        kind = _UNKNOWN if number == unknown else _CONTROL if number in added else _NORMAL
        model.pieces.add(piece=piece, score=score, type=kind)
    model.trainer_spec.model_type = model.trainer_spec.UNIGRAM
    model.trainer_spec.unk_id = unknown
    model.normalizer_spec.name = "identity"
    model.normalizer_spec.add_dummy_prefix = True
    model.normalizer_spec.remove_extra_whitespaces = False
    return bytes(model.SerializeToString())


def _special_tokens(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Return the normalisation, and the ids that begin and end a text."""
    from tokenizers import Tokenizer as Library

    tokenizer: Any = Library.from_file(str(folder / _TOKENIZER))
    text = "a"
    inside = tokenizer.encode(text, add_special_tokens=False).ids
    ids = tokenizer.encode(text).ids
    at = next(i for i in range(len(ids)) if ids[i : i + len(inside)] == inside)
    few = {"type": "Unigram", "unk_id": 0, "vocab": [["?", 0.0]], "byte_fallback": False}
    return {
        "normalizer": {**config, "model": few, "added_tokens": [], "post_processor": None},
        "opens": ids[:at],
        "closes": ids[at + len(inside) :],
    }
