"""A million vectors: recall, time relative to a flat search, memory, and file size.

The vectors are generated block by block in each process that needs them, so that none holds all of
them: one process builds the index, one serves it, and one compares every query with every vector.
"""

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.core.types import CarelineError
from careline_benchmarks.harness import (
    Benchmark,
    BenchmarkContext,
    BenchmarkReport,
    at_least,
    at_most,
)
from knowledge_base.encoders.base_models import Vectors
from knowledge_base.index.dense import DenseIndex, sample_for
from knowledge_base.index.vector_stores import Numbers

COUNT = 1_000_000
DIMENSION = 384
_EACH: Final = 50  # vectors around a centre, on average: 20,000 centres at a million
_NOISE: Final = 0.8
_SEED: Final = 7
_BLOCK: Final = 16_384
_JOINED: Final = 4  # blocks that a flat search uses at once: 100 MB, more than caches hold
_QUERIES: Final = 1_000
_TIMED: Final = 20  # queries that a flat search answers, one at a time
_K: Final = 10


@dataclass(frozen=True)
class _Case:
    """The inputs of a process: where the files are, and the size of the data."""

    folder: str
    count: int
    dimension: int
    spoilt: bool

    @property
    def index(self) -> Path:
        """The file of the index."""
        return Path(self.folder, "dense")

    @property
    def results(self) -> Path:
        """The file of the search results."""
        return Path(self.folder, "found.json")


