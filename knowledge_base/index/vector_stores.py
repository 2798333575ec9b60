"""Where vectors lie inside FAISS: flat as they are, or in lists as 8-bit codes."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from knowledge_base.documents import KnowledgeError
from knowledge_base.encoders.base_models import Vectors

Numbers: TypeAlias = NDArray[np.int64]
Scores: TypeAlias = NDArray[np.float32]
Kind: TypeAlias = Literal["flat", "ivf"]

_ROUNDS: Final = 8  # of k-means; more hardly move the lists
_OPENED: Final = 32  # one list in so many is opened by a search
_LEAST: Final = 32  # lists a search opens at least
_GROUP: Final = 256  # lists whose codes are put in order at once
_SPARSE: Final = 256  # numbers to an allowed one beyond which a set is smaller than bits


class FlatVectors:
    """Vectors as float32, one after the other; a vector's place is its row."""

    kind: Kind = "flat"
    lists = 1
    probes = 1

    def __init__(self, index: Any) -> None:
        """Wrap an IndexIDMap over an IndexFlatIP."""
        self.index = index

    @classmethod
    def filled(cls, dimension: int, blocks: Iterable[tuple[Numbers, Vectors]]) -> "FlatVectors":
        """Return a store of blocks of numbers, shape (n,), and vectors, shape (n, d)."""
        faiss = _faiss()
        index = faiss.IndexIDMap(faiss.IndexFlatIP(dimension))
        for numbers, vectors in blocks:
            index.add_with_ids(
                np.ascontiguousarray(vectors, dtype=np.float32),
                np.ascontiguousarray(numbers, dtype=np.int64),
            )
        return cls(index)

    @cached_property
    def numbers(self) -> Numbers:
        """The numbers of the vectors by place, shape (n,)."""
        return np.asarray(_faiss().vector_to_array(self.index.id_map), dtype=np.int64)

    def vectors(self, places: Numbers) -> Vectors:
        """Return the vectors at places, shape (m, d)."""
        count, dimension = self.index.ntotal, self.index.d
        if not len(places):
            return np.zeros((0, dimension), dtype=np.float32)
        stored = _view(_faiss().downcast_index(self.index.index).get_xb(), count, dimension)
        return np.asarray(stored[places], dtype=np.float32)

    def changed(self, kept: Numbers, added: Numbers, vectors: Vectors) -> "FlatVectors":
        """Return a store of the vectors at the places kept, and of new ones."""
        return FlatVectors.filled(
            self.index.d, [(self.numbers[kept], self.vectors(kept)), (added, vectors)]
        )

    def parameters(self, _probes: int, selector: Any) -> Any:
        """Return the parameters of one search: every vector is compared."""
        return _faiss().SearchParameters(sel=selector)

    def writable(self) -> Any:
        """Return the index that FAISS can write to a file."""
        return self.index


