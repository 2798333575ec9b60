"""The fast encoder: int8 on a CPU with ONNX Runtime, without torch.

An engine is a folder beside the model it was exported from: the graph, the tokenizer and its
metadata. Only the export needs torch.
"""

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from knowledge_base.atomic_files import write_json
from knowledge_base.documents import KnowledgeError
from knowledge_base.encoders import tokenizer
from knowledge_base.encoders.base_models import BaseModel, Vectors
from knowledge_base.encoders.micro_batching import MicroBatcher
from knowledge_base.encoders.tokenizer import Ids
from knowledge_base.progress import track

if TYPE_CHECKING:
    from knowledge_base.encoders.base_models import TorchEncoder

NAME: Final = "onnxruntime-int8"
_GRAPH: Final = "encoder.onnx"
_FACTS: Final = "engine.json"
_FORMAT: Final = 2  # of the folder
_GROUP: Final = 8  # of those, how many of similar length share one run
_WORD_TOKENS: Final = 3  # a word between the tokens that begin and end a text
_MAX_BATCH: Final = 32  # texts computed at once; more does not help on a CPU
_MIN_CLOSENESS: Final = 0.97  # cosine to the float model below which the engine is not used
_PROBES: Final = (
    "Where is my parcel? It should have arrived three days ago.",
    "我想退货，订单已经收到一个星期了，还可以吗？",
)


class OnnxEncoder:
    """An exported encoder; calls from several threads are batched."""

    engine: Final = NAME

    def __init__(self, base: BaseModel, folder: Path) -> None:
        """Load an engine; raise KnowledgeError if it computes something else on this machine."""
        self.base = base
        self.id = f"{base.id}:int8"
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        self.dimension = int(facts["dimension"])
        self._pad = int(facts["pad"])
        self._tokenizer = tokenizer.load(folder, int(facts["max_tokens"]))
        self._session = _session(folder / _GRAPH)
        self._threads = os.cpu_count() or 1
        self._batcher: MicroBatcher[list[Ids], Vectors] = MicroBatcher(
            self._encode_calls, max_concurrency=self._threads, max_batch_size=_MAX_BATCH
        )
        self._check(facts["probes"])

    def queries(self, texts: Sequence[str], /, *, progress: bool = False) -> Vectors:
        """Encode questions, one unit vector each, shape (n, dimension)."""
        rows = self._tokens(self.base.query_prefix, texts)
        if len(rows) <= _MAX_BATCH:
            return self._batcher.run(rows)
        return self._encode_many(rows, progress=progress)

    def passages(self, texts: Sequence[str], /, *, progress: bool = False) -> Vectors:
        """Encode passages, one unit vector each, shape (n, dimension)."""
        return self._encode_many(self._tokens(self.base.passage_prefix, texts), progress=progress)

    def knows(self, word: str, /) -> bool:
        """Return whether a word is one piece of the vocabulary, not composed of several."""
        return len(self._tokenizer.ids([word])[0]) <= _WORD_TOKENS

    def _tokens(self, prefix: str, texts: Sequence[str]) -> list[Ids]:
        return self._tokenizer.ids([prefix + text for text in texts])

    def _encode_many(self, rows: Sequence[Ids], *, progress: bool) -> Vectors:
        """Encode any number of texts; those of similar length share a batch."""
        vectors = np.zeros((len(rows), self.dimension), dtype=np.float32)
        batches = list(_batches(rows))
        with ThreadPoolExecutor(self._threads) as pool:
            encoded = pool.map(lambda batch: self._encode_groups([rows[i] for i in batch]), batches)
            pairs = zip(batches, encoded, strict=True)
            for batch, results in track(pairs, "encoding", len(batches), shown=progress):
                vectors[batch] = results
        return vectors

    def _encode_calls(self, calls: list[list[Ids]]) -> list[Vectors]:
        """Encode the texts of concurrent callers together."""
        vectors = self._encode_groups([row for rows in calls for row in rows])
        ends = np.cumsum([len(rows) for rows in calls])[:-1]
        return np.split(vectors, ends)

    def _encode_groups(self, rows: list[Ids]) -> Vectors:
        """Encode texts in groups of similar length.

        A short text padded to the length of a long one costs as much as the long one.
        """
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        vectors = np.zeros((len(rows), self.dimension), dtype=np.float32)
        for at in range(0, len(order), _GROUP):
            group = order[at : at + _GROUP]
            vectors[group] = self._compute([rows[i] for i in group])
        return vectors

    def _compute(self, rows: list[Ids]) -> Vectors:
        longest = max(map(len, rows))
        ids = np.full((len(rows), longest), self._pad, dtype=np.int64)
        mask = np.zeros_like(ids)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
        (vectors,) = self._session.run(["vector"], {"ids": ids, "mask": mask})
        return np.asarray(vectors, dtype=np.float32)

    def _check(self, probes: dict[str, list[float]]) -> None:
        """Compare with the float model's vectors: some processors saturate 8-bit products."""
        for text, expected in probes.items():
            if (
                not float(self.queries([text])[0] @ np.asarray(expected)) >= _MIN_CLOSENESS
            ):  # nan as well
                message = (
                    "the int8 engine computes something else on this processor than where it was "
                    'made: set engine = "torch" in careline.toml (CARELINE_ENGINE=torch)'
                )
                raise KnowledgeError(message)


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # callers run side by side, each on one core
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _batches(rows: Sequence[Ids]) -> Iterator[list[int]]:
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]), reverse=True)
    for at in range(0, len(order), _MAX_BATCH):
        yield order[at : at + _MAX_BATCH]


