"""Topics that were found in customers' messages, and the messages that belong to them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from bot.core.types import CarelineError, NotFoundError, Role, now
from bot.store import aggregate_cache
from bot.store.database import utc
from bot.store.tables import conversations, decisions, digested, message_topics, messages, topics

# Rows of `digested`: the time of the last update, and the time until which one is running.
_LAST_RUN, _RUNNING_UNTIL = 1, 2
_MAX_DURATION: Final = timedelta(minutes=30)  # of an update
# Topics that equal an intent, or were joined to another topic, are hidden: their names are free.
_VISIBLE: Final = topics.c.known.is_(False) & topics.c.joined.is_(None)
_GRACE_PERIOD: Final = timedelta(hours=1)  # a new topic may not have its messages yet
_MAX_IDS: Final = 500  # in one query


class TopicNameTakenError(CarelineError):
    """Two topics cannot have the same name."""


class TopicJoinError(CarelineError):
    """Two topics cannot be joined."""


class TopicUpdateRunningError(CarelineError):
    """Another process is looking for topics."""


@dataclass(frozen=True)
class TopicMessage:
    """A customer's message."""

    id: str
    conversation_id: str
    text: str
    language: str
    intent: str | None = None
    topic: str | None = None  # the id of its topic


@dataclass(frozen=True, eq=False)
class Topic:
    """A subject; `origin` and `mean`, shape (d,), define which messages belong to it.

    `intent` is the most frequent one of its messages when it was found; `known` marks a topic that
    equals that intent and is hidden.
    """

    id: str
    name: str
    language: str
    origin: NDArray[np.float32]
    mean: NDArray[np.float32]  # of unit vectors from the origin to its messages
    intent: str | None = None
    known: bool = False


@dataclass(frozen=True)
class TopicSummary:
    """A topic for display; `intent` is the most frequent one of its messages."""

    id: str
    name: str
    language: str
    intent: str | None


def latest(
    engine: Engine,
    since: datetime,
    limit: int,
    *,
    synthetic: bool,
    without: Mapping[str, Collection[str]],
    unplaced: bool = False,
) -> list[TopicMessage]:
    """Return customers' messages from a time on, newest first; or only those without a topic.

    They are from synthetic conversations or from real ones. `without` lists the reasons and intents
    of decisions on messages without a subject.
    """
    has_subject = or_(decisions.c.intent.is_(None), decisions.c.intent.not_in(without["intent"]))
    query = (
        select(
            messages.c.id,
            messages.c.conversation_id,
            messages.c.text,
            decisions.c.language,
            decisions.c.intent,
            message_topics.c.topic_id,
        )
        .join(decisions, decisions.c.message_id == messages.c.id)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .outerjoin(message_topics, message_topics.c.message_id == messages.c.id)
        .where(
            messages.c.role == Role.CUSTOMER.value,
            messages.c.at >= since,
            conversations.c.synthetic.is_(synthetic),
            decisions.c.reason.not_in(without["reason"]),
            has_subject,
        )
        .order_by(messages.c.at.desc(), messages.c.id)
        .limit(limit)
    )
    if unplaced:
        query = query.where(message_topics.c.topic_id.is_(None))
    with engine.connect() as connection:
        return [TopicMessage(*row) for row in connection.execute(query)]


def read(engine: Engine, encoder: str, *, synthetic: bool) -> list[Topic]:
    """Return the topics that an encoder's vectors describe, oldest first.

    Topics of synthetic conversations are added to the real ones where `synthetic` is set.
    """
    query = select(topics).where(topics.c.encoder == encoder)
    if not synthetic:
        query = query.where(topics.c.synthetic.is_(False))
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(topics.c.at, topics.c.id)).all()
    return [
        Topic(
            row.id,
            row.name,
            row.language,
            _vector(row.origin),
            _vector(row.mean),
            row.intent,
            row.known,
        )
        for row in rows
    ]


def _vector(raw: bytes) -> NDArray[np.float32]:
    return np.frombuffer(raw, dtype="<f4")


def visible_topics(engine: Engine) -> dict[str, TopicSummary]:
    """Return the topics that differ from all intents, by id."""
    names = ("id", "name", "language", "intent")
    query = select(*(topics.c[name] for name in names)).where(_VISIBLE)
    with engine.connect() as connection:
        return {row.id: TopicSummary(*row) for row in connection.execute(query)}


