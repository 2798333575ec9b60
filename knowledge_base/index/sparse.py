"""Sparse retrieval: BM25 over stems and pairs of Chinese characters, tolerant of typing errors."""

import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from knowledge_base.text.chinese import simplified
from knowledge_base.text.spelling import edits

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
_HEADING_WEIGHT: Final = 3  # a word of the heading counts as many times as one of the text
_MIN_LETTERS: Final = 4  # of a word that may be misspelt
_NOTHING: Final = "∅"  # the term of a passage without words


def add_heading(heading: str, text: str) -> str:
    """Return the text to index for a passage; its heading has a higher weight."""
    return f"{heading}\n" * _HEADING_WEIGHT + text


@dataclass(frozen=True)
class _Forward:
    """A forward index: `terms[starts[i]:starts[i + 1]]` are the terms of row i."""

    vocabulary: tuple[str, ...]
    terms: NDArray[np.int32]
    starts: NDArray[np.int64]

    @cached_property
    def numbers(self) -> dict[str, int]:
        return {term: number for number, term in enumerate(self.vocabulary)}

    def row(self, number: int) -> NDArray[np.int32]:
        return self.terms[self.starts[number] : self.starts[number + 1]]


class SparseIndex:
    """A BM25 index by rows, with the terms of each row, so that a few rows can be replaced."""

    def __init__(self, model: Any, forward: _Forward) -> None:
        """Wrap a bm25s model and store the best score of each term."""
        self._model = model
        self._forward = forward
        data, indptr = model.scores["data"], model.scores["indptr"]
        sizes = np.diff(indptr)
        self._best = np.zeros(len(sizes), dtype=np.float32)
        filled = sizes > 0
        if filled.any():
            self._best[filled] = np.maximum.reduceat(data, indptr[:-1][filled])
        self._frequency = sizes
        self._rare = float(self._best.max(initial=0.0))

    @classmethod
    def build(cls, texts: Sequence[str]) -> "SparseIndex":
        """Index texts; row numbers are the ids."""
        empty = _Forward((), np.zeros(0, dtype=np.int32), np.zeros(1, dtype=np.int64))
        return cls._build(empty, np.zeros(0, dtype=np.int64), texts)

    def with_changes(self, rows: Rows, texts: Sequence[str]) -> "SparseIndex":
        """Return an index of some of the rows, in that order, and of texts after them."""
        return self._build(self._forward, rows, texts)

    @classmethod
    def _build(cls, before: _Forward, reused: Rows, texts: Sequence[str]) -> "SparseIndex":
        import bm25s

        numbers = dict(before.numbers)
        rows = [before.row(row) for row in reused.tolist()]
        for text in texts:
            words = terms(text) or [_NOTHING]
            rows.append(np.array([numbers.setdefault(t, len(numbers)) for t in words], np.int32))
        together = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int32)
        used, dense = np.unique(together, return_inverse=True)  # drops terms of removed rows
        names = list(numbers)
        forward = _Forward(
            tuple(names[number] for number in used.tolist()),
            dense.astype(np.int32),
            np.cumsum([0, *map(len, rows)], dtype=np.int64),
        )
        logging.getLogger("bm25s").setLevel(logging.WARNING)  # it is verbose
        model = bm25s.BM25()
        ids = [forward.row(row).tolist() for row in range(len(rows))]
        model.index((ids, forward.numbers), show_progress=False, create_empty_token=False)
        return cls(model, forward)

    @classmethod
    def load(cls, folder: Path) -> "SparseIndex":
        """Read an index that `save` wrote."""
        import bm25s

        vocabulary = tuple((folder / "terms.txt").read_text(encoding="utf-8").split("\n"))
        with np.load(folder / "forward.npz") as arrays:
            forward = _Forward(vocabulary, arrays["terms"], arrays["starts"])
        return cls(bm25s.BM25.load(str(folder)), forward)

    def save(self, folder: Path) -> None:
        """Write the index into a folder."""
        self._model.save(str(folder), show_progress=False)
        (folder / "terms.txt").write_text("\n".join(self._forward.vocabulary), encoding="utf-8")
        np.savez(folder / "forward.npz", terms=self._forward.terms, starts=self._forward.starts)

    def scores(
        self, query: str, is_word: Callable[[str], bool] | None = None
    ) -> tuple[Scores, float]:
        """Return the BM25 score of every row and the score a perfect passage would have.

        The second number makes scores of different queries comparable: a term that is in no passage
        counts as much as the rarest one that is. A word that is in no passage, and that `is_word`
        does not accept either, is replaced by the most frequent term one edit away.
        """
        numbers = self._forward.numbers
        query_terms = terms(query)
        if is_word is not None:
            query_terms = self._correct(query, query_terms, is_word)
        indexed = [numbers[term] for term in query_terms if term in numbers]
        best = float(self._best[indexed].sum()) + self._rare * (len(query_terms) - len(indexed))
        if not indexed:
            return np.zeros(self._model.scores["num_docs"], dtype=np.float32), best
        return np.asarray(self._model.get_scores_from_ids(indexed), dtype=np.float32), best

    def _correct(
        self, query: str, query_terms: list[str], is_word: Callable[[str], bool]
    ) -> list[str]:
        numbers = self._forward.numbers
        unknown = Counter(
            term for term in query_terms if term not in numbers and _may_be_misspelt(term)
        )
        if not unknown:
            return query_terms
        misspelt = {word: stem for word, stem in _words_with_stems(query) if stem in unknown}
        better = {stem: self._nearest(stem) for word, stem in misspelt.items() if not is_word(word)}
        return [better.get(term) or term for term in query_terms]

    def _nearest(self, term: str) -> str | None:
        numbers = self._forward.numbers
        near = [word for word in edits(term) if word in numbers]
        return max(near, key=lambda word: (self._frequency[numbers[word]], word), default=None)


def terms(text: str) -> list[str]:
    """Return the index terms of a text: stems of words, pairs of neighbouring Han characters."""
    pairs: list[str] = []
    words: list[str] = []
    for run in _WORD.findall(simplified(text.lower())):
        if _HAN.match(run):
            pairs += [run[i : i + 2] for i in range(len(run) - 1)] or [run]
        elif run not in _STOP:
            words.append(run)
    return pairs + _stems(words)


def _words_with_stems(text: str) -> list[tuple[str, str]]:
    """Return the words of a text with their stems."""
    words = [run for run in _WORD.findall(text.lower()) if not _HAN.match(run)]
    return list(zip(words, _stems(words), strict=True))


def _may_be_misspelt(term: str) -> bool:
    return len(term) >= _MIN_LETTERS and term.isascii() and term.isalpha()


def _stems(words: list[str]) -> list[str]:
    import Stemmer

    return list(Stemmer.Stemmer("english").stemWords(words))
