"""Sources → a new version of the knowledge; unchanged chunks keep their vectors."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from knowledge_base import loaders, search
from knowledge_base.chunking import chunk
from knowledge_base.documents import Chunk, Document, KnowledgeError
from knowledge_base.encoders import Encoder, Vectors
from knowledge_base.indexes import DenseIndex, SparseIndex
from knowledge_base.loaders import Failure
from knowledge_base.search import Scale
from knowledge_base.versions import Version, Versions

_SAMPLED: Final = 200
_ENOUGH: Final = 24  # passages from which a corpus can measure itself
_NARROWEST: Final = 0.01
_PAIRS: Final = (
    ("When does the library close?", "The library closes at eight in the evening."),
    ("How do I bake bread?", "Knead the dough, let it rise for an hour and bake it until brown."),
    ("Can I bring my dog?", "Dogs are welcome if they are kept on a lead."),
    ("Why is my phone slow?", "A full memory makes a phone slow; delete apps you do not use."),
    ("怎么办理护照？", "办理护照需要携带身份证和两张照片到出入境窗口。"),
    ("植物多久浇一次水？", "大多数室内植物每周浇一次水就够了。"),
    ("博物馆门票多少钱？", "成人门票六十元，学生半价。"),
    ("怎么学好游泳？", "先练习呼吸和漂浮，再练习手脚配合。"),
)


@dataclass(frozen=True)
class Ingested:
    """What one run of ingestion did; counts are documents."""

    version: Version
    documents: int
    chunks: int
    added: int
    changed: int
    removed: int
    failed: tuple[Failure, ...]
    seconds: float


def ingest(
    paths: Sequence[Path],
    versions: Versions,
    encoder: Encoder,
    *,
    base: str,
    progress: bool = False,
) -> Ingested:
    """Build and publish a version from files and folders; `base` is the encoder's name.

    Files that cannot be read are reported and the rest is published; when nothing can be read
    the active version stays and KnowledgeError is raised.
    """
    started = time.perf_counter()
    documents, failed = _collect(loaders.load(paths))
    if not documents:
        reasons = "; ".join(f"{f.path}: {f.error}" for f in failed[:3]) or "no files in it"
        message = f"nothing could be ingested from {', '.join(map(str, paths))} ({reasons})"
        raise KnowledgeError(message)
    chunks = [part for document in documents for part in chunk(document)]
    previous = versions.current()
    before = search.load_documents(versions.folder(previous.id)) if previous else []
    old = {document.id: document.sha256 for document in before}
    new = {document.id: document.sha256 for document in documents}

    def build(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        vectors = _vectors(chunks, encoder, _known(versions, encoder), progress=progress)
        DenseIndex.build(vectors).save(folder / "dense.faiss")
        SparseIndex.build([f"{c.heading}\n{c.text}" for c in chunks]).save(folder / "sparse")
        search.save_texts(folder, documents, chunks)
        scale = _scale(chunks, vectors, encoder)
        metrics = {"documents": len(documents), "chunks": len(chunks), "failed": len(failed)}
        return metrics, {"base": base, "encoder": encoder.id, **asdict(scale)}

    version = versions.publish(build)
    return Ingested(
        version=version,
        documents=len(documents),
        chunks=len(chunks),
        added=len(new.keys() - old.keys()),
        changed=sum(1 for key in new.keys() & old.keys() if new[key] != old[key]),
        removed=len(old.keys() - new.keys()),
        failed=tuple(failed),
        seconds=round(time.perf_counter() - started, 3),
    )


def _collect(loaded: Iterable[Document | Failure]) -> tuple[list[Document], list[Failure]]:
    documents: dict[str, Document] = {}
    failed: list[Failure] = []
    for item in loaded:
        if isinstance(item, Failure):
            failed.append(item)
        elif item.id in documents:
            failed.append(Failure(item.id, "another article has the same id; the first one stays"))
        else:
            documents[item.id] = item
    return list(documents.values()), failed


def _known(versions: Versions, encoder: Encoder) -> dict[str, Vectors]:
    """Return the vectors of the active version by chunk id, when this encoder made them."""
    current = versions.current()
    if current is None or current.details.get("encoder") != encoder.id:
        return {}
    folder = versions.folder(current.id)
    vectors = DenseIndex.load(folder / "dense.faiss").vectors()
    return {part.id: vectors[row] for row, part in enumerate(search.load_chunks(folder))}


def _vectors(
    chunks: Sequence[Chunk], encoder: Encoder, known: dict[str, Vectors], *, progress: bool
) -> Vectors:
    """Return one unit vector a chunk, shape (n, dimension).

    Headings and text are encoded apart and averaged: a question often sounds like the heading,
    and one long text would drown it.
    """
    fresh = [part for part in chunks if part.id not in known]
    texts = encoder.passages([part.text for part in fresh], progress=progress)
    headings = encoder.passages([part.heading or part.text for part in fresh], progress=progress)
    means = texts + headings
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    made = dict(zip((part.id for part in fresh), means, strict=True))
    return np.stack([known[part.id] if part.id in known else made[part.id] for part in chunks])


def _scale(chunks: Sequence[Chunk], vectors: Vectors, encoder: Encoder) -> Scale:
    """Measure what 'unrelated' and 'about this' look like as cosines of this encoder.

    Headings stand in for questions: with their own passage they are related, with others not. A
    handful of passages says too little; a built-in set of questions and answers is used then.
    """
    rng = np.random.default_rng(0)
    rows = rng.permutation(len(chunks))[:_SAMPLED]
    if len(rows) < _ENOUGH:
        questions = encoder.queries([question for question, _ in _PAIRS])
        answers = encoder.passages([answer for _, answer in _PAIRS])
    else:
        questions = encoder.queries([chunks[row].heading or chunks[row].text for row in rows])
        answers = vectors[rows]
    cosines = questions @ answers.T
    unrelated = float(np.median(cosines[~np.eye(len(cosines), dtype=bool)]))
    related = float(np.median(np.diag(cosines)))
    return Scale(unrelated, max(related, unrelated + _NARROWEST))
