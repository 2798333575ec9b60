"""`careline test`: run conversation tests, record them, or import them from Rasa."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bot.cli.app import HomeOption, JsonOption, app, open_home, show, wants_progress

if TYPE_CHECKING:
    from bot.container import Home
    from bot.evaluation.conversation_tests.results import TranscriptLine
    from bot.evaluation.conversation_tests.yaml_writer import GeneratedTests

_COLOURS: Final[dict[str, dict[str, Any]]] = {
    "good": {"fg": "green"},
    "bad": {"fg": "red"},
    "dim": {"dim": True},
    "head": {"bold": True},
    "plain": {},
}


@app.command("test")
def run_tests(  # noqa: PLR0913 — one parameter per option
    files: Annotated[
        list[Path] | None, typer.Argument(help="Test files or folders (default: the home's tests).")
    ] = None,
    *,
    keyword: Annotated[
        str, typer.Option("-k", help="Only tests whose name or file contains this.")
    ] = "",
    fail_fast: Annotated[bool, typer.Option("-x", help="Stop at the first failure.")] = False,
    conversation: Annotated[
        str | None, typer.Option("--from", help="Record this conversation as a test.")
    ] = None,
    stories: Annotated[
        Path | None, typer.Option("--import", help="Convert Rasa's test stories into tests.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="With --from or --import: the new file to write.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the home's conversation tests; exit with 1 if one fails."""
    from bot.core.types import CarelineError

    if conversation and stories:
        message = "give one of --from and --import"
        raise CarelineError(message)
    opened = open_home(home)
    if conversation or stories:
        _write(_generate(opened, conversation, stories), out, as_json=as_json)
        return
    if out:
        message = "--out belongs to --from or --import"
        raise CarelineError(message)
    _run(opened, files or [], keyword, fail_fast=fail_fast, as_json=as_json)


def _run(home: "Home", files: list[Path], keyword: str, *, fail_fast: bool, as_json: bool) -> None:
    from rich.console import Console
    from rich.progress import Progress

    from bot.container import build_assistant
    from bot.core.types import CarelineError
    from bot.evaluation.conversation_tests import cases, results, runner
    from bot.evaluation.conversation_tests.test_clock import TestActions
    from bot.store.in_memory_log import MemoryLog

    tests = cases.read(cases.files_of(home.path, files), keyword)
    if not tests:
        message = f"no test's name or file contains {keyword}" if keyword else "there are no tests"
        raise CarelineError(message)
    bar = Progress(console=Console(stderr=True), disable=not wants_progress(), transient=True)
    test_runner = runner.build_runner(
        build_assistant(home, MemoryLog()).components,
        TestActions(home.path, home.actions(dry=True)),
        promises=home.settings.promise is not None,
    )
    with bar:
        task = bar.add_task("testing", total=len(tests))
        result = runner.run(
            test_runner, tests, fail_fast=fail_fast, each=lambda _: bar.update(task, advance=1)
        )
    show(
        results.as_json(result),
        as_json=as_json,
        text=lambda: "\n".join(_styled(line) for line in results.lines(result)),
    )
    if result.failed:
        raise typer.Exit(1)


def _styled(line: "TranscriptLine") -> str:
    """Return a line with its colour, which typer removes if the output is not a terminal."""
    return (
        line.text if os.environ.get("NO_COLOR") else typer.style(line.text, **_COLOURS[line.kind])
    )


def _generate(home: "Home", conversation: str | None, stories: Path | None) -> "GeneratedTests":
    if stories:
        from bot.integrations.rasa.stories import read

        return read(stories)
    from bot.evaluation.conversation_tests import recorder
    from bot.store.read_model import ConversationReader

    home.log()  # migrates the database
    identifying = home.policy().content.slots_with("identifies")
    proofs = recorder.proofs_of(home.actions(dry=True))
    return recorder.record(ConversationReader(home.engine), conversation or "", proofs, identifying)


def _write(generated: "GeneratedTests", out: Path | None, *, as_json: bool) -> None:
    """Write tests into a new file, or print them."""
    from bot.core.types import CarelineError

    text = generated.as_yaml()
    if out:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            with out.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError as error:
            message = f"{out} exists already: name a new file"
            raise CarelineError(message) from error
        except OSError as error:
            message = f"{out} cannot be written: {error.strerror}"
            raise CarelineError(message) from error
    result = {
        "tests": len(generated.tests),
        "file": str(out) if out else None,
        "skipped": list(generated.skipped),
        "yaml": text,
    }
    for note in generated.skipped:
        typer.echo(f"skipped: {note}", err=True)
    show(
        result,
        as_json=as_json,
        text=lambda: f"wrote {len(generated.tests)} tests to {out}" if out else text.rstrip(),
    )
