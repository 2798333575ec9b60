"""Vector stores on FAISS: flat float32, or inverted lists of 8-bit codes."""

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

_ROUNDS: Final = 8  # of k-means; more change the lists very little
_PROBE_SHARE: Final = 32  # a search probes one list in this many
_MIN_PROBES: Final = 32  # lists that a search probes at least
_GROUP: Final = 256  # lists whose codes are sorted at once
_MAX_SPARSITY: Final = 256  # numbers per allowed one beyond which a set is smaller than a bitmap


class FlatVectors:
    """Vectors as float32, one after the other; a vector's position is its row."""

    kind: Kind = "flat"
    lists = 1
    probes = 1

    def __init__(self, index: Any) -> None:
        """Wrap an IndexIDMap over an IndexFlatIP."""
        self.index = index

    @classmethod
    def from_blocks(
        cls, dimension: int, blocks: Iterable[tuple[Numbers, Vectors]]
    ) -> "FlatVectors":
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
        """The numbers of the vectors by position, shape (n,)."""
        return np.asarray(_faiss().vector_to_array(self.index.id_map), dtype=np.int64)

    def vectors(self, positions: Numbers) -> Vectors:
        """Return the vectors at positions, shape (m, d)."""
        count, dimension = self.index.ntotal, self.index.d
        if not len(positions):
            return np.zeros((0, dimension), dtype=np.float32)
        stored = _view(_faiss().downcast_index(self.index.index).get_xb(), count, dimension)
        return np.asarray(stored[positions], dtype=np.float32)

    def with_changes(self, positions: Numbers, added: Numbers, vectors: Vectors) -> "FlatVectors":
        """Return a store of the vectors at some positions, and of new ones."""
        return FlatVectors.from_blocks(
            self.index.d, [(self.numbers[positions], self.vectors(positions)), (added, vectors)]
        )

    def parameters(self, _probes: int, selector: Any) -> Any:
        """Return the parameters of one search: every vector is compared."""
        return _faiss().SearchParameters(sel=selector)

    def writable(self) -> Any:
        """Return the index that FAISS can write to a file."""
        return self.index


