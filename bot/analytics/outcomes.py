"""Outcomes of conversations, and the daily sums that all figures are made from.

Every conversation has one outcome:

- `handoff`: a person was asked for, by the customer or by the assistant;
- `unhappy`: the last rating was a thumb down, or the customer gave one or two of five;
- `confirmed`: the last rating was a thumb up, or the customer gave four or five of five;
- `abandoned`: the assistant asked back, and the customer did not answer;
- `assumed`: the assistant answered, and the customer left without a complaint.

A conversation is *deflected* when its outcome is `confirmed` or `assumed` and the same customer
did not begin another one within seven days.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import ceil, log
from typing import Any, Final

from bot.core.types import Route
from bot.store.daily_aggregates import ConversationFacts, DecidedMessage

HANDOFF, UNHAPPY, CONFIRMED = "handoff", "unhappy", "confirmed"
ABANDONED, ASSUMED = "abandoned", "assumed"
OUTCOMES: Final = (CONFIRMED, ASSUMED, ABANDONED, UNHAPPY, HANDOFF)
RESOLVED: Final = frozenset({CONFIRMED, ASSUMED})
NEGATIVE: Final = "negative"
SENTIMENTS: Final = (NEGATIVE, "neutral", "positive")
TOPICS: Final = ("mood", "topic")  # the sums of intents, and of discovered topics
_CONTENT, _DISCONTENT = 4, 2  # lowest CSAT of a content customer, highest of a discontent one
_STEP: Final = log(1.05)  # times are stored with a precision of 5 %
_SEPARATOR: Final = "|"


def outcome(fact: ConversationFacts) -> str:
    """Return the outcome of a conversation."""
    if any(step.route == Route.HANDOFF for step in fact.steps):
        return HANDOFF
    rating = fact.ratings[-1] if fact.ratings else None
    if rating == "down" or (fact.score is not None and fact.score <= _DISCONTENT):
        return UNHAPPY
    if rating == "up" or (fact.score is not None and fact.score >= _CONTENT):
        return CONFIRMED
    if fact.steps and _waits_for_customer(fact.steps[-1]):
        return ABANDONED
    return ASSUMED


def _waits_for_customer(step: DecidedMessage) -> bool:
    """Return whether the assistant waits for the customer: for a choice, a slot, a yes or no."""
    decisions: Sequence[Mapping[str, Any]] = step.trace.get("decisions") or ({},)
    last = decisions[-1]
    return step.route == Route.CLARIFY or bool(
        step.route == Route.ACT and (last.get("slot") or last.get("confirms"))
    )


def is_deflected(fact: ConversationFacts) -> bool:
    """Return whether the assistant resolved it alone, and the customer did not come back."""
    return outcome(fact) in RESOLVED and not fact.came_again


def bucket(milliseconds: float) -> int:
    """Return the number of the range of times, 5 % wide, that contains a time."""
    return ceil(log(max(milliseconds, 1e-3)) / _STEP)


def upper(number: int) -> float:
    """Return the upper end of a range of times, in milliseconds."""
    return float(2.718281828459045 ** (number * _STEP))


def sum_facts(facts: Sequence[ConversationFacts]) -> dict[str, float]:
    """Return the sums over conversations of a day, channel and language: `group|name` → sum."""
    sums: defaultdict[str, float] = defaultdict(float)
    for fact in facts:
        sums[key("conversations")] += 1
        sums[key("channel", fact.channel)] += 1
        sums[key("language", fact.language)] += 1
        sums[key("outcome", outcome(fact))] += 1
        sums[key("deflected")] += is_deflected(fact)
        sums[key("again")] += fact.came_again
        if fact.score is not None:
            sums[key("csat", fact.score)] += 1
        for step in fact.steps:
            _add_step(sums, step)
        for topic in {s.intent for s in fact.steps if s.intent and s.sentiment == NEGATIVE}:
            sums[key("upset", topic)] += 1  # conversations
        for article in fact.cited:
            sums[key("cited", article)] += 1
        for article, rating in fact.rated:
            sums[key(f"thumb_{rating}", article)] += 1
        for article in fact.opened:
            sums[key("opened", article)] += 1
        for offer in fact.offers:
            sums[key("offered")] += 1
            if offer.kind is not None:
                sums[key("chosen", offer.kind)] += 1
                sums[key("changed")] += offer.distance or 0.0
                sums[key("unchanged")] += not offer.distance
    return {name: value for name, value in sums.items() if value}


def _add_step(sums: defaultdict[str, float], step: DecidedMessage) -> None:
    sums[key("replies")] += 1
    sums[key("route", step.route)] += 1
    if step.intent:
        sums[key("mood", step.intent, step.sentiment)] += 1
    if step.topic:
        sums[key("topic", step.topic, step.sentiment)] += 1
    times: Mapping[str, float] = step.trace.get("timings_ms") or {}
    for name, stage in (("first", "first_token"), ("reply", "total")):
        if stage in times:
            sums[key(name, bucket(times[stage]))] += 1
    for written in step.trace.get("generated") or ():
        sums[key("prompt")] += written["tokens"]["prompt"]
        sums[key("completion")] += written["tokens"]["completion"]
        sums[key("cost")] += written["cost"] or 0.0


def key(*parts: object) -> str:
    """Return the name of a sum."""
    return _SEPARATOR.join(str(part) for part in parts)


def group(sums: Mapping[str, float], name: str) -> dict[str, float]:
    """Return the sums of a group by the rest of their names."""
    start = name + _SEPARATOR
    return {label[len(start) :]: value for label, value in sums.items() if label.startswith(start)}
