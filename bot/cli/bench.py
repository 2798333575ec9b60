"""`careline bench`: benchmarks that reproduce the figures of the documentation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol

import typer

from bot.cli.app import HomeOption, JsonOption, app, open_home, show, wants_progress

if TYPE_CHECKING:
    from bot.container import Home

GROUP: Final = "careline.benchmarks"


@dataclass(frozen=True)
class BenchmarkOptions:
    """The options of a run; `planted` spoils what is measured, so that bars must fail."""

    data: Path
    home: "Home"
    seeds: int = 1
    planted: bool = False
    progress: bool = False


class BenchmarkBar(Protocol):
    """A measured figure, and whether it reached its bar."""

    ok: bool


class BenchmarkResult(Protocol):
    """The bars of a run, and its other figures."""

    bars: Sequence[BenchmarkBar]

    def as_json(self) -> dict[str, Any]:
        """Return the bars and figures as JSON values."""


class RunnableBenchmark(Protocol):
    """The interface of the entry points of the group."""

    def measure(
        self, options: BenchmarkOptions, only: Sequence[str], report: Callable[[str], None]
    ) -> BenchmarkResult:
        """Run the parts in `only`, or all, and report each bar as a line."""


def benchmarks() -> dict[str, Any]:
    """Return the entry points of the installed benchmarks by name."""
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in sorted(entry_points(group=GROUP))}


def _find(name: str) -> Any:
    from bot.core.types import CarelineError

    installed = benchmarks()
    if not installed:
        message = "no benchmarks are installed: run `pip install ./benchmarks` in the repository"
        raise CarelineError(message)
    if name not in installed:
        message = f"{name!r} is not one of {', '.join(installed)}"
        raise typer.BadParameter(message, param_hint="NAME")
    return installed[name]


@app.command()
def bench(  # noqa: PLR0913 — one parameter per option
    name: Annotated[str, typer.Argument(help="Name of the benchmark.")],
    *,
    data: Annotated[
        Path | None, typer.Option(envvar="CARELINE_DATA", help="Folder of the real data sets.")
    ] = None,
    only: Annotated[
        str, typer.Option(help="Parts to run, separated by commas (default: all).")
    ] = "",
    seeds: Annotated[
        int, typer.Option(min=1, max=10, help="Number of trainings to average over.")
    ] = 1,
    plant: Annotated[
        bool, typer.Option("--plant", help="Spoil what is measured, so that the bars must fail.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a benchmark on real data; exit with 1 if a bar fails.

    The benchmarks are in a package of their own, `careline-benchmarks`.
    """
    from bot.core.types import CarelineError

    entry = _find(name)
    if data is None or not data.is_dir():
        message = "bench needs real data: give its folder with --data or CARELINE_DATA"
        raise CarelineError(message)
    benchmark: RunnableBenchmark = entry.load()
    result = benchmark.measure(
        BenchmarkOptions(data, open_home(home), seeds, plant, wants_progress()),
        [part.strip() for part in only.split(",") if part.strip()],
        lambda line: typer.echo(line, err=True),
    )
    show(result.as_json(), as_json=as_json, text=lambda: _summary(result))
    if not all(bar.ok for bar in result.bars):
        raise typer.Exit(1)


def _summary(result: BenchmarkResult) -> str:
    failed = sum(not bar.ok for bar in result.bars)
    return f"{len(result.bars)} bars, {failed} missed"
