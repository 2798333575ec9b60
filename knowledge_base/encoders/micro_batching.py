"""Micro-batching: concurrent calls are computed together."""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Request(Generic[Item, Result]):
    def __init__(self, item: Item) -> None:
        self.item = item
        self.result: Result | None = None
        self.error: BaseException | None = None
        self.done = False
        self._turn = threading.Lock()
        self._turn.acquire()

    def wait(self) -> None:
        self._turn.acquire()

    def wake(self) -> None:
        self._turn.release()


class MicroBatcher(Generic[Item, Result]):
    """Runs the items of concurrent callers in batches, in the callers' own threads.

    Up to `max_concurrency` batches run at once. A caller that finds a free slot runs at once and
    alone, so a single customer does not wait for a batch to fill. Others wait, and the next leader
    takes all that are waiting.
    """

    def __init__(
        self,
        work: Callable[[list[Item]], Iterable[Result]],
        *,
        max_concurrency: int = 1,
        max_batch_size: int = 32,
    ) -> None:
        """Set the function that computes a batch, one result per item, in order."""
        self._work = work
        self._max_batch_size = max_batch_size
        self._free = max_concurrency
        self._lock = threading.Lock()
        self._waiting: deque[_Request[Item, Result]] = deque()

    def run(self, item: Item) -> Result:
        """Return the item's result; errors are raised in every caller of the batch."""
        own: _Request[Item, Result] = _Request(item)
        with self._lock:
            leads = self._free > 0
            if leads:
                self._free -= 1
            else:
                self._waiting.append(own)
        if not leads:
            own.wait()  # until a leader has computed it, or until it is this caller's turn to lead
        if not own.done:
            self._lead(own)
        if own.error is not None:
            raise own.error
        return own.result  # type: ignore[return-value]  # set together with `done`

    def _lead(self, own: "_Request[Item, Result]") -> None:
        with self._lock:
            count = min(len(self._waiting), self._max_batch_size - 1)
            batch = [own, *(self._waiting.popleft() for _ in range(count))]
        try:
            results = self._work([request.item for request in batch])
            for request, result in zip(batch, results, strict=True):
                request.result = result
        except BaseException as error:  # noqa: BLE001 — it is raised again, in every caller
            for request in batch:
                request.error = error
        finally:
            with self._lock:
                successor = self._waiting.popleft() if self._waiting else None
                if successor is None:
                    self._free += 1
            for request in batch:
                request.done = True
            for request in batch[1:]:
                request.wake()
            if successor is not None:
                successor.wake()
