"""`careline bench`: benchmarks that reproduce the figures of the documentation."""

from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol

import typer

from bot.cli.app import HomeOption, JsonOption, app, open_home, show, wants_progress
from bot.core.types import CarelineError

if TYPE_CHECKING:
    from bot.container import Home

GROUP: Final = "careline.benchmarks"


class BenchmarkBar(Protocol):
    """A figure that a benchmark measured, and whether it reached its bar."""

    ok: bool


class BenchmarkResult(Protocol):
    """The bars of a run and the figures beside them."""

    bars: Sequence[BenchmarkBar]

    def as_json(self) -> dict[str, Any]:
        """Return the bars and figures as JSON values."""


class RunnableBenchmark(Protocol):
    """What an entry point of the group must offer."""

    def measure(  # noqa: PLR0913 — the options of the command
        self,
        *,
        data: Path,
        home: "Home",
        only: Sequence[str],
        report: Callable[[str], None],
        seeds: int,
        planted: bool,
        progress: bool,
    ) -> BenchmarkResult:
        """Run the parts named by `only`, or all, and report each bar as a line."""


def benchmarks() -> dict[str, EntryPoint]:
    """Return the installed benchmarks by name."""
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP))}


def _find(name: str) -> EntryPoint:
    installed = benchmarks()
    if not installed:
        message = "no benchmarks are installed: run `pip install ./benchmarks` in the sources"
        raise CarelineError(message)
    if name not in installed:
        message = f"{name!r} is not one of {', '.join(installed)}"
        raise typer.BadParameter(message, param_hint="NAME")
    return installed[name]


@app.command()
def bench(  # noqa: PLR0913 — one parameter an option
    name: Annotated[str, typer.Argument(help="The benchmark.")],
    *,
    data: Annotated[
        Path | None, typer.Option(envvar="CARELINE_DATA", help="The folder of real data.")
    ] = None,
    only: Annotated[
        str, typer.Option(help="Parts to run, separated by commas; default: all.")
    ] = "",
    seeds: Annotated[int, typer.Option(min=1, max=10, help="Trainings a bar is the mean of.")] = 1,
    plant: Annotated[
        bool, typer.Option("--plant", help="Spoil what is measured: the bars must fail.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a benchmark on real data; exit 1 when a bar fails.

    The benchmarks are a package of their own, `careline-benchmarks`.
    """
    entry = _find(name)
    if data is None or not data.is_dir():
        message = "bench reads real data: name its folder with --data or CARELINE_DATA"
        raise CarelineError(message)
    benchmark: RunnableBenchmark = entry.load()
    result = benchmark.measure(
        data=data,
        home=open_home(home),
        only=[part.strip() for part in only.split(",") if part.strip()],
        report=lambda line: typer.echo(line, err=True),
        seeds=seeds,
        planted=plant,
        progress=wants_progress(),
    )
    show(result.as_json(), as_json=as_json, text=lambda: _summary(result))
    if not all(bar.ok for bar in result.bars):
        raise typer.Exit(1)


def _summary(result: BenchmarkResult) -> str:
    red = sum(not bar.ok for bar in result.bars)
    return f"{len(result.bars)} bars, {red} missed"
