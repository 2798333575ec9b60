"""Commands about past conversations: insights, topics, simulate."""

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.app import HomeOption, JsonOption, app, open_home, show, wants_progress

_Date = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A day, in UTC.")]


@app.command()
def insights(  # noqa: PLR0913 — one parameter per option
    *,
    days: Annotated[int, typer.Option(min=1, help="Number of days, up to today.")] = 30,
    first: _Date = None,
    last: _Date = None,
    channel: Annotated[str, typer.Option(help="Only this channel.")] = "",
    language: Annotated[str, typer.Option(help="Only this language: en, zh, …")] = "",
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Include simulated conversations.")
    ] = False,
    table: Annotated[
        Path | None, typer.Option("--csv", help="File for the figures, as CSV.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Report on conversations: deflection, CSAT, times, routes, intents, surges, costs."""
    from bot.analytics import reports

    opened = open_home(home)
    opened.log()
    query = reports.query(
        days,
        first=first.date() if first else None,
        last=last.date() if last else None,
        channel=channel,
        language=language,
        synthetic=synthetic,
    )
    report = reports.insights(opened.engine, query)
    if table:
        table.write_text(reports.as_csv(report), encoding="utf-8")
    show(report, as_json=as_json, text=lambda: _insights_text(report))


def _insights_text(report: dict[str, Any]) -> str:
    period, figures = report["period"], report["figures"]
    lines = [
        f"{period['first']} to {period['last']}: {figures['conversations']} conversations",
        f"deflection {_percent(figures['deflection'])}: {report['definitions']['deflection']}",
        "outcomes: " + ", ".join(f"{n} {name}" for name, n in figures["outcomes"].items()),
        f"CSAT {figures['csat']['mean'] or '–'} of 5 from {figures['csat']['n']} ratings",
        f"suggestions accepted: {_percent(report['suggestions']['acceptance'])}",
    ]
    lines += [
        f"surge: {' within '.join([s['name'], *s['also']])} from {s['first']}: "
        f"{s['observed']} negative messages, {s['expected']} expected"
        for s in report["surges"]
    ]
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


@app.command()
def topics(
    *,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Delete the existing topics first.")
    ] = False,
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Include simulated messages.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Discover topics of customers beside the intents; a server does this every hour."""
    from bot.analytics import topic_updates
    from bot.store import topic_store

    opened = open_home(home)
    opened.log()
    topic_store.claim(opened.engine, timedelta())  # so that no server updates the topics now
    update = topic_updates.TopicUpdater(
        opened.engine, opened.encoder, opened.small_talk, progress=wants_progress()
    ).look(fresh=fresh)
    sizes = topic_store.sizes(opened.engine, synthetic=synthetic)
    result = {"topics": sizes, "found": update.found, "placed": update.placed}
    show(result, as_json=as_json, text=lambda: _topics_text(result))


def _topics_text(result: dict[str, Any]) -> str:
    lines = []
    for topic in result["topics"]:
        intent = f", mostly {topic['intent']}" if topic["intent"] else ""
        lines.append(f"{topic['messages']}  {topic['name']}  ({topic['language']}{intent})")
    new = f"{result['found']} of them new, {result['placed']} messages assigned"
    return "\n".join([*lines, f"{len(result['topics'])} topics, {new}"])


@app.command()
def simulate(
    *,
    days: Annotated[int, typer.Option(min=1, max=731, help="Number of days, up to today.")] = 60,
    per_day: Annotated[float, typer.Option(min=0.1, help="Conversations per day.")] = 60.0,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 0,
    clear: Annotated[
        bool, typer.Option("--clear", help="Only remove the simulated conversations.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fill the log with simulated conversations, marked as such, or remove them.

    They are not used in figures or for training unless this is asked for.
    """
    from bot.analytics import topic_updates, traffic_simulation
    from bot.store import synthetic_conversations
    from bot.store.topic_store import TopicUpdateRunningError

    opened = open_home(home)
    opened.log()
    removed = synthetic_conversations.clear(opened.engine)
    written = 0
    if not clear:
        source = traffic_simulation.read_source(
            opened.path / "dialogs", opened.knowledge(), opened.served_by()
        )
        conversations = traffic_simulation.simulate_traffic(source, days, per_day, seed)
        written = synthetic_conversations.write(opened.engine, conversations)
        with suppress(TopicUpdateRunningError):  # the running update includes them
            topic_updates.TopicUpdater(
                opened.engine, opened.encoder, opened.small_talk, progress=wants_progress()
            ).look()
    result = {"conversations": written, "removed": removed}
    show(
        result,
        as_json=as_json,
        text=lambda: f"{written} simulated conversations written, {removed} earlier ones removed",
    )
