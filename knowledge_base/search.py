"""Search: both lists → fused → hits. The one path for chat, search page and evaluation."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from knowledge_base.documents import Chunk, Document, Hit, KnowledgeError, Section
from knowledge_base.encoders import Encoder
from knowledge_base.indexes import DenseIndex, Rows, Scores, SparseIndex

SPARSE_WEIGHT: Final = 0.25  # best mean MRR on validation queries of two real help sites
LANGUAGE_BONUS: Final = 0.15  # what a passage in the customer's language is worth
CANDIDATES: Final = 50  # rows each list contributes before they are fused


@dataclass(frozen=True)
class Scale:
    """The cosines at which a passage has nothing, or everything, to do with a question.

    Some encoders never go below .7; on this scale their scores mean the same as others'.
    """

    unrelated: float
    related: float

    def apply(self, cosines: Scores) -> Scores:
        """Return 0 for unrelated, 1 for related, more for closer still."""
        width = self.related - self.unrelated
        return np.asarray(np.maximum((cosines - self.unrelated) / width, 0.0), dtype=np.float32)


class KnowledgeBase:
    """One version of the knowledge, open for searching."""

    def __init__(  # noqa: PLR0913 — the parts of one version belong together
        self,
        version: str,
        *,
        documents: Sequence[Document],
        chunks: Sequence[Chunk],
        dense: DenseIndex,
        sparse: SparseIndex,
        encoder: Encoder,
        scale: Scale,
    ) -> None:
        """Put the parts of a version together."""
        self.version = version
        self.documents = {document.id: document for document in documents}
        self.chunks = list(chunks)
        self.encoder = encoder
        self._dense = dense
        self._sparse = sparse
        self._scale = scale

    def search(self, query: str, k: int = 5, *, language: str | None = None) -> list[Hit]:
        """Return the k best passages, best first; none for an empty query.

        With `language`, passages of that language (or of none) are preferred where they are
        about as good; scores stay what they are.
        """
        if not query.strip() or not self.chunks:
            return []
        vector = self.encoder.queries([query])[0]
        rows, _ = self._dense.search(vector, CANDIDATES)
        sparse, perfect = self._sparse.scores(query)
        best = np.argpartition(-sparse, min(CANDIDATES, len(sparse)) - 1)[:CANDIDATES]
        rows = np.union1d(rows, best[sparse[best] > 0])
        cosines = self._dense.cosines(vector, rows)
        near = self._scale.apply(cosines)
        covered = np.clip(sparse[rows] / perfect, 0.0, 1.0) if perfect > 0 else 0.0 * near
        fused = (1.0 - SPARSE_WEIGHT) * near + SPARSE_WEIGHT * covered
        order = np.argsort(-(fused + self._bonus(rows, language)), kind="stable")[:k]
        return [
            Hit(
                self.chunks[rows[i]],
                round(min(1.0, float(fused[i])), 6),
                round(float(cosines[i]), 6),
                round(float(sparse[rows[i]]), 6),
            )
            for i in order
        ]

    def _bonus(self, rows: Rows, language: str | None) -> Scores:
        if language is None:
            return np.zeros(len(rows), dtype=np.float32)
        fits = [self.chunks[row].language in {language, None} for row in rows]
        return np.asarray(fits, dtype=np.float32) * np.float32(LANGUAGE_BONUS)

    def article(self, identifier: str) -> Document | None:
        """Return an article by its id."""
        return self.documents.get(identifier)

    def articles(self, query: str, k: int = 10) -> list[str]:
        """Return the ids of the k best distinct articles, each ranked by its best passage."""
        return list(dict.fromkeys(hit.chunk.article for hit in self.search(query, 10 * k)))[:k]


def save_texts(folder: Path, documents: Sequence[Document], chunks: Sequence[Chunk]) -> None:
    """Write documents and chunks as JSONL."""
    for name, items in (("documents", documents), ("chunks", chunks)):
        with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(item), ensure_ascii=False) + "\n" for item in items)


def load_documents(folder: Path) -> list[Document]:
    """Read the documents of a version."""
    return [
        Document(
            **{
                **row,
                "sections": tuple(
                    Section(tuple(s["headings"]), s["start"], s["end"]) for s in row["sections"]
                ),
                "tags": tuple(row["tags"]),
            }
        )
        for row in _rows(folder / "documents.jsonl")
    ]


def load_chunks(folder: Path) -> list[Chunk]:
    """Read the chunks of a version, in row order."""
    return [
        Chunk(**{**row, "headings": tuple(row["headings"])})
        for row in _rows(folder / "chunks.jsonl")
    ]


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def load(folder: Path, details: dict[str, Any], version: str, encoder: Encoder) -> KnowledgeBase:
    """Open a version; the encoder must be the one it was built with."""
    if "related" not in details:
        message = f"knowledge {version} was built by an older version: run `careline ingest`"
        raise KnowledgeError(message)
    if details["encoder"] != encoder.id:
        message = (
            f"knowledge {version} was built with the encoder {details['encoder']}, not "
            f"{encoder.id}: run `careline ingest` to rebuild it"
        )
        raise KnowledgeError(message)
    return KnowledgeBase(
        version,
        documents=load_documents(folder),
        chunks=load_chunks(folder),
        dense=DenseIndex.load(folder / "dense.faiss"),
        sparse=SparseIndex.load(folder / "sparse"),
        encoder=encoder,
        scale=Scale(float(details["unrelated"]), float(details["related"])),
    )


def article_json(document: Document, *, with_text: bool) -> dict[str, Any]:
    """Return an article in the public shape."""
    row: dict[str, Any] = {
        "id": document.id,
        "title": document.title,
        "language": document.language,
        "url": document.url,
        "sha256": document.sha256,
    }
    return {**row, "text": document.text} if with_text else row


def hit_json(hit: Hit) -> dict[str, Any]:
    """Return a hit in the public shape."""
    return {
        "article": hit.chunk.article,
        "chunk": hit.chunk.id,
        "title": hit.chunk.heading,
        "text": hit.chunk.text,
        "start": hit.chunk.start,
        "end": hit.chunk.end,
        "score": hit.score,
        "dense": hit.dense,
        "sparse": hit.sparse,
    }