def add(engine: Engine, new_topics: Sequence[Topic], encoder: str, *, synthetic: bool) -> None:
    """Store topics."""
    rows = [
        {
            "id": topic.id,
            "name": topic.name,
            "language": topic.language,
            "synthetic": synthetic,
            "encoder": encoder,
            "origin": topic.origin.astype("<f4").tobytes(),
            "mean": topic.mean.astype("<f4").tobytes(),
            "intent": topic.intent,
            "known": topic.known,
            "at": now(),
        }
        for topic in new_topics
    ]
    if rows:
        with engine.begin() as connection:
            connection.execute(insert(topics), rows)


def rename(engine: Engine, identifier: str, name: str) -> None:
    """Give a topic another name; raise NotFoundError for an unknown id.

    Raises TopicNameTakenError when another topic has that name.
    """
    with engine.begin() as connection:
        condition = topics.c.id == identifier
        taken = select(topics.c.id).where(topics.c.name == name, _VISIBLE, ~condition)
        if connection.execute(taken).first():
            message = f"another topic is called {name[:80]}: choose another name, or join them"
            raise TopicNameTakenError(message, "name_taken", name=name[:80])
        if not connection.execute(update(topics).where(condition).values(name=name)).rowcount:
            message = f"there is no topic {identifier[:64]}"
            raise NotFoundError(message, "no_topic")


def join(engine: Engine, identifier: str, name: str) -> str:
    """Join a topic to another one, which keeps its name; return the id of that one.

    The messages of the first, future ones as well, belong to the other, whatever its language.
    Raises NotFoundError where there is no such topic or no other of that name, and TopicJoinError
    for a topic of real messages with one of synthetic ones, which is removed with them.
    """
    with engine.begin() as connection:
        # `place` reads the same row: messages that are placed later belong to the other topic.
        condition = topics.c.id == identifier
        query = select(topics.c.synthetic).where(condition, _VISIBLE).with_for_update()
        synthetic = connection.execute(query).scalar_one_or_none()
        others = select(topics.c.id, topics.c.synthetic).where(topics.c.name == name, _VISIBLE)
        other = connection.execute(others.where(~condition)).first()
        if synthetic is None or other is None:
            message = f"there is no topic {identifier[:64]}, or no other one called {name[:80]}"
            raise NotFoundError(message, "no_topic")
        if other.synthetic and not synthetic:
            message = "that topic is of simulated messages and is removed with them: choose another"
            raise TopicJoinError(message, "made_up_topic")
        within = condition | (topics.c.joined == identifier)
        connection.execute(update(topics).where(within).values(joined=other.id))
        mine = message_topics.c.topic_id == identifier
        aggregate_cache.mark_stale(connection, _days(connection, mine))
        connection.execute(update(message_topics).where(mine).values(topic_id=other.id))
    return str(other.id)


def _days(connection: Connection, placed: ColumnElement[bool]) -> set[date]:
    """Return the days of conversations with messages in some topics."""
    created = connection.execute(
        select(conversations.c.created_at)
        .join(messages, messages.c.conversation_id == conversations.c.id)
        .join(message_topics, message_topics.c.message_id == messages.c.id)
        .where(placed)
    ).scalars()
    return {utc(at).date() for at in created}


def place(engine: Engine, placed: Mapping[str, str]) -> int:
    """Store which topic each message belongs to; return how many were stored.

    A message that was deleted meanwhile, or placed by another process, is skipped. The figures of
    the days of these messages are summed up again before they are next read.
    """
    count = 0
    ids = sorted(placed)
    for at in range(0, len(ids), _MAX_IDS):
        part = ids[at : at + _MAX_IDS]
        with engine.begin() as connection:
            # Deleting a customer's data locks the same rows, so that one of the two waits.
            rows_of_messages = connection.execute(
                select(messages.c.id, conversations.c.created_at)
                .join(conversations, conversations.c.id == messages.c.conversation_id)
                .where(messages.c.id.in_(part))
                .order_by(messages.c.id)
                .with_for_update(of=messages)
            ).all()
            placed_query = select(message_topics.c.message_id).where(
                message_topics.c.message_id.in_(part)
            )
            already_placed = set(connection.execute(placed_query).scalars())
            unplaced = [row for row in rows_of_messages if row.id not in already_placed]
            joined = _joined(connection)
            topic_of = {row.id: joined.get(placed[row.id], placed[row.id]) for row in unplaced}
            rows = [{"message_id": key, "topic_id": topic} for key, topic in topic_of.items()]
            if rows:
                connection.execute(insert(message_topics), rows)
                aggregate_cache.mark_stale(
                    connection, {utc(row.created_at).date() for row in unplaced}
                )
            count += len(rows)
    return count


