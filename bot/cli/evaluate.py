"""Commands that evaluate: evaluate intents, evaluate search, replay."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.app import HomeOption, JsonOption, app, open_home, show, wants_progress

evaluate_app = typer.Typer(help="Evaluate a version on data.", no_args_is_help=True)
app.add_typer(evaluate_app, name="evaluate")

VersionOption = Annotated[
    str | None, typer.Option("--version", help="Version to evaluate (default: the active one).")
]


def _as_text(result: dict[str, Any]) -> str:
    return json.dumps(result, indent=2, ensure_ascii=False)


@evaluate_app.command("intents")
def evaluate_intents(
    file: Annotated[Path, typer.Argument(help="Labelled texts.")],
    *,
    version: VersionOption = None,
    by: Annotated[
        str, typer.Option(help="Slices, separated by commas: language, length, intent.")
    ] = "",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Evaluate the intent classifier and simple peers on labelled texts."""
    from bot.core.types import CarelineError
    from bot.training import datasets, intent_evaluation, training_set

    opened = open_home(home)
    model = opened.model(version)
    if model is None:
        message = "there is no model yet: run `careline train`"
        raise CarelineError(message)
    folder = opened.models.folder(model.version)
    result = intent_evaluation.evaluate(
        model,
        datasets.read_examples(file, held_back=True),
        [name.strip() for name in by.split(",") if name.strip()],
        training_set=training_set.load(folder) if training_set.is_stored(folder) else None,
        progress=wants_progress(),
    )
    show(result, as_json=as_json, text=lambda: _as_text(result))


@evaluate_app.command("search")
def evaluate_search(
    file: Annotated[Path, typer.Argument(help="Queries with their relevant articles.")],
    *,
    version: VersionOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Evaluate the search on queries with their relevant articles."""
    from bot.core.types import CarelineError
    from knowledge_base.retrieval import search_evaluation

    knowledge = open_home(home).knowledge(version)
    if knowledge is None:
        message = "there is no knowledge yet: run `careline ingest`"
        raise CarelineError(message)
    result = search_evaluation.evaluate(
        knowledge, search_evaluation.read_queries(file), progress=wants_progress()
    )
    show(result, as_json=as_json, text=lambda: _as_text(result))


@app.command()
def replay(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Transcripts (default: the held-back part of the home's dialogs)."),
    ] = None,
    *,
    versions: Annotated[
        str, typer.Option(help="Versions to replay with, separated by commas: m-…,k-…")
    ] = "",
    report: Annotated[Path | None, typer.Option(help="File for an HTML report.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replay past conversations through the assistant; nothing is written to the log."""
    from bot.container import build_assistant
    from bot.evaluation import replay_report
    from bot.evaluation.replay import conversations_of, replay
    from bot.store.in_memory_log import MemoryLog

    opened = open_home(home)
    identifiers = [identifier.strip() for identifier in versions.split(",") if identifier.strip()]
    log = MemoryLog()
    bot = build_assistant(opened, log, identifiers)
    result = replay(
        conversations_of(files, opened.path / "dialogs"),
        bot,
        log,
        progress=wants_progress(),
    )
    if report is not None:
        replay_report.write(result, report, bot.served_by())
    summary = result.summary()
    show(summary, as_json=as_json, text=lambda: _as_text(summary))
