"""The typer application and the options that commands share."""

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bot.container import Home

app = typer.Typer(
    name="careline",
    help="A customer-service assistant: train, ingest, ask, serve, replay.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of the business (default: CARELINE_HOME, else data/)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]


def open_home(path: Path | None) -> "Home":
    """Open a home with its settings; warnings of libraries go to standard error."""
    from bot.container import Home
    from bot.core.settings import Settings

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    for library in ("sentence_transformers", "transformers", "alembic", "bm25s"):
        logging.getLogger(library).setLevel(logging.ERROR)
    return Home(Settings.load(path))


def show(value: Any, *, as_json: bool, text: Callable[[], str]) -> None:
    """Print a result as one JSON value or as text."""
    typer.echo(json.dumps(value, ensure_ascii=False) if as_json else text())


def wants_progress() -> bool:
    """Return whether to show progress bars: only if standard error is a terminal."""
    return sys.stderr.isatty()
