"""N-gram features of words and characters, for details that sentence embeddings lose.

Two blocks, words 1–2 and characters 1–4 within words, each TF-IDF weighted (1 + log tf, smoothed
idf) and of unit length. One linear model on these and on sentence embeddings beats either alone.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from bot.nlu.context import message_of
from knowledge_base.text.chinese import simplified

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_WORD = re.compile(r"\w+")
_WORDS: Final = 2  # longest run of words
_CHARACTERS: Final = (1, 4)  # shortest and longest run of characters
_CHARACTERS_BEFORE: Final = (2, 5)  # of vocabularies that were stored without these numbers
_MIN_TEXTS: Final = 1_000  # texts from which n-grams of a single text are dropped
_MIN_COUNT: Final = 2
_MAX_CHARACTERS: Final = 2_000  # of a text
_CACHED_WORDS: Final = 20_000  # words whose n-grams are cached


@dataclass(frozen=True)
class NgramVocabulary:
    """The n-grams of a training set and their weights; word n-grams have a leading tab."""

    terms: tuple[str, ...]
    idf: NDArray[np.float32]
    characters: tuple[int, int] = _CHARACTERS

    @classmethod
    def fit(cls, texts: Sequence[str]) -> Self:
        """Count the texts of each n-gram; idf = ln((1 + n) / (1 + df)) + 1."""
        counts = _count(texts, _CHARACTERS)
        least = _MIN_COUNT if len(texts) >= _MIN_TEXTS else 1
        terms = tuple(term for term, count in counts.items() if count >= least)
        return cls(terms, _idf([counts[term] for term in terms], len(texts)))

    def extend(self, texts: Sequence[str], total: int) -> Self:
        """Return the vocabulary with the n-grams of more texts appended.

        `total` is the number of all texts, the original ones included. Old n-grams keep their
        weight.
        """
        counts = _count(texts, self.characters)
        least = _MIN_COUNT if total >= _MIN_TEXTS else 1
        fresh = [t for t, count in counts.items() if count >= least and t not in self.rows]
        idf = np.concatenate([self.idf, _idf([counts[term] for term in fresh], total)])
        return type(self)((*self.terms, *fresh), idf, self.characters)

    @cached_property
    def rows(self) -> dict[str, int]:
        """The row of each term."""
        return {term: row for row, term in enumerate(self.terms)}

    @cached_property
    def _cache(self) -> "dict[str, tuple[list[int], list[str]]]":
        """A cache by word: the rows of its character n-grams, and those without a row."""
        return {}

    def features(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.float32], float]:
        """Return the rows and weights of a text, and the share of its n-grams that are known."""
        plain = _plain(text)
        unknown: set[str] = set()
        blocks = []
        known = 0
        for pairs in (
            [self._look_up(_word_terms(plain))],
            [self._characters(word) for word in plain.split()],
        ):
            counts = Counter(chain.from_iterable(rows for rows, _ in pairs))
            unknown.update(*(strange for _, strange in pairs))
            rows = np.fromiter(counts, np.int64, len(counts))
            tf = np.fromiter(counts.values(), np.float32, len(counts))
            weights = (1 + np.log(tf)) * self.idf[rows]
            blocks.append((rows, weights / max(float(np.linalg.norm(weights)), 1e-9)))
            known += len(counts)
        rows, weights = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        return rows, weights, known / max(known + len(unknown), 1)

    def _characters(self, word: str) -> tuple[list[int], list[str]]:
        entry = self._cache.get(word)
        if entry is None:
            entry = self._look_up(_character_terms(word, self.characters))
            if len(self._cache) >= _CACHED_WORDS:
                self._cache.clear()
            self._cache[word] = entry
        return entry

    def _look_up(self, terms: Iterable[str]) -> tuple[list[int], list[str]]:
        """Return the rows of the terms that have one, and the others."""
        rows, unknown = [], []
        for term in terms:
            row = self.rows.get(term)
            if row is None:
                unknown.append(term)
            else:
                rows.append(row)
        return rows, unknown

    def matrix(self, texts: Sequence[str]) -> "csr_matrix":
        """Return the features of texts, shape (n, terms)."""
        from scipy.sparse import csr_matrix

        parts = [self.features(text) for text in texts]
        starts = np.cumsum([0, *(len(rows) for rows, _, _ in parts)])
        indices: Any = np.concatenate([rows for rows, _, _ in parts]) if parts else []
        values: Any = np.concatenate([weights for _, weights, _ in parts]) if parts else []
        return csr_matrix((values, indices, starts), shape=(len(texts), len(self.terms)))


def _count(texts: Sequence[str], characters: tuple[int, int]) -> Counter[str]:
    """Return the number of texts of each n-gram."""
    counts: Counter[str] = Counter()
    for text in texts:
        terms = dict.fromkeys(_terms(text, characters))  # ordered: sets differ between runs
        counts.update(list(terms))
    return counts


def _idf(counts: Sequence[int], total: int) -> NDArray[np.float32]:
    return np.log((1 + total) / (1 + np.array(counts, dtype=np.float32))) + 1


def _terms(text: str, characters: tuple[int, int]) -> Iterator[str]:
    plain = _plain(text)
    yield from _word_terms(plain)
    for word in plain.split():
        yield from _character_terms(word, characters)


def _plain(text: str) -> str:
    """Return the normalised message, without its context, which is left to the encoder."""
    plain = unicodedata.normalize("NFKC", message_of(text)[:_MAX_CHARACTERS]).casefold()
    return simplified(plain)  # Traditional and Simplified Chinese share their n-grams


def _word_terms(plain: str) -> Iterator[str]:
    words = _WORD.findall(plain)
    yield from ("\t" + word for word in words)
    for run in range(2, _WORDS + 1):
        yield from ("\t" + " ".join(words[i : i + run]) for i in range(len(words) - run + 1))


def _character_terms(word: str, characters: tuple[int, int]) -> Iterator[str]:
    shortest, longest = characters
    padded = f" {word} "
    if shortest == 1:
        yield from word
    for size in range(max(shortest, 2), longest + 1):
        if size >= len(padded):
            yield padded
            break
        yield from (padded[i : i + size] for i in range(len(padded) - size + 1))


@dataclass(frozen=True)
class NgramHead:
    """A linear model on the n-grams; weights have the shape (terms, classes)."""

    vocabulary: NgramVocabulary
    weight: NDArray[np.float32]

    def logits(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return logits, shape (n, classes)."""
        return self.read(texts)[0]

    def read(self, texts: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return logits, (n, classes), and the share of known n-grams of each text, (n,)."""
        scores = np.zeros((len(texts), self.weight.shape[1]))
        known = np.zeros(len(texts))
        for number, text in enumerate(texts):
            rows, weights, known[number] = self.vocabulary.features(text)
            scores[number] = weights @ self.weight[rows]
        return scores, known

    def save(self, folder: Path) -> None:
        """Write terms and weights; half precision is enough for a sum of a hundred."""
        (folder / "terms.txt").write_text("\n".join(self.vocabulary.terms), encoding="utf-8")
        weight = self.weight.astype(np.float16)
        vocabulary = self.vocabulary
        np.savez(
            folder / "sparse.npz",
            idf=vocabulary.idf,
            weight=weight,
            characters=np.array(vocabulary.characters),
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        terms = tuple((folder / "terms.txt").read_text(encoding="utf-8").split("\n"))
        with np.load(folder / "sparse.npz") as arrays:
            stored = "characters" in arrays
            shortest, longest = arrays["characters"].tolist() if stored else _CHARACTERS_BEFORE
            vocabulary = NgramVocabulary(terms, arrays["idf"], (shortest, longest))
            return cls(vocabulary, arrays["weight"].astype(np.float32))
