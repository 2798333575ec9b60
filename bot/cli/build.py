"""Commands that build a home: init, train, tune, ingest, versions."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from bot.cli.app import HomeOption, JsonOption, app, open_home, show, wants_progress

if TYPE_CHECKING:
    from bot.container import Home
    from bot.core.settings import Promise
    from bot.nlu.calibration import Calibration
    from bot.training.pipeline import TrainingResult

versions_app = typer.Typer(help="Versions of models and knowledge.", no_args_is_help=True)
app.add_typer(versions_app, name="versions")

_FOLDERS: Final = ("dialogs", "kb", "templates", "tests")
_FILES: Final = {
    "policy.yml": (
        "# Routes of the intents: template | retrieve | act | handoff.\nversion: 1\nroutes: {}\n"
    ),
    "careline.toml": "# Settings of this home; CARELINE_<NAME> in the environment wins.\n",
    "intents.md": "# Intents\n\nDescribe what each intent covers, and what it does not.\n",
    ".gitignore": "models/\nindexes/\n*.db\n*.db-*\n.content/\n.secrets.json\n.seal.key\n",
}


class TrainingMethod(StrEnum):
    """A training method of the intent classifier."""

    AUTO = "auto"
    HEAD = "head"
    FULL = "full"
    LORA = "lora"

    @property
    def resolved(self) -> Literal["head", "full", "lora"]:
        """The method that is used: fine-tuning takes long, so it has to be asked for."""
        match self:
            case TrainingMethod.FULL:
                return "full"
            case TrainingMethod.LORA:
                return "lora"
            case _:
                return "head"


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the new home.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Create an empty home; existing files are not changed."""
    from bot.core.types import CarelineError

    try:
        for name in _FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        for name, content in _FILES.items():
            if not (folder / name).exists():
                (folder / name).write_text(content, encoding="utf-8")
    except OSError as error:
        message = f"{folder} cannot be created: {error.strerror}"
        raise CarelineError(message) from error
    show({"home": str(folder)}, as_json=as_json, text=lambda: f"created the home {folder}")


