"""`careline verify` and `careline costs`: reproducible replies, an unaltered log, and costs."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.app import HomeOption, JsonOption, app, open_home, show

if TYPE_CHECKING:
    from bot.evaluation.reply_verification import VerificationResult
    from bot.store.audit_ledger import LedgerReport


@app.command()
def verify(
    message_id: Annotated[
        str | None, typer.Argument(help="Id of a message or of its reply.", metavar="MESSAGE_ID")
    ] = None,
    *,
    chain: Annotated[bool, typer.Option("--chain", help="Find altered rows of the log.")] = False,
    last: Annotated[int | None, typer.Option(min=1, help="Verify the last N replies.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reproduce a reply under the versions that made it, or check the hash chain of the log.

    Exits with 1 if something differs.
    """
    from bot.core.types import CarelineError

    if (message_id is not None) + chain + (last is not None) != 1:
        message = "give one of: a MESSAGE_ID, --last N, --chain"
        raise CarelineError(message)
    opened = open_home(home)
    opened.log()  # migrates the database
    if chain:
        from bot.store import audit_ledger

        report = audit_ledger.walk(opened.engine)
        result = {**asdict(report), "whole": report.is_whole}
        show(result, as_json=as_json, text=lambda: _chain_text(report))
        is_ok = report.is_whole
    else:
        from bot.container import build_assistant
        from bot.evaluation.reply_verification import Verifier
        from bot.store.read_model import ConversationReader

        verifier = Verifier(opened, build_assistant)
        identifiers = (
            [message_id] if message_id else ConversationReader(opened.engine).answered(last or 1)
        )
        results = [verifier.verify(identifier) for identifier in identifiers]
        rows = [{**asdict(result), "equal": result.equal} for result in results]
        show(
            rows[0]
            if message_id
            else {
                "n": len(rows),
                "equal": sum(result.equal for result in results),
                "different": [row for row in rows if not row["equal"]],
            },
            as_json=as_json,
            text=lambda: "\n".join(map(_verification_text, results)),
        )
        is_ok = all(result.equal for result in results)
    if not is_ok:
        raise typer.Exit(1)


def _chain_text(report: "LedgerReport") -> str:
    issues = [
        *(f"altered: the turn of message {name}" for name in report.altered),
        *(f"broken: the entry of message {name}, or one before it" for name in report.broken),
        *(f"not in the chain: the turn of message {name}" for name in report.unlisted),
    ]
    counts = f"{report.entries} turns, {report.forgotten} deleted on request"
    state = "nothing was altered" if report.is_whole else "ALTERED"
    return "\n".join([f"{counts}: {state}", *issues])


def _verification_text(result: "VerificationResult") -> str:
    notes = []
    if result.unaltered is False:
        notes.append("its rows were altered")
    if result.redacted:
        notes.append("personal data was removed from the message")
    if result.not_repeated:
        notes.append(f"the {result.not_repeated} was not run again")
    head = f"{result.message_id}: {'equal' if result.equal else 'DIFFERENT'}"
    lines = [f"  {d.part}: logged {d.logged!r}, now {d.now!r}" for d in result.differences]
    return "\n".join([f"{head} ({'; '.join(notes)})" if notes else head, *lines])


@app.command()
def costs(
    *,
    days: Annotated[
        int | None, typer.Option(min=1, help="Number of days, up to today (default: all).")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report the costs of language models, per conversation and per resolved conversation."""
    from datetime import timedelta

    from bot.core.types import now
    from bot.store import costs

    opened = open_home(home)
    opened.log()  # migrates the database
    report = costs.of_log(opened.engine, now() - timedelta(days=days) if days else None)
    result = {
        **asdict(report),
        "per_conversation": report.per_conversation,
        "per_resolved": report.per_resolved,
    }

    def text() -> str:
        average, resolved = report.per_conversation, report.per_resolved
        return (
            f"{report.conversations} conversations, {report.resolved} resolved; {report.written} "
            f"of {report.replies} replies by a language model, {report.prompt_tokens} + "
            f"{report.completion_tokens} tokens; costs {report.cost:.4f} in total, "
            f"{'-' if average is None else f'{average:.4f}'} per conversation, "
            f"{'-' if resolved is None else f'{resolved:.4f}'} per resolved conversation"
        )

    show(result, as_json=as_json, text=text)
