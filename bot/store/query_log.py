"""What customers asked and what became of it, read from the log for learning; nothing is written.

Texts stand here as in the log: without personal data.
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
    """A customer's message, where it went and how the reply was rated (`up`, `down` or None)."""

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


def _made_up() -> Any:
    """Return the ids of conversations that were made up to try things out."""
    return select(conversations.c.id).where(conversations.c.synthetic.is_(True))


def asked(
    engine: Engine, since: datetime | None = None, *, synthetic: bool = False
) -> list[LoggedQuestion]:
    """Return the decided messages from a time on, conversation by conversation, in order.

    The rating is the last one given to the message or to its reply. Conversations that were made
    up are left out unless they are asked for.
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
        query = query.where(messages.c.conversation_id.not_in(_made_up()))
    with engine.connect() as connection:
        rated = _ratings(connection)
        return [_asked(row, rated.get(row.id)) for row in connection.execute(query)]


def _asked(row: Any, rating: str | None) -> LoggedQuestion:
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
    """Return what each conversation was about, step by step, oldest conversation first.

    A step is the intent of a message, or the id of an article that the customer opened.
    """
    asked = (
        select(
            messages.c.conversation_id,
            messages.c.position,
            literal(0).label("step"),
            decisions.c.intent.label("item"),
        )
        .join(decisions, decisions.c.message_id == messages.c.id)
        .where(decisions.c.intent.is_not(None), messages.c.conversation_id.not_in(_made_up()))
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
            messages.c.conversation_id.not_in(_made_up()),
        )
    )
    both = union_all(asked, opened).subquery()
    query = select(both.c.conversation_id, both.c.item).order_by(both.c.position, both.c.step)
    found: dict[str, list[str]] = defaultdict(list)
    with engine.connect() as connection:
        for row in connection.execute(query):
            found[row.conversation_id].append(row.item)
    return [tuple(items) for items in found.values()]


def answered(engine: Engine) -> list[tuple[str, frozenset[str]]]:
    """Return questions with the articles that proved to answer them.

    Those are what a reply with a thumb up cited, what the customer opened after it, and what an
    agent took over; a question whose reply got a thumb down counts only for the last. Where an
    agent named the right article, that alone.
    """
    found: dict[str, set[str]] = defaultdict(set)
    question = aliased(messages)
    used = (
        select(question.c.id, question.c.text, interactions.c.kind, interactions.c.article)
        .join(messages, messages.c.id == interactions.c.message_id)
        .join(question, _is_question_of(question))
        .where(messages.c.conversation_id.not_in(_made_up()))
        .order_by(interactions.c.id)
    )
    cited = (
        select(question.c.id, question.c.text, citations.c.article)
        .join(messages, messages.c.id == citations.c.message_id)
        .join(question, question.c.id == messages.c.in_reply_to)
        .where(messages.c.conversation_id.not_in(_made_up()))
        .order_by(citations.c.id)
    )
    texts: dict[str, str] = {}
    with engine.connect() as connection:
        ratings = _ratings(connection)
        for row in connection.execute(used):
            texts[row.id] = row.text
            if row.kind == Interaction.ACCEPTED.value or ratings.get(row.id) != "down":
                found[row.id].add(row.article)
        for identifier, text, article in connection.execute(cited):
            texts[identifier] = text
            if ratings.get(identifier) == "up":
                found[identifier].add(article)
        for row in connection.execute(_named()):
            texts[row.id] = row.text
            found[row.id] = {row.value}
    return [(texts[key], frozenset(articles)) for key, articles in found.items() if articles]


def _named() -> Any:
    """Return the query for messages whose right article an agent named."""
    return (
        select(messages.c.id, messages.c.text, corrections.c.value)
        .join(corrections, corrections.c.message_id == messages.c.id)
        .where(
            corrections.c.kind == Correction.ARTICLE.value,
            messages.c.conversation_id.not_in(_made_up()),
        )
        .order_by(messages.c.position)
    )


def _is_question_of(question: Any) -> Any:
    """Return the condition that a row is the customer's message, or the one replied to."""
    either = or_(question.c.id == messages.c.in_reply_to, question.c.id == messages.c.id)
    return and_(either, question.c.role == Role.CUSTOMER.value)


def retrieved(engine: Engine) -> frozenset[str]:
    """Return the ids of all articles that a search ever found or a reply ever cited."""
    with engine.connect() as connection:
        cited = set(connection.execute(select(citations.c.article).distinct()).scalars())
        traces = connection.execute(select(decisions.c.trace)).scalars()
        return frozenset(cited.union(*map(_candidates, traces)))


def _candidates(trace: dict[str, Any]) -> Iterator[str]:
    found: Sequence[dict[str, Any]] = trace.get("candidates") or ()
    return (str(candidate["article"]) for candidate in found)


def shown(
    engine: Engine, start: datetime, end: datetime, *, synthetic: bool = False
) -> dict[str, str]:
    """Return the channel of each conversation that began between two moments.

    Those made up to try things out are left out unless they are asked for.
    """
    begun = conversations.c.created_at
    query = select(conversations.c.id, conversations.c.channel).where(begun >= start, begun < end)
    if not synthetic:
        query = query.where(conversations.c.synthetic.is_(False))
    with engine.connect() as connection:
        return {row.id: row.channel for row in connection.execute(query)}