class InvertedLists:
    """Vectors as 8-bit codes, in lists around their nearest centres.

    A vector's position is its rank when the lists are concatenated.
    """

    kind: Kind = "ivf"

    def __init__(self, index: Any, probes: int | None = None) -> None:
        """Wrap an IndexIVFScalarQuantizer, whose lists are in memory or in its file.

        `probes` is how many lists a search probes, by default as stored in the index.
        """
        self.index = index
        self.lists = int(index.nlist)
        self.probes = min(self.lists, probes or int(index.nprobe))
        self._inverted = _faiss().downcast_InvertedLists(index.invlists)
        self._mapped = hasattr(self._inverted, "prefetch_nthread")
        if self._mapped:
            self._inverted.prefetch_nthread = (
                0  # the default of 32 starts new threads in every search
            )

    @classmethod
    def train(cls, sample: Iterable[Vectors], dimension: int, lists: int) -> "InvertedLists":
        """Return a store without vectors, with centres and codes trained on a sample.

        The sample comes in blocks and is kept as float16. Raise ValueError if it is empty.
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
        index = _new_index(centres, dimension, lists)
        low, high = (f(halves, axis=0).astype(np.float32) for f in (np.min, np.max))
        faiss.copy_array_to_vector(np.concatenate([low, high - low]), index.sq.trained)
        index.is_trained, index.nprobe = True, min(lists, max(_MIN_PROBES, lists // _PROBE_SHARE))
        return cls(index)

    @cached_property
    def _ends(self) -> Numbers:
        """The positions where lists end, after a leading 0, shape (lists + 1,)."""
        sizes = [self._inverted.list_size(number) for number in range(self.lists)]
        return np.cumsum([0, *sizes], dtype=np.int64)

    @cached_property
    def _contents(self) -> list[tuple[Numbers, NDArray[np.uint8]]]:
        """The numbers and codes of each list, as views of the index."""
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
        """The numbers of the vectors by position, shape (n,)."""
        return np.concatenate([numbers for numbers, _ in self._contents])

    def vectors(self, positions: Numbers) -> Vectors:
        """Return the vectors at positions, shape (m, d), decoded."""
        inside = np.searchsorted(self._ends, positions, side="right") - 1
        order = np.argsort(inside, kind="stable")
        inside, rows = inside[order], (positions - self._ends[inside])[order]
        starts = np.flatnonzero(np.diff(inside, prepend=-1))
        codes = np.empty((len(positions), self.index.code_size), dtype=np.uint8)
        for start, end in pairwise([*starts.tolist(), len(positions)]):
            codes[order[start:end]] = self._contents[inside[start]][1][rows[start:end]]
        if not len(positions):
            return np.zeros((0, self.index.d), dtype=np.float32)
        with one_thread():
            return np.asarray(self.index.sq.decode(codes), dtype=np.float32)

    def with_vectors(self, blocks: Iterable[tuple[Numbers, Vectors]]) -> "InvertedLists":
        """Return a store with the same centres and only the new vectors, which come in blocks.

        The codes are collected by groups of lists first, because lists that grow block by block
        leave as much unused memory between them as they take.
        """
        nothing = self._encode(np.zeros(0, np.int64), np.zeros((0, self.index.d), np.float32))
        groups = [[nothing] for _ in range(0, self.lists, _GROUP)]
        for numbers, vectors in blocks:
            encoded = self._encode(numbers, vectors)
            for group, start in enumerate(range(0, self.lists, _GROUP)):
                groups[group].append(encoded.between(start, start + _GROUP))
        store = self._without_vectors()
        for group, start in enumerate(range(0, self.lists, _GROUP)):
            encoded = _EncodedVectors.concatenate(groups[group])
            groups[group].clear()
            for number in range(start, min(start + _GROUP, self.lists)):
                store.fill_list(number, encoded.between(number, number + 1))
        return store

    def with_changes(self, positions: Numbers, added: Numbers, vectors: Vectors) -> "InvertedLists":
        """Return a store of the codes at some positions, and of new vectors in the same lists."""
        store, encoded = self._without_vectors(), self._encode(added, vectors)
        keep = np.zeros(self._ends[-1], dtype=bool)
        keep[positions] = True
        for number in range(self.lists):
            stay = keep[self._ends[number] : self._ends[number + 1]]
            numbers, codes = self._contents[number]
            old = _EncodedVectors(np.full(len(numbers), number)[stay], numbers[stay], codes[stay])
            new = encoded.between(number, number + 1)
            store.fill_list(number, _EncodedVectors.concatenate([old, new]))
        return store

    def _without_vectors(self) -> "InvertedLists":
        """Return a store with the same centres and codec, without vectors."""
        faiss, old = _faiss(), self.index
        index = _new_index(faiss.clone_index(old.quantizer), old.d, self.lists)
        faiss.copy_array_to_vector(faiss.vector_to_array(old.sq.trained), index.sq.trained)
        index.is_trained, index.nprobe = True, old.nprobe
        return InvertedLists(index, self.probes)

    def _encode(self, numbers: Numbers, vectors: Vectors) -> "_EncodedVectors":
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        if not len(vectors):
            return _EncodedVectors(numbers, numbers, np.zeros((0, self.index.code_size), np.uint8))
        lists = self.index.quantizer.search(vectors, 1)[1][:, 0]
        order = np.argsort(lists, kind="stable")
        codes = self.index.sq.compute_codes(vectors)
        return _EncodedVectors(lists[order], numbers[order], codes[order])

    def fill_list(self, number: int, encoded: "_EncodedVectors") -> None:
        """Set the contents of a list that is empty so far."""
        swig_ptr, count = _faiss().swig_ptr, len(encoded.numbers)
        if count:
            numbers = np.ascontiguousarray(encoded.numbers, dtype=np.int64)
            codes = np.ascontiguousarray(encoded.codes)
            self._inverted.add_entries(number, count, swig_ptr(numbers), swig_ptr(codes))
            self.index.ntotal += count

    def parameters(self, probes: int, selector: Any) -> Any:
        """Return the parameters of one search: the lists to probe, and the selector."""
        return _faiss().SearchParametersIVF(nprobe=probes, sel=selector)

    def writable(self) -> Any:
        """Return an index that FAISS can write to a file: mapped lists are copied into memory."""
        if not self._mapped:
            return self.index
        everything, nothing = np.arange(self.index.ntotal), np.zeros(0, dtype=np.int64)
        return self.with_changes(everything, nothing, np.zeros((0, self.index.d), np.float32)).index


@dataclass(frozen=True)
class _EncodedVectors:
    """Codes, shape (n, d), in ascending order of their lists, shape (n,), and their numbers."""

    lists: Numbers
    numbers: Numbers
    codes: NDArray[np.uint8]

    @classmethod
    def concatenate(cls, parts: Sequence["_EncodedVectors"]) -> "_EncodedVectors":
        lists = np.concatenate([part.lists for part in parts])
        order = np.argsort(lists, kind="stable")
        numbers = np.concatenate([part.numbers for part in parts])
        codes = np.concatenate([part.codes for part in parts])
        return cls(lists[order], numbers[order], codes[order])

    def between(self, first: int, end: int) -> "_EncodedVectors":
        """Return a copy of the codes of some lists."""
        part = slice(*np.searchsorted(self.lists, [first, end]))
        return _EncodedVectors(
            self.lists[part].copy(), self.numbers[part].copy(), self.codes[part].copy()
        )


def nearest(
    store: FlatVectors | InvertedLists, query: Vectors, k: int, probes: int, selector: Any = None
) -> tuple[Numbers, Scores]:
    """Return the numbers nearest to a query, shape (d,), in so many lists, and their cosines.

    Each search has its own parameters and runs in its own thread, so that threads do not interfere.
    """
    with one_thread():
        cosines, numbers = store.index.search(
            np.ascontiguousarray(query, dtype=np.float32).reshape(1, -1),
            min(k, store.index.ntotal),
            params=store.parameters(probes, selector),
        )
    valid = numbers[0] >= 0
    return numbers[0][valid], cosines[0][valid]


def make_selector(allowed: Numbers) -> Any:
    """Return a FAISS selector of some numbers: a bitmap if they are dense, otherwise a set."""
    faiss = _faiss()
    allowed = np.ascontiguousarray(allowed[allowed >= 0], dtype=np.int64)
    largest = int(allowed.max(initial=0))
    if largest > _MAX_SPARSITY * len(allowed):
        return faiss.IDSelectorBatch(allowed)
    bits = np.zeros(largest + 1, dtype=bool)
    bits[allowed] = True
    return faiss.IDSelectorBitmap(np.packbits(bits, bitorder="little"))


def read(path: Path, probes: int | None = None) -> FlatVectors | InvertedLists:
    """Open a FAISS file, with lists mapped into memory; raise KnowledgeError if it is not one."""
    faiss = _faiss()
    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
    except RuntimeError as error:
        message = f"{path} cannot be read as a dense index: rebuild it"
        raise KnowledgeError(message) from error
    if isinstance(index, faiss.IndexIVFScalarQuantizer):
        return InvertedLists(index, probes)
    if isinstance(index, faiss.IndexIDMap):
        return FlatVectors(index)
    message = f"{path} holds a {type(index).__name__}, not a dense index: rebuild it"
    raise KnowledgeError(message)


def write(store: FlatVectors | InvertedLists, path: Path) -> None:
    """Write a store to one file, which may be the one it is mapped from."""
    part = path.with_name(f"{path.name}.part")
    _faiss().write_index(store.writable(), str(part))
    part.replace(path)  # writing into a mapped file would change what is mapped


@contextmanager
def one_thread() -> Iterator[None]:
    """Run FAISS in the calling thread only; OpenMP counts the threads of each caller separately."""
    faiss = _faiss()
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _new_index(centres: Any, dimension: int, lists: int) -> Any:
    """Return an untrained index that encodes the vectors, not their residuals to the centres.

    A code then means the same in every list.
    """
    faiss = _faiss()
    eight, product = faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    return faiss.IndexIVFScalarQuantizer(centres, dimension, lists, eight, product, False)  # noqa: FBT003


def _view(pointer: Any, rows: int, width: int) -> Any:
    """Return memory of FAISS as an array, shape (rows, width); it must not outlive its index."""
    return _faiss().rev_swig_ptr(pointer, rows * width).reshape(rows, width)


def _faiss() -> Any:
    import faiss

    return faiss
