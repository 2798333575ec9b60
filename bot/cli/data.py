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
        Path,
        typer.Argument(help="Rasa's nlu.yml, domain.yml or project folder, or .csv or .jsonl."),
    ],
    *,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import a Rasa project or labelled texts into the home; nothing is overwritten."""
    from bot.integrations import importer

    report = importer.import_into(open_home(home).path, file)
    show(asdict(report), as_json=as_json, text=lambda: _import_text(report))


def _import_text(report: "ImportReport") -> str:
    return "\n".join(
        [
            (
                f"{report.examples} new examples, {report.intents} intents, "
                f"{report.templates} templates, {report.entities} entities"
            ),
            *(f"wrote {name}" for name in report.files),
            *(f"skipped {item.where}: {item.why}" for item in report.skipped),
            *(f"next: {note}" for note in report.notes),
        ]
    )


@app.command("rasa-export")
def rasa_export(
    folder: Annotated[Path, typer.Argument(help="Folder for nlu.yml and domain.yml.")],
    *,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Export the home's examples, entities and templates as Rasa's nlu.yml and domain.yml."""
    from bot.integrations.rasa import home_export

    report = home_export.export_to_rasa(open_home(home).path, folder)
    counts = (
        f"{report.examples} examples, {report.intents} intents, {report.templates} templates, "
        f"{report.entities} entities"
    )
    files = "\n".join(f"wrote {name}" for name in report.files)
    show(asdict(report), as_json=as_json, text=lambda: f"{counts}\n{files}")


@app.command()
def lint(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Labelled texts (default: the home's dialogs).")
    ] = None,
    *,
    valid: Annotated[Path | None, typer.Option(help="Labelled texts for validation.")] = None,
    fix: Annotated[
        Path | None, typer.Option(help="New folder for cleaned copies and review.csv.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find issues of labelled texts: wrong labels, duplicates, leaks, personal data."""
    from bot.training import data_cleaning, data_lint_report, data_lint_rows, datasets

    opened = open_home(home)
    paths = files or datasets.training_files(opened.path / "dialogs")
    rows = data_lint_rows.read(paths, valid)
    findings = _find_issues(opened, rows)
    sources = [*paths, valid] if valid else [*paths]
    result = {
        "files": [str(path) for path in sources],
        "examples": len(rows),
        "findings": [finding.as_json(rows) for finding in findings],
    }
    cleaned = None
    if fix:
        cleaned = data_cleaning.write(rows, data_cleaning.plan(rows, findings), sources, fix)
        result["fixed"] = asdict(cleaned)

    def text() -> str:
        report = data_lint_report.report(findings, rows, len(sources))
        if cleaned is None:
            return report
        return (
            f"{report}\n\n{cleaned.folder}: {cleaned.kept} texts kept, "
            f"{cleaned.duplicates_removed} duplicates removed, {cleaned.moved_to_review} moved to "
            f"review.csv, {cleaned.redacted} redacted; the originals are not changed"
        )

    show(result, as_json=as_json, text=text)


def _find_issues(home: "Home", rows: "list[LabelledRow]") -> "list[LintFinding]":
    """Examine rows, with predictions of a model if there are enough of them."""
    from bot.training import data_lint

    indices = data_lint.usable_rows(rows)
    if not indices:
        typer.echo("too few texts per intent to find wrong labels", err=True)
        return data_lint.examine(rows, None, ())
    examples = [rows[i].example for i in indices]
    inputs = [example.input for example in examples]
    vectors = home.encoder().queries(inputs, progress=wants_progress())
    return data_lint.examine(rows, data_lint.predict_out_of_fold(examples, vectors), indices)
