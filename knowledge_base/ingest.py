"""Ingestion: sources become a new version of the knowledge; unchanged parts are reused."""

import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np

from knowledge_base.atomic_files import write_json
from knowledge_base.chunking import chunk
from knowledge_base.documents import Chunk, Document, KnowledgeError
from knowledge_base.encoders.base_models import Encoder, Vectors
from knowledge_base.index import jsonl_store, sparse, storage
from knowledge_base.index.dense import DenseIndex
from knowledge_base.index.filters import FilterFields
from knowledge_base.index.jsonl_store import JsonlStore
from knowledge_base.index.sparse import Rows, SparseIndex
from knowledge_base.index.storage import ArticleSpan
from knowledge_base.index.versions import Version, Versions
from knowledge_base.retrieval.search import FusionWeights
from knowledge_base.retrieval.vector_field import CosineScale, is_english
from knowledge_base.sources.document_builder import SourceFailure, duplicate_id_failure
from knowledge_base.text.chinese import simplified

_NEW_SCALE: Final = 0.2  # share of new passages from which the scale is measured again


@dataclass(frozen=True)
class IngestReport:
    """The result of one ingestion; counts are documents."""

    version: Version
    documents: int
    chunks: int
    added: int
    changed: int
    removed: int
    failed: tuple[SourceFailure, ...]
    seconds: float


@dataclass(frozen=True)
class EncoderSpec:
    """An encoder and the name of its base model; `english` restricts it to English passages."""

    base: str
    encoder: Encoder
    english: bool = False

    def sees(self, passage: Chunk) -> bool:
        """Return whether this encoder encodes a passage."""
        if not self.english or passage.language == "en":
            return True
        return passage.language is None and is_english(passage.text)


class _Before:
    """The active version, as far as it can be reused."""

    def __init__(self, folder: Path, details: Mapping[str, Any]) -> None:
        self.folder = folder
        self.details = details
        self.spans = storage.read_spans(folder)
        self.numbers: Rows = np.load(folder / storage.NUMBERS)

    @cached_property
    def chunks(self) -> JsonlStore:
        return JsonlStore(self.folder / storage.CHUNKS)

    def view(self, number: int, spec: EncoderSpec) -> Mapping[str, Any] | None:
        """Return the stored details of a view, if the same encoder made it."""
        views: list[dict[str, Any]] = self.details["views"]
        same = number < len(views) and views[number]["encoder"] == spec.encoder.id
        return views[number] if same else None


@dataclass(frozen=True)
class _Plan:
    """The next version: reused rows in their old order, then new passages."""

    documents: tuple[Document, ...]
    reused: Rows  # rows of the version before
    fresh: tuple[Chunk, ...]
    numbers: Rows
    spans: Mapping[str, ArticleSpan]
    owners: tuple[Document, ...]  # the document of each row
    next: int  # the first number that has never been used


