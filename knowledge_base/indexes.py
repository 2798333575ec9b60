"""The two lists a search is made of: dense (FAISS) and sparse (BM25)."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from knowledge_base.encoders import Vectors

Rows: TypeAlias = NDArray[np.int64]
Scores: TypeAlias = NDArray[np.float32]

_WORD = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+(?:['’][^\W_\u3400-\u9fff]+)?")
_HAN = re.compile(r"[\u3400-\u9fff]")
# Function words carry no topic; the list is short because BM25 already discounts common words.
_STOP: Final = frozenset(
    {
        "a", "an", "and", "are", "as", "at", "be", "by", "can", "could", "do", "does", "for",
        "from", "has", "have", "how", "i", "if", "in", "is", "it", "its", "me", "my", "of", "on",
        "or", "our", "should", "so", "that", "the", "their", "them", "they", "this", "to", "was",
        "we", "were", "what", "when", "where", "which", "who", "why", "will", "with", "would",
        "you", "your",
    }
)  # fmt: skip


class DenseIndex:
    """Unit vectors in a FAISS index of inner products: exact, so recall is 1."""

    def __init__(self, index: Any) -> None:
        """Wrap a FAISS index."""
        self._index = index

    @classmethod
    def build(cls, vectors: Vectors) -> "DenseIndex":
        """Index unit vectors, shape (n, dimension); row numbers are the ids."""
        import faiss

        index = faiss.IndexFlatIP(int(vectors.shape[1]))
        index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return cls(index)

    @classmethod
    def load(cls, path: Path) -> "DenseIndex":
        """Read an index that `save` wrote."""
        import faiss

        return cls(faiss.read_index(str(path)))

    def save(self, path: Path) -> None:
        """Write the index to one file."""
        import faiss

        faiss.write_index(self._index, str(path))

    def search(self, query: Vectors, k: int) -> tuple[Rows, Scores]:
        """Return the rows nearest to one query vector, shape (dimension,), and their cosines."""
        scores, rows = self._index.search(query.reshape(1, -1), min(k, self._index.ntotal))
        return rows[0], scores[0]

    def cosines(self, query: Vectors, rows: Rows) -> Scores:
        """Return the cosines of one query vector with the given rows."""
        return np.asarray(self.vectors(rows) @ query, dtype=np.float32)

    def vectors(self, rows: Rows | None = None) -> Vectors:
        """Return stored vectors: the given rows, or all."""
        if rows is None:
            return np.asarray(self._index.reconstruct_n(0, self._index.ntotal), dtype=np.float32)
        return np.asarray(self._index.reconstruct_batch(rows), dtype=np.float32)


class SparseIndex:
    """BM25 over stemmed words and pairs of Chinese characters."""

    def __init__(self, model: Any) -> None:
        """Wrap a bm25s model and note the best score each term can give."""
        self._model = model
        data, indptr = model.scores["data"], model.scores["indptr"]
        sizes = np.diff(indptr)
        self._best = np.zeros(len(sizes), dtype=np.float32)
        filled = sizes > 0
        if filled.any():
            self._best[filled] = np.maximum.reduceat(data, indptr[:-1][filled])
        self._rare = float(self._best.max(initial=0.0))

    @classmethod
    def build(cls, texts: Sequence[str]) -> "SparseIndex":
        """Index texts; row numbers are the ids."""
        import bm25s

        model = bm25s.BM25()
        tokens = [terms(text) or ["∅"] for text in texts]
        model.index(tokens, show_progress=False, create_empty_token=False)
        return cls(model)

    @classmethod
    def load(cls, folder: Path) -> "SparseIndex":
        """Read an index that `save` wrote."""
        import bm25s

        return cls(bm25s.BM25.load(str(folder)))

    def save(self, folder: Path) -> None:
        """Write the index into a folder."""
        self._model.save(str(folder), show_progress=False)

    def scores(self, query: str) -> tuple[Scores, float]:
        """Return the BM25 score of every row and the score a perfect passage would have.

        The second number makes scores of different queries comparable: a term that stands in no
        passage counts as much as the rarest one that does.
        """
        vocabulary = self._model.vocab_dict
        wanted = terms(query)
        known = [vocabulary[term] for term in wanted if term in vocabulary]
        best = float(self._best[known].sum()) + self._rare * (len(wanted) - len(known))
        if not known:
            return np.zeros(self._model.scores["num_docs"], dtype=np.float32), best
        return np.asarray(self._model.get_scores_from_ids(known), dtype=np.float32), best


def terms(text: str) -> list[str]:
    """Return the index terms of a text: stems of words, pairs of neighbouring Han characters."""
    found: list[str] = []
    words: list[str] = []
    for run in _WORD.findall(text.lower()):
        if _HAN.match(run):
            found += [run[i : i + 2] for i in range(len(run) - 1)] or [run]
        elif run not in _STOP:
            words.append(run)
    return found + _stems(words)


def _stems(words: list[str]) -> list[str]:
    import Stemmer

    return list(Stemmer.Stemmer("english").stemWords(words))
