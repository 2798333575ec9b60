"""Figures from a home's log: brought up to date, read, and led back to their conversations."""

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

from bot.analytics import outcomes, period_report
from bot.analytics.period_report import ReportQuery
from bot.analytics.surge_alerts import HISTORY, Surge, surges, told_once
from bot.analytics.surge_detection import DetectorSettings
from bot.core.types import OUT_OF_SCOPE, CarelineError, now
from bot.store import aggregate_cache, daily_aggregates, topic_store
from bot.store.daily_aggregates import ConversationFacts, DecidedMessage
from bot.store.database import Database
from bot.store.topic_store import TopicSummary

MOST_DAYS: Final = 731
_EXAMPLES: Final = 5
_BEFORE: Final = timedelta(days=7)  # a change longer ago is not named beside a surge


class ReportQueryError(CarelineError):
    """There are no figures for what was asked."""


def query(  # noqa: PLR0913 — one parameter a filter
    days: int = 30,
    *,
    first: date | None = None,
    last: date | None = None,
    channel: str | None = None,
    language: str | None = None,
    synthetic: bool = False,
) -> ReportQuery:
    """Return a period: between two days, or the last `days` up to today.

    Raises QueryError for a period that is none, or longer than two years.
    """
    end = last or now().date()
    start = first or end - timedelta(days=days - 1)
    found = ReportQuery(start, end, channel or None, language or None, synthetic)
    if not 1 <= found.days <= MOST_DAYS:
        message = f"a period has 1 to {MOST_DAYS} days, not {found.days}: choose other days"
        raise ReportQueryError(message)
    return found


def insights(
    engine: Database, wanted: ReportQuery, plan: DetectorSettings | None = None
) -> dict[str, Any]:
    """Return all figures of a period."""
    aggregate_cache.refresh(engine, outcomes.summed)
    before = wanted.before()
    history = min(before.first, wanted.first - HISTORY)
    found = _digests(engine, wanted, history)
    known = topic_store.visible_topics(engine)
    return period_report.page(
        wanted,
        known,
        [digest for digest in found if digest.day >= wanted.first],
        [digest for digest in found if before.first <= digest.day <= before.last],
        _surges(found, known, wanted.last, plan),
    )


def _digests(
    engine: Database, wanted: ReportQuery, first: date
) -> list[aggregate_cache.DailyAggregate]:
    return aggregate_cache.read(
        engine,
        first,
        wanted.last,
        channel=wanted.channel,
        language=wanted.language,
        synthetic=wanted.synthetic,
    )


def _surges(
    found: Iterable[aggregate_cache.DailyAggregate],
    known: Mapping[str, TopicSummary],
    last: date,
    plan: DetectorSettings | None,
) -> list[Surge]:
    """Judge each topic's negative messages since the first day there is anything of."""
    counts: defaultdict[str, defaultdict[date, int]] = defaultdict(lambda: defaultdict(int))
    days = []
    for digest in found:
        days.append(digest.day)
        for kind in outcomes.TOPICS:
            for name, value in outcomes.group(digest.figures, kind).items():
                topic, sentiment = name.rsplit("|", 1)
                if sentiment == outcomes.NEGATIVE:
                    counts[topic][digest.day] += int(value)
    within = {name: topic.intent or OUT_OF_SCOPE for name, topic in known.items()}
    return told_once(surges(counts, min(days), last, plan), within) if days else []


def alerts(
    engine: Database,
    wanted: ReportQuery,
    changes: Callable[[str], Mapping[str, Any]] = lambda _: {},
    plan: DetectorSettings | None = None,
) -> list[dict[str, Any]]:
    """Return the surges of a period with examples, and what had changed in the week before.

    `changes` says of a version what it changed, such as how many articles.
    """
    aggregate_cache.refresh(engine, outcomes.summed)
    known = topic_store.visible_topics(engine)
    found = _surges(_digests(engine, wanted, wanted.first - HISTORY), known, wanted.last, plan)
    told = []
    with engine.begin() as connection:
        for surge in found:
            if surge.last < wanted.first:
                continue
            texts = daily_aggregates.examples(
                connection,
                surge.first,
                surge.last,
                topic=surge.topic,
                sentiment=outcomes.NEGATIVE,
                limit=_EXAMPLES,
                channel=wanted.channel,
                language=wanted.language,
                synthetic=wanted.synthetic,
            )
            start, end = daily_aggregates.bounds(surge.first, surge.first)
            served = daily_aggregates.served_since(connection, start - _BEFORE, end)
            told.append(
                {
                    **period_report.named(surge.topic, known),
                    "first": surge.first.isoformat(),
                    "last": surge.last.isoformat(),
                    "observed": surge.observed,
                    "expected": surge.expected,
                    "score": surge.score,
                    "also": list(surge.also),
                    "examples": texts,
                    "changes": [{**one, **changes(one["version"])} for one in served],
                }
            )
    return told


