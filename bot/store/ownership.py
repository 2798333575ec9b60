"""The owner of a conversation in its row, and changes to it by compare and swap."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from bot.core.privacy import redact
from bot.core.types import ConversationChangedError, Message, NotFoundError, Role, new_id, now
from bot.dialogue import state as states
from bot.dialogue.handoff import Assignment, ConversationOwner
from bot.dialogue.state import State
from bot.store.database import utc
from bot.store.tables import conversations, messages

NOTICE = "notice"  # the status of a message that announces a change to the customer


def _utc(at: datetime | None) -> datetime | None:
    return utc(at) if at else None


def read(row: Row[Any]) -> Assignment:
    """Return the assignment in a conversation's row."""
    return Assignment(
        owner=ConversationOwner(row.owner),
        fence=row.fence,
        queue=row.queue,
        since=_utc(row.queued_at),
        agent=row.agent,
        lease_until=_utc(row.lease_until),
        typing_until=_utc(row.typing_until),
        asked_contact=row.asked_contact,
        asked_silent=row.asked_silent,
    )


def columns(assignment: Assignment) -> dict[str, Any]:
    """Return the columns of a row that describe its owner."""
    waits = assignment.owner in {ConversationOwner.QUEUED, ConversationOwner.HUMAN}
    return {
        "owner": assignment.owner.value,
        "fence": assignment.fence,
        "queue": assignment.queue,
        "queued_at": assignment.since if waits else None,
        "agent": assignment.agent,
        "lease_until": assignment.lease_until,
        "typing_until": assignment.typing_until,
        "asked_contact": assignment.asked_contact,
        "asked_silent": assignment.asked_silent,
    }


def lock_conversation(connection: Connection, conversation_id: str) -> Row[Any]:
    """Lock and return a conversation's row; raise NotFoundError for an unknown one."""
    query = select(conversations).where(conversations.c.id == conversation_id)
    row = connection.execute(query.with_for_update()).one_or_none()
    if row is None:
        message = f"there is no conversation {conversation_id[:64]}"
        raise NotFoundError(message)
    return row


def open_conversation(connection: Connection, message: Message) -> None:
    """Open the conversation of a message, unless it exists."""
    condition = conversations.c.id == message.conversation_id
    if connection.execute(select(conversations.c.id).where(condition)).one_or_none():
        return
    connection.execute(
        insert(conversations).values(
            id=message.conversation_id,
            sender=redact(message.sender) if message.sender else None,
            channel=redact(message.channel),
            visitor=message.visitor,
            created_at=message.at,
            updated_at=message.at,
            owner=ConversationOwner.BOT.value,
            state=states.to_json(State()),
        )
    )


def swap(connection: Connection, conversation_id: str, revision: int, **values: Any) -> None:
    """Write to a conversation at a revision; raise ConversationChangedError for another one."""
    condition = (conversations.c.id == conversation_id) & (conversations.c.revision == revision)
    fresh = {**values, "revision": revision + 1}
    if connection.execute(update(conversations).where(condition).values(**fresh)).rowcount != 1:
        message = f"conversation {conversation_id[:64]} moved on: look again"
        raise ConversationChangedError(message)


def insert_message(
    connection: Connection,
    conversation_id: str,
    role: Role,
    text: str,
    *,
    status: str,
    **origin: str | None,
) -> str:
    """Add a message to the customer to the log and return its id.

    `origin` holds the `author` and the `client_message_id` of a person's message.
    """
    identifier = new_id()
    connection.execute(
        insert(messages).values(
            id=identifier,
            conversation_id=conversation_id,
            role=role.value,
            text=text,
            at=now(),
            status=status,
            **origin,
        )
    )
    return identifier
