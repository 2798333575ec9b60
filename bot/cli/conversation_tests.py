"""`careline test`: conversation tests, and where they come from."""

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
def run_tests(  # noqa: PLR0913 — each is an option of the command line
    files: Annotated[
        list[Path] | None, typer.Argument(help="Tests, or folders; default: the home's tests.")
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
        Path | None, typer.Option("--import", help="Turn Rasa's test stories into tests.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A new file for such tests.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the home's conversation tests; exits 1 when one fails."""
    from bot.core.types import CarelineError

    if conversation and stories:
        message = "give one of --from and --import"
        raise CarelineError(message)
    place = open_home(home)
    if conversation or stories:
        written = _written(place, conversation, stories)
        _put(written, out, as_json=as_json)
        return
    if out:
        message = "--out belongs to --from or --import"
        raise CarelineError(message)
    _run(place, files or [], keyword, fail_fast=fail_fast, as_json=as_json)


def _run(place: "Home", files: list[Path], keyword: str, *, fail_fast: bool, as_json: bool) -> None:
    from rich.console import Console
    from rich.progress import Progress

    from bot.container import build_assistant
    from bot.core.types import CarelineError
    from bot.evaluation.conversation_tests import cases, results, runner
    from bot.evaluation.conversation_tests.test_clock import TestActions
    from bot.store.in_memory_log import MemoryLog

    tests = cases.read(cases.files_of(place.path, files), keyword)
    if not tests:
        message = f"no test's name or file contains {keyword}" if keyword else "there are no tests"
        raise CarelineError(message)
    bar = Progress(console=Console(stderr=True), disable=not wants_progress(), transient=True)
    prepared = runner.build_runner(
        build_assistant(place, MemoryLog()).components,
        TestActions(place.path, place.actions(dry=True)),
        promises=place.settings.promise is not None,
    )
    with bar:
        task = bar.add_task("testing", total=len(tests))
        done = runner.run(
            prepared, tests, fail_fast=fail_fast, each=lambda _: bar.update(task, advance=1)
        )
    show(
        results.as_json(done),
        as_json=as_json,
        text=lambda: "\n".join(_styled(line) for line in results.lines(done)),
    )
    if done.failed:
        raise typer.Exit(1)


def _styled(line: "TranscriptLine") -> str:
    """Return a line with its colour; typer takes it out again where no terminal reads it."""
    return (
        line.text if os.environ.get("NO_COLOR") else typer.style(line.text, **_COLOURS[line.kind])
    )


def _written(place: "Home", conversation: str | None, stories: Path | None) -> "GeneratedTests":
    if stories:
        from bot.integrations.rasa import stories as rasa_stories

        return rasa_stories.read(stories)
    from bot.evaluation.conversation_tests import recorder
    from bot.store.read_model import ConversationReader

    place.log()  # migrated
    identifying = place.policy().content.slots_with("identifies")
    proofs = recorder.proofs_of(place.actions(dry=True))
    return recorder.record(
        ConversationReader(place.engine), conversation or "", proofs, identifying
    )


def _put(written: "GeneratedTests", out: Path | None, *, as_json: bool) -> None:
    """Write tests into a new file, or print them."""
    from bot.core.types import CarelineError

    text = written.as_yaml()
    if out:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            with out.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError as error:
            message = f"{out} is there already: name a new file"
            raise CarelineError(message) from error
        except OSError as error:
            message = f"{out} cannot be written: {error.strerror}"
            raise CarelineError(message) from error
    result = {
        "tests": len(written.tests),
        "file": str(out) if out else None,
        "skipped": list(written.skipped),
        "yaml": text,
    }
    for note in written.skipped:
        typer.echo(f"left out: {note}", err=True)
    show(
        result,
        as_json=as_json,
        text=lambda: f"wrote {len(written.tests)} tests to {out}" if out else text.rstrip(),
    )
