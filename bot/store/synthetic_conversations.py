"""Conversations that were made up, written as those of customers are, and marked."""

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

_TOGETHER: Final = 200  # conversations in one transaction


@dataclass(frozen=True)
class SyntheticOffer:
    """A suggestion that an agent got: the kind that was chosen, and how much of it was changed."""

    at: datetime
    kind: str | None
    distance: float | None


@dataclass(frozen=True)
class SyntheticConversation:
    """A conversation as it would have gone."""

    id: str
    sender: str | None
    channel: str
    language: str
    turns: Sequence[Turn]
    ratings: Sequence[str | None]  # one a turn
    score: int | None = None
    offered: Sequence[SyntheticOffer] = ()


def write(engine: Engine, made: Iterable[SyntheticConversation]) -> int:
    """Write conversations; return how many."""
    count, group = 0, list[SyntheticConversation]()
    for one in made:
        group.append(one)
        count += 1
        if len(group) == _TOGETHER:
            _write(engine, group)
            group = []
    _write(engine, group)
    return count


def clear(engine: Engine) -> int:
    """Remove all conversations that were made up; return how many."""
    ours = select(conversations.c.id).where(conversations.c.synthetic.is_(True))
    theirs = select(messages.c.id).where(messages.c.conversation_id.in_(ours))
    with engine.begin() as connection:
        # As many may be made up again on a day: their number would not tell that it changed.
        begun = select(conversations.c.created_at).where(conversations.c.synthetic.is_(True))
        aggregate_cache.mark(
            connection, {utc(at).date() for at in connection.execute(begun).scalars()}
        )
        for table in (feedback, citations, decisions, message_topics):
            connection.execute(delete(table).where(table.c.message_id.in_(theirs)))
        for table in (corrections, suggestions, notes, labels, csat, messages):
            connection.execute(delete(table).where(table.c.conversation_id.in_(ours)))
        made_up = select(topics.c.id).where(topics.c.synthetic.is_(True))
        connection.execute(delete(message_topics).where(message_topics.c.topic_id.in_(made_up)))
        connection.execute(delete(topics).where(topics.c.id.in_(made_up)))
        gone = connection.execute(delete(conversations).where(conversations.c.synthetic.is_(True)))
    return gone.rowcount


def _write(engine: Engine, group: Sequence[SyntheticConversation]) -> None:
    if not group:
        return
    with engine.begin() as connection:
        connection.execute(insert(conversations), [_conversation(one) for one in group])
        _insert(connection, messages, [row for one in group for row in _messages(one)])
        turns = [turn for one in group for turn in one.turns]
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
                for one in group
                for turn, rating in zip(one.turns, one.ratings, strict=True)
                if rating
            ],
        )
        scored = [one for one in group if one.score is not None]
        _insert(
            connection,
            csat,
            [
                {"conversation_id": one.id, "score": one.score, "at": one.turns[-1].message.at}
                for one in scored
            ],
        )
        _insert(
            connection, suggestions, [_offer(one, given) for one in group for given in one.offered]
        )


def _insert(connection: Connection, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), list(rows))


def _conversation(one: SyntheticConversation) -> dict[str, Any]:
    return {
        "id": one.id,
        "sender": one.sender,
        "channel": one.channel,
        "language": one.language,
        "created_at": one.turns[0].message.at,
        "updated_at": one.turns[-1].message.at,
        "owner": states.CLOSED.value,
        "state": states.to_json(State(language=one.language)),
        "synthetic": True,
    }


def _messages(one: SyntheticConversation) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for turn in one.turns:
        here = {"conversation_id": one.id, "status": ANSWERED}
        asked, said = {"role": Role.CUSTOMER.value}, {"role": Role.BOT.value}
        asked |= {"id": turn.message.id, "text": turn.message.text}
        said |= {"id": turn.reply_id, "text": turn.reply.text}
        seconds = timedelta(milliseconds=dict(turn.timings_ms).get("total", 0.0))
        rows.append({**here, **asked, "at": turn.message.at, "in_reply_to": None, "turn": None})
        rows.append(
            {
                **here,
                **said,
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


def _offer(one: SyntheticConversation, given: SyntheticOffer) -> dict[str, Any]:
    return {
        "id": new_id(),
        "conversation_id": one.id,
        "at": given.at,
        "offered": [],
        "chosen": None if given.kind is None else 0,
        "kind": given.kind,
        "distance": given.distance,
        "chosen_at": given.at if given.kind is not None else None,
    }
