"""What the log says of the conversations that began on a day, for figures; nothing is written."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, select
from sqlalchemy.orm import aliased

from bot.core.types import TOPIC, Interaction
from bot.store.database import utc
from bot.store.tables import (
    citations,
    conversations,
    csat,
    decisions,
    feedback,
    interactions,
    message_topics,
    messages,
    suggestions,
    topics,
    versions,
)

AGAIN: Final = timedelta(days=7)  # within which the same customer's next conversation counts
UNKNOWN: Final = "other"


@dataclass(frozen=True)
class DecidedMessage:
    """A decided message."""

    message_id: str
    route: str
    reason: str
    intent: str | None
    sentiment: str
    trace: Mapping[str, Any]
    topic: str | None = None  # what was found beside the intents


@dataclass(frozen=True)
class SuggestionOffer:
    """What an agent was offered: whether, and what, of it was chosen, and how much was changed."""

    kind: str | None
    distance: float | None


@dataclass
class ConversationFacts:
    """One conversation, as far as figures are concerned."""

    id: str
    day: date
    channel: str
    language: str
    synthetic: bool
    came_again: bool = False
    score: int | None = None  # CSAT, 1 to 5
    steps: list[DecidedMessage] = field(default_factory=list)
    ratings: list[str] = field(default_factory=list)
    cited: list[str] = field(default_factory=list)  # one a citation's article and reply
    rated: list[tuple[str, str]] = field(default_factory=list)  # article, rating of its reply
    opened: list[str] = field(default_factory=list)
    offers: list[SuggestionOffer] = field(default_factory=list)


def bounds(first: date, last: date) -> tuple[datetime, datetime]:
    """Return the moments between which the days lie, in UTC; the second is not part of them."""
    start = datetime.combine(first, time(), UTC)
    return start, datetime.combine(last, time(), UTC) + timedelta(days=1)


def read(connection: Connection, first: date, last: date) -> list[ConversationFacts]:
    """Return the conversations that began between two days, both included, oldest first."""
    start, end = bounds(first, last)
    here = (conversations.c.created_at >= start) & (conversations.c.created_at < end)
    query = select(conversations).where(here).order_by(conversations.c.created_at)
    found = {row.id: _fact(row) for row in connection.execute(query)}
    for key in _came_again(connection, here):
        found[key].came_again = True
    _add_steps(connection, here, found)
    for row in connection.execute(_joined(select(csat), csat, here)):
        found[row.conversation_id].score = row.score
    _add_ratings(connection, here, found)
    opened = _of_messages(
        select(messages.c.conversation_id, interactions.c.article), interactions, here
    ).where(interactions.c.kind == Interaction.OPENED.value)
    for row in connection.execute(opened):
        found[row.conversation_id].opened.append(row.article)
    for row in connection.execute(_joined(select(suggestions), suggestions, here)):
        found[row.conversation_id].offers.append(SuggestionOffer(row.kind, row.distance))
    return list(found.values())


def _fact(row: Row[Any]) -> ConversationFacts:
    return ConversationFacts(
        id=row.id,
        day=utc(row.created_at).date(),
        channel=row.channel,
        language=row.language or UNKNOWN,
        synthetic=row.synthetic,
    )


def _joined(query: Select[Any], table: Any, here: Any) -> Select[Any]:
    return query.join(conversations, conversations.c.id == table.c.conversation_id).where(here)


def _of_messages(query: Select[Any], table: Any, here: Any) -> Select[Any]:
    joined = query.join(messages, messages.c.id == table.c.message_id)
    return joined.join(conversations, conversations.c.id == messages.c.conversation_id).where(here)


def _came_again(connection: Connection, here: Any) -> Sequence[str]:
    later = aliased(conversations)
    query = (
        select(conversations.c.id, conversations.c.created_at, later.c.created_at.label("next"))
        .join(later, (later.c.sender == conversations.c.sender))
        .where(here, later.c.created_at > conversations.c.created_at)
    )
    rows = connection.execute(query)
    return [row.id for row in rows if utc(row.next) - utc(row.created_at) <= AGAIN]


def _add_steps(connection: Connection, here: Any, found: Mapping[str, ConversationFacts]) -> None:
    names = ("message_id", "conversation_id", "route", "reason", "intent", "sentiment", "trace")
    columns = (*(decisions.c[name] for name in names), topics.c.id.label("topic"))
    query = (
        _of_messages(select(*columns), decisions, here)
        .outerjoin(message_topics, message_topics.c.message_id == messages.c.id)
        .outerjoin(topics, (topics.c.id == message_topics.c.topic_id) & ~topics.c.known)
    )
    for row in connection.execute(query.order_by(messages.c.position)):
        found[row.conversation_id].steps.append(
            DecidedMessage(
                row.message_id,
                row.route,
                row.reason,
                row.intent,
                row.sentiment,
                row.trace,
                row.topic,
            )
        )


def _add_ratings(connection: Connection, here: Any, found: Mapping[str, ConversationFacts]) -> None:
    """Note the last rating of each message, and the articles its reply cites."""
    rated: dict[str, str] = {}
    query = select(messages.c.conversation_id, messages.c.in_reply_to, feedback)
    last: dict[tuple[str, str], str] = {}
    for row in connection.execute(_of_messages(query, feedback, here).order_by(feedback.c.id)):
        asked = row.in_reply_to or row.message_id
        rated[asked] = last[row.conversation_id, asked] = row.rating
    for (conversation, _), rating in last.items():
        found[conversation].ratings.append(rating)
    cited: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    query = select(messages.c.conversation_id, messages.c.in_reply_to, citations.c.article)
    for row in connection.execute(_of_messages(query, citations, here)):
        cited[row.conversation_id, row.in_reply_to].add(row.article)
    for (conversation, asked), articles in cited.items():
        for article in sorted(articles):
            found[conversation].cited.append(article)
            if asked in rated:
                found[conversation].rated.append((article, rated[asked]))


def examples(  # noqa: PLR0913 — one parameter a filter
    connection: Connection,
    first: date,
    last: date,
    *,
    topic: str,
    sentiment: str,
    limit: int,
    channel: str | None = None,
    language: str | None = None,
    synthetic: bool = False,
) -> list[dict[str, str]]:
    """Return messages of a topic, or an intent, and a mood, newest first.

    They are from conversations that began between two days, both included.
    """
    start, end = bounds(first, last)
    here = (conversations.c.created_at >= start) & (conversations.c.created_at < end)
    if channel:
        here &= conversations.c.channel == channel
    if language:
        here &= func.coalesce(conversations.c.language, UNKNOWN) == language
    if not synthetic:
        here &= conversations.c.synthetic.is_(False)
    found = select(messages.c.conversation_id, messages.c.id, messages.c.text)
    query = _joined(found.join(decisions, decisions.c.message_id == messages.c.id), messages, here)
    if topic.startswith(TOPIC):
        query = query.join(message_topics, message_topics.c.message_id == messages.c.id)
        about = message_topics.c.topic_id == topic
    else:
        about = decisions.c.intent == topic
    query = query.where(about, decisions.c.sentiment == sentiment)
    rows = connection.execute(query.order_by(messages.c.position.desc()).limit(limit))
    return [
        {"conversation_id": row.conversation_id, "message_id": row.id, "text": row.text}
        for row in rows
    ]


def served_since(connection: Connection, first: datetime, last: datetime) -> list[dict[str, str]]:
    """Return the versions that were served for the first time between two moments, newest first."""
    begun = versions.c.first_served_at
    query = select(versions).where(begun >= first, begun < last).order_by(begun.desc())
    return [
        {"version": row.id, "kind": row.kind, "at": utc(row.first_served_at).isoformat()}
        for row in connection.execute(query)
    ]
