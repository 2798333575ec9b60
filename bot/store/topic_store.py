"""Topics that were found in customers' messages, and which messages belong to them."""

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

# Rows of `digested`: when topics were last looked for, and until when somebody does.
_LOOKED, _LOOKING = 1, 2
_LONGEST: Final = timedelta(minutes=30)  # that a look takes
# What is no more than an intent, or one with another, is shown nowhere: its name is free.
_SHOWN: Final = topics.c.known.is_(False) & topics.c.joined.is_(None)
_YOUNG: Final = timedelta(hours=1)  # a topic without messages is perhaps about to get some
_NAMES: Final = 500  # in one query


class TopicNameTakenError(CarelineError):
    """Two topics of one name could not be told apart."""


class TopicJoinError(CarelineError):
    """Two topics cannot be one."""


class TopicUpdateRunningError(CarelineError):
    """Another process looks for topics."""


@dataclass(frozen=True)
class TopicMessage:
    """A customer's message."""

    id: str
    conversation_id: str
    text: str
    language: str
    intent: str | None = None
    topic: str | None = None  # the id of the one it belongs to


@dataclass(frozen=True, eq=False)
class Topic:
    """A subject; `origin` and `mean`, shape (d,), say which messages belong to it.

    `intent` is the one most of its messages had when it was found; `known` marks a topic that is
    no more than that intent, and is shown nowhere.
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
    """A topic as people see it; `intent` is what most of its messages were taken for."""

    id: str
    name: str
    language: str
    intent: str | None


def latest(  # noqa: PLR0913 — one parameter a filter
    engine: Engine,
    since: datetime,
    limit: int,
    *,
    synthetic: bool,
    without: Mapping[str, Collection[str]],
    unplaced: bool = False,
) -> list[TopicMessage]:
    """Return customers' messages from a moment on, the newest first; or those without a topic.

    They come from made-up conversations or from real ones. `without` names reasons and intents of
    decisions on messages that are about nothing.
    """
    spoken = or_(decisions.c.intent.is_(None), decisions.c.intent.not_in(without["intent"]))
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
            spoken,
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

    Those of made-up conversations come only where they are asked for, beside the real ones.
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


def shown(engine: Engine) -> dict[str, TopicSummary]:
    """Return the topics that say more than an intent, by id."""
    names = ("id", "name", "language", "intent")
    query = select(*(topics.c[name] for name in names)).where(_SHOWN)
    with engine.connect() as connection:
        return {row.id: TopicSummary(*row) for row in connection.execute(query)}


def add(engine: Engine, found: Sequence[Topic], encoder: str, *, synthetic: bool) -> None:
    """Keep topics that were found."""
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
        for topic in found
    ]
    if rows:
        with engine.begin() as connection:
            connection.execute(insert(topics), rows)


def rename(engine: Engine, identifier: str, name: str) -> None:
    """Give a topic another name; raise NotFoundError for an id that is none.

    Raises TakenError when another topic is called so.
    """
    with engine.begin() as connection:
        here = topics.c.id == identifier
        taken = select(topics.c.id).where(topics.c.name == name, _SHOWN, ~here)
        if connection.execute(taken).first():
            message = f"another topic is called {name[:80]}: choose another name, or join them"
            raise TopicNameTakenError(message, "name_taken", name=name[:80])
        if not connection.execute(update(topics).where(here).values(name=name)).rowcount:
            message = f"there is no topic {identifier[:64]}"
            raise NotFoundError(message, "no_topic")


def join(engine: Engine, identifier: str, name: str) -> str:
    """Make a topic one with another, which keeps its name; return the id of that one.

    The messages of the first, those to come as well, belong to the other, whatever its language.
    Raises NotFoundError where there is no such topic or no other of that name, and JoinError for
    a topic of real messages with one of made-up ones, which is removed with them.
    """
    with engine.begin() as connection:
        # Who places messages reads the same row: what is placed afterwards follows.
        here = topics.c.id == identifier
        query = select(topics.c.synthetic).where(here, _SHOWN).with_for_update()
        synthetic = connection.execute(query).scalar_one_or_none()
        other = connection.execute(
            select(topics.c.id, topics.c.synthetic).where(topics.c.name == name, _SHOWN, ~here)
        ).first()
        if synthetic is None or other is None:
            message = f"there is no topic {identifier[:64]}, or no other one called {name[:80]}"
            raise NotFoundError(message, "no_topic")
        if other.synthetic and not synthetic:
            message = "that topic is of made-up messages and will go with them: choose another one"
            raise TopicJoinError(message, "made_up_topic")
        within = here | (topics.c.joined == identifier)
        connection.execute(update(topics).where(within).values(joined=other.id))
        mine = message_topics.c.topic_id == identifier
        aggregate_cache.mark(connection, _days(connection, mine))
        connection.execute(update(message_topics).where(mine).values(topic_id=other.id))
    return str(other.id)


def _days(connection: Connection, placed: ColumnElement[bool]) -> set[date]:
    """Return the days of conversations with messages in some topics."""
    found = connection.execute(
        select(conversations.c.created_at)
        .join(messages, messages.c.conversation_id == conversations.c.id)
        .join(message_topics, message_topics.c.message_id == messages.c.id)
        .where(placed)
    ).scalars()
    return {utc(at).date() for at in found}


def place(engine: Engine, placed: Mapping[str, str]) -> int:
    """Note which topic each message belongs to; return how many were noted.

    A message that was deleted meanwhile, or placed by another process, is passed over. The figures
    of the days of these messages are summed up anew when they are next asked for.
    """
    count = 0
    ids = sorted(placed)
    for at in range(0, len(ids), _NAMES):
        part = ids[at : at + _NAMES]
        with engine.begin() as connection:
            # Who forgets a customer locks the same rows: one of the two comes first.
            there = connection.execute(
                select(messages.c.id, conversations.c.created_at)
                .join(conversations, conversations.c.id == messages.c.conversation_id)
                .where(messages.c.id.in_(part))
                .order_by(messages.c.id)
                .with_for_update(of=messages)
            ).all()
            known = select(message_topics.c.message_id).where(message_topics.c.message_id.in_(part))
            taken = set(connection.execute(known).scalars())
            new = [row for row in there if row.id not in taken]
            joined = _joined(connection)
            topic_of = {row.id: joined.get(placed[row.id], placed[row.id]) for row in new}
            rows = [{"message_id": one, "topic_id": topic} for one, topic in topic_of.items()]
            if rows:
                connection.execute(insert(message_topics), rows)
                aggregate_cache.mark(connection, {utc(row.created_at).date() for row in new})
            count += len(rows)
    return count


def _joined(connection: Connection) -> dict[str, str]:
    """Return what topics were joined to; nobody joins others until this is committed."""
    query = select(topics.c.id, topics.c.joined).with_for_update(read=True)
    return {row.id: row.joined for row in connection.execute(query) if row.joined}


def claim(engine: Engine, spacing: timedelta) -> bool:
    """Return whether topics were last looked for so long ago, and note that they are now.

    Of several processes that ask at once, one is told yes.
    """
    at = now()
    return _take(engine, _LOOKED, free=at - spacing, until=at)


@contextmanager
def alone(engine: Engine) -> Iterator[None]:
    """Keep other processes from looking meanwhile: two would find one subject twice.

    Raises LookingError where another one looks. What a crash left behind ends after a while.
    """
    at = now()
    until = at + _LONGEST
    if not _take(engine, _LOOKING, free=at, until=until):
        message = "another process looks for topics: try again in a few minutes"
        raise TopicUpdateRunningError(message)
    try:
        yield
    finally:
        mine = (digested.c.id == _LOOKING) & (digested.c.until == until)
        with engine.begin() as connection:
            connection.execute(update(digested).where(mine).values(until=at))


def _take(engine: Engine, row: int, *, free: datetime, until: datetime) -> bool:
    """Set a row of `digested` where it says `free` or less; of several that ask, one does."""
    with engine.begin() as connection:
        here = digested.c.id == row
        last = connection.execute(select(digested.c.until).where(here)).scalar_one_or_none()
        if last is not None:
            if utc(last) > free:
                return False
            same = here & (digested.c.until == last)
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
    empty = ~placed & (topics.c.at < now() - _YOUNG) & topics.c.joined.is_(None)
    with engine.begin() as connection:
        others = topics.c.encoder != encoder if encoder else topics.c.id.is_not(None)
        old = message_topics.c.topic_id.in_(select(topics.c.id).where(others))
        aggregate_cache.mark(connection, _days(connection, old))
        connection.execute(delete(message_topics).where(old))
        gone = connection.execute(select(topics.c.id).where(others | empty)).scalars().all()
        with_them = connection.execute(delete(topics).where(topics.c.joined.in_(gone))).rowcount
        return with_them + connection.execute(delete(topics).where(topics.c.id.in_(gone))).rowcount


def sizes(engine: Engine, *, synthetic: bool = False) -> list[dict[str, Any]]:
    """Return the topics that are shown with how many messages they have, largest first.

    Made-up messages are counted only where they are asked for.
    """
    count = func.count(message_topics.c.message_id)
    names = ("id", "name", "language", "intent")
    query = (
        select(*(topics.c[name] for name in names), count.label("messages"))
        .join(message_topics, message_topics.c.topic_id == topics.c.id)
        .join(messages, messages.c.id == message_topics.c.message_id)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(_SHOWN)
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
