"""What visitors own: who holds a conversation, how they are called, their rating, their data."""

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
    """Conversations from the side of those who have them."""

    def __init__(self, engine: Engine) -> None:
        """Use a migrated database."""
        self._engine = engine

    def holder(self, conversation_id: str) -> str | None:
        """Return the visitor who has a conversation: "" for nobody, None where there is none."""
        here = conversations.c.id == conversation_id
        with self._engine.begin() as connection:
            row = connection.execute(select(conversations.c.visitor).where(here)).one_or_none()
        return None if row is None else row.visitor or ""

    def conversation_of(self, message_id: str) -> str:
        """Return the conversation of a message; raise NotFoundError where there is none."""
        here = messages.c.id == message_id
        with self._engine.begin() as connection:
            found = connection.execute(select(messages.c.conversation_id).where(here)).scalar()
        if found is None:
            message = f"there is no message {message_id[:64]}"
            raise NotFoundError(message)
        return str(found)

    def introduce(self, message: Message, name: str | None, contact: str | None) -> None:
        """Keep what a visitor wants to be called and where to be reached.

        The conversation is opened where there is none; what is not given stays as it was.
        """
        given = {"visitor_name": name, "contact": contact}
        values = {key: value for key, value in given.items() if value}
        here = conversations.c.id == message.conversation_id
        with self._engine.begin() as connection:
            ownership.begin(connection, message)
            if values:
                connection.execute(update(conversations).where(here).values(**values))

    def rate(self, conversation_id: str, score: int, comment: str | None) -> None:
        """Keep how content a customer was; a second rating takes the place of the first."""
        values = {"score": score, "comment": redact(comment) if comment else None, "at": now()}
        with self._engine.begin() as connection:
            ownership.locked(connection, conversation_id)
            here = csat.c.conversation_id == conversation_id
            if connection.execute(update(csat).where(here).values(**values)).rowcount == 0:
                connection.execute(insert(csat).values(conversation_id=conversation_id, **values))

    def score(self, conversation_id: str) -> int | None:
        """Return how a conversation was rated."""
        here = csat.c.conversation_id == conversation_id
        with self._engine.begin() as connection:
            return connection.execute(select(csat.c.score).where(here)).scalar_one_or_none()

    def forget(self, conversation_id: str) -> int:
        """Remove a conversation and all that hangs on it; return how many messages it had.

        The ledger keeps its hashes and says that these turns were removed on purpose.
        """
        with self._engine.begin() as connection:
            ownership.locked(connection, conversation_id)
            return forget(connection, conversation_id)


def forget(connection: Connection, conversation_id: str) -> int:
    """Remove a conversation in the transaction of the caller; return how many messages it had."""
    theirs = messages.c.conversation_id == conversation_id
    ids = select(messages.c.id).where(theirs)
    connection.execute(ids.with_for_update())  # nobody says what they are about meanwhile
    count = connection.execute(select(func.count()).select_from(messages).where(theirs))
    audit_ledger.forget(connection, list(connection.execute(ids).scalars()))
    for table in (citations, feedback, interactions, message_topics):
        connection.execute(delete(table).where(table.c.message_id.in_(ids)))
    removed = int(count.scalar_one())
    for table in (corrections, suggestions, notes, labels, decisions, attachments, csat, messages):
        connection.execute(delete(table).where(table.c.conversation_id == conversation_id))
    # What was to be told of it. The digests notice that a conversation is missing from its day.
    connection.execute(delete(outbox).where(outbox.c.target == conversation_id))
    connection.execute(delete(conversations).where(conversations.c.id == conversation_id))
    return removed
