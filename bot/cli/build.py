"""Commands that build: init, train, ingest, versions."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bot.cli.app import HomeOption, JsonOption, app, open_home, show, wants_progress
from bot.training.job import TrainingJob

if TYPE_CHECKING:
    from bot.container import Home
    from bot.core.settings import Promise
    from bot.nlu.intent_classifier import Calibration
    from bot.training.pipeline import TrainingResult

versions_app = typer.Typer(help="Versions of models and knowledge.", no_args_is_help=True)
app.add_typer(versions_app, name="versions")

_FOLDERS: Final = ("dialogs", "kb", "templates", "tests")
_FILES: Final = {
    "policy.yml": (
        "# Where messages go: intent → template | retrieve | act | handoff.\n"
        "version: 1\nroutes: {}\n"
    ),
    "careline.toml": "# Settings of this home; CARELINE_<NAME> in the environment wins.\n",
    "intents.md": "# Intents\n\nWhat each intent covers, and what it does not.\n",
    ".gitignore": "models/\nindexes/\n*.db\n*.db-*\n.content/\n.secrets.json\n",
}


class TrainingMethod(StrEnum):
    """How a classifier is trained."""

    HEAD = "head"
    FULL = "full"
    LORA = "lora"


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The new home.")], *, as_json: JsonOption = False
) -> None:
    """Make a new, empty home; files that are there stay as they are."""
    from bot.core.types import CarelineError

    try:
        for name in _FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        for name, content in _FILES.items():
            if not (folder / name).exists():
                (folder / name).write_text(content, encoding="utf-8")
    except OSError as error:
        message = f"{folder} cannot be made a home: {error.strerror}"
        raise CarelineError(message) from error
    show({"home": str(folder)}, as_json=as_json, text=lambda: f"made the home {folder}")


@app.command()
def train(  # noqa: PLR0913 — one parameter an option
    files: Annotated[
        list[Path] | None, typer.Argument(help="Labelled texts; they replace the home's dialogs.")
    ] = None,
    *,
    valid: Annotated[Path | None, typer.Option(help="Labelled texts to validate on.")] = None,
    method: Annotated[
        TrainingMethod, typer.Option(help="Frozen encoder, or fine-tuned.")
    ] = TrainingMethod.FULL,
    base: Annotated[
        str | None, typer.Option(help="e5-small, minilm, a folder, or a hub name.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--from", help="Go on from this version (or: current).")
    ] = None,
    add: Annotated[Path | None, typer.Option(help="With --from: the examples to learn.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 0,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a version of the intent classifier and activate it.

    `train search FILES` learns to search instead, from queries with their relevant articles.
    """
    if files and str(files[0]) == "search":
        from bot.cli.search_training import learn_to_search

        learn_to_search(files[1:], home, as_json=as_json)
        return
    from bot.container import build
    from bot.core.settings import Promise
    from bot.core.types import CarelineError
    from bot.training import datasets
    from bot.training.job import TrainingOptions

    place = open_home(home)
    promise = place.settings.promise or Promise()
    if source is not None or add is not None:
        if valid is not None or base is not None:
            message = "--valid and --base do not go with --from: the version keeps its own"
            raise CarelineError(message)
        done = _extend(place, source, add, files)
    else:
        options = TrainingOptions(
            method=method.value,
            base=base,
            valid=datasets.read_examples(valid) if valid else None,
            seed=seed,
            progress=wants_progress(),
        )
        done = build.train(place, options, files)
    show(_train_json(done, promise), as_json=as_json, text=lambda: _trained(done, promise))


def _extend(
    place: "Home", source: str | None, add: Path | None, files: list[Path] | None
) -> "TrainingResult":
    """Learn the examples of a file on top of a version."""
    from bot.core.types import CarelineError
    from bot.training import datasets, incremental

    if source is None or add is None or files:
        message = "learning more takes both: --from VERSION and --add FILE, and no other files"
        raise CarelineError(message)
    identifier = place.models.current_id() if source == "current" else source
    if identifier is None:
        message = "there is no model to go on from: run `careline train`"
        raise CarelineError(message)
    version = place.models.open(identifier)
    frozen = version.details["method"] == TrainingMethod.HEAD
    return incremental.extend(
        version,
        place.models,
        datasets.read_examples(add),
        place.encoder(str(version.details["base"])) if frozen else None,
        progress=wants_progress(),
    )


def _train_json(done: "TrainingResult", promise: "Promise") -> dict[str, object]:
    return {
        "version": done.version.id,
        "method": done.version.details["method"],
        "base": done.version.details["base"],
        "seconds": done.seconds,
        "examples": done.examples,
        "intents": done.intents,
        "engine": done.engine,
        "validation": done.validation,
        "promise": _promise(done.calibration, promise),
    }


