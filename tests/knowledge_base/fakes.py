"""What tests of the knowledge share: an encoder without a model, and short ways to its words."""

import re
import zlib
from collections.abc import Sequence

import numpy as np

from knowledge_base.documents import Chunk, Document
from knowledge_base.encoders.base_models import Vectors
from knowledge_base.index.dense import DenseIndex
from knowledge_base.index.filters import FilterFields
from knowledge_base.index.sparse import SparseIndex
from knowledge_base.retrieval.search import KnowledgeBase, KnowledgeIndex
from knowledge_base.retrieval.synonyms import Synonyms
from knowledge_base.retrieval.vector_field import CosineScale, VectorField

_TOKEN = re.compile(r"[\u3400-\u9fff]|[a-z0-9]+")


class HashEncoder:
    """Adds up one axis a word or Han character: texts that share words have a high cosine."""

    def __init__(self, name: str = "hash", dimension: int = 256) -> None:
        self.id = name
        self.dimension = dimension
        self.encoded: list[str] = []  # passages, in the order they were asked for

    def queries(self, texts: Sequence[str], /) -> Vectors:
        return np.stack([self._vector(text) for text in texts])

    def passages(self, texts: Sequence[str], /, *, progress: bool = False) -> Vectors:
        del progress
        self.encoded += texts
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> Vectors:
        vector = np.zeros(self.dimension, dtype=np.float32)
        for token in _TOKEN.findall(text.lower()):
            vector[zlib.crc32(token.encode()) % self.dimension] += 1.0
        if not vector.any():
            vector[0] = 1.0
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def passage(
    text: str,
    *,
    article: str = "returns.md",
    title: str = "Returns",
    start: int = 0,
    language: str | None = "en",
) -> Chunk:
    """Return a chunk that lies at `start` of its article."""
    return Chunk(
        id=f"{article}@{start}",
        article=article,
        title=title,
        headings=(),
        text=text,
        start=start,
        end=start + len(text),
        language=language,
    )


def knowledge(
    chunks: Sequence[Chunk],
    encoder: HashEncoder | None = None,
    *,
    scale: CosineScale = CosineScale(0.0, 1.0),  # noqa: B008 — frozen
    synonyms: Synonyms = Synonyms(),  # noqa: B008 — frozen
    more: Sequence[VectorField] = (),
) -> KnowledgeBase:
    """Return a searchable knowledge of these chunks."""
    encoder = encoder or HashEncoder()
    texts = [chunk.text for chunk in chunks]
    articles = {
        chunk.article: Document(chunk.article, chunk.title, chunk.text, language=chunk.language)
        for chunk in chunks
    }
    return KnowledgeBase(
        "k-test",
        KnowledgeIndex(
            documents=articles,
            chunks=chunks,
            numbers=np.arange(len(chunks)),
            views=[VectorField(encoder, DenseIndex.build(encoder.passages(texts)), scale), *more],
            sparse=SparseIndex.build(texts),
            filters=FilterFields.from_documents([articles[chunk.article] for chunk in chunks]),
        ),
        synonyms=synonyms,
    )
