"""Details of conversations for agents, with the notes and labels that agents add."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from bot.core.privacy import redact
from bot.core.types import NotFoundError, Role, now
from bot.store.database import utc
from bot.store.tables import conversations, decisions, labels, messages, notes


class ConversationNotes:
    """The details of conversations that agents read, and what they add."""

    def __init__(self, engine: Engine) -> None:
        """Store the database engine."""
        self._engine = engine

    def queue_details(self, conversation_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the labels, the last text and the waiting time of each conversation, by id.

        `unanswered_since` is the time of the customer's first message after an agent's last one. It
        is None for a conversation without an agent's message: that one counts from the hand-off.
        """
        ids = list(conversation_ids)
        details: dict[str, dict[str, Any]] = {
            identifier: {"labels": [], "last_text": "", "unanswered_since": None}
            for identifier in ids
        }
        with self._engine.begin() as connection:
            rows = connection.execute(
                select(labels.c.conversation_id, labels.c.label)
                .where(labels.c.conversation_id.in_(ids))
                .order_by(labels.c.label)
            )
            for row in rows:
                details[row.conversation_id]["labels"].append(row.label)
            for row in _last_messages(connection, ids):
                details[row.conversation_id]["last_text"] = row.text[:200]
            for row in _first_unanswered(connection, ids):
                details[row.conversation_id]["unanswered_since"] = utc(row.at).isoformat()
        return details

    def dossier(self, conversation_id: str) -> dict[str, Any]:
        """Return the details of a conversation: slots, moods over time, notes, labels.

        Raises NotFoundError for an unknown conversation.
        """
        with self._engine.begin() as connection:
            row = _conversation(connection, conversation_id)
            query = select(decisions).where(decisions.c.conversation_id == conversation_id)
            moods = connection.execute(query.order_by(decisions.c.at)).all()
            noted = connection.execute(
                select(notes).where(notes.c.conversation_id == conversation_id).order_by(notes.c.id)
            ).all()
            marked = connection.execute(
                select(labels.c.label)
                .where(labels.c.conversation_id == conversation_id)
                .order_by(labels.c.label)
            ).scalars()
            return {
                "channel": row.channel,
                "language": row.language,
                "created_at": utc(row.created_at).isoformat(),
                "contact": row.contact,
                "visitor_name": row.visitor_name,
                "intent": row.state.get("intent"),
                "mood": row.state.get("mood", "calm"),
                "slots": {k: redact(str(v)) for k, v in row.state.get("slots", {}).items() if v},
                "moods": [
                    {
                        "message_id": decision.message_id,
                        "at": utc(decision.at).isoformat(),
                        "sentiment": decision.sentiment,
                        "intent": decision.intent,
                    }
                    for decision in moods
                ],
                "notes": [_note(note.author, note.text, note.at) for note in noted],
                "labels": list(marked),
            }

    def add_note(self, conversation_id: str, author: str, text: str) -> dict[str, Any]:
        """Store a note, without personal data; raise NotFoundError for an unknown conversation."""
        clean, at = redact(text), now()
        with self._engine.begin() as connection:
            _conversation(connection, conversation_id)
            connection.execute(
                insert(notes).values(
                    conversation_id=conversation_id, author=author, text=clean, at=at
                )
            )
        return _note(author, clean, at)

    def add_label(self, conversation_id: str, author: str, label: str) -> None:
        """Put a label on a conversation, once; raise NotFoundError for an unknown conversation."""
        values = {"conversation_id": conversation_id, "label": label, "author": author, "at": now()}
        try:
            with self._engine.begin() as connection:
                _conversation(connection, conversation_id)
                connection.execute(insert(labels).values(**values))
        except IntegrityError:  # the conversation has this label already
            return

    def remove_label(self, conversation_id: str, label: str) -> None:
        """Remove a label from a conversation."""
        condition = (labels.c.conversation_id == conversation_id) & (labels.c.label == label)
        with self._engine.begin() as connection:
            connection.execute(delete(labels).where(condition))


def _last_messages(connection: Connection, ids: list[str]) -> Any:
    """Return the customer's last message of each conversation."""
    condition = messages.c.conversation_id.in_(ids) & (messages.c.role == Role.CUSTOMER.value)
    positions = select(func.max(messages.c.position)).where(condition)
    last = positions.group_by(messages.c.conversation_id)
    query = select(messages.c.conversation_id, messages.c.text)
    return connection.execute(query.where(messages.c.position.in_(last)))


def _first_unanswered(connection: Connection, ids: list[str]) -> Any:
    """Return the time of the first message after an agent's last one, where there is one."""
    answered = (
        select(messages.c.conversation_id, func.max(messages.c.position).label("position"))
        .where(messages.c.conversation_id.in_(ids), messages.c.role == Role.AGENT.value)
        .group_by(messages.c.conversation_id)
        .subquery()
    )
    query = (
        select(messages.c.conversation_id, func.min(messages.c.at).label("at"))
        .join(answered, answered.c.conversation_id == messages.c.conversation_id)
        .where(messages.c.role == Role.CUSTOMER.value, messages.c.position > answered.c.position)
        .group_by(messages.c.conversation_id)
    )
    return connection.execute(query)


def _conversation(connection: Connection, conversation_id: str) -> Any:
    query = select(conversations).where(conversations.c.id == conversation_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        message = f"there is no conversation {conversation_id[:64]}"
        raise NotFoundError(message)
    return row


def _note(author: str, text: str, at: datetime) -> dict[str, Any]:
    return {"author": author, "text": text, "at": utc(at).isoformat()}