# What a figure counts: its name in the page → the conversations it is made of.
_Test = Callable[[ConversationFacts, str], bool]


def _steps(fact: ConversationFacts, test: Callable[[DecidedMessage], bool]) -> bool:
    return any(test(step) for step in fact.steps)


def _felt(mood: str) -> _Test:
    """Return the test for messages of a mood about an intent, or a topic that was found."""
    return lambda fact, value: _steps(
        fact, lambda step: step.sentiment == mood and value in {step.intent, step.topic}
    )


FIGURES: Final[Mapping[str, _Test]] = {
    "conversations": lambda _fact, _value: True,
    "outcome": lambda fact, value: outcomes.outcome(fact) == value,
    "deflected": lambda fact, _: outcomes.is_deflected(fact),
    "came_again": lambda fact, _: fact.came_again,
    "csat": lambda fact, value: fact.score is not None and value in {"", str(fact.score)},
    "route": lambda fact, value: _steps(fact, lambda step: step.route == value),
    "intent": lambda fact, value: _steps(fact, lambda step: step.intent == value),
    **{mood: _felt(mood) for mood in outcomes.SENTIMENTS},
    "topic": lambda fact, value: _steps(fact, lambda step: step.topic == value),
    "cited": lambda fact, value: value in fact.cited,
    "opened": lambda fact, value: value in fact.opened,
    "thumb_up": lambda fact, value: (value, "up") in fact.rated,
    "thumb_down": lambda fact, value: (value, "down") in fact.rated,
    "offered": lambda fact, _: bool(fact.offers),
    "chosen": lambda fact, value: any(
        offer.kind is not None and value in {"", offer.kind} for offer in fact.offers
    ),
    "cost": lambda fact, _: _steps(fact, lambda step: bool(step.trace.get("generated"))),
}


def behind(
    engine: Database, wanted: ReportQuery, figure: str, value: str = "", limit: int = 100
) -> dict[str, Any]:
    """Return the conversations that a figure is made of, newest first, and how many there are.

    Raises QueryError for a figure that there is not.
    """
    test = FIGURES.get(figure)
    if test is None:
        message = f"there is no figure {figure[:64]}: choose from {', '.join(FIGURES)}"
        raise ReportQueryError(message)
    with engine.begin() as connection:
        there = daily_aggregates.read(connection, wanted.first, wanted.last)
    found = [fact for fact in there if _fits(fact, wanted) and test(fact, value)]
    rows = [
        {
            "conversation_id": fact.id,
            "day": fact.day.isoformat(),
            "channel": fact.channel,
            "language": fact.language,
            "outcome": outcomes.outcome(fact),
            "intents": list(dict.fromkeys(step.intent for step in fact.steps if step.intent)),
        }
        for fact in found[::-1][:limit]
    ]
    return {"figure": figure, "value": value, "count": len(found), "conversations": rows}


def _fits(fact: ConversationFacts, wanted: ReportQuery) -> bool:
    return (
        (wanted.synthetic or not fact.synthetic)
        and wanted.channel in {None, fact.channel}
        and wanted.language in {None, fact.language}
    )


def as_csv(found: Mapping[str, Any]) -> str:
    """Return the figures of a page as rows `section,name,value`, the sections one after another."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("section", "name", "value"))
    for name, value in _flat("", {k: found[k] for k in ("period", "figures", "routes")}):
        section, _, rest = name.partition(".")
        writer.writerow((section, rest, "" if value is None else _safe(value)))
    labels = {"intents": "intent", "topics": "name", "articles": "article", "days": "day"}
    for section, label in labels.items():
        for row in found[section]:
            for name, value in _flat("", {k: v for k, v in row.items() if k != label}):
                writer.writerow((section, _safe(f"{row[label]} {name}"), value))
    for row in found["voice"]:
        for sentiment in outcomes.SENTIMENTS:
            name = f"{row['day']} {row['name']} {sentiment}"
            writer.writerow(("voice", _safe(name), row[sentiment]))
    for name, value in _flat("", found["suggestions"]):
        writer.writerow(("suggestions", name, "" if value is None else value))
    return out.getvalue()


def _flat(start: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(f"{start}.{name}" if start else str(name), inner)
    else:
        yield start, value


def _safe(value: Any) -> Any:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@"} else value
