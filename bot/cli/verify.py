"""`careline verify`: whether replies can be done again, and whether the log was altered."""

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
        str | None, typer.Argument(help="A message, or its reply.", metavar="MESSAGE_ID")
    ] = None,
    *,
    chain: Annotated[
        bool, typer.Option("--chain", help="Look for altered rows in the log.")
    ] = False,
    last: Annotated[int | None, typer.Option(min=1, help="Do the last N replies again.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Do a reply again under the versions that made it, or check the chain of the whole log.

    Exits 1 when something differs.
    """
    from bot.core.types import CarelineError

    if (message_id is not None) + chain + (last is not None) != 1:
        message = "give one of: a MESSAGE_ID, --last N, --chain"
        raise CarelineError(message)
    place = open_home(home)
    place.log()  # migrated
    if chain:
        from bot.store import audit_ledger

        report = audit_ledger.walk(place.engine)
        result = {**asdict(report), "whole": report.is_whole}
        show(result, as_json=as_json, text=lambda: _chain(report))
        well = report.is_whole
    else:
        from bot.container import build_assistant
        from bot.evaluation.reply_verification import Verifier
        from bot.store.read_model import ConversationReader

        verifier = Verifier(place, build_assistant)
        wanted = (
            [message_id] if message_id else ConversationReader(place.engine).answered(last or 1)
        )
        done = [verifier.verify(identifier) for identifier in wanted]
        rows = [{**asdict(one), "equal": one.equal} for one in done]
        show(
            rows[0]
            if message_id
            else {
                "n": len(rows),
                "equal": sum(one.equal for one in done),
                "different": [row for row in rows if not row["equal"]],
            },
            as_json=as_json,
            text=lambda: "\n".join(map(_said, done)),
        )
        well = all(one.equal for one in done)
    if not well:
        raise typer.Exit(1)


def _chain(report: "LedgerReport") -> str:
    found = [
        *(f"altered: the turn of message {name}" for name in report.altered),
        *(f"broken: the entry of message {name}, or one before it" for name in report.broken),
        *(f"not in the chain: the turn of message {name}" for name in report.unlisted),
    ]
    head = f"{report.entries} turns, {report.forgotten} forgotten on purpose"
    return "\n".join([f"{head}: {'nothing was altered' if report.is_whole else 'ALTERED'}", *found])


def _said(done: "VerificationResult") -> str:
    notes = []
    if done.unaltered is False:
        notes.append("its rows were altered")
    if done.redacted:
        notes.append("personal data was removed from the message")
    if done.not_repeated:
        notes.append(f"the {done.not_repeated} was not run again")
    head = f"{done.message_id}: {'equal' if done.equal else 'DIFFERENT'}"
    lines = [f"  {d.part}: logged {d.logged!r}, now {d.now!r}" for d in done.differences]
    return "\n".join([f"{head} ({'; '.join(notes)})" if notes else head, *lines])


@app.command()
def costs(
    *,
    days: Annotated[int | None, typer.Option(min=1, help="Only the last N days.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what language models cost, per conversation and per resolved conversation."""
    from datetime import timedelta

    from bot.core.types import now
    from bot.store import costs as sums

    place = open_home(home)
    place.log()  # migrated
    found = sums.of_log(place.engine, now() - timedelta(days=days) if days else None)
    result = {
        **asdict(found),
        "per_conversation": found.per_conversation,
        "per_resolved": found.per_resolved,
    }

    def text() -> str:
        each, resolved = found.per_conversation, found.per_resolved
        return (
            f"{found.conversations} conversations, {found.resolved} resolved; {found.written} of "
            f"{found.replies} replies by a language model, {found.prompt_tokens} + "
            f"{found.completion_tokens} tokens, {found.cost:.4f} in all, "
            f"{'-' if each is None else f'{each:.4f}'} a conversation, "
            f"{'-' if resolved is None else f'{resolved:.4f}'} a resolved one"
        )

    show(result, as_json=as_json, text=text)
