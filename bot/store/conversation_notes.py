"""What agents see of a conversation beside its messages, and what they write about it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from bot.core.privacy import redact
from bot.core.types import NotFoundError, Role, now
from bot.store.database import utc
from bot.store.tables import conversations, decisions, labels, messages, notes


def clocks(engine: Engine, found: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return for each conversation its labels, its last words, and since when it owes an answer.

    `unanswered_since` is when the customer's first message came that no agent answered yet; a
    conversation that a person never spoke in counts from the hand-off, which is not known here.
    """
    wanted = list(found)
    told: dict[str, dict[str, Any]] = {
        one: {"labels": [], "last_text": "", "unanswered_since": None} for one in wanted
    }
    with engine.begin() as connection:
        rows = connection.execute(
            select(labels.c.conversation_id, labels.c.label)
            .where(labels.c.conversation_id.in_(wanted))
            .order_by(labels.c.label)
        )
        for row in rows:
            told[row.conversation_id]["labels"].append(row.label)
        for row in _last(connection, wanted):
            told[row.conversation_id]["last_text"] = row.text[:200]
        for row in _unanswered(connection, wanted):
            told[row.conversation_id]["unanswered_since"] = utc(row.at).isoformat()
    return told


def _last(connection: Connection, wanted: list[str]) -> Any:
    """Return the customer's last message of each conversation."""
    here = messages.c.conversation_id.in_(wanted) & (messages.c.role == Role.CUSTOMER.value)
    last = select(func.max(messages.c.position)).where(here).group_by(messages.c.conversation_id)
    query = select(messages.c.conversation_id, messages.c.text)
    return connection.execute(query.where(messages.c.position.in_(last)))


def _unanswered(connection: Connection, wanted: list[str]) -> Any:
    """Return when the first message came after an agent's last one, where there is one."""
    answered = (
        select(messages.c.conversation_id, func.max(messages.c.position).label("position"))
        .where(messages.c.conversation_id.in_(wanted), messages.c.role == Role.AGENT.value)
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


def dossier(engine: Engine, conversation_id: str) -> dict[str, Any]:
    """Return what is known of a conversation: slots, moods over time, notes, labels.

    Raises NotFoundError where there is none.
    """
    with engine.begin() as connection:
        row = _conversation(connection, conversation_id)
        here = decisions.c.conversation_id == conversation_id
        moods = connection.execute(select(decisions).where(here).order_by(decisions.c.at)).all()
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
                    "message_id": one.message_id,
                    "at": utc(one.at).isoformat(),
                    "sentiment": one.sentiment,
                    "intent": one.intent,
                }
                for one in moods
            ],
            "notes": [_note(one.author, one.text, one.at) for one in noted],
            "labels": list(marked),
        }


def add_note(engine: Engine, conversation_id: str, author: str, text: str) -> dict[str, Any]:
    """Keep a note, without personal data; raise NotFoundError for no such conversation."""
    kept, at = redact(text), now()
    with engine.begin() as connection:
        _conversation(connection, conversation_id)
        connection.execute(
            insert(notes).values(conversation_id=conversation_id, author=author, text=kept, at=at)
        )
    return _note(author, kept, at)


def add_label(engine: Engine, conversation_id: str, author: str, label: str) -> None:
    """Put a label on a conversation, once; raise NotFoundError for no such conversation."""
    values = {"conversation_id": conversation_id, "label": label, "author": author, "at": now()}
    try:
        with engine.begin() as connection:
            _conversation(connection, conversation_id)
            connection.execute(insert(labels).values(**values))
    except IntegrityError:  # it is there already
        return


def remove_label(engine: Engine, conversation_id: str, label: str) -> None:
    """Take a label off a conversation."""
    here = (labels.c.conversation_id == conversation_id) & (labels.c.label == label)
    with engine.begin() as connection:
        connection.execute(delete(labels).where(here))


def _conversation(connection: Connection, conversation_id: str) -> Any:
    here = select(conversations).where(conversations.c.id == conversation_id)
    row = connection.execute(here).one_or_none()
    if row is None:
        message = f"there is no conversation {conversation_id[:64]}"
        raise NotFoundError(message)
    return row


def _note(author: str, text: str, at: datetime) -> dict[str, Any]:
    return {"author": author, "text": text, "at": utc(at).isoformat()}
