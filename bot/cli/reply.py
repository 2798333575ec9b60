"""`careline reply`: answer a file of messages."""

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
        Path, typer.Argument(help="JSONL with lines {id?, text, conversation_id?, sender?}.")
    ],
    *,
    out: Annotated[
        Path | None, typer.Option(help="File for the turns; lines answered there are skipped.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Number of conversations answered at once.")
    ] = 2,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a file of messages, one turn per line; exit with 1 if a line fails.

    With --json, which requires --out, standard output has the counts.
    """
    from bot.container import build_assistant
    from bot.evaluation import batch_replies

    if as_json and out is None:
        message = "--json needs --out: standard output cannot hold the turns as well"
        raise typer.BadParameter(message)
    lines = list(batch_replies.read(file))
    answered = batch_replies.answered_ids(out) if out else set()
    remaining = [line for line in lines if line.id not in answered]
    started = time.perf_counter()
    summary = _run(remaining, build_assistant(open_home(home)), out, workers)
    summary.skipped = len(lines) - len(remaining)
    counts = {
        "lines": len(lines),
        "answered": summary.answered,
        "failed": summary.failed,
        "skipped": summary.skipped,
        "seconds": round(time.perf_counter() - started, 3),
    }
    if as_json:
        show(counts, as_json=True, text=str)
    else:
        text = f"{summary.answered} answered, {summary.failed} failed, {summary.skipped} skipped"
        typer.echo(text, err=True)
    if summary.failed:
        raise typer.Exit(1)


def _run(
    lines: "Sequence[BatchLine]", bot: "Assistant", out: Path | None, workers: int
) -> "BatchSummary":
    """Answer lines, and write each turn as soon as it is ready."""
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
            task = bar.add_task("replying", total=len(lines))
            return batch_replies.run(
                lines, bot, write, workers=workers, step=lambda: bar.update(task, advance=1)
            )
    finally:
        if file:
            file.close()
