"""Commands on what happened in conversations: insights, topics, simulate."""

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.app import HomeOption, JsonOption, app, open_home, show, wants_progress

_Date = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A day, in UTC.")]


@app.command()
def insights(  # noqa: PLR0913 — one parameter an option
    *,
    days: Annotated[int, typer.Option(min=1, help="The last so many days.")] = 30,
    first: _Date = None,
    last: _Date = None,
    channel: Annotated[str, typer.Option(help="Only this channel.")] = "",
    language: Annotated[str, typer.Option(help="Only this language: en, zh, …")] = "",
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Count made-up conversations too.")
    ] = False,
    table: Annotated[
        Path | None, typer.Option("--csv", help="Write the figures into this file, as CSV.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell how conversations went: deflection, CSAT, times, routes, intents, surges, cost."""
    from bot.analytics import reports

    place = open_home(home)
    place.log()
    wanted = reports.query(
        days,
        first=first.date() if first else None,
        last=last.date() if last else None,
        channel=channel,
        language=language,
        synthetic=synthetic,
    )
    found = reports.insights(place.engine, wanted)
    if table:
        table.write_text(reports.as_csv(found), encoding="utf-8")
    show(found, as_json=as_json, text=lambda: _said(found))


def _said(found: dict[str, Any]) -> str:
    period, figures = found["period"], found["figures"]
    lines = [
        f"{period['first']} to {period['last']}: {figures['conversations']} conversations",
        f"deflection {_percent(figures['deflection'])}: {found['definitions']['deflection']}",
        "outcomes: " + ", ".join(f"{n} {name}" for name, n in figures["outcomes"].items()),
        f"CSAT {figures['csat']['mean'] or '–'} of 5 from {figures['csat']['n']}",
        f"suggestions chosen: {_percent(found['suggestions']['acceptance'])}",
    ]
    lines += [
        f"surge: {' within '.join([s['name'], *s['also']])} from {s['first']}: "
        f"{s['observed']} negative messages, {s['expected']} expected"
        for s in found["surges"]
    ]
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


@app.command()
def topics(
    *,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget the topics there are and begin anew.")
    ] = False,
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Count made-up messages too.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for what customers talk about beside the intents; a server does so every hour."""
    from bot.analytics import topic_updates as looking
    from bot.store import topic_store as store

    place = open_home(home)
    place.log()
    store.claim(place.engine, timedelta())  # a server need not look just now
    looked = looking.TopicUpdater(
        place.engine, place.encoder, place.small_talk, progress=wants_progress()
    ).look(fresh=fresh)
    found = store.sizes(place.engine, synthetic=synthetic)
    result = {"topics": found, "found": looked.found, "placed": looked.placed}
    show(result, as_json=as_json, text=lambda: _topics(result))


def _topics(result: dict[str, Any]) -> str:
    lines = []
    for one in result["topics"]:
        near = f", mostly {one['intent']}" if one["intent"] else ""
        lines.append(f"{one['messages']}  {one['name']}  ({one['language']}{near})")
    new = f"{result['found']} of them new, {result['placed']} messages placed"
    return "\n".join([*lines, f"{len(result['topics'])} topics, {new}"])


@app.command()
def simulate(  # noqa: PLR0913 — one parameter an option
    *,
    days: Annotated[int, typer.Option(min=1, max=731, help="So many days up to today.")] = 60,
    per_day: Annotated[float, typer.Option(min=0.1, help="Conversations a day.")] = 60.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random numbers.")] = 0,
    clear: Annotated[
        bool, typer.Option("--clear", help="Only remove what was made up before.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fill the log with made-up conversations, marked as such, or remove them again.

    No figure counts them, and nothing is learnt from them, unless that is asked for.
    """
    from bot.analytics import topic_updates as topics
    from bot.analytics import traffic_simulation
    from bot.store import synthetic_conversations as synthetic
    from bot.store.topic_store import TopicUpdateRunningError

    place = open_home(home)
    place.log()
    removed = synthetic.clear(place.engine)
    written = 0
    if not clear:
        made = traffic_simulation.simulate_traffic(
            traffic_simulation.read_source(
                place.path / "dialogs", place.knowledge(), place.served_by()
            ),
            days,
            per_day,
            seed,
        )
        written = synthetic.write(place.engine, made)
        with suppress(TopicUpdateRunningError):  # a server looks: it finds them
            topics.TopicUpdater(
                place.engine, place.encoder, place.small_talk, progress=wants_progress()
            ).look()
    result = {"conversations": written, "removed": removed}
    show(
        result,
        as_json=as_json,
        text=lambda: f"{written} made-up conversations written, {removed} earlier ones removed",
    )
