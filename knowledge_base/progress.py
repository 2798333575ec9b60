"""Progress of long work: a bar on standard error, and callbacks for programs."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

_Item = TypeVar("_Item")
Watcher = Callable[[str, int, int], None]  # name of the work, steps done, steps in total
_watchers: Final[list[Watcher]] = []


@contextmanager
def report_to(watcher: Watcher) -> Iterator[None]:
    """Call `watcher` for all long work of this process while the block runs."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


@contextmanager
def bar(
    name: str, total: int, completed: int = 0, *, shown: bool
) -> Iterator[Callable[[str], None]]:
    """Show a bar that begins at `completed`; the yielded function advances it by one step."""
    from rich.console import Console
    from rich.progress import Progress

    at = completed
    with Progress(console=Console(stderr=True), disable=not shown, transient=True) as drawn:
        task = drawn.add_task(name, total=total, completed=completed)

        def advance(words: str = "") -> None:
            nonlocal at
            at += 1
            drawn.update(task, advance=1, description=f"{name}, {words}" if words else name)
            _notify(name, at, total)

        _notify(name, at, total)
        yield advance


def track(items: Iterable[_Item], name: str, total: int, *, shown: bool) -> Iterator[_Item]:
    """Yield items, and show how many of them have been processed."""
    with bar(name, total, shown=shown) as advance:
        for item in items:
            yield item
            advance("")


def _notify(name: str, completed: int, total: int) -> None:
    for watcher in _watchers:
        watcher(name, completed, total)
