"""The figures of a period, made from daily sums: for the page, the command and CSV."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any, Final

from bot.analytics import outcomes
from bot.analytics.outcomes import OUTCOMES, SENTIMENTS, group, upper
from bot.analytics.surge_alerts import Surge
from bot.core.types import TOPIC
from bot.store.aggregate_cache import DailyAggregate
from bot.store.daily_aggregates import ReportQuery
from bot.store.topic_store import TopicSummary

_MAX_ARTICLES: Final = 50
_SATISFIED: Final = ("4", "5")

# Shown with the figures, so that their meaning is clear.
DEFINITIONS: Final = {
    "deflection": "conversations with outcome confirmed or assumed whose customer did not begin "
    "another one within 7 days, over all conversations",
    "confirmed": "the last rating was a thumb up, or CSAT is 4 or 5",
    "assumed": "the assistant answered and the customer left without a complaint",
    "abandoned": "the assistant asked back and the customer did not answer",
    "unhappy": "the last rating was a thumb down, or CSAT is 1 or 2",
    "handoff": "a person was asked for, by the customer or by the assistant",
    "came_again": "the same customer began another conversation within 7 days",
    "csat": "what customers gave, 1 to 5; satisfied is the share of 4 and 5",
    "times": "milliseconds until the first word and until the whole reply; percentiles to 5 %",
    "surge": "a day with more negative messages of a topic than its own past explains",
}


def page(
    query: ReportQuery,
    topics: Mapping[str, TopicSummary],
    now: Sequence[DailyAggregate],
    before: Sequence[DailyAggregate],
    surges: Sequence[Surge] = (),
) -> dict[str, Any]:
    """Return all figures of a period; `before` are the digests of the one before it.

    `topics` are the discovered ones, by their ids.
    """
    sums, earlier = _total(now), _total(before)
    by_day: defaultdict[date, list[DailyAggregate]] = defaultdict(list)
    for digest in now:
        by_day[digest.day].append(digest)
    daily = {day: _total(by_day[day]) for day in sorted(by_day)}
    dates = [query.first + timedelta(days=n) for n in range(query.days)]
    return {
        "period": {
            "first": query.first.isoformat(),
            "last": query.last.isoformat(),
            "channel": query.channel,
            "language": query.language,
            "synthetic": query.synthetic,
        },
        "channels": sorted(group(sums, "channel")),
        "languages": sorted(group(sums, "language")),
        "definitions": DEFINITIONS,
        "figures": _figures(sums),
        "before": _figures(earlier),
        "routes": {name: int(n) for name, n in sorted(group(sums, "route").items())},
        "intents": _intents(sums, earlier),
        "days": [_day(day, daily.get(day, {})) for day in dates],
        "topics": _topics(sums, earlier, topics),
        "voice": _voice(daily, topics),
        "articles": _articles(sums),
        "suggestions": _suggestions(sums),
        "surges": [_surge(surge, topics) for surge in surges if surge.last >= query.first],
    }


def _total(digests: Iterable[DailyAggregate]) -> dict[str, float]:
    total: defaultdict[str, float] = defaultdict(float)
    for digest in digests:
        for name, value in digest.figures.items():
            total[name] += value
    return dict(total)


def _figures(sums: Mapping[str, float]) -> dict[str, Any]:
    conversations = int(sums.get("conversations", 0))
    ended = group(sums, "outcome")
    scores = {int(score): int(n) for score, n in group(sums, "csat").items()}
    rated = sum(scores.values())
    cost = sums.get("cost", 0.0)
    resolved = int(ended.get(outcomes.CONFIRMED, 0) + ended.get(outcomes.ASSUMED, 0))
    deflected = int(sums.get("deflected", 0))
    return {
        "conversations": conversations,
        "replies": int(sums.get("replies", 0)),
        "outcomes": {name: int(ended.get(name, 0)) for name in OUTCOMES},
        "came_again": int(sums.get("again", 0)),
        "deflected": deflected,
        "deflection": _share(deflected, conversations),
        "csat": {
            "n": rated,
            "mean": _share(sum(score * n for score, n in scores.items()), rated),
            "satisfied": _share(sum(scores.get(int(s), 0) for s in _SATISFIED), rated),
        },
        "first_token_ms": _percentiles(group(sums, "first")),
        "reply_ms": _percentiles(group(sums, "reply")),
        "cost": {
            "total": round(cost, 6),
            "per_conversation": _share(cost, conversations),
            "per_resolved": _share(cost, resolved),
            "prompt_tokens": int(sums.get("prompt", 0)),
            "completion_tokens": int(sums.get("completion", 0)),
        },
    }


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 6) if whole else None


def _percentiles(counts: Mapping[str, float]) -> dict[str, Any]:
    """Return the median and the 95th percentile, as the upper ends of their ranges."""
    total = sum(counts.values())
    percentiles: dict[str, Any] = {"n": int(total), "p50": None, "p95": None}
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        cumulative = 0.0
        for number in sorted(map(int, counts)):
            cumulative += counts[str(number)]
            if cumulative >= share * total:
                percentiles[name] = round(upper(number), 1)
                break
    return percentiles


def topic_json(topic: str, topics: Mapping[str, TopicSummary]) -> dict[str, str]:
    """Return a topic with its kind, an intent or a discovered one, and its name."""
    summary = topics.get(topic)
    kind = "discovered" if topic.startswith(TOPIC) else "intent"
    return {"topic": topic, "kind": kind, "name": summary.name if summary else topic}


def _moods(sums: Mapping[str, float], kind: str) -> dict[str, dict[str, int]]:
    """Return the messages of each intent, or of each discovered topic, by sentiment."""
    moods: defaultdict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(SENTIMENTS, 0))
    for name, count in group(sums, kind).items():
        topic, sentiment = name.rsplit("|", 1)
        moods[topic][sentiment] += int(count)
    return dict(moods)


def _intents(sums: Mapping[str, float], earlier: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return messages per intent, most frequent first, with those of the period before."""
    now, before = _moods(sums, "mood"), _moods(earlier, "mood")
    upset = group(sums, "upset")
    rows = [
        {
            "intent": name,
            "messages": sum(now.get(name, {}).values()),
            "before": sum(before.get(name, {}).values()),
            "negative": now.get(name, {}).get(outcomes.NEGATIVE, 0),
            "upset_conversations": int(upset.get(name, 0)),
        }
        for name in now.keys() | before.keys()
    ]
    return sorted(rows, key=lambda row: (-int(row["messages"]), row["intent"]))


