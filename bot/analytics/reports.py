"""Figures from a home's log, kept up to date, with the conversations that they count."""

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from bot.analytics import outcomes, period_report
from bot.analytics.surge_alerts import HISTORY, Surge, merge_intents, surges
from bot.analytics.surge_detection import DetectorSettings
from bot.core.types import OUT_OF_SCOPE, CarelineError, now
from bot.store import aggregate_cache, daily_aggregates, topic_store
from bot.store.daily_aggregates import ConversationFacts, DecidedMessage, ReportQuery
from bot.store.database import Database
from bot.store.topic_store import TopicSummary

MAX_DAYS: Final = 731
_EXAMPLES: Final = 5
_CHANGE_WINDOW: Final = timedelta(days=7)  # older changes are not listed with a surge


class ReportQueryError(CarelineError):
    """There are no figures for this query."""


def query(
    days: int = 30,
    *,
    first: date | None = None,
    last: date | None = None,
    channel: str | None = None,
    language: str | None = None,
    synthetic: bool = False,
) -> ReportQuery:
    """Return a period: between two days, or the last `days` up to today.

    Raises ReportQueryError for an invalid period, or one longer than two years.
    """
    end = last or now().date()
    start = first or end - timedelta(days=days - 1)
    period = ReportQuery(start, end, channel or None, language or None, synthetic)
    if not 1 <= period.days <= MAX_DAYS:
        message = f"a period has 1 to {MAX_DAYS} days, not {period.days}: choose other days"
        raise ReportQueryError(message)
    return period


def insights(
    engine: Database, period: ReportQuery, settings: DetectorSettings | None = None
) -> dict[str, Any]:
    """Return all figures of a period."""
    aggregate_cache.refresh(engine, outcomes.sum_facts)
    before = period.before()
    history = min(before.first, period.first - HISTORY)
    digests = _digests(engine, period, history)
    topics = topic_store.visible_topics(engine)
    return period_report.page(
        period,
        topics,
        [digest for digest in digests if digest.day >= period.first],
        [digest for digest in digests if before.first <= digest.day <= before.last],
        _surges(digests, topics, period.last, settings),
    )


def _digests(
    engine: Database, period: ReportQuery, first: date
) -> list[aggregate_cache.DailyAggregate]:
    return aggregate_cache.read(
        engine,
        first,
        period.last,
        channel=period.channel,
        language=period.language,
        synthetic=period.synthetic,
    )


def _surges(
    digests: Iterable[aggregate_cache.DailyAggregate],
    topics: Mapping[str, TopicSummary],
    last: date,
    settings: DetectorSettings | None,
) -> list[Surge]:
    """Detect surges of each topic's negative messages since the first day with figures."""
    counts: defaultdict[str, defaultdict[date, int]] = defaultdict(lambda: defaultdict(int))
    days = []
    for digest in digests:
        days.append(digest.day)
        for kind in outcomes.TOPICS:
            for name, value in outcomes.group(digest.figures, kind).items():
                topic, sentiment = name.rsplit("|", 1)
                if sentiment == outcomes.NEGATIVE:
                    counts[topic][digest.day] += int(value)
    within = {name: topic.intent or OUT_OF_SCOPE for name, topic in topics.items()}
    return merge_intents(surges(counts, min(days), last, settings), within) if days else []