def _joined(connection: Connection) -> dict[str, str]:
    """Return the targets of joined topics; the lock delays other joins until the commit."""
    query = select(topics.c.id, topics.c.joined).with_for_update(read=True)
    return {row.id: row.joined for row in connection.execute(query) if row.joined}


def claim(engine: Engine, spacing: timedelta) -> bool:
    """Return whether the last update is long enough ago, and store that one begins now.

    Of several processes that ask at the same time, only one gets True.
    """
    at = now()
    return _try_advance(engine, _LAST_RUN, free=at - spacing, until=at)


@contextmanager
def exclusive_update(engine: Engine) -> Iterator[None]:
    """Keep other processes from looking for topics: two would find one subject twice.

    Raises TopicUpdateRunningError where another process is looking. After a crash the lock expires.
    """
    at = now()
    until = at + _MAX_DURATION
    if not _try_advance(engine, _RUNNING_UNTIL, free=at, until=until):
        message = "another process looks for topics: try again in a few minutes"
        raise TopicUpdateRunningError(message)
    try:
        yield
    finally:
        mine = (digested.c.id == _RUNNING_UNTIL) & (digested.c.until == until)
        with engine.begin() as connection:
            connection.execute(update(digested).where(mine).values(until=at))


def _try_advance(engine: Engine, row: int, *, free: datetime, until: datetime) -> bool:
    """Set a row of `digested` if its time is at most `free`; only one of several processes does."""
    with engine.begin() as connection:
        condition = digested.c.id == row
        last = connection.execute(select(digested.c.until).where(condition)).scalar_one_or_none()
        if last is not None:
            if utc(last) > free:
                return False
            same = condition & (digested.c.until == last)
            return bool(
                connection.execute(update(digested).where(same).values(until=until)).rowcount
            )
    try:
        with engine.begin() as connection:
            connection.execute(insert(digested).values(id=row, until=until))
    except IntegrityError:  # another process was first
        return False
    return True


def sweep(engine: Engine, encoder: str | None) -> int:
    """Remove topics without messages, and those of other encoders; return how many.

    Vectors of different encoders cannot be compared. None removes all topics.
    """
    placed = topics.c.id.in_(select(message_topics.c.topic_id))
    empty = ~placed & (topics.c.at < now() - _GRACE_PERIOD) & topics.c.joined.is_(None)
    with engine.begin() as connection:
        other_encoders = topics.c.encoder != encoder if encoder else topics.c.id.is_not(None)
        old = message_topics.c.topic_id.in_(select(topics.c.id).where(other_encoders))
        aggregate_cache.mark_stale(connection, _days(connection, old))
        connection.execute(delete(message_topics).where(old))
        removed_ids = (
            connection.execute(select(topics.c.id).where(other_encoders | empty)).scalars().all()
        )
        joined_count = connection.execute(
            delete(topics).where(topics.c.joined.in_(removed_ids))
        ).rowcount
        return (
            joined_count
            + connection.execute(delete(topics).where(topics.c.id.in_(removed_ids))).rowcount
        )


def sizes(engine: Engine, *, synthetic: bool = False) -> list[dict[str, Any]]:
    """Return the visible topics with their numbers of messages, largest first.

    Synthetic messages are counted only where `synthetic` is set.
    """
    count = func.count(message_topics.c.message_id)
    names = ("id", "name", "language", "intent")
    query = (
        select(*(topics.c[name] for name in names), count.label("messages"))
        .join(message_topics, message_topics.c.topic_id == topics.c.id)
        .join(messages, messages.c.id == message_topics.c.message_id)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(_VISIBLE)
        .group_by(*(topics.c[name] for name in names))
        .order_by(count.desc(), topics.c.id)
    )
    if not synthetic:
        query = query.where(conversations.c.synthetic.is_(False))
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def names(engine: Engine) -> set[str]:
    """Return the names of all topics."""
    with engine.connect() as connection:
        return set(connection.execute(select(topics.c.name)).scalars())
