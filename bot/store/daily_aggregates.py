"""Facts about the conversations that began on a day, for figures; nothing is written."""

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

REPEAT_WINDOW: Final = timedelta(days=7)  # a second conversation within it is a repeated contact
UNKNOWN: Final = "other"


@dataclass(frozen=True)
class ReportQuery:
    """The scope of a report: a period (UTC days, both included), a channel, a language."""

    first: date
    last: date
    channel: str | None = None
    language: str | None = None
    synthetic: bool = False

    @property
    def days(self) -> int:
        """Return the number of days in the period."""
        return (self.last - self.first).days + 1

    def before(self) -> "ReportQuery":
        """Return the period of the same length right before."""
        last = self.first - timedelta(days=1)
        first = last - timedelta(days=self.days - 1)
        return ReportQuery(first, last, self.channel, self.language, self.synthetic)


@dataclass(frozen=True)
class DecidedMessage:
    """A message with the decision on it."""

    message_id: str
    route: str
    reason: str
    intent: str | None
    sentiment: str
    trace: Mapping[str, Any]
    topic: str | None = None  # a discovered topic beside the intents


@dataclass(frozen=True)
class SuggestionOffer:
    """The outcome of a suggestion: the kind that was chosen, if any, and how much was changed."""

    kind: str | None
    distance: float | None


@dataclass
class ConversationFacts:
    """The facts about one conversation that figures need."""

    id: str
    day: date
    channel: str
    language: str
    synthetic: bool
    came_again: bool = False
    score: int | None = None  # CSAT, 1 to 5
    steps: list[DecidedMessage] = field(default_factory=list)
    ratings: list[str] = field(default_factory=list)
    cited: list[str] = field(default_factory=list)  # an article for each reply that cites it
    rated: list[tuple[str, str]] = field(default_factory=list)  # article, rating of its reply
    opened: list[str] = field(default_factory=list)
    offers: list[SuggestionOffer] = field(default_factory=list)


def bounds(first: date, last: date) -> tuple[datetime, datetime]:
    """Return the start and the end of a range of days in UTC; the end is exclusive."""
    start = datetime.combine(first, time(), UTC)
    return start, datetime.combine(last, time(), UTC) + timedelta(days=1)


def read(connection: Connection, first: date, last: date) -> list[ConversationFacts]:
    """Return the conversations that began between two days, both included, oldest first."""
    start, end = bounds(first, last)
    condition = (conversations.c.created_at >= start) & (conversations.c.created_at < end)
    query = select(conversations).where(condition).order_by(conversations.c.created_at)
    facts = {row.id: _fact(row) for row in connection.execute(query)}
    for key in _find_repeated(connection, condition):
        facts[key].came_again = True
    _add_steps(connection, condition, facts)
    for row in connection.execute(_join_conversations(select(csat), csat, condition)):
        facts[row.conversation_id].score = row.score
    _add_ratings(connection, condition, facts)
    opened = _join_messages(
        select(messages.c.conversation_id, interactions.c.article), interactions, condition
    ).where(interactions.c.kind == Interaction.OPENED.value)
    for row in connection.execute(opened):
        facts[row.conversation_id].opened.append(row.article)
    for row in connection.execute(_join_conversations(select(suggestions), suggestions, condition)):
        facts[row.conversation_id].offers.append(SuggestionOffer(row.kind, row.distance))
    return list(facts.values())


def _fact(row: Row[Any]) -> ConversationFacts:
    return ConversationFacts(
        id=row.id,
        day=utc(row.created_at).date(),
        channel=row.channel,
        language=row.language or UNKNOWN,
        synthetic=row.synthetic,
    )


def _join_conversations(query: Select[Any], table: Any, condition: Any) -> Select[Any]:
    return query.join(conversations, conversations.c.id == table.c.conversation_id).where(condition)


def _join_messages(query: Select[Any], table: Any, condition: Any) -> Select[Any]:
    joined = query.join(messages, messages.c.id == table.c.message_id)
    in_conversation = conversations.c.id == messages.c.conversation_id
    return joined.join(conversations, in_conversation).where(condition)


def _find_repeated(connection: Connection, condition: Any) -> Sequence[str]:
    later = aliased(conversations)
    query = (
        select(conversations.c.id, conversations.c.created_at, later.c.created_at.label("next"))
        .join(later, (later.c.sender == conversations.c.sender))
        .where(condition, later.c.created_at > conversations.c.created_at)
    )
    rows = connection.execute(query)
    return [row.id for row in rows if utc(row.next) - utc(row.created_at) <= REPEAT_WINDOW]


def _add_steps(
    connection: Connection, condition: Any, facts: Mapping[str, ConversationFacts]
) -> None:
    names = ("message_id", "conversation_id", "route", "reason", "intent", "sentiment", "trace")
    columns = (*(decisions.c[name] for name in names), topics.c.id.label("topic"))
    query = (
        _join_messages(select(*columns), decisions, condition)
        .outerjoin(message_topics, message_topics.c.message_id == messages.c.id)
        .outerjoin(topics, (topics.c.id == message_topics.c.topic_id) & ~topics.c.known)
    )
    for row in connection.execute(query.order_by(messages.c.position)):
        facts[row.conversation_id].steps.append(
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


def _add_ratings(
    connection: Connection, condition: Any, facts: Mapping[str, ConversationFacts]
) -> None:
    """Add the last rating of each message, and the articles that its reply cites."""
    rated: dict[str, str] = {}
    query = select(messages.c.conversation_id, messages.c.in_reply_to, feedback)
    last: dict[tuple[str, str], str] = {}
    for row in connection.execute(
        _join_messages(query, feedback, condition).order_by(feedback.c.id)
    ):
        question_id = row.in_reply_to or row.message_id
        rated[question_id] = last[row.conversation_id, question_id] = row.rating
    for (conversation, _), rating in last.items():
        facts[conversation].ratings.append(rating)
    cited: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    query = select(messages.c.conversation_id, messages.c.in_reply_to, citations.c.article)
    for row in connection.execute(_join_messages(query, citations, condition)):
        cited[row.conversation_id, row.in_reply_to].add(row.article)
    for (conversation, question_id), articles in cited.items():
        for article in sorted(articles):
            facts[conversation].cited.append(article)
            if question_id in rated:
                facts[conversation].rated.append((article, rated[question_id]))


def examples(
    connection: Connection, query: ReportQuery, *, topic: str, sentiment: str, limit: int
) -> list[dict[str, str]]:
    """Return messages of a topic, or an intent, and a sentiment, newest first.

    They are from conversations that began in the period of the query.
    """
    start, end = bounds(query.first, query.last)
    condition = (conversations.c.created_at >= start) & (conversations.c.created_at < end)
    if query.channel:
        condition &= conversations.c.channel == query.channel
    if query.language:
        condition &= func.coalesce(conversations.c.language, UNKNOWN) == query.language
    if not query.synthetic:
        condition &= conversations.c.synthetic.is_(False)
    columns = select(messages.c.conversation_id, messages.c.id, messages.c.text)
    statement = _join_conversations(
        columns.join(decisions, decisions.c.message_id == messages.c.id), messages, condition
    )
    if topic.startswith(TOPIC):
        statement = statement.join(message_topics, message_topics.c.message_id == messages.c.id)
        has_topic = message_topics.c.topic_id == topic
    else:
        has_topic = decisions.c.intent == topic
    statement = statement.where(has_topic, decisions.c.sentiment == sentiment)
    rows = connection.execute(statement.order_by(messages.c.position.desc()).limit(limit))
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
