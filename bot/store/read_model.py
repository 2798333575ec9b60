"""Views of the log for screens and programs; nothing is written."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select

from bot.core import serialization
from bot.core.types import NotFoundError, Role
from bot.dialogue.handoff import ConversationOwner
from bot.store import attachments, ownership
from bot.store.database import utc
from bot.store.tables import agents, conversations, decisions, messages


class ConversationReader:
    """Conversations, their messages and the traces of replies."""

    def __init__(self, engine: Engine) -> None:
        """Use a migrated database."""
        self._engine = engine

    def history(
        self,
        conversation_id: str,
        after: str | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        """Return the messages of a conversation in order, after a position or message id.

        With a limit the last ones are returned, of those before a position where one is given.
        Raises NotFoundError for a conversation that does not exist.
        """
        with self._engine.begin() as connection:
            exists = select(conversations.c.id).where(conversations.c.id == conversation_id)
            if connection.execute(exists).one_or_none() is None:
                message = f"there is no conversation {conversation_id[:64]}"
                raise NotFoundError(message)
            condition = messages.c.conversation_id == conversation_id
            condition &= messages.c.text != ""  # an empty reply: an agent had the conversation
            if after:
                condition &= messages.c.position > self._position(connection, after)
            if before is not None:
                condition &= messages.c.position < before
            query = select(messages).where(condition).order_by(messages.c.position.desc())
            rows = connection.execute(query.limit(limit)).all()[::-1]
            customer_ids = [row.id for row in rows if row.role == Role.CUSTOMER.value]
            files = attachments.files_of_messages(connection, customer_ids) if customer_ids else {}
        return [_line(row, files.get(row.id)) for row in rows]

    def standing(self, conversation_id: str, at: datetime) -> dict[str, Any]:
        """Return the owner of a conversation, its place in the queue, and whether an agent types.

        Raises NotFoundError for an unknown conversation.
        """
        query = (
            select(conversations, agents.c.name)
            .outerjoin(agents, agents.c.id == conversations.c.agent)
            .where(conversations.c.id == conversation_id)
        )
        with self._engine.begin() as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                message = f"there is no conversation {conversation_id[:64]}"
                raise NotFoundError(message)
            assignment = ownership.read(row)
            position = None
            if assignment.owner is ConversationOwner.QUEUED:
                ahead = (conversations.c.owner == ConversationOwner.QUEUED.value) & (
                    conversations.c.queued_at < row.queued_at
                )
                counted = select(func.count()).select_from(conversations).where(ahead)
                position = int(connection.execute(counted).scalar_one()) + 1
        return {
            "state": assignment.owner.value,
            "queue": assignment.queue,
            "position": position,
            "agent": row.name if assignment.owner is ConversationOwner.HUMAN else None,
            "typing": assignment.is_typing(at),
        }

    def _position(self, connection: Connection, after: str) -> int:
        if after.isdecimal() and len(after) < 19:  # noqa: PLR2004 — a position, not an id
            return int(after)
        position = connection.execute(
            select(messages.c.position).where(messages.c.id == after)
        ).scalar_one_or_none()
        return int(position) if position is not None else 0

    def trace(self, message_id: str) -> dict[str, Any]:
        """Return the trace of a message, by its id or that of its reply."""
        with self._engine.begin() as connection:
            customer = self._customer_message(connection, message_id)
            trace = connection.execute(
                select(decisions.c.trace).where(decisions.c.message_id == customer)
            ).scalar_one_or_none()
        if trace is None:
            message = f"there is no trace of message {message_id[:64]}"
            raise NotFoundError(message)
        return dict(trace)

    def _customer_message(self, connection: Connection, message_id: str) -> str:
        replied = connection.execute(
            select(messages.c.in_reply_to).where(messages.c.id == message_id)
        ).scalar_one_or_none()
        return str(replied or message_id)

    def turn(self, message_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the record of a turn and its trace, by the id of its message or its reply.

        Raises NotFoundError for a message that was not answered.
        """
        either = (messages.c.id == message_id) | (messages.c.in_reply_to == message_id)
        query = (
            select(messages.c.turn, decisions.c.trace)
            .join(decisions, decisions.c.message_id == messages.c.in_reply_to)
            .where(either)
        )
        with self._engine.begin() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            message = f"there is no answered message {message_id[:64]}"
            raise NotFoundError(message)
        return row.turn, row.trace

    def answered(self, last: int) -> list[str]:
        """Return the ids of the messages that were answered last, oldest first."""
        replies = select(messages.c.in_reply_to).where(messages.c.in_reply_to.is_not(None))
        query = replies.order_by(messages.c.position.desc()).limit(last)
        with self._engine.begin() as connection:
            return list(connection.execute(query).scalars())[::-1]

    def conversations(self, limit: int = 50) -> list[dict[str, Any]]:
        """Return the conversations with the latest messages, newest first; no synthetic ones."""
        last = (
            select(messages.c.conversation_id, func.max(messages.c.position).label("position"))
            .group_by(messages.c.conversation_id)
            .subquery()
        )
        counted = (
            select(messages.c.conversation_id, func.count().label("messages"))
            .group_by(messages.c.conversation_id)
            .subquery()
        )
        query = (
            select(conversations, messages.c.text, messages.c.role, counted.c.messages)
            .join(last, last.c.conversation_id == conversations.c.id)
            .join(messages, messages.c.position == last.c.position)
            .join(counted, counted.c.conversation_id == conversations.c.id)
            .where(conversations.c.synthetic.is_(False))
            .order_by(conversations.c.updated_at.desc())
            .limit(limit)
        )
        with self._engine.begin() as connection:
            rows = connection.execute(query).all()
        return [
            {
                "conversation_id": row.id,
                "channel": row.channel,
                "language": row.language,
                "owner": row.owner,
                "queue": row.queue,
                "messages": row.messages,
                "last_role": row.role,
                "last_text": row.text,
                "updated_at": utc(row.updated_at).isoformat(),
            }
            for row in rows
        ]


def _line(row: Row[Any], files: list[dict[str, Any]] | None) -> dict[str, Any]:
    line: dict[str, Any] = {
        "id": row.id,
        "message_id": row.id,
        "position": row.position,
        "role": row.role,
        "text": row.text,
        "at": utc(row.at).isoformat(),
        "status": row.status,
    }
    if row.author:
        line["author"] = row.author
    if files:
        line["attachments"] = files
    if row.client_message_id:
        line["client_message_id"] = row.client_message_id
    if row.turn:
        turn = serialization.turn_json(serialization.from_record(row.turn))
        line |= {"in_reply_to": row.in_reply_to, "route": turn["route"], "reply": turn["reply"]}
        line |= {key: turn[key] for key in ("intent", "confidence", "reason", "language")}
        if "handoff" in turn:
            line["handoff"] = turn["handoff"]
    return line
