"""`careline reply`: answers a file of messages."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.app import HomeOption, JsonOption, app, open_home, show, wants_progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from bot.assistant.pipeline import Assistant
    from bot.evaluation.batch_replies import BatchLine, BatchSummary


@app.command()
def reply(
    file: Annotated[
        Path, typer.Argument(help="JSONL, a line each: {id?, text, conversation_id?, sender?}.")
    ],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Where the turns go; lines answered there are left out.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Conversations at once.")] = 2,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a file of messages, a turn a line; exit 1 when a line could not be answered.

    With --json, which needs --out, standard output holds the counts.
    """
    from bot.container import build_assistant
    from bot.evaluation import batch_replies

    if as_json and out is None:
        message = "--json needs --out: standard output cannot hold the turns as well"
        raise typer.BadParameter(message)
    asked = list(batch_replies.read(file))
    known = batch_replies.answered_ids(out) if out else set()
    left = [one for one in asked if one.id not in known]
    started = time.perf_counter()
    done = _run(left, build_assistant(open_home(home)), out, workers)
    done.skipped = len(asked) - len(left)
    counts = {
        "lines": len(asked),
        "answered": done.answered,
        "failed": done.failed,
        "skipped": done.skipped,
        "seconds": round(time.perf_counter() - started, 3),
    }
    if as_json:
        show(counts, as_json=True, text=str)
    else:
        said = f"{done.answered} answered, {done.failed} failed, {done.skipped} answered before"
        typer.echo(said, err=True)
    if done.failed:
        raise typer.Exit(1)


def _run(
    asked: "Sequence[BatchLine]", bot: "Assistant", out: Path | None, workers: int
) -> "BatchSummary":
    """Answer lines, each written as soon as it is there."""
    from rich.console import Console
    from rich.progress import Progress

    from bot.evaluation import batch_replies

    file: TextIO | None = out.open("a", encoding="utf-8") if out else None

    def write(result: dict[str, Any]) -> None:
        line = json.dumps(result, ensure_ascii=False)
        if file is None:
            typer.echo(line)
        else:
            file.write(f"{line}\n")
            file.flush()

    console = Console(stderr=True)
    try:
        with Progress(console=console, disable=not wants_progress(), transient=True) as bar:
            task = bar.add_task("replying", total=len(asked))
            return batch_replies.run(
                asked, bot, write, workers=workers, step=lambda: bar.update(task, advance=1)
            )
    finally:
        if file:
            file.close()
