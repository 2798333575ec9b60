"""The dense list: unit vectors by stable numbers, exact while they are few, in lists beyond."""

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
_AVERAGE: Final = 32  # vectors that a list holds at least on average
_SAMPLED: Final = 96  # vectors a list's centre is the mean of; with fewer it follows their noise
_BLOCK: Final = 16_384  # vectors held at once as float32 beside the index
_FEW: Final = 512  # allowed numbers up to which each is looked up and scored
_WIDEN: Final = 4
_SETTLED: Final = 10  # neighbours that must stay the same when more lists are opened


def bytes_for(kind: Kind, count: int, dimension: int) -> int:
    """Return the bytes the vectors take: 4·n·d as float32 when flat, n·d in 8 bits in lists.

    Beside them stand 8 bytes a vector for its number, and with lists their centres, 4·d bytes for
    each of `lists_for(count)`. Once vectors are asked for by number, another 24 bytes a vector.
    """
    return count * dimension * (4 if kind == "flat" else 1)


def kind_for(count: int, dimension: int, budget: int | None = None) -> Kind:
    """Return the kind of index for so many vectors: flat up to 50,000 of them.

    `budget` is the memory the vectors may take, in bytes: what does not fit it as float32 goes into
    lists of 8-bit codes, a quarter of the size, however few there are.
    """
    fits = budget is None or bytes_for("flat", count, dimension) <= budget
    return "flat" if count <= FLAT_UP_TO and fits else "ivf"


