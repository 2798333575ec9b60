"""The dense index: unit vectors by number, exact for small counts, with inverted lists beyond."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from knowledge_base.encoders.base_models import Vectors
from knowledge_base.index import vector_stores
from knowledge_base.index.vector_stores import FlatVectors, InvertedLists, Kind, Numbers, Scores

Block: TypeAlias = tuple[Numbers, Vectors]

FLAT_UP_TO: Final = 50_000
_MIN_LIST_SIZE: Final = 32  # vectors per list on average
_TRAINING_VECTORS: Final = 96  # per list; with fewer, its centre follows noise
_BLOCK: Final = 16_384  # vectors in memory at once as float32, besides the index
_MAX_SCORED: Final = 512  # allowed numbers up to which each vector is scored directly
_WIDEN: Final = 4
_MIN_STABLE: Final = 10  # neighbours that must stay the same when more lists are probed


def bytes_for(kind: Kind, count: int, dimension: int) -> int:
    """Return the bytes of the vectors: 4·n·d as float32 when flat, n·d in 8 bits in lists.

    In addition there are 8 bytes per vector for its number, and with lists their centres, 4·d bytes
    for each of `lists_for(count)`. Reading vectors by number needs another 24 bytes per vector.
    """
    return count * dimension * (4 if kind == "flat" else 1)


def kind_for(count: int, dimension: int, budget: int | None = None) -> Kind:
    """Return the kind of index for this many vectors: flat up to 50,000 of them.

    `budget` is the memory for the vectors, in bytes: if they do not fit as float32, they go into
    lists of 8-bit codes, a quarter of the size, however few there are.
    """
    fits = budget is None or bytes_for("flat", count, dimension) <= budget
    return "flat" if count <= FLAT_UP_TO and fits else "ivf"


def lists_for(count: int) -> int:
    """Return how many lists this many vectors are divided into.

    It is the power of two nearest 4·sqrt(n), which balances the centres compared and the vectors
    then scored, but never so many that a list would have fewer than 32 vectors on average.
    """
    limit = max(1, count // _MIN_LIST_SIZE)
    nearest = round(np.log2(4 * np.sqrt(max(1, count))))
    return int(min(2**nearest, limit))


def sample_for(count: int) -> int:
    """Return how many vectors to train the lists on: 96 per list."""
    return min(count, _TRAINING_VECTORS * lists_for(count))


class DenseIndex:
    """Unit vectors by stable numbers in a FAISS index of inner products.

    Flat up to 50,000 vectors: exact, 4·n·d bytes. Beyond that an inverted file (IVF) of 8-bit
    scalar codes (SQ8), n·d bytes: `lists_for(n)` lists, of which a search probes one in 32 but at
    least 32, so 128 of 4,096 at a million. Cosines are then those of the quantised vectors: usually
    wrong by less than 0.002, and they can exceed 1 by as little.

    An index never changes after it is built, so threads can share it; a search runs in its caller's
    thread alone. Building is deterministic: the same vectors give the same index.
    """

    def __init__(self, store: FlatVectors | InvertedLists) -> None:
        """Wrap a store; `build`, `stream` and `load` make one."""
        self._store = store

    @classmethod
    def build(
        cls,
        vectors: Vectors,
        numbers: Numbers | None = None,
        *,
        kind: Kind | Literal["auto"] = "auto",
    ) -> "DenseIndex":
        """Index unit vectors, shape (n, d), under numbers, shape (n,); by default 0 to n - 1.

        Raise ValueError if a number is negative or duplicate, or if the shapes differ.
        """
        count, dimension = vectors.shape
        if numbers is None:
            numbers = np.arange(count, dtype=np.int64)
        _check_block(numbers, vectors, dimension)
        sample_rows = np.random.default_rng(0).choice(count, sample_for(count), replace=False)
        blocks = (
            (numbers[at : at + _BLOCK], vectors[at : at + _BLOCK]) for at in range(0, count, _BLOCK)
        )
        resolved = kind_for(count, dimension) if kind == "auto" else kind
        sample = vectors[:0] if resolved == "flat" else vectors[np.sort(sample_rows)]
        return cls.stream(blocks, count=count, dimension=dimension, sample=sample, kind=resolved)

    @classmethod
    def stream(
        cls,
        blocks: Iterable[Block],
        *,
        count: int,
        dimension: int,
        sample: Vectors | Iterable[Vectors],
        kind: Kind | Literal["auto"] = "auto",
    ) -> "DenseIndex":
        """Index blocks of numbers and unit vectors as they come, one block in memory at a time.

        `count` is the total number of vectors: it determines the kind and the number of lists. The
        lists are trained on `sample`, shape (m, d), drawn evenly from the vectors;
        `sample_for(count)` is a good m, a flat index needs none. A sample in blocks is kept as
        float16, and only during training. Raise ValueError like `build`, or if the sample is
        missing.
        """
        resolved = kind_for(count, dimension) if kind == "auto" else kind
        checked_blocks = (_check_block(numbers, vectors, dimension) for numbers, vectors in blocks)
        if resolved == "flat":
            index = cls(FlatVectors.from_blocks(dimension, checked_blocks))
        else:
            samples = [sample] if isinstance(sample, np.ndarray) else sample
            lists = InvertedLists.train(samples, dimension, lists_for(count))
            index = cls(lists.with_vectors(checked_blocks))
        if (np.diff(index.numbers) == 0).any():
            message = "a number occurs twice: every vector needs its own"
            raise ValueError(message)
        return index

    @classmethod
    def load(cls, path: Path, *, lists: int | None = None) -> "DenseIndex":
        """Open an index that `save` wrote; raise KnowledgeError if the file is not one.

        `lists` overrides how many lists a search probes first. Lists stay in the file, which is
        mapped into memory: opening takes milliseconds, and processes that serve the same file share
        its pages. A flat index is read into memory.
        """
        return cls(vector_stores.read(path, lists))

    def save(self, path: Path) -> None:
        """Write the index to one file, which may be the one it was loaded from."""
        vector_stores.write(self._store, path)

    def with_changes(self, removed: Numbers, added: Numbers, vectors: Vectors) -> "DenseIndex":
        """Return a copy without the removed numbers and with the added ones, vectors (n, d).

        Nothing is trained again: the kind, the lists and their centres stay the same, so an index
        that grows to several times its size should be rebuilt. A number in both `removed` and
        `added` gets a new vector. Raise ValueError if a removed number does not exist, if an added
        one is duplicate, negative or already present, or if the shapes differ.
        """
        _check_block(added, vectors, self.dimension)
        keep = np.ones(self.count, dtype=bool)
        keep[self._positions(removed)] = False
        remaining = self._store.numbers[keep]
        if len(np.unique(added)) < len(added) or np.isin(added, remaining).any():
            message = "an added number already exists: remove it first, or use another"
            raise ValueError(message)
        return DenseIndex(self._store.with_changes(np.flatnonzero(keep), added, vectors))

    def search(
        self, query: Vectors, k: int, *, allowed: Numbers | None = None
    ) -> tuple[Numbers, Scores]:
        """Return the k numbers nearest to a query, shape (d,), and their cosines, best first.

        Fewer than k are returned if there are no more.

        With `allowed`, only those numbers are returned; unknown ones among them are ignored. Up to
        512 are scored one by one. For more, lists are probed in proportion to how rare the allowed
        numbers are, then four times as many, until the result is stable: a filter that leaves only
        distant vectors costs more, up to probing every list, but has the same recall as others.
        """
        if k < 1 or not self.count:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        if allowed is None:
            return self._search_widening(query, k, self._store.probes, None)
        if len(allowed) <= _MAX_SCORED:
            return self._score_all(query, k, allowed)
        probes = self._store.probes * self.count // len(allowed)
        return self._search_widening(query, k, probes, vector_stores.make_selector(allowed))

    def _search_widening(
        self, query: Vectors, k: int, probes: int, selector: Any
    ) -> tuple[Numbers, Scores]:
        count = k if selector is None else max(k, _MIN_STABLE)
        probes, limit = max(1, probes), self._store.lists
        result = vector_stores.nearest(self._store, query, count, probes, selector)
        is_stable = selector is None
        while probes < limit and not (is_stable and len(result[0]) >= min(count, self.count)):
            before, probes = result, min(_WIDEN * probes, limit)
            result = vector_stores.nearest(self._store, query, count, probes, selector)
            is_stable = selector is None or np.array_equal(before[0], result[0])
        return result[0][:k], result[1][:k]

    def _score_all(self, query: Vectors, k: int, allowed: Numbers) -> tuple[Numbers, Scores]:
        numbers = np.unique(allowed)
        numbers = numbers[self._rank_numbers(numbers)[1]]
        cosines = self.cosines(query, numbers)
        order = np.argsort(-cosines, kind="stable")[:k]
        return numbers[order], cosines[order]

    def cosines(self, query: Vectors, numbers: Numbers) -> Scores:
        """Return the cosines of a query, shape (d,), with the vectors of numbers, shape (n,).

        Raise ValueError if a number does not exist.
        """
        positions = self._positions(numbers)
        cosines = np.zeros(len(positions), dtype=np.float32)
        for at in range(0, len(positions), _BLOCK):
            cosines[at : at + _BLOCK] = self._store.vectors(positions[at : at + _BLOCK]) @ query
        return cosines

    def vectors(self, numbers: Numbers | None = None) -> Vectors:
        """Return stored vectors, shape (n, d): of the numbers in their order, or all.

        All come in ascending order of their numbers, 4·n·d bytes. Raise ValueError if a number does
        not exist.
        """
        positions = self._order if numbers is None else self._positions(numbers)
        return self._store.vectors(positions)

    @property
    def kind(self) -> Kind:
        """`flat` or `ivf`."""
        return self._store.kind

    @property
    def count(self) -> int:
        """The number of vectors."""
        return int(self._store.index.ntotal)

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self._store.index.d)

    @property
    def size(self) -> int:
        """The bytes of the stored vectors."""
        return bytes_for(self.kind, self.count, self.dimension)

    @cached_property
    def numbers(self) -> Numbers:
        """The numbers of all vectors, ascending, shape (n,)."""
        return self._store.numbers[self._order]

    @cached_property
    def _order(self) -> Numbers:
        """The positions of the vectors in ascending order of their numbers."""
        return np.argsort(self._store.numbers, kind="stable")

    def _positions(self, numbers: Numbers) -> Numbers:
        """Return the positions in the store of the vectors of numbers."""
        ranks, exists = self._rank_numbers(numbers)
        if not exists.all():
            message = f"there is no vector {numbers[~exists][0]}"
            raise ValueError(message)
        return self._order[ranks]

    def _rank_numbers(self, numbers: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
        """Return the ranks of numbers among all, and whether each exists."""
        ranks = np.searchsorted(self.numbers, numbers)
        exists = ranks < self.count
        exists[exists] = self.numbers[ranks[exists]] == numbers[exists]
        return ranks, exists


def _check_block(numbers: Numbers, vectors: Vectors, dimension: int) -> Block:
    """Return a block; raise ValueError unless vectors are of shape (len(numbers), dimension)."""
    if vectors.shape != (len(numbers), dimension):
        expected = (len(numbers), dimension)
        message = f"{len(numbers)} numbers need vectors of shape {expected}, not {vectors.shape}"
        raise ValueError(message)
    if len(numbers) and numbers.min() < 0:
        message = f"{numbers.min()} is not a valid number of a vector: they start at 0"
        raise ValueError(message)
    return numbers, vectors
