"""Agents' corrections of replies, for training; they contain no personal data."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select

from bot.core.privacy import redact
from bot.core.types import Correction, NotFoundError, Role, now
from bot.store.database import utc
from bot.store.tables import citations, conversations, corrections, decisions, messages

_ANSWERS = frozenset({Role.BOT.value, Role.AGENT.value})


class Corrections:
    """The corrections of one log."""

    def __init__(self, engine: Engine) -> None:
        """Store the database engine."""
        self._engine = engine

    def correct(
        self, message_id: str, author: str, values: dict[Correction, str]
    ) -> dict[str, Any]:
        """Store the right values for a message, by its id or that of its reply.

        The last correction of a kind counts. Raises NotFoundError for an unanswered message.
        """
        at = now()
        with self._engine.begin() as connection:
            question, reply = _turn(connection, message_id)
            current = _current_values(connection, question, reply)
            for kind, value in values.items():
                condition = (corrections.c.message_id == question.id) & (
                    corrections.c.kind == kind.value
                )
                connection.execute(delete(corrections).where(condition))
                connection.execute(
                    insert(corrections).values(
                        message_id=question.id,
                        kind=kind.value,
                        conversation_id=question.conversation_id,
                        value=redact(value) if kind is Correction.ANSWER else value,
                        instead_of=current[kind],
                        author=author,
                        at=at,
                    )
                )
        return self.of_message(message_id)

    def of_message(self, message_id: str) -> dict[str, Any]:
        """Return the corrections of a message: kind → value, author, time."""
        with self._engine.begin() as connection:
            question, _ = _turn(connection, message_id)
            rows = connection.execute(
                select(corrections).where(corrections.c.message_id == question.id)
            ).all()
        return {
            "message_id": question.id,
            "corrections": {
                row.kind: {
                    "value": row.value,
                    "instead_of": row.instead_of,
                    "author": row.author,
                    "at": utc(row.at).isoformat(),
                }
                for row in rows
            },
        }

    def transcripts(self) -> Iterator[dict[str, Any]]:
        """Yield the conversations with corrections, as transcripts for training.

        The customer's turn bears the right intent. The reply to it is the corrected answer, as an
        agent's, and bears the corrected article, where there are such corrections. Other turns are
        returned as they were written, without labels, because nobody checked them. Synthetic
        conversations are left out.
        """
        c = conversations.c
        # Only these columns: PostgreSQL cannot compare the JSON of two states for DISTINCT.
        query = (
            select(c.id, c.language, c.channel, c.created_at)
            .join(corrections, corrections.c.conversation_id == c.id)
            .where(c.synthetic.is_(False))
            .distinct()
            .order_by(c.created_at, c.id)
        )
        with self._engine.begin() as connection:
            for row in connection.execute(query).all():
                yield {
                    "id": row.id,
                    "language": row.language,
                    "channel": row.channel,
                    "started_at": utc(row.created_at).isoformat(),
                    "turns": list(_turns(connection, row.id)),
                }


def _turn(connection: Connection, message_id: str) -> tuple[Any, Any]:
    """Return the rows of a customer's message and of the reply to it, by the id of either."""
    either = (messages.c.id == message_id) | (messages.c.in_reply_to == message_id)
    reply = connection.execute(
        select(messages).where(either, messages.c.in_reply_to.is_not(None))
    ).one_or_none()
    if reply is None:
        message = f"there is no answered message {message_id[:64]}"
        raise NotFoundError(message)
    question = select(messages).where(messages.c.id == reply.in_reply_to)
    return connection.execute(question).one(), reply


def _current_values(
    connection: Connection, question: Any, reply: Any
) -> dict[Correction, str | None]:
    """Return the bot's own intent, article and answer for a message."""
    intent = select(decisions.c.intent).where(decisions.c.message_id == question.id)
    cited = select(citations.c.article).where(citations.c.message_id == reply.id)
    return {
        Correction.INTENT: connection.execute(intent).scalar_one_or_none(),
        Correction.ARTICLE: connection.execute(cited.order_by(citations.c.id)).scalars().first(),
        Correction.ANSWER: reply.text or None,
    }


def _turns(connection: Connection, conversation_id: str) -> Iterator[dict[str, Any]]:
    condition = corrections.c.conversation_id == conversation_id
    by_message: dict[str, dict[str, str]] = {}
    for row in connection.execute(select(corrections).where(condition)):
        by_message.setdefault(row.message_id, {})[row.kind] = row.value
    query = select(messages).where(messages.c.conversation_id == conversation_id)
    for row in connection.execute(query.order_by(messages.c.position)):
        turn = {"role": row.role, "text": row.text, "at": utc(row.at).isoformat()}
        if row.role == Role.CUSTOMER.value and (correct := by_message.get(row.id)):
            if intent := correct.get(Correction.INTENT):
                turn["intent"] = intent
        elif row.role in _ANSWERS and (correct := by_message.get(row.in_reply_to or "")):
            if answer := correct.get(Correction.ANSWER):
                turn |= {"role": Role.AGENT.value, "text": answer}
            if article := correct.get(Correction.ARTICLE):
                turn["article"] = article
        if turn["text"]:
            yield turn
