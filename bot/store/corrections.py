"""What agents corrected about replies, to learn from; no personal data stands in it."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select

from bot.core.privacy import redact
from bot.core.types import Correction, NotFoundError, Role, now
from bot.store.database import utc
from bot.store.tables import citations, conversations, corrections, decisions, messages

_ANSWERS = frozenset({Role.BOT.value, Role.AGENT.value})


def correct(
    engine: Engine, message_id: str, author: str, given: dict[Correction, str]
) -> dict[str, Any]:
    """Keep what would have been right about a message, by its id or that of its reply.

    The last correction of a kind counts. Raises NotFoundError for a message nobody answered.
    """
    at = now()
    with engine.begin() as connection:
        question, reply = _turn(connection, message_id)
        before = _before(connection, question, reply)
        for kind, value in given.items():
            here = (corrections.c.message_id == question.id) & (corrections.c.kind == kind.value)
            connection.execute(delete(corrections).where(here))
            connection.execute(
                insert(corrections).values(
                    message_id=question.id,
                    kind=kind.value,
                    conversation_id=question.conversation_id,
                    value=redact(value) if kind is Correction.ANSWER else value,
                    instead_of=before[kind],
                    author=author,
                    at=at,
                )
            )
    return of_message(engine, message_id)


def of_message(engine: Engine, message_id: str) -> dict[str, Any]:
    """Return what was corrected about a message: kind → value, author, time."""
    with engine.begin() as connection:
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


def _turn(connection: Connection, message_id: str) -> tuple[Any, Any]:
    """Return the rows of a customer's message and of the reply to it, by the id of either."""
    either = (messages.c.id == message_id) | (messages.c.in_reply_to == message_id)
    reply = connection.execute(
        select(messages).where(either, messages.c.in_reply_to.is_not(None))
    ).one_or_none()
    if reply is None:
        message = f"there is no answered message {message_id[:64]}"
        raise NotFoundError(message)
    asked = select(messages).where(messages.c.id == reply.in_reply_to)
    return connection.execute(asked).one(), reply


def _before(connection: Connection, question: Any, reply: Any) -> dict[Correction, str | None]:
    """Return what the bot made of a message."""
    intent = select(decisions.c.intent).where(decisions.c.message_id == question.id)
    cited = select(citations.c.article).where(citations.c.message_id == reply.id)
    return {
        Correction.INTENT: connection.execute(intent).scalar_one_or_none(),
        Correction.ARTICLE: connection.execute(cited.order_by(citations.c.id)).scalars().first(),
        Correction.ANSWER: reply.text or None,
    }


def transcripts(engine: Engine) -> Iterator[dict[str, Any]]:
    """Yield the conversations in which something was corrected, as transcripts to learn from.

    The customer's turn bears the right intent. The reply to it, where an answer was written, is
    that answer, as an agent's; where an article was named, it bears that. Other turns stand as
    they were said, without labels: nobody looked at them. Made-up conversations are left out.
    """
    here = conversations.c
    # These columns alone: PostgreSQL cannot tell the JSON of two states apart.
    wanted = (
        select(here.id, here.language, here.channel, here.created_at)
        .join(corrections, corrections.c.conversation_id == here.id)
        .where(here.synthetic.is_(False))
        .distinct()
        .order_by(here.created_at, here.id)
    )
    with engine.begin() as connection:
        for row in connection.execute(wanted).all():
            yield {
                "id": row.id,
                "language": row.language,
                "channel": row.channel,
                "started_at": utc(row.created_at).isoformat(),
                "turns": list(_turns(connection, row.id)),
            }


def _turns(connection: Connection, conversation_id: str) -> Iterator[dict[str, Any]]:
    here = corrections.c.conversation_id == conversation_id
    right: dict[str, dict[str, str]] = {}
    for row in connection.execute(select(corrections).where(here)):
        right.setdefault(row.message_id, {})[row.kind] = row.value
    said = select(messages).where(messages.c.conversation_id == conversation_id)
    for row in connection.execute(said.order_by(messages.c.position)):
        turn = {"role": row.role, "text": row.text, "at": utc(row.at).isoformat()}
        if row.role == Role.CUSTOMER.value and (known := right.get(row.id)):
            if intent := known.get(Correction.INTENT):
                turn["intent"] = intent
        elif row.role in _ANSWERS and (known := right.get(row.in_reply_to or "")):
            if answer := known.get(Correction.ANSWER):
                turn |= {"role": Role.AGENT.value, "text": answer}
            if article := known.get(Correction.ARTICLE):
                turn["article"] = article
        if turn["text"]:
            yield turn
