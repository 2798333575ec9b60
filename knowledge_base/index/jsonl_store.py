"""JSON lines on disk, read one at a time: a large knowledge base loads at once."""

import json
import mmap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

_EMPTY: Final = b""


class JsonlStore:
    """The rows of a JSONL file by number."""

    def __init__(self, path: Path) -> None:
        """Map a file that `write` wrote."""
        self._starts = np.load(path.with_suffix(".npy"))
        with path.open("rb") as file:
            size = int(self._starts[-1])
            mapped = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) if size else _EMPTY
        self._bytes: Any = mapped

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._starts) - 1

    def raw(self, row: int) -> bytes:
        """Return a row as it is in the file."""
        return bytes(self._bytes[int(self._starts[row]) : int(self._starts[row + 1])])

    def __getitem__(self, row: int) -> dict[str, Any]:
        """Return a row."""
        value: dict[str, Any] = json.loads(self.raw(row))
        return value

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield all rows."""
        return (self[row] for row in range(len(self)))


def write(path: Path, rows: Iterable[bytes]) -> None:
    """Write lines, each terminated by a line break, and their start offsets."""
    starts = [0]
    with path.open("wb") as file:
        for row in rows:
            file.write(row)
            starts.append(starts[-1] + len(row))
    np.save(path.with_suffix(".npy"), np.array(starts, dtype=np.int64))


def line(value: Mapping[str, Any]) -> bytes:
    """Encode a row for `write`."""
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
