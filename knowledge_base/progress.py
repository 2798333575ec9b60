"""How far long work is: a bar on standard error, and word to a program that watches it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

_Item = TypeVar("_Item")
Watcher = Callable[[str, int, int], None]  # what is done, how much of it, of how much
_watchers: Final[list[Watcher]] = []


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Tell `watcher` of all long work of this process while the block runs."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


@contextmanager
def bar(name: str, total: int, done: int = 0, *, shown: bool) -> Iterator[Callable[[str], None]]:
    """Show a bar that begins at `done`; the value yielded advances it by one step, with words."""
    from rich.console import Console
    from rich.progress import Progress

    at = done
    with Progress(console=Console(stderr=True), disable=not shown, transient=True) as drawn:
        task = drawn.add_task(name, total=total, completed=done)

        def advance(words: str = "") -> None:
            nonlocal at
            at += 1
            drawn.update(task, advance=1, description=f"{name}, {words}" if words else name)
            _tell(name, at, total)

        _tell(name, at, total)
        yield advance


def track(items: Iterable[_Item], name: str, total: int, *, shown: bool) -> Iterator[_Item]:
    """Yield items, and show how many of them are done."""
    with bar(name, total, shown=shown) as advance:
        for item in items:
            yield item
            advance("")


def _tell(name: str, done: int, total: int) -> None:
    for watcher in _watchers:
        watcher(name, done, total)