def _trained(done: "TrainingResult", promise: "Promise") -> str:
    accuracy = done.validation["accuracy"]
    kept = f"at most {promise.wrong_among_answered:.1%} wrong, {promise.confidence:.0%} sure"
    calibration = done.calibration
    if calibration.promise is None:
        promised = f"cannot promise {kept}: {calibration.missing}"
    else:
        promised = f"{kept}: promised, answering {calibration.coverage or 0:.0%} of the messages"
    return (
        f"{done.version.id}: {done.intents} intents from {done.examples} examples in "
        f"{done.seconds:.0f} s, served by {done.engine}; accuracy on held-out examples "
        f"{'-' if accuracy is None else f'{accuracy:.3f}'}\n{promised}"
    )


def _promise(calibration: "Calibration", promise: "Promise") -> dict[str, object]:
    return {
        "wrong_among_answered": promise.wrong_among_answered,
        "confidence": promise.confidence,
        "threshold": calibration.promise,
        "coverage": calibration.coverage,
        "missing": calibration.missing,
    }


@app.command()
def tune(  # noqa: PLR0913 — one parameter an option
    files: Annotated[
        list[Path] | None, typer.Argument(help="Labelled texts; default: the home's dialogs.")
    ] = None,
    *,
    method: Annotated[TrainingMethod, typer.Option(help="What is tuned.")] = TrainingMethod.HEAD,
    base: Annotated[
        str | None, typer.Option(help="e5-small, minilm, a folder, or a hub name.")
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Recipes tried, in all.")] = 20,
    minutes: Annotated[float | None, typer.Option(min=0.1, help="Stop after this time.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 0,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search for a better training recipe; `careline train` uses what is found."""
    from bot.training import datasets, hyperparameter_search, recipe

    place = open_home(home)
    examples = datasets.read_all_examples(files or datasets.training_files(place.path / "dialogs"))
    frozen = method is TrainingMethod.HEAD
    job = TrainingJob(
        examples,
        place.encoder(base) if frozen else place.torch_encoder(base),
        method=method.value,
        recipe=recipe.load(place.path / recipe.FILE),
        seed=seed,
        progress=wants_progress(),
    )
    done = hyperparameter_search.tune(
        job,
        place.path / "models" / ".tuning.db",
        trials=trials,
        seconds=None if minutes is None else 60 * minutes,
    )
    target = place.path / recipe.FILE
    recipe.save(done.recipe, target)
    result = {
        "method": method.value,
        "trials": done.trials,
        "baseline": done.baseline,
        "accuracy": done.accuracy,
        "recipe": asdict(done.recipe),
        "file": str(target),
    }
    summary = (
        f"{done.trials} recipes tried; the best reaches {done.accuracy:.4f} on unseen parts, "
        f"the first {done.baseline:.4f}; written to {target}"
    )
    show(result, as_json=as_json, text=lambda: summary)


@app.command()
def ingest(
    places: Annotated[
        list[str] | None,
        typer.Argument(help="Files, folders, archives, web addresses; default: the home's kb/."),
    ] = None,
    *,
    depth: Annotated[int, typer.Option(min=0, help="Links to follow from a web address.")] = 1,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Web addresses of this network may be read.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build a version of the knowledge from documents and activate it.

    An article of a later place replaces the one of the same id in an earlier place.
    """
    from bot.container import build

    done = build.ingest(
        open_home(home),
        places,
        depth=depth,
        allow_private=allow_private,
        progress=wants_progress(),
    )
    result = {
        "version": done.version.id,
        "documents": done.documents,
        "chunks": done.chunks,
        "added": done.added,
        "changed": done.changed,
        "removed": done.removed,
        "failed": [asdict(failure) for failure in done.failed],
        "seconds": done.seconds,
    }

    def text() -> str:
        failed = "".join(f"\n  not read: {f.path}: {f.error}" for f in done.failed)
        return (
            f"{done.version.id}: {done.documents} documents, {done.chunks} passages "
            f"({done.added} added, {done.changed} changed, {done.removed} removed) in "
            f"{done.seconds:.1f} s{failed}"
        )

    show(result, as_json=as_json, text=text)


@versions_app.command("list")
def list_versions(
    *,
    kind: Annotated[str | None, typer.Option(help="models, knowledge, templates, policy.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List versions, oldest first, and which are active."""
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
    identifier: Annotated[str, typer.Argument(help="m-… or k-…")],
    *,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a version the one that serves; a server that runs takes it over."""
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
    """Go back to the version before the active one."""
    from bot.store.version_catalog import version_json

    version = open_home(home).catalog.rollback(kind)
    show(
        version_json(version, active=True),
        as_json=as_json,
        text=lambda: f"{version.id} is active",
    )
