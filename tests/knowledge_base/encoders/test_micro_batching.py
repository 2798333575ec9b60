import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from knowledge_base.encoders.micro_batching import MicroBatcher


class Doubler:
    """Doubles numbers and remembers its batches; `go` holds them back until it is set."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.batches: list[list[int]] = []
        self.threads: set[int] = set()
        self.most = 0  # batches at once
        self._running = 0
        self._lock = threading.Lock()

    def __call__(self, items: list[int]) -> list[int]:
        with self._lock:
            self.batches.append(items)
            self.threads.add(threading.get_ident())
            self._running += 1
            self.most = max(self.most, self._running)
        assert self.go.wait(20)
        with self._lock:
            self._running -= 1
        if -1 in items:
            message = "no negative numbers"
            raise ValueError(message)
        return [2 * item for item in items]


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def held_back(
    pool: ThreadPoolExecutor, work: Doubler, batcher: MicroBatcher[int, int], items: list[int]
) -> list[Future[int]]:
    """Let the first item run and stop in the work; the others wait behind it, in order."""
    calls = [pool.submit(batcher.run, items[0])]
    until(lambda: len(work.batches) == 1)
    for number, item in enumerate(items[1:], start=1):
        calls.append(pool.submit(batcher.run, item))
        until(lambda wanted=number: len(batcher._waiting) == wanted)  # type: ignore[misc]
    return calls


def test_a_lone_caller_runs_alone_and_in_its_own_thread() -> None:
    work = Doubler()
    work.go.set()
    batcher = MicroBatcher(work)
    assert [batcher.run(item) for item in (1, 2, 3)] == [2, 4, 6]
    assert work.batches == [[1], [2], [3]]
    assert work.threads == {threading.get_ident()}


def test_callers_that_wait_share_a_batch_in_the_order_they_came() -> None:
    work = Doubler()
    batcher = MicroBatcher(work)
    with ThreadPoolExecutor(6) as pool:
        calls = held_back(pool, work, batcher, [1, 2, 3, 4, 5, 6])
        work.go.set()
        assert [call.result(20) for call in calls] == [2, 4, 6, 8, 10, 12]
    assert work.batches == [[1], [2, 3, 4, 5, 6]]


def test_a_batch_is_never_larger_than_the_largest() -> None:
    work = Doubler()
    batcher = MicroBatcher(work, max_batch_size=3)
    with ThreadPoolExecutor(8) as pool:
        calls = held_back(pool, work, batcher, list(range(8)))
        work.go.set()
        assert [call.result(20) for call in calls] == [2 * item for item in range(8)]
    assert work.batches == [[0], [1, 2, 3], [4, 5, 6], [7]]


def test_an_error_reaches_every_caller_of_the_batch_and_nobody_else() -> None:
    work = Doubler()
    batcher = MicroBatcher(work, max_batch_size=3)
    with ThreadPoolExecutor(6) as pool:
        calls = held_back(pool, work, batcher, [1, 2, -1, 3, 4, 5])
        work.go.set()
        errors = [call.exception(20) for call in calls]
    assert [type(error) for error in errors[1:4]] == [ValueError] * 3
    assert [errors[0], *errors[4:]] == [None] * 3
    assert batcher.run(7) == 14


def test_work_that_returns_too_few_results_is_an_error_for_all() -> None:
    batcher: MicroBatcher[int, int] = MicroBatcher(lambda _: [])
    with pytest.raises(ValueError, match="shorter"):
        batcher.run(1)
    assert batcher._free == 1


def test_as_many_batches_run_at_once_as_there_are_lanes() -> None:
    work = Doubler()
    batcher = MicroBatcher(work, max_concurrency=3)
    with ThreadPoolExecutor(9) as pool:
        calls = [pool.submit(batcher.run, item) for item in range(9)]
        until(lambda: len(work.batches) == 3 and len(batcher._waiting) == 6)
        work.go.set()
        assert [call.result(20) for call in calls] == [2 * item for item in range(9)]
    assert work.most == 3
    assert batcher._free == 3


def test_a_crowd_of_callers_gets_its_own_results_and_leaves_every_lane_free() -> None:
    """The hand-over of the lead loses nobody and starves nobody, errors or not."""
    callers, calls, lanes, largest = 64, 40, 2, 8
    lock, running, seen = threading.Lock(), [0], [0, 0]  # batches at once, items in one

    def work(items: list[int]) -> list[int]:
        with lock:
            running[0] += 1
            seen[0], seen[1] = max(seen[0], running[0]), max(seen[1], len(items))
        time.sleep(random.random() / 5000)
        with lock:
            running[0] -= 1
        if any(item % 97 == 0 for item in items):
            raise ZeroDivisionError
        return [item + 1 for item in items]

    batcher = MicroBatcher(work, max_concurrency=lanes, max_batch_size=largest)

    def caller(number: int) -> tuple[int, int]:
        right = failed = 0
        for item in range(number * calls, (number + 1) * calls):
            try:
                right += batcher.run(item) == item + 1
            except ZeroDivisionError:
                failed += 1
        return right, failed

    with ThreadPoolExecutor(callers) as pool:
        counts = list(pool.map(caller, range(callers), timeout=300))
    assert all(right + failed == calls for right, failed in counts)
    assert sum(failed for _, failed in counts) >= callers * calls // 97
    assert sum(right for right, _ in counts) > callers * calls // 4
    assert seen[0] <= lanes
    assert 1 < seen[1] <= largest
    assert (batcher._free, len(batcher._waiting)) == (lanes, 0)
