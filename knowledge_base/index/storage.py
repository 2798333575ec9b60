"""A version of the knowledge on disk: written whole, opened at once, read as it is needed."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, overload

import numpy as np

from knowledge_base.documents import Chunk, Document, KnowledgeError, Section
from knowledge_base.encoders.base_models import Encoder
from knowledge_base.index import jsonl_store
from knowledge_base.index.dense import DenseIndex
from knowledge_base.index.filters import Facts
from knowledge_base.index.jsonl_store import Records
from knowledge_base.index.sparse import SparseIndex
from knowledge_base.index.vector_field import Scale, View
from knowledge_base.retrieval.adapter import Adapter
from knowledge_base.retrieval.answerability import Judge
from knowledge_base.retrieval.search import KnowledgeBase, Weights
from knowledge_base.retrieval.synonyms import Synonyms

FORMAT: Final = 2  # of the folder; another one must be built again
DOCUMENTS: Final = "documents.jsonl"
CHUNKS: Final = "chunks.jsonl"
SPANS: Final = "spans.json"
NUMBERS: Final = "numbers.npy"
FACTS: Final = "facts.npz"
SPARSE: Final = "sparse"


def dense_file(view: int) -> str:
    """Return the name of a view's vectors."""
    return f"dense-{view}.faiss"


def adapter_file(view: int) -> str:
    """Return the name of what a view has learnt."""
    return f"adapter-{view}.npz"


class Chunks(Sequence[Chunk]):
    """The passages of a version by row."""

    def __init__(self, rows: Records) -> None:
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
        found = self._rows[row]
        return Chunk(**{**found, "headings": tuple(found["headings"])})


class Documents(Mapping[str, Document]):
    """The articles of a version by id."""

    def __init__(self, rows: Records, places: Mapping[str, int]) -> None:
        """Wrap the rows; `places` are the row of each id."""
        self._rows = rows
        self._places = places

    def __len__(self) -> int:
        """Return the number of articles."""
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        """Yield the ids, in the order of the sources."""
        return iter(self._places)

    def __getitem__(self, identifier: str) -> Document:
        """Read an article."""
        row = self._rows[self._places[identifier]]
        sections = tuple(
            Section(tuple(s["headings"]), s["start"], s["end"]) for s in row["sections"]
        )
        return Document(**{**row, "sections": sections, "tags": tuple(row["tags"])})


@dataclass(frozen=True)
class Span:
    """Where the passages of an article are, rows `start` to `end`, and what they were made of."""

    sha256: str
    start: int
    end: int


def spans(folder: Path) -> dict[str, Span]:
    """Return the span of each article of a version, in the order of the sources."""
    rows = json.loads((folder / SPANS).read_text(encoding="utf-8"))
    return {name: Span(*row) for name, row in rows.items()}


def documents(folder: Path) -> Documents:
    """Return the articles of a version."""
    places = {name: row for row, name in enumerate(spans(folder))}
    return Documents(Records(folder / DOCUMENTS), places)


def document_line(document: Document) -> bytes:
    """Return an article as it is written."""
    return jsonl_store.line(asdict(document))


def chunk_line(chunk: Chunk) -> bytes:
    """Return a passage as it is written."""
    return jsonl_store.line(asdict(chunk))


def is_current(details: Mapping[str, Any]) -> bool:
    """Tell whether a version has the format of this program."""
    return details.get("format") == FORMAT


def load(
    folder: Path,
    details: Mapping[str, Any],
    version: str,
    encoder: Callable[[str], Encoder],
    synonyms: Synonyms = Synonyms(),  # noqa: B008 — frozen
) -> KnowledgeBase:
    """Open a version; `encoder` returns a base's, which must be the one it was built with."""
    if not is_current(details):
        message = f"knowledge {version} was built by an older version: run `careline ingest`"
        raise KnowledgeError(message)
    views = []
    for number, view in enumerate(details["views"]):
        found = encoder(view["base"])
        if found.id != view["encoder"]:
            message = (
                f"knowledge {version} was built with the encoder {view['encoder']}, not "
                f"{found.id}: run `careline ingest` to rebuild it"
            )
            raise KnowledgeError(message)
        scale = Scale(float(view["unrelated"]), float(view["related"]))
        index = DenseIndex.load(folder / dense_file(number))
        learnt = folder / adapter_file(number)
        adapter = Adapter.load(learnt) if learnt.exists() else None
        views.append(View(found, index, scale, bool(view["english"]), adapter))
    return KnowledgeBase(
        version,
        documents=documents(folder),
        chunks=Chunks(Records(folder / CHUNKS)),
        numbers=np.load(folder / NUMBERS),
        views=views,
        sparse=SparseIndex.load(folder / SPARSE),
        facts=Facts.load(folder / FACTS),
        weights=Weights(**details["weights"]),
        synonyms=synonyms,
        judge=Judge.load(folder),
    )