class _SyntheticVectors:
    """Unit vectors around Gaussian centres, the same in every process."""

    def __init__(self, case: _Case) -> None:
        self.count, self.dimension = case.count, case.dimension
        rng = np.random.default_rng(_SEED)
        self._stored, self._query_rng = rng.spawn(2)
        self._centres = rng.standard_normal((self.count // _EACH, self.dimension), dtype=np.float32)
        self._start = self._stored.bit_generator.state

    def blocks(self) -> Iterator[tuple[Numbers, Vectors]]:
        """Yield the numbers and vectors to be stored; always the same ones."""
        self._stored.bit_generator.state = self._start
        for at in range(0, self.count, _BLOCK):
            size = min(_BLOCK, self.count - at)
            yield np.arange(at, at + size, dtype=np.int64), self._around(self._stored, size)

    def sample(self) -> Iterator[Vectors]:
        """Yield the first vectors to be stored, a fair sample since all have one distribution."""
        size = sample_for(self.count)
        for numbers, vectors in self.blocks():
            if numbers[0] >= size:
                return
            yield vectors[: size - numbers[0]]

    def queries(self) -> Vectors:
        """Return new vectors of the same distribution; to be called once."""
        return self._around(self._query_rng, _QUERIES)

    def _around(self, rng: np.random.Generator, size: int) -> Vectors:
        centres = self._centres[rng.integers(len(self._centres), size=size)]
        noise = rng.standard_normal((size, self.dimension), dtype=np.float32)
        vectors = centres + np.float32(_NOISE) * noise
        return np.asarray(
            vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32
        )


def _build(case: _Case) -> dict[str, Any]:
    """Build the index and write it."""
    data = _SyntheticVectors(case)
    started = time.perf_counter()
    index = DenseIndex.stream(
        data.blocks(), count=case.count, dimension=case.dimension, sample=data.sample()
    )
    index.save(case.index)
    return {
        "kind": index.kind,
        "seconds": time.perf_counter() - started,
        "file_megabytes": case.index.stat().st_size / 1e6,
    }


def _serve(case: _Case) -> dict[str, Any]:
    """Load the index and answer one query after the other."""
    queries = _SyntheticVectors(case).queries()
    started = time.perf_counter()
    index = DenseIndex.load(case.index, lists=1 if case.spoilt else None)
    opened = time.perf_counter() - started
    results, times = [], []
    for query in queries:
        started = time.perf_counter()
        numbers, _ = index.search(query, _K)
        times.append(time.perf_counter() - started)
        results.append(numbers.tolist())
    case.results.write_text(json.dumps(results))
    return {"open_ms": 1000 * opened, "search_ms": 1000 * statistics.median(times)}


def _compare(case: _Case) -> dict[str, Any]:
    """Find the true neighbours block by block, and time flat searches of the same blocks."""
    data = _SyntheticVectors(case)
    queries = data.queries()
    best = np.full((len(queries), _K), -np.inf, dtype=np.float32)
    truth = np.full((len(queries), _K), -1, dtype=np.int64)
    waiting: list[tuple[Numbers, Vectors]] = []
    times = np.zeros(_TIMED)
    rows = np.arange(len(queries))[:, None]
    for numbers, vectors in data.blocks():
        scores = np.concatenate([best, queries @ vectors.T], axis=1)
        candidates = np.concatenate(
            [truth, np.broadcast_to(numbers, (len(rows), len(numbers)))], axis=1
        )
        top = np.argpartition(-scores, _K, axis=1)[:, :_K]
        best, truth = scores[rows, top], candidates[rows, top]
        waiting.append((numbers, vectors))
        if len(waiting) == _JOINED or numbers[-1] == case.count - 1:
            times += _flat_times(waiting, queries[:_TIMED])
            waiting.clear()
    results = json.loads(case.results.read_text())
    shared = [len(set(a) & set(b)) for a, b in zip(results, truth.tolist(), strict=True)]
    return {"recall": sum(shared) / truth.size, "flat_ms": 1000 * float(np.median(times))}


def _flat_times(blocks: Sequence[tuple[Numbers, Vectors]], queries: Vectors) -> NDArray[np.float64]:
    """Return the seconds of flat searches of some blocks, one query after the other."""
    numbers, vectors = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    flat, times = DenseIndex.build(vectors, numbers, kind="flat"), []
    for query in queries:
        started = time.perf_counter()
        flat.search(query, _K)
        times.append(time.perf_counter() - started)
    return np.array(times)


def million(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Build, serve and compare, each in a separate process."""
    case = _Case(str(setting.scratch), COUNT, DIMENSION, setting.planted)
    built, served, compared = (_run_step(step, case) for step in _STEPS)
    count = f"{COUNT:,} vectors"
    result.figures["million"] = {"count": COUNT, "build": built, "serve": served, "flat": compared}
    result.bars += [
        at_least(f"ingest: {count}: recall@10", compared["recall"], 0.97),
        at_most(
            f"ingest: {count}: time of a search over a flat one's",
            served["search_ms"] / compared["flat_ms"],
            1 / 20,
        ),
        at_most(
            f"ingest: {count}: peak megabytes of building and of serving",
            max(built["peak_megabytes"], served["peak_megabytes"]),
            900,
        ),
        at_most(f"ingest: {count}: megabytes of the file", built["file_megabytes"], 500),
    ]


_STEPS: Final[dict[str, Callable[[_Case], dict[str, Any]]]] = {
    "build": _build,
    "serve": _serve,
    "compare": _compare,
}


def _run_step(step: str, case: _Case) -> dict[str, Any]:
    """Run a step in a separate process; raise CarelineError if it fails."""
    command = [sys.executable, "-m", __spec__.name, step, json.dumps(asdict(case))]
    process = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if process.returncode:
        last = process.stderr.strip().splitlines()[-1:] or [f"exit {process.returncode}"]
        message = f"the step {step} of {case.count:,} vectors failed: {last[0]}"
        raise CarelineError(message)
    return dict(json.loads(process.stdout))


def _peak() -> float:
    """Return the maximum resident memory of this process so far, in megabytes.

    Linux's own counter is preferred: that of getrusage includes the parent before the fork.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 0.001024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def _main(step: str, case: str) -> None:
    figures = _STEPS[step](_Case(**json.loads(case)))
    sys.stdout.write(json.dumps({**figures, "peak_megabytes": _peak()}))


BENCHMARK: Final = Benchmark({"million": million})

if __name__ == "__main__":
    _main(*sys.argv[1:])
