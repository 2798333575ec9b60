"""Customers' questions and their outcomes, read from the log for learning; nothing is written.

Texts are returned as they are logged: without personal data.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, and_, literal, or_, select, union_all
from sqlalchemy.orm import aliased

from bot.core.types import Correction, Interaction, Role
from bot.store.tables import (
    citations,
    conversations,
    corrections,
    decisions,
    feedback,
    interactions,
    messages,
)


@dataclass(frozen=True)
class LoggedQuestion:
    """A customer's message, its decision and the rating of the reply (`up`, `down` or None)."""

    message_id: str
    conversation_id: str
    text: str
    at: datetime
    language: str
    route: str
    reason: str
    intent: str | None
    confidence: float
    rating: str | None = None


def _synthetic_ids() -> Any:
    """Return the query for the ids of synthetic conversations."""
    return select(conversations.c.id).where(conversations.c.synthetic.is_(True))


def logged_questions(
    engine: Engine, since: datetime | None = None, *, synthetic: bool = False
) -> list[LoggedQuestion]:
    """Return the decided messages from a time on, conversation by conversation, in order.

    The rating is the last one given to the message or to its reply. Synthetic conversations are
    left out unless `synthetic` is set.
    """
    query = (
        select(
            *(messages.c[name] for name in ("id", "conversation_id", "text", "at")),
            *(decisions.c[name] for name in ("language", "route", "reason", "intent")),
            decisions.c.confidence,
        )
        .join(decisions, decisions.c.message_id == messages.c.id)
        .where(messages.c.role == Role.CUSTOMER.value)
        .order_by(messages.c.conversation_id, messages.c.position)
    )
    if since is not None:
        query = query.where(messages.c.at >= since)
    if not synthetic:
        query = query.where(messages.c.conversation_id.not_in(_synthetic_ids()))
    with engine.connect() as connection:
        rated = _ratings(connection)
        return [_question(row, rated.get(row.id)) for row in connection.execute(query)]


def _question(row: Any, rating: str | None) -> LoggedQuestion:
    at = row.at.replace(tzinfo=UTC) if row.at.tzinfo is None else row.at
    return LoggedQuestion(
        message_id=row.id,
        conversation_id=row.conversation_id,
        text=row.text,
        at=at,
        language=row.language,
        route=row.route,
        reason=row.reason,
        intent=row.intent,
        confidence=row.confidence,
        rating=rating,
    )


def _ratings(connection: Connection) -> dict[str, str]:
    """Return the last rating of each customer message, by its id."""
    question = aliased(messages)
    query = (
        select(question.c.id, feedback.c.rating)
        .join(messages, messages.c.id == feedback.c.message_id)
        .join(question, _is_question_of(question))
        .order_by(feedback.c.id)
    )
    return {row.id: row.rating for row in connection.execute(query)}


def sessions(engine: Engine) -> list[tuple[str, ...]]:
    """Return the steps of each conversation, oldest conversation first.

    A step is the intent of a message, or the id of an article that the customer opened.
    """
    intents = (
        select(
            messages.c.conversation_id,
            messages.c.position,
            literal(0).label("step"),
            decisions.c.intent.label("item"),
        )
        .join(decisions, decisions.c.message_id == messages.c.id)
        .where(decisions.c.intent.is_not(None), messages.c.conversation_id.not_in(_synthetic_ids()))
    )
    opened = (
        select(
            messages.c.conversation_id,
            messages.c.position,
            interactions.c.id,
            interactions.c.article,
        )
        .join(interactions, interactions.c.message_id == messages.c.id)
        .where(
            interactions.c.kind == Interaction.OPENED.value,
            messages.c.conversation_id.not_in(_synthetic_ids()),
        )
    )
    both = union_all(intents, opened).subquery()
    query = select(both.c.conversation_id, both.c.item).order_by(both.c.position, both.c.step)
    steps: dict[str, list[str]] = defaultdict(list)
    with engine.connect() as connection:
        for row in connection.execute(query):
            steps[row.conversation_id].append(row.item)
    return [tuple(items) for items in steps.values()]


def answered_questions(engine: Engine) -> list[tuple[str, frozenset[str]]]:
    """Return questions with the articles that proved to answer them.

    Those are the articles that a reply with a thumb up cited, that the customer opened after it,
    and that an agent took over; a question whose reply got a thumb down counts only for the last. A
    correction by an agent replaces them all.
    """
    articles_by_id: dict[str, set[str]] = defaultdict(set)
    question = aliased(messages)
    used = (
        select(question.c.id, question.c.text, interactions.c.kind, interactions.c.article)
        .join(messages, messages.c.id == interactions.c.message_id)
        .join(question, _is_question_of(question))
        .where(messages.c.conversation_id.not_in(_synthetic_ids()))
        .order_by(interactions.c.id)
    )
    cited = (
        select(question.c.id, question.c.text, citations.c.article)
        .join(messages, messages.c.id == citations.c.message_id)
        .join(question, question.c.id == messages.c.in_reply_to)
        .where(messages.c.conversation_id.not_in(_synthetic_ids()))
        .order_by(citations.c.id)
    )
    texts: dict[str, str] = {}
    with engine.connect() as connection:
        ratings = _ratings(connection)
        for row in connection.execute(used):
            texts[row.id] = row.text
            if row.kind == Interaction.ACCEPTED.value or ratings.get(row.id) != "down":
                articles_by_id[row.id].add(row.article)
        for identifier, text, article in connection.execute(cited):
            texts[identifier] = text
            if ratings.get(identifier) == "up":
                articles_by_id[identifier].add(article)
        for row in connection.execute(_article_corrections()):
            texts[row.id] = row.text
            articles_by_id[row.id] = {row.value}
    return [
        (texts[key], frozenset(articles)) for key, articles in articles_by_id.items() if articles
    ]


def _article_corrections() -> Any:
    """Return the query for messages whose article an agent corrected."""
    return (
        select(messages.c.id, messages.c.text, corrections.c.value)
        .join(corrections, corrections.c.message_id == messages.c.id)
        .where(
            corrections.c.kind == Correction.ARTICLE.value,
            messages.c.conversation_id.not_in(_synthetic_ids()),
        )
        .order_by(messages.c.position)
    )


def _is_question_of(question: Any) -> Any:
    """Return the condition that a row is the customer's message, or the one replied to."""
    either = or_(question.c.id == messages.c.in_reply_to, question.c.id == messages.c.id)
    return and_(either, question.c.role == Role.CUSTOMER.value)


def retrieved_articles(engine: Engine) -> frozenset[str]:
    """Return the ids of all articles that a search returned or a reply cited."""
    with engine.connect() as connection:
        cited = set(connection.execute(select(citations.c.article).distinct()).scalars())
        traces = connection.execute(select(decisions.c.trace)).scalars()
        return frozenset(cited.union(*map(_candidate_articles, traces)))


def _candidate_articles(trace: dict[str, Any]) -> Iterator[str]:
    candidates: Sequence[dict[str, Any]] = trace.get("candidates") or ()
    return (str(candidate["article"]) for candidate in candidates)


def conversation_channels(
    engine: Engine, start: datetime, end: datetime, *, synthetic: bool = False
) -> dict[str, str]:
    """Return the channel of each conversation that began between two times.

    Synthetic conversations are left out unless `synthetic` is set.
    """
    begun = conversations.c.created_at
    query = select(conversations.c.id, conversations.c.channel).where(begun >= start, begun < end)
    if not synthetic:
        query = query.where(conversations.c.synthetic.is_(False))
    with engine.connect() as connection:
        return {row.id: row.channel for row in connection.execute(query)}
