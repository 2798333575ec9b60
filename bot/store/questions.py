"""What customers asked and what became of it, read from the log for learning; nothing is written.

Texts stand here as in the log: without personal data.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, or_, select
from sqlalchemy.orm import aliased

from bot.store.tables import citations, conversations, decisions, feedback, messages
from bot.types import Role


@dataclass(frozen=True)
class Asked:
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


def asked(engine: Engine, since: datetime | None = None) -> list[Asked]:
    """Return the decided messages from a time on, conversation by conversation, in order.

    The rating is the last one given to the message or to its reply.
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
    with engine.connect() as connection:
        rated = _ratings(connection)
        return [_asked(row, rated.get(row.id)) for row in connection.execute(query)]


def _asked(row: Any, rating: str | None) -> Asked:
    at = row.at.replace(tzinfo=UTC) if row.at.tzinfo is None else row.at
    return Asked(
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
        .join(
            question, or_(question.c.id == messages.c.in_reply_to, question.c.id == messages.c.id)
        )
        .where(question.c.role == Role.CUSTOMER.value)
        .order_by(feedback.c.id)
    )
    return {row.id: row.rating for row in connection.execute(query)}


def sessions(engine: Engine, sender: str | None = None) -> list[tuple[str, ...]]:
    """Return the intents of each conversation in order, oldest conversation first.

    With `sender`, only that customer's. Messages without an intent are left out.
    """
    query = (
        select(decisions.c.conversation_id, decisions.c.intent)
        .join(messages, messages.c.id == decisions.c.message_id)
        .where(decisions.c.intent.is_not(None))
        .order_by(messages.c.position)
    )
    if sender is not None:
        query = query.join(conversations, conversations.c.id == decisions.c.conversation_id).where(
            conversations.c.sender == sender
        )
    found: dict[str, list[str]] = defaultdict(list)
    with engine.connect() as connection:
        for row in connection.execute(query):
            found[row.conversation_id].append(row.intent)
    return [tuple(intents) for intents in found.values()]


def retrieved(engine: Engine) -> frozenset[str]:
    """Return the ids of all articles that a search ever found or a reply ever cited."""
    with engine.connect() as connection:
        cited = set(connection.execute(select(citations.c.article).distinct()).scalars())
        traces = connection.execute(select(decisions.c.trace)).scalars()
        return frozenset(cited.union(*map(_candidates, traces)))


def _candidates(trace: dict[str, Any]) -> Iterator[str]:
    found: Sequence[dict[str, Any]] = trace.get("candidates") or ()
    return (str(candidate["article"]) for candidate in found)
