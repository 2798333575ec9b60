"""Synthetic conversations, written like those of customers, and marked as synthetic."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, insert, select

from bot.core import serialization
from bot.core.types import Role, Turn, new_id
from bot.dialogue import state as states
from bot.dialogue.state import State
from bot.store import aggregate_cache
from bot.store.conversation_log import ANSWERED
from bot.store.database import utc
from bot.store.tables import (
    citations,
    conversations,
    corrections,
    csat,
    decisions,
    feedback,
    labels,
    message_topics,
    messages,
    notes,
    suggestions,
    topics,
)

_BATCH_SIZE: Final = 200  # conversations in one transaction


@dataclass(frozen=True)
class SyntheticOffer:
    """A suggestion for an agent: the kind that was chosen, and how much of it was changed."""

    at: datetime
    kind: str | None
    distance: float | None


@dataclass(frozen=True)
class SyntheticConversation:
    """A conversation with its turns and ratings."""

    id: str
    sender: str | None
    channel: str
    language: str
    turns: Sequence[Turn]
    ratings: Sequence[str | None]  # one per turn
    score: int | None = None
    offered: Sequence[SyntheticOffer] = ()


def write(engine: Engine, generated: Iterable[SyntheticConversation]) -> int:
    """Write conversations; return how many."""
    count, group = 0, list[SyntheticConversation]()
    for conversation in generated:
        group.append(conversation)
        count += 1
        if len(group) == _BATCH_SIZE:
            _write(engine, group)
            group = []
    _write(engine, group)
    return count


def clear(engine: Engine) -> int:
    """Remove all synthetic conversations; return how many."""
    conversation_ids = select(conversations.c.id).where(conversations.c.synthetic.is_(True))
    message_ids = select(messages.c.id).where(messages.c.conversation_id.in_(conversation_ids))
    with engine.begin() as connection:
        # As many may be generated again on a day, and then their number would not show the change.
        created = select(conversations.c.created_at).where(conversations.c.synthetic.is_(True))
        aggregate_cache.mark_stale(
            connection, {utc(at).date() for at in connection.execute(created).scalars()}
        )
        for table in (feedback, citations, decisions, message_topics):
            connection.execute(delete(table).where(table.c.message_id.in_(message_ids)))
        for table in (corrections, suggestions, notes, labels, csat, messages):
            connection.execute(delete(table).where(table.c.conversation_id.in_(conversation_ids)))
        topic_ids = select(topics.c.id).where(topics.c.synthetic.is_(True))
        connection.execute(delete(message_topics).where(message_topics.c.topic_id.in_(topic_ids)))
        connection.execute(delete(topics).where(topics.c.id.in_(topic_ids)))
        removed = connection.execute(
            delete(conversations).where(conversations.c.synthetic.is_(True))
        )
    return removed.rowcount


def _write(engine: Engine, group: Sequence[SyntheticConversation]) -> None:
    if not group:
        return
    with engine.begin() as connection:
        connection.execute(insert(conversations), [_conversation(item) for item in group])
        _insert(connection, messages, [row for item in group for row in _messages(item)])
        turns = [turn for item in group for turn in item.turns]
        _insert(connection, decisions, [_decision(turn) for turn in turns])
        _insert(
            connection,
            citations,
            [
                {"message_id": turn.reply_id, **serialization.citation_json(citation)}
                for turn in turns
                for citation in turn.reply.citations
            ],
        )
        _insert(
            connection,
            feedback,
            [
                {"message_id": turn.reply_id, "rating": rating, "at": turn.message.at}
                for item in group
                for turn, rating in zip(item.turns, item.ratings, strict=True)
                if rating
            ],
        )
        scored = [item for item in group if item.score is not None]
        _insert(
            connection,
            csat,
            [
                {"conversation_id": item.id, "score": item.score, "at": item.turns[-1].message.at}
                for item in scored
            ],
        )
        _insert(
            connection,
            suggestions,
            [_offer(item, offer) for item in group for offer in item.offered],
        )


def _insert(connection: Connection, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), list(rows))


def _conversation(conversation: SyntheticConversation) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "sender": conversation.sender,
        "channel": conversation.channel,
        "language": conversation.language,
        "created_at": conversation.turns[0].message.at,
        "updated_at": conversation.turns[-1].message.at,
        "owner": states.CLOSED.value,
        "state": states.to_json(State(language=conversation.language)),
        "synthetic": True,
    }


def _messages(conversation: SyntheticConversation) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for turn in conversation.turns:
        shared = {"conversation_id": conversation.id, "status": ANSWERED}
        question, reply = {"role": Role.CUSTOMER.value}, {"role": Role.BOT.value}
        question |= {"id": turn.message.id, "text": turn.message.text}
        reply |= {"id": turn.reply_id, "text": turn.reply.text}
        seconds = timedelta(milliseconds=dict(turn.timings_ms).get("total", 0.0))
        question_at: dict[str, Any] = {"at": turn.message.at, "in_reply_to": None, "turn": None}
        rows.append({**shared, **question, **question_at})
        rows.append(
            {
                **shared,
                **reply,
                "at": turn.message.at + seconds,
                "in_reply_to": turn.message.id,
                "turn": serialization.to_record(turn),
            }
        )
    return rows


def _decision(turn: Turn) -> dict[str, Any]:
    understanding = turn.understanding
    return {
        "message_id": turn.message.id,
        "conversation_id": turn.message.conversation_id,
        "at": turn.message.at,
        "route": turn.decision.route.value,
        "reason": turn.decision.reason,
        "intent": understanding.intent,
        "confidence": understanding.confidence,
        "language": understanding.language,
        "sentiment": understanding.sentiment,
        "trace": serialization.trace_json(turn),
    }


def _offer(conversation: SyntheticConversation, offer: SyntheticOffer) -> dict[str, Any]:
    return {
        "id": new_id(),
        "conversation_id": conversation.id,
        "at": offer.at,
        "offered": [],
        "chosen": None if offer.kind is None else 0,
        "kind": offer.kind,
        "distance": offer.distance,
        "chosen_at": offer.at if offer.kind is not None else None,
    }