def ingest(
    sources: Iterable[Document | SourceFailure],
    versions: Versions,
    encoders: Sequence[EncoderSpec],
    *,
    progress: bool = False,
    origin: Mapping[str, Any] | None = None,
) -> IngestReport:
    """Build and publish a version from documents; the first of the `encoders` sees all passages.

    `origin` says where the documents came from, and is stored with the version.

    Sources that cannot be read are reported and the rest is published. If nothing can be read, the
    active version stays and KnowledgeError is raised. If nothing changed, it stays as well.
    """
    started = time.perf_counter()
    documents, failed = _collect(sources)
    if not documents:
        raise _no_documents(failed)
    current = versions.current()
    usable = current is not None and storage.is_current(current.details)
    before = _Before(versions.folder(current.id), current.details) if current and usable else None
    old = {name: span.sha256 for name, span in before.spans.items()} if before else {}
    new = {document.id: document.sha256 for document in documents}
    if current and before and _is_same(before, old, new, encoders):
        version, count = current, len(before.numbers)
    else:
        plan = _plan(documents, new, before)

        def build(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
            metrics, details = _build(
                folder, plan, before, encoders, len(failed), progress=progress
            )
            return metrics, details | ({"origin": dict(origin)} if origin else {})

        version = versions.publish(build)
        count = len(plan.numbers)
    return IngestReport(
        version=version,
        documents=len(documents),
        chunks=count,
        added=len(new.keys() - old.keys()),
        changed=sum(1 for key in new.keys() & old.keys() if new[key] != old[key]),
        removed=len(old.keys() - new.keys()),
        failed=tuple(failed),
        seconds=round(time.perf_counter() - started, 3),
    )


def _no_documents(failed: Sequence[SourceFailure]) -> KnowledgeError:
    """Return why nothing could be read; its key is that of the first failure."""
    reasons = "; ".join(f"{f.path}: {f.error}" for f in failed[:3]) or "no documents in them"
    message = f"nothing could be ingested ({reasons})"
    if not failed:
        return KnowledgeError(message, "nothing_there")
    return KnowledgeError(message, failed[0].reason, **{**failed[0].facts, "file": failed[0].path})


def _collect(
    sources: Iterable[Document | SourceFailure],
) -> tuple[list[Document], list[SourceFailure]]:
    documents: dict[str, Document] = {}
    failed: list[SourceFailure] = []
    for item in sources:
        if isinstance(item, SourceFailure):
            failed.append(item)
        elif item.id in documents:
            failed.append(duplicate_id_failure(item.id))
        else:
            documents[item.id] = item
    return list(documents.values()), failed


def _is_same(
    before: _Before, old: Mapping[str, str], new: Mapping[str, str], specs: Sequence[EncoderSpec]
) -> bool:
    views = before.details["views"]
    if list(old.items()) != list(new.items()) or len(views) != len(specs):
        return False
    return all(before.view(number, spec) for number, spec in enumerate(specs))


def _plan(
    documents: Sequence[Document], hashes: Mapping[str, str], before: _Before | None
) -> _Plan:
    spans: dict[str, ArticleSpan] = {}
    owners: list[Document] = []
    fresh: list[Chunk] = []
    old = before.spans if before else {}
    same = [d for d in documents if d.id in old and old[d.id].sha256 == hashes[d.id]]
    same.sort(key=lambda document: old[document.id].start)
    for document in same:
        span = old[document.id]
        spans[document.id] = ArticleSpan(
            span.sha256, len(owners), len(owners) + span.end - span.start
        )
        owners += [document] * (span.end - span.start)
    for document in documents:
        if document.id not in spans:
            parts = chunk(document)
            spans[document.id] = ArticleSpan(
                hashes[document.id], len(owners), len(owners) + len(parts)
            )
            owners += [document] * len(parts)
            fresh += parts
    ranges = [np.arange(old[d.id].start, old[d.id].end) for d in same]
    reused = np.concatenate(ranges) if ranges else np.zeros(0, dtype=np.int64)
    first = int(before.details["next"]) if before else 0
    reused_numbers = before.numbers[reused] if before else np.zeros(0, dtype=np.int64)
    numbers = np.concatenate([reused_numbers, np.arange(first, first + len(fresh), dtype=np.int64)])
    in_order = {document.id: spans[document.id] for document in documents}
    return _Plan(
        documents=tuple(documents),
        reused=reused,
        fresh=tuple(fresh),
        numbers=numbers,
        spans=in_order,
        owners=tuple(owners),
        next=first + len(fresh),
    )


def _build(
    folder: Path,
    plan: _Plan,
    before: _Before | None,
    specs: Sequence[EncoderSpec],
    failed: int,
    *,
    progress: bool,
) -> tuple[dict[str, Any], dict[str, Any]]:
    reused = [before.chunks.raw(row) for row in plan.reused.tolist()] if before else []
    jsonl_store.write(folder / storage.CHUNKS, [*reused, *map(storage.chunk_line, plan.fresh)])
    jsonl_store.write(folder / storage.DOCUMENTS, map(storage.document_line, plan.documents))
    write_json(folder / storage.SPANS, {k: list(asdict(s).values()) for k, s in plan.spans.items()})
    np.save(folder / storage.NUMBERS, plan.numbers)
    FilterFields.from_documents(plan.owners).save(folder / storage.FACTS)
    _sparse(plan, before).save(folder / storage.SPARSE)
    chunks = storage.StoredChunks(JsonlStore(folder / storage.CHUNKS))
    views = [
        _write_view(folder, plan, before, number, spec, progress=progress)
        for number, spec in enumerate(specs)
    ]
    metrics = {"documents": len(plan.documents), "chunks": len(chunks), "failed": failed}
    return metrics, {
        "format": storage.FORMAT,
        "base": specs[0].base,
        "views": views,
        "next": plan.next,
        "weights": before.details["weights"] if before else asdict(FusionWeights()),
    }


def _sparse(plan: _Plan, before: _Before | None) -> SparseIndex:
    texts = [sparse.add_heading(part.heading, part.text) for part in plan.fresh]
    if before is None:
        return SparseIndex.build(texts)
    return SparseIndex.load(before.folder / storage.SPARSE).with_changes(plan.reused, texts)


def _write_view(
    folder: Path,
    plan: _Plan,
    before: _Before | None,
    number: int,
    spec: EncoderSpec,
    *,
    progress: bool,
) -> dict[str, Any]:
    """Write the vectors of one encoder and return their details."""
    path = folder / storage.dense_file(number)
    chunks = storage.StoredChunks(JsonlStore(folder / storage.CHUNKS))
    stored = before.view(number, spec) if before else None
    if before and stored:
        new = len(plan.reused)
        rows = [row for row in range(new, len(chunks)) if spec.sees(plan.fresh[row - new])]
        earlier = DenseIndex.load(before.folder / storage.dense_file(number))
        removed = np.setdiff1d(earlier.numbers, plan.numbers, assume_unique=True)
        fresh = [plan.fresh[row - new] for row in rows]
        index = earlier.with_changes(
            removed, plan.numbers[rows], encode_passages(fresh, spec.encoder, progress)
        )
    else:
        parts = [(row, part) for row, part in enumerate(chunks) if spec.sees(part)]
        rows = [row for row, _ in parts]
        vectors = encode_passages([part for _, part in parts], spec.encoder, progress)
        index = DenseIndex.build(vectors, plan.numbers[rows])
    index.save(path)
    adapter = before.folder / storage.adapter_file(number) if before and stored else None
    if adapter and adapter.exists():
        shutil.copy(adapter, path.with_name(adapter.name))
    if stored and len(rows) <= _NEW_SCALE * index.count:
        scale = CosineScale(float(stored["unrelated"]), float(stored["related"]))
    else:
        every = np.flatnonzero(np.isin(plan.numbers, index.numbers))
        sample = np.sort(np.random.default_rng(0).permutation(every)[: CosineScale.SAMPLED])
        headings = [_heading(chunks[int(row)]) for row in sample]
        scale = CosineScale.measure(headings, index.vectors(plan.numbers[sample]), spec.encoder)
    return {
        "base": spec.base,
        "encoder": spec.encoder.id,
        "english": spec.english,
        **asdict(scale),
    }


def encode_passages(chunks: Sequence[Chunk], encoder: Encoder, progress: bool = False) -> Vectors:  # noqa: FBT001, FBT002
    """Return one unit vector per passage, shape (n, dimension).

    The text, the path of headings and the last heading are encoded separately and averaged: a
    question often resembles a heading, which one long text would outweigh.
    """
    groups = _groups(chunks)
    names = unique_texts(chunks)
    row = {text: number for number, text in enumerate(names)}  # headings repeat
    vectors = encoder.passages(names, progress=progress)
    mean: Vectors = np.zeros((len(chunks), encoder.dimension), dtype=np.float32)
    for group in groups:
        mean += vectors[[row[text] for text in group]] if group else 0
    mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-9)
    return mean


def unique_texts(chunks: Sequence[Chunk]) -> list[str]:
    """Return the texts to encode for passages, each once."""
    return list(dict.fromkeys(text for group in _groups(chunks) for text in group))


def _groups(chunks: Sequence[Chunk]) -> tuple[list[str], ...]:
    return (
        [simplified(part.text) for part in chunks],
        [simplified(part.heading or part.text) for part in chunks],
        [_heading(part) for part in chunks],
    )


def _heading(part: Chunk) -> str:
    """Return the heading directly above a passage."""
    return simplified((part.headings[-1] if part.headings else part.title) or part.text)