@app.command()
def train(  # noqa: PLR0913 — one parameter per option
    files: Annotated[
        list[Path] | None, typer.Argument(help="Labelled texts (default: the home's dialogs).")
    ] = None,
    *,
    valid: Annotated[Path | None, typer.Option(help="Labelled texts for validation.")] = None,
    method: Annotated[
        TrainingMethod,
        typer.Option(help="auto, head: frozen encoder; full, lora: fine-tuning."),
    ] = TrainingMethod.AUTO,
    base: Annotated[
        str | None, typer.Option(help="Encoder: e5-small, minilm, a folder, or a hub name.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--from", help="Continue from this version, or from `current`.")
    ] = None,
    add: Annotated[Path | None, typer.Option(help="With --from: the examples to add.")] = None,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a version of the intent classifier and activate it.

    `train search FILES` trains the search instead, on queries with their relevant articles.
    """
    if files and str(files[0]) == "search":
        from bot.cli.search_training import train_search

        train_search(files[1:], home, as_json=as_json)
        return
    from bot.container import build
    from bot.core.settings import Promise
    from bot.core.types import CarelineError
    from bot.training import datasets
    from bot.training.job import TrainingOptions

    opened = open_home(home)
    promise = opened.settings.promise or Promise()
    if source is not None or add is not None:
        if valid is not None or base is not None:
            message = "--valid and --base cannot be used with --from: the version has its own"
            raise CarelineError(message)
        result = _extend(opened, source, add, files)
    else:
        options = TrainingOptions(
            method=method.resolved,
            base=base,
            valid=datasets.read_examples(valid) if valid else None,
            seed=seed,
            progress=wants_progress(),
        )
        result = build.train(opened, options, files)
    show(_train_json(result, promise), as_json=as_json, text=lambda: _train_text(result, promise))


def _extend(
    home: "Home", source: str | None, add: Path | None, files: list[Path] | None
) -> "TrainingResult":
    """Train the examples of a file on top of a version."""
    from bot.core.types import CarelineError
    from bot.training import datasets, incremental

    if source is None or add is None or files:
        message = "give both --from VERSION and --add FILE, and no other files"
        raise CarelineError(message)
    identifier = home.models.current_id() if source == "current" else source
    if identifier is None:
        message = "there is no model to continue from: run `careline train`"
        raise CarelineError(message)
    version = home.models.open(identifier)
    is_frozen = version.details["method"] == TrainingMethod.HEAD
    return incremental.extend(
        version,
        home.models,
        datasets.read_examples(add),
        home.encoder(str(version.details["base"])) if is_frozen else None,
        progress=wants_progress(),
    )


def _train_json(result: "TrainingResult", promise: "Promise") -> dict[str, object]:
    return {
        "version": result.version.id,
        "method": result.version.details["method"],
        "base": result.version.details["base"],
        "seconds": result.seconds,
        "examples": result.examples,
        "intents": result.intents,
        "engine": result.engine,
        "validation": result.validation,
        "promise": _promise_json(result.calibration, promise),
    }


def _train_text(result: "TrainingResult", promise: "Promise") -> str:
    accuracy = result.validation["accuracy"]
    limit = (
        f"at most {promise.wrong_among_answered:.1%} wrong answers with "
        f"{promise.confidence:.0%} confidence"
    )
    calibration = result.calibration
    if calibration.promise is None:
        summary = f"cannot promise {limit}: {calibration.missing}"
    else:
        summary = f"promise: {limit}, answering {calibration.coverage or 0:.0%} of the messages"
    return (
        f"{result.version.id}: {result.intents} intents from {result.examples} examples in "
        f"{result.seconds:.0f} s, served by {result.engine}; accuracy on held-out examples "
        f"{'-' if accuracy is None else f'{accuracy:.3f}'}\n{summary}"
    )


def _promise_json(calibration: "Calibration", promise: "Promise") -> dict[str, object]:
    return {
        "wrong_among_answered": promise.wrong_among_answered,
        "confidence": promise.confidence,
        "threshold": calibration.promise,
        "coverage": calibration.coverage,
        "missing": calibration.missing,
    }


@app.command()
def tune(  # noqa: PLR0913 — one parameter per option
    files: Annotated[
        list[Path] | None, typer.Argument(help="Labelled texts (default: the home's dialogs).")
    ] = None,
    *,
    method: Annotated[
        TrainingMethod, typer.Option(help="Training method to tune.")
    ] = TrainingMethod.HEAD,
    base: Annotated[
        str | None, typer.Option(help="Encoder: e5-small, minilm, a folder, or a hub name.")
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Number of recipes to try.")] = 20,
    minutes: Annotated[float | None, typer.Option(min=0.1, help="Stop after this time.")] = None,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search for a better training recipe; `careline train` uses the best one."""
    from bot.training import datasets, hyperparameter_search, recipe
    from bot.training.job import TrainingJob

    opened = open_home(home)
    examples = datasets.read_all_examples(files or datasets.training_files(opened.path / "dialogs"))
    is_frozen = method.resolved == "head"
    job = TrainingJob(
        examples,
        opened.encoder(base) if is_frozen else opened.torch_encoder(base),
        method=method.resolved,
        recipe=recipe.load(opened.path / recipe.FILE),
        seed=seed,
        progress=wants_progress(),
    )
    outcome = hyperparameter_search.tune(
        job,
        opened.path / "models" / ".tuning.db",
        trials=trials,
        seconds=None if minutes is None else 60 * minutes,
    )
    target = opened.path / recipe.FILE
    recipe.save(outcome.recipe, target)
    result = {
        "method": method.resolved,
        "trials": outcome.trials,
        "baseline": outcome.baseline,
        "accuracy": outcome.accuracy,
        "recipe": asdict(outcome.recipe),
        "file": str(target),
    }
    summary = (
        f"{outcome.trials} recipes tried; validation accuracy of the best {outcome.accuracy:.4f}, "
        f"of the first {outcome.baseline:.4f}; written to {target}"
    )
    show(result, as_json=as_json, text=lambda: summary)


@app.command()
def ingest(
    places: Annotated[
        list[str] | None,
        typer.Argument(help="Files, folders, archives, web addresses (default: the home's kb/)."),
    ] = None,
    *,
    depth: Annotated[int, typer.Option(min=0, help="Depth of links to follow on a site.")] = 1,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Allow web addresses of this network.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build a version of the knowledge from documents and activate it.

    If several places have an article with the same id, the last place wins.
    """
    from bot.container import build

    report = build.ingest(
        open_home(home),
        places,
        depth=depth,
        allow_private=allow_private,
        progress=wants_progress(),
    )
    result = {
        "version": report.version.id,
        "documents": report.documents,
        "chunks": report.chunks,
        "added": report.added,
        "changed": report.changed,
        "removed": report.removed,
        "failed": [asdict(failure) for failure in report.failed],
        "seconds": report.seconds,
    }

    def text() -> str:
        failed = "".join(f"\n  not read: {f.path}: {f.error}" for f in report.failed)
        return (
            f"{report.version.id}: {report.documents} documents, {report.chunks} passages "
            f"({report.added} added, {report.changed} changed, {report.removed} removed) in "
            f"{report.seconds:.1f} s{failed}"
        )

    show(result, as_json=as_json, text=text)


@versions_app.command("list")
def list_versions(
    *,
    kind: Annotated[
        str | None, typer.Option(help="Only models, knowledge, templates or policy.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List versions, oldest first; the active ones are marked."""
    rows = open_home(home).catalog.rows(kind)

    def text() -> str:
        lines = [
            f"{'*' if row['active'] else ' '} {row['id']}  {row['kind']}  {row['created'] or '-'}"
            for row in rows
        ]
        return "\n".join(lines) or "no versions yet"

    show(rows, as_json=as_json, text=text)


@versions_app.command()
def activate(
    identifier: Annotated[str, typer.Argument(help="Id of a version: m-… or k-…")],
    *,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Activate a version; running servers switch to it."""
    from bot.store.version_catalog import version_json

    version = open_home(home).catalog.activate(identifier)
    show(
        version_json(version, active=True),
        as_json=as_json,
        text=lambda: f"{version.id} is active",
    )


@versions_app.command()
def rollback(
    kind: Annotated[str, typer.Argument(help="models or knowledge.")],
    *,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Activate the version before the active one."""
    from bot.store.version_catalog import version_json

    version = open_home(home).catalog.rollback(kind)
    show(
        version_json(version, active=True),
        as_json=as_json,
        text=lambda: f"{version.id} is active",
    )
