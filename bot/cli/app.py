"""The typer application and the options every command shares."""

import json
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bot.bootstrap import Home

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
    typer.Option("--home", help="The business's folder (CARELINE_HOME, else data/)."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON value.")]


def open_home(path: Path | None) -> "Home":
    """Open a home with its settings; libraries' warnings go to standard error."""
    from bot.bootstrap import Home
    from bot.core.settings import Settings

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    for noisy in ("sentence_transformers", "transformers", "alembic", "bm25s"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    return Home(Settings.load(path))


def show(value: Any, *, as_json: bool, text: Callable[[], str]) -> None:
    """Print a result: one JSON value for machines, or words."""
    typer.echo(json.dumps(value, ensure_ascii=False) if as_json else text())


def wants_progress() -> bool:
    """Tell whether bars should be drawn: where standard error, which they go to, is a terminal."""
    return sys.stderr.isatty()


# The commands register themselves with `app` when their modules are imported.
from bot.cli import (  # noqa: E402
    actions,  # noqa: F401
    bench,  # noqa: F401
    build,  # noqa: F401
    corrections,  # noqa: F401
    data,  # noqa: F401
    evaluate,  # noqa: F401
    insights,  # noqa: F401
    kb,  # noqa: F401
    operate,  # noqa: F401
    reply,  # noqa: F401
    talk,  # noqa: F401
    testing,  # noqa: F401
    users,  # noqa: F401
    verify,  # noqa: F401
)
