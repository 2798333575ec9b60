"""Commands on training data: import, rasa-export, lint."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.app import HomeOption, JsonOption, app, open_home, show, wants_progress

if TYPE_CHECKING:
    from bot.container import Home
    from bot.integrations.importer import ImportReport
    from bot.training.data_lint import LintFinding
    from bot.training.data_lint_rows import LabelledRow


@app.command("import")
def import_data(
    file: Annotated[
        Path, typer.Argument(help="Rasa's nlu.yml, domain.yml or project folder; .csv; .jsonl.")
    ],
    *,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring a Rasa project or labelled texts into the home; nothing there is overwritten."""
    from bot.integrations import importer

    done = importer.import_into(open_home(home).path, file)
    show(asdict(done), as_json=as_json, text=lambda: _imported(done))


def _imported(done: "ImportReport") -> str:
    return "\n".join(
        [
            (
                f"{done.examples} new examples, {done.intents} intents, "
                f"{done.templates} templates, {done.entities} entities"
            ),
            *(f"wrote {name}" for name in done.files),
            *(f"skipped {item.where}: {item.why}" for item in done.skipped),
            *(f"next: {note}" for note in done.notes),
        ]
    )


@app.command("rasa-export")
def rasa_export(
    folder: Annotated[Path, typer.Argument(help="Where nlu.yml and domain.yml are written.")],
    *,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the home's examples, entities and templates as Rasa's nlu.yml and domain.yml."""
    from bot.integrations.rasa import home_export

    done = home_export.export_to_rasa(open_home(home).path, folder)
    text = (
        f"{done.examples} examples, {done.intents} intents, {done.templates} templates, "
        f"{done.entities} entities"
    )
    written = "\n".join(f"wrote {name}" for name in done.files)
    show(asdict(done), as_json=as_json, text=lambda: f"{text}\n{written}")


@app.command()
def lint(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Labelled texts; default: the home's dialogs.")
    ] = None,
    *,
    valid: Annotated[Path | None, typer.Option(help="Labelled texts to validate on.")] = None,
    fix: Annotated[
        Path | None, typer.Option(help="A new folder for cleaned copies and review.csv.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find faults of labelled texts: wrong labels, repetitions, leaks, personal data."""
    from bot.training import data_cleaning, data_lint_report, data_lint_rows, datasets

    place = open_home(home)
    paths = files or datasets.training_files(place.path / "dialogs")
    rows = data_lint_rows.read(paths, valid)
    findings = _findings(place, rows)
    read = [*paths, valid] if valid else [*paths]
    result = {
        "files": [str(path) for path in read],
        "examples": len(rows),
        "findings": [finding.as_json(rows) for finding in findings],
    }
    done = data_cleaning.write(rows, data_cleaning.plan(rows, findings), read, fix) if fix else None
    if done is not None:
        result["fixed"] = asdict(done)

    def text() -> str:
        report = data_lint_report.report(findings, rows, len(read))
        if done is None:
            return report
        return (
            f"{report}\n\n{done.folder}: {done.kept} texts kept, {done.duplicates_removed} "
            f"duplicates removed, {done.moved_to_review} moved to review.csv, "
            f"{done.redacted} redacted; the originals are untouched"
        )

    show(result, as_json=as_json, text=text)


def _findings(place: "Home", rows: "list[LabelledRow]") -> "list[LintFinding]":
    """Examine rows; where they are enough to learn from, with a model's opinion."""
    from bot.training import data_lint as linter

    chosen = linter.usable_rows(rows)
    if not chosen:
        typer.echo("too few texts of each intent to look for wrong labels", err=True)
        return linter.examine(rows, None, ())
    examples = [rows[i].example for i in chosen]
    inputs = [example.input for example in examples]
    vectors = place.encoder().queries(inputs, progress=wants_progress())
    return linter.examine(rows, linter.predict_out_of_fold(examples, vectors), chosen)
