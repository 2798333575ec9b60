"""The command that reproduces the bars: bench."""

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.app import HomeOption, JsonOption, app, open_home, show, wants_progress

if TYPE_CHECKING:
    from bot.bench.bars import Result


class Bench(StrEnum):
    """What can be measured."""

    INTENTS = "intents"
    UNDERSTAND = "understand"
    PROMISE = "promise"
    SEARCH = "search"
    INGEST = "ingest"
    EXTRACTS = "extracts"
    UNANSWERABLE = "unanswerable"
    SEEKING = "seeking"
    SUPPORT = "support"
    GENERATE = "generate"
    VERIFY = "verify"
    HANDOFF = "handoff"
    SAFETY = "safety"
    TOPICS = "topics"
    SURGE = "surge"
    SUGGEST = "suggest"
    WIDGET = "widget"


@app.command()
def bench(  # noqa: PLR0913 — one parameter an option
    name: Annotated[Bench, typer.Argument(help="What to measure.")],
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
    """Measure what the documentation promises, on real data; exit 1 when a bar fails."""
    from importlib import import_module

    from bot.bench import bars
    from bot.core.types import CarelineError

    if data is None or not data.is_dir():
        message = "bench reads real data: name its folder with --data or CARELINE_DATA"
        raise CarelineError(message)
    parts: dict[str, bars.Part] = import_module(f"bot.bench.{name.value}").PARTS
    with tempfile.TemporaryDirectory(prefix="careline-bench-") as scratch:
        setting = bars.Setting(
            data=data,
            home=open_home(home),
            scratch=Path(scratch),
            seeds=seeds,
            planted=plant,
            progress=wants_progress(),
        )
        wanted = [part.strip() for part in only.split(",") if part.strip()]
        result = bars.run(parts, wanted, setting, lambda line: typer.echo(line, err=True))
    show(result.as_json(), as_json=as_json, text=lambda: _summary(result))
    if not all(bar.ok for bar in result.bars):
        raise typer.Exit(1)


def _summary(result: "Result") -> str:
    red = sum(not bar.ok for bar in result.bars)
    return f"{len(result.bars)} bars, {red} missed"
