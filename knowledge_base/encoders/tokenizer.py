"""Texts → token ids, for serving: what an engine's folder holds of a tokenizer.

The tokenizers library keeps a vocabulary of 250,000 pieces in 280 MB; sentencepiece keeps the
same pieces in a fifth of that and is quicker. So a Unigram vocabulary is written as a
sentencepiece model where that gives the same ids, and only the rest is served by tokenizers.
"""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

Ids: TypeAlias = list[int]

_WHOLE: Final = "tokenizer.json"
_PIECES: Final = "pieces.model"
_AROUND: Final = "pieces.json"  # how texts are normalised and what opens and closes them
_SPACE: Final = "▁"
_NORMAL, _UNKNOWN, _CONTROL = 1, 2, 3  # the types of a piece


class Tokenizer(Protocol):
    """Turns texts into ids, with those that open and close a text."""

    def ids(self, texts: Sequence[str], /) -> list[Ids]:
        """Return the ids of each text, at most as many as the model reads."""


def save(source: Path, folder: Path, probes: Sequence[str]) -> None:
    """Write the tokenizer of a model's folder into an engine's; `probes` must come out the same."""
    shutil.copyfile(source / _WHOLE, folder / _WHOLE)
    whole = json.loads((source / _WHOLE).read_text(encoding="utf-8"))
    if not _is_sentencepiece(whole):
        return
    try:
        (folder / _PIECES).write_bytes(_model(whole))
        (folder / _AROUND).write_text(json.dumps(_around(folder, whole)), encoding="utf-8")
        same = _Pieces(folder, _NO_LIMIT).ids(probes) == _Whole(folder, _NO_LIMIT).ids(probes)
    except (RuntimeError, ValueError):
        same = False
    for name in (_WHOLE,) if same else (_PIECES, _AROUND):
        (folder / name).unlink(missing_ok=True)


def load(folder: Path, max_tokens: int) -> Tokenizer:
    """Open the tokenizer of an engine; no text gets more than `max_tokens` ids."""
    found = _Pieces if (folder / _PIECES).exists() else _Whole
    return found(folder, max_tokens)


_NO_LIMIT: Final = 2**20


class _Whole:
    """A tokenizer as the tokenizers library runs it."""

    def __init__(self, folder: Path, max_tokens: int) -> None:
        from tokenizers import Tokenizer as Library

        self._tokenizer: Any = Library.from_file(str(folder / _WHOLE))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)

    def ids(self, texts: Sequence[str], /) -> list[Ids]:
        if len(texts) == 1:
            return [self._tokenizer.encode(texts[0]).ids]
        return [found.ids for found in self._tokenizer.encode_batch(list(texts))]


class _Pieces:
    """A sentencepiece model; texts are normalised as the tokenizer it was made of does it."""

    def __init__(self, folder: Path, max_tokens: int) -> None:
        from sentencepiece import SentencePieceProcessor
        from tokenizers import Tokenizer as Library

        around = json.loads((folder / _AROUND).read_text(encoding="utf-8"))
        self._normalizer: Any = Library.from_str(json.dumps(around["normalizer"])).normalizer
        self._opens: Ids = around["opens"]
        self._closes: Ids = around["closes"]
        self._room = max_tokens - len(self._opens) - len(self._closes)
        self._pieces: Any = SentencePieceProcessor(model_file=str(folder / _PIECES))

    def ids(self, texts: Sequence[str], /) -> list[Ids]:
        if self._normalizer is not None:
            texts = [self._normalizer.normalize_str(text) for text in texts]
        opened = [text.removeprefix(" ") for text in texts]  # one is put there by the model
        threads = min(len(texts), os.cpu_count() or 1)
        found = self._pieces.encode(opened, num_threads=threads)
        return [[*self._opens, *ids[: self._room], *self._closes] for ids in found]


def _is_sentencepiece(whole: dict[str, Any]) -> bool:
    """Tell whether a tokenizer is a sentencepiece model that was brought into another format."""
    words = whole.get("pre_tokenizer") or {}
    return (
        whole["model"]["type"] == "Unigram"
        and not whole["model"].get("byte_fallback")
        and words.get("type") == "Metaspace"
        and words.get("replacement") == _SPACE
        and words.get("prepend_scheme") == "always"
    )


def _model(whole: dict[str, Any]) -> bytes:
    """Return the vocabulary as a sentencepiece model, which leaves spaces as they are."""
    from sentencepiece import sentencepiece_model_pb2

    model: Any = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]
    unknown = whole["model"]["unk_id"]
    added = {token["id"] for token in whole["added_tokens"]}
    for number, (piece, score) in enumerate(whole["model"]["vocab"]):
        kind = _UNKNOWN if number == unknown else _CONTROL if number in added else _NORMAL
        model.pieces.add(piece=piece, score=score, type=kind)
    model.trainer_spec.model_type = model.trainer_spec.UNIGRAM
    model.trainer_spec.unk_id = unknown
    model.normalizer_spec.name = "identity"
    model.normalizer_spec.add_dummy_prefix = True
    model.normalizer_spec.remove_extra_whitespaces = False
    return bytes(model.SerializeToString())


def _around(folder: Path, whole: dict[str, Any]) -> dict[str, Any]:
    """Return what is done before and after the pieces are found."""
    from tokenizers import Tokenizer as Library

    tokenizer: Any = Library.from_file(str(folder / _WHOLE))
    text = "a"
    inside = tokenizer.encode(text, add_special_tokens=False).ids
    ids = tokenizer.encode(text).ids
    at = next(i for i in range(len(ids)) if ids[i : i + len(inside)] == inside)
    few = {"type": "Unigram", "unk_id": 0, "vocab": [["?", 0.0]], "byte_fallback": False}
    return {
        "normalizer": {**whole, "model": few, "added_tokens": [], "post_processor": None},
        "opens": ids[:at],
        "closes": ids[at + len(inside) :],
    }