def lists_for(count: int) -> int:
    """Return how many lists so many vectors are divided into.

    The power of two nearest 4·sqrt(n), which balances the centres compared with the vectors then
    scored, but never so many that a list would hold fewer than 32 vectors on average.
    """
    most = max(1, count // _AVERAGE)
    nearest = round(np.log2(4 * np.sqrt(max(1, count))))
    return int(min(2**nearest, most))


def sample_for(count: int) -> int:
    """Return how many vectors the lists of so many are best trained on: 96 a list."""
    return min(count, _SAMPLED * lists_for(count))


class DenseIndex:
    """Unit vectors by stable numbers in a FAISS index of inner products.

    Flat up to 50,000 vectors: exact, 4·n·d bytes. Beyond that an inverted file (IVF) of 8-bit
    scalar codes (SQ8), n·d bytes: `lists_for(n)` lists, of which a search opens one in 32 but at
    least 32, so 128 of 4,096 at a million. Cosines are then those of the vectors as stored, wrong
    by less than 0.002 as a rule, and can pass 1 by as little.

    An index never changes once built, so threads share it freely; a search runs in its caller's
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

        Raise ValueError when a number is negative or stands twice, or when the shapes differ.
        """
        count, dimension = vectors.shape
        if numbers is None:
            numbers = np.arange(count, dtype=np.int64)
        _checked(numbers, vectors, dimension)
        drawn = np.random.default_rng(0).choice(count, sample_for(count), replace=False)
        blocks = (
            (numbers[at : at + _BLOCK], vectors[at : at + _BLOCK]) for at in range(0, count, _BLOCK)
        )
        chosen = kind_for(count, dimension) if kind == "auto" else kind
        sample = vectors[:0] if chosen == "flat" else vectors[np.sort(drawn)]
        return cls.stream(blocks, count=count, dimension=dimension, sample=sample, kind=chosen)

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
        """Index blocks of numbers and unit vectors as they come, holding one block at a time.

        `count` is how many there will be: it chooses the kind and the number of lists. The lists
        are trained on `sample`, shape (m, d), drawn evenly from the vectors; `sample_for(count)` is
        a good m, a flat index needs none. When it comes in blocks it is held as float16, and only
        while training. Raise ValueError as `build` does, or for want of a sample.
        """
        chosen = kind_for(count, dimension) if kind == "auto" else kind
        checked = (_checked(numbers, vectors, dimension) for numbers, vectors in blocks)
        if chosen == "flat":
            built = cls(FlatVectors.filled(dimension, checked))
        else:
            sampled = [sample] if isinstance(sample, np.ndarray) else sample
            built = cls(InvertedLists.trained(sampled, dimension, lists_for(count)).filled(checked))
        if (np.diff(built.numbers) == 0).any():
            message = "a number stands twice: every vector needs its own"
            raise ValueError(message)
        return built

    @classmethod
    def load(cls, path: Path, *, lists: int | None = None) -> "DenseIndex":
        """Open an index that `save` wrote; raise KnowledgeError when the file is not one.

        `lists` is how many lists a search opens first, for other than what the size suggests.
        Lists stay in the file, mapped into memory: opening takes milliseconds, and processes that
        serve the same file share its pages. A flat index is read.
        """
        return cls(vector_stores.read(path, lists))

    def save(self, path: Path) -> None:
        """Write the index to one file, which may be the one it was loaded from."""
        vector_stores.write(self._store, path)

    def changed(self, removed: Numbers, added: Numbers, vectors: Vectors) -> "DenseIndex":
        """Return a copy without the removed numbers and with the added ones, vectors (n, d).

        Nothing is trained again: the kind, the lists and their centres stay, so an index that
        grows to several times its size is better built anew. A number may be removed and added at
        once, which replaces its vector. Raise ValueError when a removed number is not there, an
        added one is there already, negative or named twice, or the shapes differ.
        """
        _checked(added, vectors, self.dimension)
        keep = np.ones(self.count, dtype=bool)
        keep[self._places(removed)] = False
        kept = self._store.numbers[keep]
        if len(np.unique(added)) < len(added) or np.isin(added, kept).any():
            message = "an added number stands there already: remove it first, or name another"
            raise ValueError(message)
        return DenseIndex(self._store.changed(np.flatnonzero(keep), added, vectors))

    def search(
        self, query: Vectors, k: int, *, allowed: Numbers | None = None
    ) -> tuple[Numbers, Scores]:
        """Return the k numbers nearest to a query, shape (d,), and their cosines, best first.

        Fewer than k are returned when there are no more.

        With `allowed` only those numbers are found; unknown ones among them do no harm. Up to 512
        are scored one by one. For more, lists are opened in proportion to how rare the allowed are,
        then four times as many, until the answer stays the same: a filter that leaves only
        far-off vectors costs more, up to opening every list, but misses no more than others.
        """
        if k < 1 or not self.count:
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        if allowed is None:
            return self._widening(query, k, self._store.probes, None)
        if len(allowed) <= _FEW:
            return self._scored(query, k, allowed)
        opened = self._store.probes * self.count // len(allowed)
        return self._widening(query, k, opened, vector_stores.only(allowed))

    def _widening(
        self, query: Vectors, k: int, opened: int, selector: Any
    ) -> tuple[Numbers, Scores]:
        wanted = k if selector is None else max(k, _SETTLED)
        opened, most = max(1, opened), self._store.lists
        found = vector_stores.nearest(self._store, query, wanted, opened, selector)
        settled = selector is None
        while opened < most and not (settled and len(found[0]) >= min(wanted, self.count)):
            before, opened = found, min(_WIDEN * opened, most)
            found = vector_stores.nearest(self._store, query, wanted, opened, selector)
            settled = selector is None or np.array_equal(before[0], found[0])
        return found[0][:k], found[1][:k]

    def _scored(self, query: Vectors, k: int, allowed: Numbers) -> tuple[Numbers, Scores]:
        known = np.unique(allowed)
        known = known[self._find(known)[1]]
        cosines = self.cosines(query, known)
        order = np.argsort(-cosines, kind="stable")[:k]
        return known[order], cosines[order]

    def cosines(self, query: Vectors, numbers: Numbers) -> Scores:
        """Return the cosines of a query, shape (d,), with the vectors of numbers, shape (n,).

        Raise ValueError when a number is not there.
        """
        places = self._places(numbers)
        found = np.zeros(len(places), dtype=np.float32)
        for at in range(0, len(places), _BLOCK):
            found[at : at + _BLOCK] = self._store.vectors(places[at : at + _BLOCK]) @ query
        return found

    def vectors(self, numbers: Numbers | None = None) -> Vectors:
        """Return vectors as stored, shape (n, d): of the numbers in their order, or all.

        All come in ascending order of their numbers, 4·n·d bytes. Raise ValueError when a number is
        not there.
        """
        places = self._order if numbers is None else self._places(numbers)
        return self._store.vectors(places)

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
        """The bytes of the vectors as stored."""
        return bytes_for(self.kind, self.count, self.dimension)

    @cached_property
    def numbers(self) -> Numbers:
        """The numbers of all vectors, ascending, shape (n,)."""
        return self._store.numbers[self._order]

    @cached_property
    def _order(self) -> Numbers:
        """The places of the vectors in ascending order of their numbers."""
        return np.argsort(self._store.numbers, kind="stable")

    def _places(self, numbers: Numbers) -> Numbers:
        """Return where the vectors of numbers are stored."""
        at, there = self._find(numbers)
        if not there.all():
            message = f"there is no vector {numbers[~there][0]}"
            raise ValueError(message)
        return self._order[at]

    def _find(self, numbers: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
        """Return the ranks of numbers among all, and whether each is there at all."""
        at = np.searchsorted(self.numbers, numbers)
        there = at < self.count
        there[there] = self.numbers[at[there]] == numbers[there]
        return at, there


def _checked(numbers: Numbers, vectors: Vectors, dimension: int) -> Block:
    """Return a block; raise ValueError unless vectors are of shape (len(numbers), dimension)."""
    if vectors.shape != (len(numbers), dimension):
        wanted = (len(numbers), dimension)
        message = f"{len(numbers)} numbers need vectors of shape {wanted}, not {vectors.shape}"
        raise ValueError(message)
    if len(numbers) and numbers.min() < 0:
        message = f"{numbers.min()} is no number of a vector: they start at 0"
        raise ValueError(message)
    return numbers, vectors
