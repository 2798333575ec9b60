"""Daily aggregates of conversations, kept up to date: days that changed are summed up again."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.core.types import now
from bot.store import daily_aggregates
from bot.store.daily_aggregates import ConversationFacts
from bot.store.database import utc
from bot.store.tables import (
    conversations,
    csat,
    digested,
    digests,
    feedback,
    interactions,
    messages,
    suggestions,
)

Figures = Mapping[str, float]
_MARGIN: Final = timedelta(seconds=60)  # a row may be committed so long after the time it bears
ANY: Final = "*"  # all channels, or all languages, together
_ALL: Final = 0  # the row with the time until which everything is summed up
_DAYS_PER_TRANSACTION: Final = 10
_NEVER: Final = datetime(1970, 1, 2, tzinfo=UTC)  # the initial value of that row
_STALE: Final = (
    -1_000_000_000
)  # count of a day that must be summed up again: no real count is negative
_MAX_NAMES: Final = 500  # in one query


@dataclass(frozen=True)
class DailyAggregate:
    """The figures of the conversations of one day."""

    day: date
    figures: Figures


Aggregator = Callable[[Sequence[ConversationFacts]], Figures]


def refresh(engine: Engine, aggregator: Aggregator) -> int:
    """Sum up again the days on which something changed; return how many there were.

    Only a few days are summed up per transaction, so that other writers do not wait long.
    """
    for last in (False, True):
        try:
            return _refresh(engine, aggregator)
        except IntegrityError:  # another process inserted the same rows
            if last:
                raise
    raise AssertionError  # pragma: no cover — the loop returns or raises


def _refresh(engine: Engine, aggregator: Aggregator) -> int:
    started = now()
    with engine.begin() as connection:
        until = _lock(connection)
        if until is None:
            connection.execute(insert(digested).values(id=_ALL, until=_NEVER))
        if until is None or until <= _NEVER:
            days = _days(connection)
        else:
            days = _changed(connection, until - _MARGIN)
        days |= _days_with_other_counts(connection)
    ordered = sorted(days)
    for at in range(0, len(ordered), _DAYS_PER_TRANSACTION):
        with engine.begin() as connection:
            _lock(connection)
            _write_days(connection, ordered[at : at + _DAYS_PER_TRANSACTION], aggregator)
    with engine.begin() as connection:
        connection.execute(update(digested).where(digested.c.id == _ALL).values(until=started))
    return len(days)


def _lock(connection: Connection) -> datetime | None:
    """Lock the digests for this transaction; return the time until which they are complete."""
    query = select(digested.c.until).where(digested.c.id == _ALL).with_for_update()
    until = connection.execute(query).scalar_one_or_none()
    return None if until is None else utc(until)


def _days(connection: Connection) -> set[date]:
    return {
        utc(at).date() for at in connection.execute(select(conversations.c.created_at)).scalars()
    }


def _changed(connection: Connection, since: datetime) -> set[date]:
    """Return the days whose conversations got messages, ratings, clicks or a later visit since.

    Each table is first asked for its new rows, which an index answers; mostly there are few.
    """
    begun = conversations.c.created_at
    created = list(
        connection.execute(select(begun).where(conversations.c.updated_at >= since)).scalars()
    )
    touched: set[str] = set()
    for table, column in (
        (csat, csat.c.at),
        (suggestions, suggestions.c.at),
        (suggestions, suggestions.c.chosen_at),
    ):
        fresh = select(table.c.conversation_id).where(column >= since)
        touched.update(connection.execute(fresh).scalars())
    message_ids: set[str] = set()
    for table in (feedback, interactions):
        fresh = select(table.c.message_id).where(table.c.at >= since)
        message_ids.update(connection.execute(fresh).scalars())
    for part in _batches(message_ids):
        matching = select(messages.c.conversation_id).where(messages.c.id.in_(part))
        touched.update(connection.execute(matching).scalars())
    for part in _batches(touched):
        matching = select(begun).where(conversations.c.id.in_(part))
        created += connection.execute(matching).scalars()
    senders = select(conversations.c.sender).where(
        begun >= since, conversations.c.sender.is_not(None)
    )
    for part in _batches(set(connection.execute(senders).scalars())):
        earlier = select(begun).where(
            conversations.c.sender.in_(part),
            begun >= since - daily_aggregates.REPEAT_WINDOW - _MARGIN,
        )
        created += connection.execute(earlier).scalars()
    return {utc(at).date() for at in created}


def _batches(names: set[str]) -> Iterator[list[str]]:
    """Yield names in batches that fit into one query."""
    ordered = sorted(names)
    for at in range(0, len(ordered), _MAX_NAMES):
        yield ordered[at : at + _MAX_NAMES]


def _days_with_other_counts(connection: Connection) -> set[date]:
    """Return the days on which conversations were deleted, or imported with an old date."""
    conversation_count = connection.execute(
        select(func.count()).select_from(conversations)
    ).scalar_one()
    is_total = (digests.c.channel == ANY) & (digests.c.language == ANY)
    sum_query = select(func.sum(digests.c.conversations)).where(is_total)
    summed_count = connection.execute(sum_query).scalar_one() or 0
    if conversation_count == summed_count:
        return set()
    counts: dict[date, int] = {}
    for at in connection.execute(select(conversations.c.created_at)).scalars():
        day = utc(at).date()
        counts[day] = counts.get(day, 0) + 1
    day_query = (
        select(digests.c.day, func.sum(digests.c.conversations))
        .where(is_total)
        .group_by(digests.c.day)
    )
    summed_counts = {day: int(count) for day, count in connection.execute(day_query)}
    return {
        day
        for day in counts.keys() | summed_counts.keys()
        if counts.get(day) != summed_counts.get(day)
    }


def mark_stale(connection: Connection, days: Collection[date]) -> None:
    """Make the sums of some days stale, so that they are computed again before they are read."""
    _lock(connection)
    condition = digests.c.day.in_(days)
    connection.execute(update(digests).where(condition).values(conversations=_STALE))


def _write_days(connection: Connection, days: Sequence[date], aggregator: Aggregator) -> None:
    """Sum up some days again: each channel and language separately, and all together."""
    connection.execute(delete(digests).where(digests.c.day.in_(days)))
    grouped: dict[tuple[date, str, str, bool], list[ConversationFacts]] = {}
    requested = set(days)
    for fact in daily_aggregates.read(connection, days[0], days[-1]):
        if fact.day in requested:
            for channel, language in product((fact.channel, ANY), (fact.language, ANY)):
                key = (fact.day, channel, language, fact.synthetic)
                grouped.setdefault(key, []).append(fact)
    rows = [
        {
            **dict(zip(("day", "channel", "language", "synthetic"), key, strict=True)),
            "conversations": len(group),
            "figures": dict(aggregator(group)),
        }
        for key, group in grouped.items()
    ]
    if rows:
        connection.execute(insert(digests), rows)


def read(
    engine: Engine,
    first: date,
    last: date,
    *,
    channel: str | None = None,
    language: str | None = None,
    synthetic: bool = False,
) -> list[DailyAggregate]:
    """Return the digests between two days, both included, oldest first."""
    condition = (digests.c.day >= first) & (digests.c.day <= last)
    if not synthetic:
        condition &= digests.c.synthetic.is_(False)
    condition &= (digests.c.channel == (channel or ANY)) & (digests.c.language == (language or ANY))
    query = select(digests).where(condition).order_by(digests.c.day)
    with engine.begin() as connection:
        return [_read(row) for row in connection.execute(query)]


def _read(row: Any) -> DailyAggregate:
    return DailyAggregate(row.day, row.figures)
