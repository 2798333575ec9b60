"""Visitors' conversations, names, ratings and personal data."""

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from bot.core.privacy import redact
from bot.core.types import Message, NotFoundError, now
from bot.store import audit_ledger, ownership
from bot.store.tables import (
    attachments,
    citations,
    conversations,
    corrections,
    csat,
    decisions,
    feedback,
    interactions,
    labels,
    message_topics,
    messages,
    notes,
    outbox,
    suggestions,
)


class VisitorConversations:
    """Conversations from the side of their visitors."""

    def __init__(self, engine: Engine) -> None:
        """Use a migrated database."""
        self._engine = engine

    def holder(self, conversation_id: str) -> str | None:
        """Return the visitor who owns a conversation: "" for nobody, None for an unknown one."""
        condition = conversations.c.id == conversation_id
        with self._engine.begin() as connection:
            row = connection.execute(select(conversations.c.visitor).where(condition)).one_or_none()
        return None if row is None else row.visitor or ""

    def conversation_of(self, message_id: str) -> str:
        """Return the conversation of a message; raise NotFoundError for an unknown message."""
        condition = messages.c.id == message_id
        with self._engine.begin() as connection:
            conversation_id = connection.execute(
                select(messages.c.conversation_id).where(condition)
            ).scalar()
        if conversation_id is None:
            message = f"there is no message {message_id[:64]}"
            raise NotFoundError(message)
        return str(conversation_id)

    def introduce(self, message: Message, name: str | None, contact: str | None) -> None:
        """Store a visitor's name and contact.

        The conversation is opened where there is none; a missing value changes nothing.
        """
        contact_data = {"visitor_name": name, "contact": contact}
        values = {key: value for key, value in contact_data.items() if value}
        condition = conversations.c.id == message.conversation_id
        with self._engine.begin() as connection:
            ownership.open_conversation(connection, message)
            if values:
                connection.execute(update(conversations).where(condition).values(**values))

    def rate(self, conversation_id: str, score: int, comment: str | None) -> None:
        """Store a customer's satisfaction; a second rating replaces the first."""
        values = {"score": score, "comment": redact(comment) if comment else None, "at": now()}
        with self._engine.begin() as connection:
            ownership.lock_conversation(connection, conversation_id)
            condition = csat.c.conversation_id == conversation_id
            if connection.execute(update(csat).where(condition).values(**values)).rowcount == 0:
                connection.execute(insert(csat).values(conversation_id=conversation_id, **values))

    def score(self, conversation_id: str) -> int | None:
        """Return the rating of a conversation."""
        condition = csat.c.conversation_id == conversation_id
        with self._engine.begin() as connection:
            return connection.execute(select(csat.c.score).where(condition)).scalar_one_or_none()

    def forget(self, conversation_id: str) -> int:
        """Delete a conversation and all that belongs to it; return how many messages it had.

        The ledger keeps its hashes and marks these turns as deleted on purpose.
        """
        with self._engine.begin() as connection:
            ownership.lock_conversation(connection, conversation_id)
            return forget(connection, conversation_id)


def forget(connection: Connection, conversation_id: str) -> int:
    """Delete a conversation in the caller's transaction; return how many messages it had."""
    condition = messages.c.conversation_id == conversation_id
    ids = select(messages.c.id).where(condition)
    connection.execute(ids.with_for_update())  # keeps other processes from adding topics
    count = connection.execute(select(func.count()).select_from(messages).where(condition))
    audit_ledger.forget(connection, list(connection.execute(ids).scalars()))
    for table in (citations, feedback, interactions, message_topics):
        connection.execute(delete(table).where(table.c.message_id.in_(ids)))
    removed = int(count.scalar_one())
    for table in (corrections, suggestions, notes, labels, decisions, attachments, csat, messages):
        connection.execute(delete(table).where(table.c.conversation_id == conversation_id))
    # Deliveries about it. The digests notice that a conversation is missing from its day.
    connection.execute(delete(outbox).where(outbox.c.target == conversation_id))
    connection.execute(delete(conversations).where(conversations.c.id == conversation_id))
    return removed
