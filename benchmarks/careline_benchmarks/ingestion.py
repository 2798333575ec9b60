"""`careline bench ingest`: throughput, unchanged passages, edits, kills, a million vectors."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np

from careline_benchmarks.harness import (
    Benchmark,
    BenchmarkContext,
    BenchmarkReport,
    at_least,
    at_most,
)
from careline_benchmarks.search import build, open_current, passages
from careline_benchmarks.vector_index import million
from knowledge_base.chunking import chunk
from knowledge_base.documents import Document, KnowledgeError
from knowledge_base.index import storage
from knowledge_base.index.versions import Versions
from knowledge_base.ingest import ingest, unique_texts
from knowledge_base.sources import loader

_ARTICLES: Final = 150
_KILLS: Final = 50
_MARK: Final = "The new fee is 7.35 zorkmids."


def _throughput(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Compare the ingestion of real articles with encoding the same texts in one call."""
    path = setting.file("retrieval", "tau2_bank", "articles.jsonl")
    documents = [item for item in loader.load([path]) if isinstance(item, Document)][:_ARTICLES]
    texts = unique_texts([part for document in documents for part in chunk(document)])
    encoders = setting.home.indexing_encoders()
    started = time.perf_counter()
    for spec in encoders:
        spec.encoder.passages(texts)
    raw = time.perf_counter() - started
    started = time.perf_counter()
    build(setting, "throughput", documents, encoders)
    ours = time.perf_counter() - started
    ours *= 2 if setting.planted else 1
    result.figures["throughput"] = {"texts": len(texts), "raw_seconds": raw, "seconds": ours}
    result.bars.append(at_least("ingest: raw batched encoding over all of it", raw / ours, 0.80))


def _changes(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Ingest 10,003 passages, again without a change, and with one article edited."""
    file = setting.scratch / "many.jsonl"
    documents = passages(setting)
    _write(file, documents)
    encoders = setting.home.indexing_encoders()
    first = _seconds(lambda: build(setting, "changes", loader.load([file]), encoders))
    versions = Versions(setting.scratch / "changes", "knowledge", "k")
    if setting.planted:
        _write(file, [dataclasses.replace(d, title=d.title + "!") for d in documents[:2000]])
    again = _seconds(lambda: ingest(loader.load([file]), versions, encoders))
    before = versions.current_id()
    place = len(documents) // 2
    documents[place] = dataclasses.replace(documents[place], text=_MARK)
    _write(file, documents)
    is_live: list[bool] = []

    def live() -> None:
        ingest(loader.load([file]), versions, encoders)
        knowledge = open_current(setting, versions)
        is_live.append(knowledge.search(_MARK, 1)[0].chunk.text == _MARK)

    edit = _seconds(live)
    back = _seconds(lambda: (versions.activate(str(before)), open_current(setting, versions)))
    result.figures["changes"] = {"first": first, "again": again, "edit": edit, "rollback": back}
    result.bars += [
        at_most("ingest: unchanged passages over the first time", again / first, 0.03),
        at_most("ingest: seconds until an edited article is live", edit, 2.0),
        at_least("ingest: the edited article is found", float(all(is_live)), 1.0),
        at_most("ingest: seconds to roll back", back, 1.0),
    ]


def _seconds(work: "object") -> float:
    started = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - started


def _write(path: Path, documents: Sequence[Document]) -> None:
    keys = ("id", "title", "text", "language", "tags", "audience")
    rows = ({key: getattr(document, key) for key in keys} for document in documents)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _kills(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Kill ingestion at random moments while questions are asked: all must be answered."""
    file = setting.scratch / "killed.jsonl"
    documents = passages(setting)[:60]
    _write(file, documents)
    build(setting, "killed", loader.load([file]), setting.home.indexing_encoders())
    versions = Versions(setting.scratch / "killed", "knowledge", "k")
    settings = setting.home.settings
    command = [
        *(sys.executable, "-m", "careline_benchmarks.ingestion", str(file), str(versions.root)),
        *(settings.base, settings.english_base, str(settings.cache_folder)),
    ]
    whole = _seconds(lambda: subprocess.run(command, check=True))  # noqa: S603 — our own command
    stop, failures, questions = threading.Event(), [], [0]

    def ask() -> None:
        while not stop.is_set():
            try:
                hits = open_current(setting, versions).search(documents[0].text, 3)
                if len(hits) != 3:  # noqa: PLR2004
                    failures.append("a passage is missing")
            except (KnowledgeError, OSError, RuntimeError, ValueError) as error:
                failures.append(repr(error))
            questions[0] += 1

    asking = ThreadPoolExecutor(1).submit(ask)
    rng, killed = np.random.default_rng(7), 0
    for number in range(_KILLS):
        changed = [dataclasses.replace(d, text=f"{d.text} {number}") for d in documents]
        _write(file, changed)
        process = subprocess.Popen(command)  # noqa: S603
        time.sleep(rng.uniform(0.2, 1.0) * whole)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
        process.wait()
        if setting.planted:
            current = versions.folder(str(versions.current_id()))
            (current / storage.SPANS).write_text("{", encoding="utf-8")
    stop.set()
    asking.result()
    result.figures["kills"] = {"killed": killed, "asked": questions[0], "failures": failures[:3]}
    result.bars += [
        at_most("ingest: questions failed under 50 kills", len(failures), 0),
        at_least("ingest: questions asked meanwhile", questions[0], 50),
    ]


def _child(file: str, root: str, base: str, english: str, cache: str) -> None:
    """Ingest one file in a separate process, which will be killed."""
    from bot.container import Home
    from bot.core.settings import Settings

    settings = Settings(home=Path(root).parent, base=base, english_base=english, cache=Path(cache))
    versions = Versions(Path(root), "knowledge", "k")
    ingest(loader.load([Path(file)]), versions, Home(settings).indexing_encoders())


BENCHMARK: Final = Benchmark(
    {
        "throughput": _throughput,
        "changes": _changes,
        "kills": _kills,
        "million": million,
    }
)

if __name__ == "__main__":
    _child(*sys.argv[1:])