class InvertedLists:
    """Vectors as 8-bit codes, in lists around the centres nearest to them.

    A vector's place is its rank when the lists are laid one after the other.
    """

    kind: Kind = "ivf"

    def __init__(self, index: Any, probes: int | None = None) -> None:
        """Wrap an IndexIVFScalarQuantizer, whose lists lie in memory or in the file it is of.

        `probes` is how many lists a search opens, by default what the index says.
        """
        self.index = index
        self.lists = int(index.nlist)
        self.probes = min(self.lists, probes or int(index.nprobe))
        self._inverted = _faiss().downcast_InvertedLists(index.invlists)
        self._mapped = hasattr(self._inverted, "prefetch_nthread")
        if self._mapped:
            self._inverted.prefetch_nthread = 0  # by default 32 new threads a search read ahead

    @classmethod
    def trained(cls, sample: Iterable[Vectors], dimension: int, lists: int) -> "InvertedLists":
        """Return a store without vectors whose centres and codes are those of a sample.

        The sample comes in blocks and is held as float16. Raise ValueError when it is empty.
        """
        faiss = _faiss()
        halves = np.concatenate(
            [np.zeros((0, dimension), np.float16), *(block.astype(np.float16) for block in sample)]
        )
        if not len(halves):
            message = "lists are trained on a sample of the vectors: it must not be empty"
            raise ValueError(message)
        lists = min(lists, len(halves))
        centres = faiss.IndexFlatIP(dimension)
        training = faiss.Clustering(dimension, lists)
        training.niter, training.seed, training.spherical = _ROUNDS, 7, True
        training.min_points_per_centroid = 1  # FAISS would warn below 39
        training.max_points_per_centroid = len(halves)
        codec = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16)
        training.train_encoded(halves.view(np.uint8), codec, centres)
        index = _untrained(centres, dimension, lists)
        low, high = (f(halves, axis=0).astype(np.float32) for f in (np.min, np.max))
        faiss.copy_array_to_vector(np.concatenate([low, high - low]), index.sq.trained)
        index.is_trained, index.nprobe = True, min(lists, max(_LEAST, lists // _OPENED))
        return cls(index)

    @cached_property
    def _ends(self) -> Numbers:
        """The places where lists end, after a leading 0, shape (lists + 1,)."""
        sizes = [self._inverted.list_size(number) for number in range(self.lists)]
        return np.cumsum([0, *sizes], dtype=np.int64)

    @cached_property
    def _contents(self) -> list[tuple[Numbers, NDArray[np.uint8]]]:
        """The numbers and codes of each list, where they lie."""
        width, contents = self._inverted.code_size, []
        for number, size in enumerate(np.diff(self._ends).tolist()):
            if size:
                numbers = _view(self._inverted.get_ids(number), size, 1)[:, 0]
                contents.append((numbers, _view(self._inverted.get_codes(number), size, width)))
            else:
                contents.append((np.zeros(0, np.int64), np.zeros((0, width), np.uint8)))
        return contents

    @cached_property
    def numbers(self) -> Numbers:
        """The numbers of the vectors by place, shape (n,)."""
        return np.concatenate([numbers for numbers, _ in self._contents])

    def vectors(self, places: Numbers) -> Vectors:
        """Return the vectors at places, shape (m, d), as their codes say."""
        inside = np.searchsorted(self._ends, places, side="right") - 1
        order = np.argsort(inside, kind="stable")
        inside, rows = inside[order], (places - self._ends[inside])[order]
        starts = np.flatnonzero(np.diff(inside, prepend=-1))
        codes = np.empty((len(places), self.index.code_size), dtype=np.uint8)
        for start, end in pairwise([*starts.tolist(), len(places)]):
            codes[order[start:end]] = self._contents[inside[start]][1][rows[start:end]]
        if not len(places):
            return np.zeros((0, self.index.d), dtype=np.float32)
        with one_thread():
            return np.asarray(self.index.sq.decode(codes), dtype=np.float32)

    def filled(self, blocks: Iterable[tuple[Numbers, Vectors]]) -> "InvertedLists":
        """Return a store of the same lists, and of blocks of new vectors alone.

        The codes are kept by groups of lists until all have come, because lists that grew block by
        block would leave as much memory unused between them as they take.
        """
        nothing = self._coded(np.zeros(0, np.int64), np.zeros((0, self.index.d), np.float32))
        groups = [[nothing] for _ in range(0, self.lists, _GROUP)]
        for numbers, vectors in blocks:
            coded = self._coded(numbers, vectors)
            for group, start in enumerate(range(0, self.lists, _GROUP)):
                groups[group].append(coded.between(start, start + _GROUP))
        store = self._emptied()
        for group, start in enumerate(range(0, self.lists, _GROUP)):
            coded = _Coded.joined(groups[group])
            groups[group].clear()
            for number in range(start, min(start + _GROUP, self.lists)):
                store.put(number, coded.between(number, number + 1))
        return store

    def changed(self, kept: Numbers, added: Numbers, vectors: Vectors) -> "InvertedLists":
        """Return a store of the codes at the places kept, and of new vectors in the same lists."""
        store, coded = self._emptied(), self._coded(added, vectors)
        keep = np.zeros(self._ends[-1], dtype=bool)
        keep[kept] = True
        for number in range(self.lists):
            stay = keep[self._ends[number] : self._ends[number + 1]]
            numbers, codes = self._contents[number]
            old = _Coded(np.full(len(numbers), number)[stay], numbers[stay], codes[stay])
            store.put(number, _Coded.joined([old, coded.between(number, number + 1)]))
        return store

    def _emptied(self) -> "InvertedLists":
        """Return a store of the same centres and codes without vectors."""
        faiss, old = _faiss(), self.index
        index = _untrained(faiss.clone_index(old.quantizer), old.d, self.lists)
        faiss.copy_array_to_vector(faiss.vector_to_array(old.sq.trained), index.sq.trained)
        index.is_trained, index.nprobe = True, old.nprobe
        return InvertedLists(index, self.probes)

    def _coded(self, numbers: Numbers, vectors: Vectors) -> "_Coded":
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if not len(vectors):
            return _Coded(numbers, numbers, np.zeros((0, self.index.code_size), np.uint8))
        lists = self.index.quantizer.search(vectors, 1)[1][:, 0]
        order = np.argsort(lists, kind="stable")
        codes = self.index.sq.compute_codes(vectors)
        return _Coded(lists[order], numbers[order], codes[order])

    def put(self, number: int, coded: "_Coded") -> None:
        """Put all there will be into a list that is empty so far."""
        swig_ptr, count = _faiss().swig_ptr, len(coded.numbers)
        if count:
            numbers = np.ascontiguousarray(coded.numbers, dtype=np.int64)
            codes = np.ascontiguousarray(coded.codes)
            self._inverted.add_entries(number, count, swig_ptr(numbers), swig_ptr(codes))
            self.index.ntotal += count

    def parameters(self, probes: int, selector: Any) -> Any:
        """Return the parameters of one search: how many lists it opens, what it lets through."""
        return _faiss().SearchParametersIVF(nprobe=probes, sel=selector)

    def writable(self) -> Any:
        """Return the index that FAISS can write to a file: of mapped lists it writes no content."""
        if not self._mapped:
            return self.index
        everything, nothing = np.arange(self.index.ntotal), np.zeros(0, dtype=np.int64)
        return self.changed(everything, nothing, np.zeros((0, self.index.d), np.float32)).index


@dataclass(frozen=True)
class _Coded:
    """Codes, shape (n, d), in ascending order of their lists, shape (n,), and their numbers."""

    lists: Numbers
    numbers: Numbers
    codes: NDArray[np.uint8]

    @classmethod
    def joined(cls, parts: Sequence["_Coded"]) -> "_Coded":
        lists = np.concatenate([part.lists for part in parts])
        order = np.argsort(lists, kind="stable")
        numbers = np.concatenate([part.numbers for part in parts])
        codes = np.concatenate([part.codes for part in parts])
        return cls(lists[order], numbers[order], codes[order])

    def between(self, first: int, end: int) -> "_Coded":
        """Return a copy of what is of some lists."""
        of = slice(*np.searchsorted(self.lists, [first, end]))
        return _Coded(self.lists[of].copy(), self.numbers[of].copy(), self.codes[of].copy())


def nearest(
    store: FlatVectors | InvertedLists, query: Vectors, k: int, probes: int, selector: Any = None
) -> tuple[Numbers, Scores]:
    """Return the numbers nearest to a query, shape (d,), in so many lists, and their cosines.

    The parameters are this search's own and the work is its thread's, so that threads do not meet.
    """
    with one_thread():
        cosines, numbers = store.index.search(
            np.ascontiguousarray(query, dtype=np.float32).reshape(1, -1),
            min(k, store.index.ntotal),
            params=store.parameters(probes, selector),
        )
    found = numbers[0] >= 0
    return numbers[0][found], cosines[0][found]


def only(allowed: Numbers) -> Any:
    """Return what lets only some numbers through: a bit for each while they lie close together."""
    faiss = _faiss()
    allowed = np.ascontiguousarray(allowed[allowed >= 0], dtype=np.int64)
    most = int(allowed.max(initial=0))
    if most > _SPARSE * len(allowed):
        return faiss.IDSelectorBatch(allowed)
    bits = np.zeros(most + 1, dtype=bool)
    bits[allowed] = True
    return faiss.IDSelectorBitmap(np.packbits(bits, bitorder="little"))


def read(path: Path, probes: int | None = None) -> FlatVectors | InvertedLists:
    """Open a file of FAISS's, lists mapped into memory; raise KnowledgeError when it is none."""
    faiss = _faiss()
    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
    except RuntimeError as error:
        message = f"{path} cannot be read as a dense index: build it anew"
        raise KnowledgeError(message) from error
    if isinstance(index, faiss.IndexIVFScalarQuantizer):
        return InvertedLists(index, probes)
    if isinstance(index, faiss.IndexIDMap):
        return FlatVectors(index)
    message = f"{path} holds a {type(index).__name__}, not a dense index: build it anew"
    raise KnowledgeError(message)


def write(store: FlatVectors | InvertedLists, path: Path) -> None:
    """Write a store to one file, which may be the one that it is mapped from."""
    part = path.with_name(f"{path.name}.part")
    _faiss().write_index(store.writable(), str(part))
    part.replace(path)  # writing into a file that is mapped would change what is mapped


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep FAISS in the calling thread; OpenMP counts the threads of each caller apart."""
    faiss = _faiss()
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _untrained(centres: Any, dimension: int, lists: int) -> Any:
    """Return an index whose codes are of the vectors, not of what is left beside a centre.

    A code then means the same in every list.
    """
    faiss = _faiss()
    eight, product = faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    return faiss.IndexIVFScalarQuantizer(centres, dimension, lists, eight, product, False)  # noqa: FBT003


def _view(pointer: Any, rows: int, width: int) -> Any:
    """Return memory of FAISS's as an array, shape (rows, width); it must not outlive its index."""
    return _faiss().rev_swig_ptr(pointer, rows * width).reshape(rows, width)


def _faiss() -> Any:
    import faiss

    return faiss