def _topics(
    sums: Mapping[str, float], earlier: Mapping[str, float], topics: Mapping[str, TopicSummary]
) -> list[dict[str, Any]]:
    """Return messages per discovered topic, in the same form as the intents."""
    now, before = _moods(sums, "topic"), _moods(earlier, "topic")
    rows = [
        {
            **topic_json(topic, topics),
            "language": topics[topic].language,
            "intent": topics[topic].intent,
            "messages": sum(now.get(topic, {}).values()),
            "before": sum(before.get(topic, {}).values()),
            "negative": now.get(topic, {}).get(outcomes.NEGATIVE, 0),
        }
        for topic in (now.keys() | before.keys()) & topics.keys()
    ]
    return sorted(rows, key=lambda row: (-int(row["messages"]), row["topic"]))


def _day(day: date, sums: Mapping[str, float]) -> dict[str, Any]:
    ended = group(sums, "outcome")
    return {
        "day": day.isoformat(),
        "conversations": int(sums.get("conversations", 0)),
        "deflected": int(sums.get("deflected", 0)),
        "outcomes": {name: int(ended.get(name, 0)) for name in OUTCOMES},
        "routes": {name: int(n) for name, n in sorted(group(sums, "route").items())},
    }


def _voice(
    daily: Mapping[date, Mapping[str, float]], topics: Mapping[str, TopicSummary]
) -> list[dict[str, Any]]:
    """Return a row for each day and topic with messages, by sentiment."""
    return [
        {"day": day.isoformat(), **topic_json(topic, topics), **moods}
        for day, sums in daily.items()
        for kind in outcomes.TOPICS
        for topic, moods in sorted(_moods(sums, kind).items())
    ]


def _articles(sums: Mapping[str, float]) -> list[dict[str, Any]]:
    names = ("cited", "opened", "thumb_up", "thumb_down")
    groups = {name: group(sums, name) for name in names}
    counts = {
        article: {name: int(groups[name].get(article, 0)) for name in names}
        for article in {article for counts_of in groups.values() for article in counts_of}
    }
    most = sorted(counts, key=lambda article: (-counts[article]["cited"], article))
    return [{"article": article, **counts[article]} for article in most[:_MAX_ARTICLES]]


def _suggestions(sums: Mapping[str, float]) -> dict[str, Any]:
    chosen = {name: int(n) for name, n in sorted(group(sums, "chosen").items())}
    taken = sum(chosen.values())
    offered = int(sums.get("offered", 0))
    return {
        "offered": offered,
        "chosen": taken,
        "acceptance": _share(taken, offered),
        "by_kind": chosen,
        "unchanged": int(sums.get("unchanged", 0)),
        "changed_share": _share(sums.get("changed", 0.0), taken),
    }


def _surge(surge: Surge, topics: Mapping[str, TopicSummary]) -> dict[str, Any]:
    topic = topic_json(surge.topic, topics)
    return {
        **asdict(surge),
        **topic,
        "first": surge.first.isoformat(),
        "last": surge.last.isoformat(),
        "also": list(surge.also),
    }