def alerts(
    engine: Database,
    period: ReportQuery,
    changes: Callable[[str], Mapping[str, Any]] = lambda _: {},
    settings: DetectorSettings | None = None,
) -> list[dict[str, Any]]:
    """Return the surges of a period with examples, and the changes in the week before.

    `changes` returns the changes in a version, such as the number of articles.
    """
    aggregate_cache.refresh(engine, outcomes.sum_facts)
    topics = topic_store.visible_topics(engine)
    detected = _surges(
        _digests(engine, period, period.first - HISTORY), topics, period.last, settings
    )
    reports = []
    with engine.begin() as connection:
        for surge in detected:
            if surge.last < period.first:
                continue
            texts = daily_aggregates.examples(
                connection,
                replace(period, first=surge.first, last=surge.last),
                topic=surge.topic,
                sentiment=outcomes.NEGATIVE,
                limit=_EXAMPLES,
            )
            start, end = daily_aggregates.bounds(surge.first, surge.first)
            served = daily_aggregates.served_since(connection, start - _CHANGE_WINDOW, end)
            reports.append(
                {
                    **period_report.topic_json(surge.topic, topics),
                    "first": surge.first.isoformat(),
                    "last": surge.last.isoformat(),
                    "observed": surge.observed,
                    "expected": surge.expected,
                    "score": surge.score,
                    "also": list(surge.also),
                    "examples": texts,
                    "changes": [{**version, **changes(version["version"])} for version in served],
                }
            )
    return reports


# The name of a figure in the page → a test for the conversations it counts.
_Test = Callable[[ConversationFacts, str], bool]


def _steps(fact: ConversationFacts, test: Callable[[DecidedMessage], bool]) -> bool:
    return any(test(step) for step in fact.steps)


def _has_mood(mood: str) -> _Test:
    """Return the test for messages of a mood about an intent or a discovered topic."""
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
    **{mood: _has_mood(mood) for mood in outcomes.SENTIMENTS},
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


def conversations_of_figure(
    engine: Database, period: ReportQuery, figure: str, value: str = "", limit: int = 100
) -> dict[str, Any]:
    """Return the conversations that a figure counts, newest first, and their number.

    Raises ReportQueryError for an unknown figure.
    """
    test = FIGURES.get(figure)
    if test is None:
        message = f"there is no figure {figure[:64]}: choose from {', '.join(FIGURES)}"
        raise ReportQueryError(message)
    with engine.begin() as connection:
        facts = daily_aggregates.read(connection, period.first, period.last)
    matching = [fact for fact in facts if _matches(fact, period) and test(fact, value)]
    rows = [
        {
            "conversation_id": fact.id,
            "day": fact.day.isoformat(),
            "channel": fact.channel,
            "language": fact.language,
            "outcome": outcomes.outcome(fact),
            "intents": list(dict.fromkeys(step.intent for step in fact.steps if step.intent)),
        }
        for fact in matching[::-1][:limit]
    ]
    return {"figure": figure, "value": value, "count": len(matching), "conversations": rows}


def _matches(fact: ConversationFacts, period: ReportQuery) -> bool:
    return (
        (period.synthetic or not fact.synthetic)
        and period.channel in {None, fact.channel}
        and period.language in {None, fact.language}
    )


def as_csv(figures: Mapping[str, Any]) -> str:
    """Return the figures of a page as rows `section,name,value`, section by section."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("section", "name", "value"))
    for name, value in _flat("", {k: figures[k] for k in ("period", "figures", "routes")}):
        section, _, rest = name.partition(".")
        writer.writerow((section, rest, "" if value is None else _safe(value)))
    labels = {"intents": "intent", "topics": "name", "articles": "article", "days": "day"}
    for section, label in labels.items():
        for row in figures[section]:
            for name, value in _flat("", {k: v for k, v in row.items() if k != label}):
                writer.writerow((section, _safe(f"{row[label]} {name}"), value))
    for row in figures["voice"]:
        for sentiment in outcomes.SENTIMENTS:
            name = f"{row['day']} {row['name']} {sentiment}"
            writer.writerow(("voice", _safe(name), row[sentiment]))
    for name, value in _flat("", figures["suggestions"]):
        writer.writerow(("suggestions", name, "" if value is None else value))
    return out.getvalue()


def _flat(start: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(f"{start}.{name}" if start else str(name), inner)
    else:
        yield start, value


def _safe(value: Any) -> Any:
    """Return a text that no spreadsheet interprets as a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@"} else value
