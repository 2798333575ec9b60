"""Micro-batching: what is asked for at the same moment is computed together."""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Ticket(Generic[Item, Result]):
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

    Up to `lanes` batches run at once. A caller who finds a lane free runs at once and alone: one
    customer pays nothing for batching. Others wait, and the next to lead takes all who wait.
    """

    def __init__(
        self, work: Callable[[list[Item]], Iterable[Result]], *, lanes: int = 1, largest: int = 32
    ) -> None:
        """Take the function that computes a batch, one result an item, in order."""
        self._work = work
        self._largest = largest
        self._free = lanes
        self._lock = threading.Lock()
        self._waiting: deque[_Ticket[Item, Result]] = deque()

    def run(self, item: Item) -> Result:
        """Return the item's result; what the work raises, every caller of the batch gets."""
        own: _Ticket[Item, Result] = _Ticket(item)
        with self._lock:
            leads = self._free > 0
            if leads:
                self._free -= 1
            else:
                self._waiting.append(own)
        if not leads:
            own.wait()  # until another leader did the work, or until it is this caller's turn
        if not own.done:
            self._lead(own)
        if own.error is not None:
            raise own.error
        return own.result  # type: ignore[return-value]  # set together with `done`

    def _lead(self, own: "_Ticket[Item, Result]") -> None:
        with self._lock:
            count = min(len(self._waiting), self._largest - 1)
            batch = [own, *(self._waiting.popleft() for _ in range(count))]
        try:
            results = self._work([ticket.item for ticket in batch])
            for ticket, result in zip(batch, results, strict=True):
                ticket.result = result
        except BaseException as error:  # noqa: BLE001 — it is raised again, in every caller
            for ticket in batch:
                ticket.error = error
        finally:
            with self._lock:
                successor = self._waiting.popleft() if self._waiting else None
                if successor is None:
                    self._free += 1
            for ticket in batch:
                ticket.done = True
            for ticket in batch[1:]:
                ticket.wake()
            if successor is not None:
                successor.wake()
