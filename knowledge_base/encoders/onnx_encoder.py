"""The fast serving engine: int8 on a CPU through ONNX Runtime, without torch.

An engine is a folder beside the model it was made from: the graph, the tokenizer and a few facts.
It is made once, with torch; it serves without.
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

from knowledge_base import progress as bars
from knowledge_base.atomic_files import write_json
from knowledge_base.documents import KnowledgeError
from knowledge_base.encoders import tokenizer
from knowledge_base.encoders.base_models import BaseModel, Vectors
from knowledge_base.encoders.micro_batching import MicroBatcher
from knowledge_base.encoders.tokenizer import Ids

if TYPE_CHECKING:
    from knowledge_base.encoders.base_models import TorchEncoder

NAME: Final = "onnxruntime-int8"
_GRAPH: Final = "encoder.onnx"
_FACTS: Final = "engine.json"
_FORMAT: Final = 2  # of the folder
_GROUP: Final = 8  # of those, how many of similar length share one run
_WORD_TOKENS: Final = 3  # the word between the two that open and close a text
_LARGEST: Final = 32  # texts computed at once; more gains nothing on a CPU
_CLOSE: Final = 0.97  # the least cosine to the float model, or the engine is not used
_PROBES: Final = (
    "Where is my parcel? It should have arrived three days ago.",
    "我想退货，订单已经收到一个星期了，还可以吗？",
)


class OnnxEncoder:
    """An exported encoder, open for service; calls from several threads are batched."""

    engine: Final = NAME

    def __init__(self, base: BaseModel, folder: Path) -> None:
        """Open an engine; raise KnowledgeError when this machine computes something else."""
        self.base = base
        self.id = f"{base.id}:int8"
        facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
        self.dimension = int(facts["dimension"])
        self._pad = int(facts["pad"])
        self._tokenizer = tokenizer.load(folder, int(facts["max_tokens"]))
        self._session = _session(folder / _GRAPH)
        self._lanes = os.cpu_count() or 1
        self._batcher: MicroBatcher[list[Ids], Vectors] = MicroBatcher(
            self._together, lanes=self._lanes, largest=_LARGEST
        )
        self._check(facts["probes"])

    def queries(self, texts: Sequence[str], /, *, progress: bool = False) -> Vectors:
        """Encode questions, one unit vector each, shape (n, dimension)."""
        rows = self._tokens(self.base.query_prefix, texts)
        if len(rows) <= _LARGEST:
            return self._batcher.run(rows)
        return self._many(rows, progress=progress)

    def passages(self, texts: Sequence[str], /, *, progress: bool = False) -> Vectors:
        """Encode passages, one unit vector each, shape (n, dimension)."""
        return self._many(self._tokens(self.base.passage_prefix, texts), progress=progress)

    def knows(self, word: str, /) -> bool:
        """Tell whether a word is one piece of the vocabulary, not put together from parts."""
        return len(self._tokenizer.ids([word])[0]) <= _WORD_TOKENS

    def _tokens(self, prefix: str, texts: Sequence[str]) -> list[Ids]:
        return self._tokenizer.ids([prefix + text for text in texts])

    def _many(self, rows: Sequence[Ids], *, progress: bool) -> Vectors:
        """Encode any number of texts; those of similar length share a batch."""
        vectors = np.zeros((len(rows), self.dimension), dtype=np.float32)
        batches = list(_batches(rows))
        with ThreadPoolExecutor(self._lanes) as pool:
            done = pool.map(lambda batch: self._grouped([rows[i] for i in batch]), batches)
            pairs = zip(batches, done, strict=True)
            for batch, results in bars.track(pairs, "encoding", len(batches), shown=progress):
                vectors[batch] = results
        return vectors

    def _together(self, calls: list[list[Ids]]) -> list[Vectors]:
        """Encode what several callers ask for at the same moment."""
        vectors = self._grouped([row for rows in calls for row in rows])
        ends = np.cumsum([len(rows) for rows in calls])[:-1]
        return np.split(vectors, ends)

    def _grouped(self, rows: list[Ids]) -> Vectors:
        """Encode texts in groups of similar length.

        A short text that is padded to a long one's length costs as much as the long one.
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
        """Compare with what the float model said: some processors round 8-bit products off."""
        for text, expected in probes.items():
            if not float(self.queries([text])[0] @ np.asarray(expected)) >= _CLOSE:  # nan as well
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
    for at in range(0, len(order), _LARGEST):
        yield order[at : at + _LARGEST]


def export(encoder: "TorchEncoder", folder: Path, texts: Sequence[str] = ()) -> None:
    """Make an engine of a torch encoder; the folder is whole or absent.

    `texts` are questions like those it will serve: with them the 8 bits are used better. For an
    encoder that cannot be exported, or that loses too much, the folder says so (`usable`).
    """
    scratch = folder.with_name(f".{folder.name}.{os.getpid()}.{secrets.token_hex(2)}")
    scratch.mkdir(parents=True)
    try:
        facts = _write(encoder, scratch, texts)
        write_json(scratch / _FACTS, facts)
        if facts["closeness"] is not None:
            closeness = _closeness(encoder, scratch)
            write_json(scratch / _FACTS, {**facts, "closeness": closeness})
        (folder / _FACTS).unlink(missing_ok=True)  # from here on there is none
        shutil.rmtree(folder, ignore_errors=True)
        try:
            scratch.rename(folder)
        except OSError:
            if not exists(folder):  # another process was done first
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
    onnx_export.export(model, onnx_export.ranges(model, prefixed), folder / _GRAPH)
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
        made = OnnxEncoder(encoder.base, folder)
    except KnowledgeError:
        return 0.0
    cosines = np.sum(made.queries(_corpus()) * encoder.queries(_corpus()), axis=1)
    return float(cosines.mean())


def _corpus() -> list[str]:
    return Path(__file__).with_name("calibration.txt").read_text(encoding="utf-8").splitlines()


def forbid(folder: Path) -> None:
    """Mark an engine as not to be used."""
    facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    write_json(folder / _FACTS, {**facts, "closeness": None})


def exists(folder: Path) -> bool:
    """Tell whether an engine was made here, usable or not."""
    return (folder / _FACTS).exists()


def is_current(folder: Path) -> bool:
    """Tell whether an engine was made here by this version of the program; older ones still run."""
    if not exists(folder):
        return False
    facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    return bool(facts.get("format") == _FORMAT)


def usable(folder: Path) -> bool:
    """Tell whether a folder holds an engine that computes what its model computes."""
    if not exists(folder):
        return False
    facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    return (facts["closeness"] or 0.0) >= _CLOSE