def export(encoder: "TorchEncoder", folder: Path, texts: Sequence[str] = ()) -> None:
    """Export an engine from a torch encoder; the folder is complete or missing.

    `texts` are typical questions: with them the 8 bits are used better. If an encoder cannot be
    exported, or loses too much, the folder is marked as unusable (see `is_usable`).
    """
    scratch = folder.with_name(f".{folder.name}.{os.getpid()}.{secrets.token_hex(2)}")
    scratch.mkdir(parents=True)
    try:
        facts = _write(encoder, scratch, texts)
        write_json(scratch / _FACTS, facts)
        if facts["closeness"] is not None:
            closeness = _closeness(encoder, scratch)
            write_json(scratch / _FACTS, {**facts, "closeness": closeness})
        (folder / _FACTS).unlink(missing_ok=True)  # from here on there is no engine
        shutil.rmtree(folder, ignore_errors=True)
        try:
            scratch.rename(folder)
        except OSError:
            if not exists(folder):  # another process finished first
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write(encoder: "TorchEncoder", folder: Path, texts: Sequence[str]) -> dict[str, Any]:
    from knowledge_base.encoders import onnx_export
    from knowledge_base.encoders.torch_models import MeanPoolingModel

    model = encoder.model
    if not isinstance(model, MeanPoolingModel):
        return {"format": _FORMAT, "closeness": None}
    base = encoder.base
    prefixes = dict.fromkeys((base.query_prefix, base.passage_prefix))
    prefixed = [prefix + text for prefix in prefixes for text in _corpus()]
    prefixed += [base.query_prefix + text for text in texts]
    onnx_export.export(model, onnx_export.measure_ranges(model, prefixed), folder / _GRAPH)
    tokenizer.save(model.folder, folder, prefixed)
    probes = zip(_PROBES, encoder.queries(_PROBES), strict=True)
    return {
        "format": _FORMAT,
        "closeness": 0.0,
        "dimension": model.dimension,
        "pad": model.pad,
        "max_tokens": model.max_tokens,
        "probes": {text: vector.tolist() for text, vector in probes},
    }


def _closeness(encoder: "TorchEncoder", folder: Path) -> float:
    """Return the mean cosine of the engine's vectors to the float model's."""
    try:
        engine = OnnxEncoder(encoder.base, folder)
    except KnowledgeError:
        return 0.0
    cosines = np.sum(engine.queries(_corpus()) * encoder.queries(_corpus()), axis=1)
    return float(cosines.mean())


def _corpus() -> list[str]:
    return Path(__file__).with_name("calibration.txt").read_text(encoding="utf-8").splitlines()


def mark_unusable(folder: Path) -> None:
    """Mark an engine as unusable."""
    facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    write_json(folder / _FACTS, {**facts, "closeness": None})


def exists(folder: Path) -> bool:
    """Return whether there is an engine, usable or not."""
    return (folder / _FACTS).exists()


def is_current(folder: Path) -> bool:
    """Return whether an engine has the current format; older ones still run."""
    if not exists(folder):
        return False
    facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    return bool(facts.get("format") == _FORMAT)


def is_usable(folder: Path) -> bool:
    """Return whether a folder contains an engine that agrees with its model."""
    if not exists(folder):
        return False
    facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    return (facts["closeness"] or 0.0) >= _MIN_CLOSENESS
