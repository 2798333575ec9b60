"""Storage of a version of the knowledge: written once, opened at once, read on demand."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, overload

from knowledge_base.documents import Chunk, Document, Section
from knowledge_base.index import jsonl_store
from knowledge_base.index.jsonl_store import JsonlStore

FORMAT: Final = 2  # of the folder; versions of another format must be rebuilt
DOCUMENTS: Final = "documents.jsonl"
CHUNKS: Final = "chunks.jsonl"
SPANS: Final = "spans.json"
NUMBERS: Final = "numbers.npy"
FACTS: Final = "facts.npz"
SPARSE: Final = "sparse"


def dense_file(view: int) -> str:
    """Return the file name of a view's vectors."""
    return f"dense-{view}.faiss"


def adapter_file(view: int) -> str:
    """Return the file name of a view's query adapter."""
    return f"adapter-{view}.npz"


class StoredChunks(Sequence[Chunk]):
    """The passages of a version by row."""

    def __init__(self, rows: JsonlStore) -> None:
        """Wrap the rows."""
        self._rows = rows

    def __len__(self) -> int:
        """Return the number of passages."""
        return len(self._rows)

    @overload
    def __getitem__(self, row: int) -> Chunk: ...
    @overload
    def __getitem__(self, row: slice) -> list[Chunk]: ...
    def __getitem__(self, row: int | slice) -> Chunk | list[Chunk]:
        """Read a passage, or several."""
        if isinstance(row, slice):
            return [self[number] for number in range(*row.indices(len(self)))]
        fields = self._rows[row]
        return Chunk(**{**fields, "headings": tuple(fields["headings"])})


class StoredDocuments(Mapping[str, Document]):
    """The articles of a version by id."""

    def __init__(self, rows: JsonlStore, positions: Mapping[str, int]) -> None:
        """Wrap the rows; `positions` maps each id to its row."""
        self._rows = rows
        self._positions = positions

    def __len__(self) -> int:
        """Return the number of articles."""
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        """Yield the ids, in the order of the sources."""
        return iter(self._positions)

    def __getitem__(self, identifier: str) -> Document:
        """Read an article."""
        row = self._rows[self._positions[identifier]]
        sections = tuple(
            Section(tuple(s["headings"]), s["start"], s["end"]) for s in row["sections"]
        )
        return Document(**{**row, "sections": sections, "tags": tuple(row["tags"])})


@dataclass(frozen=True)
class ArticleSpan:
    """The rows of an article's passages, `start` to `end`, and the hash of its source."""

    sha256: str
    start: int
    end: int


def read_spans(folder: Path) -> dict[str, ArticleSpan]:
    """Return the span of each article of a version, in the order of the sources."""
    rows = json.loads((folder / SPANS).read_text(encoding="utf-8"))
    return {name: ArticleSpan(*row) for name, row in rows.items()}


def open_documents(folder: Path) -> StoredDocuments:
    """Return the articles of a version."""
    positions = {name: row for row, name in enumerate(read_spans(folder))}
    return StoredDocuments(JsonlStore(folder / DOCUMENTS), positions)


def document_line(document: Document) -> bytes:
    """Encode an article for the JSONL file."""
    return jsonl_store.line(asdict(document))


def chunk_line(chunk: Chunk) -> bytes:
    """Encode a passage for the JSONL file."""
    return jsonl_store.line(asdict(chunk))


def is_current(details: Mapping[str, Any]) -> bool:
    """Return whether a version has the current format."""
    return details.get("format") == FORMAT
