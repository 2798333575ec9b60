"""Sums of each day's conversations, kept up to date: changed days are made anew."""

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
_MARGIN: Final = timedelta(seconds=60)  # what was dated before may be committed so much later
ANY: Final = "*"  # all channels, or all languages, together
_ALL: Final = 0  # the row that says until when everything is digested
_TOGETHER: Final = 10  # days that are read at once
_NEVER: Final = datetime(1970, 1, 2, tzinfo=UTC)  # until when everything is digested, at first
_STALE: Final = -1_000_000_000  # conversations of a day to be summed up anew: no count fits it
_NAMES: Final = 500  # in one query


@dataclass(frozen=True)
class DailyAggregate:
    """The figures of the conversations of one day."""

    day: date
    figures: Figures


Summed = Callable[[Sequence[ConversationFacts]], Figures]


def refresh(engine: Engine, summed: Summed) -> int:
    """Sum up the days of which something changed; return how many.

    A few days at a time: nobody who wants to write waits for all of them.
    """
    for last in (False, True):
        try:
            return _refresh(engine, summed)
        except IntegrityError:  # another process did the same just now
            if last:
                raise
    raise AssertionError  # pragma: no cover — the loop returns or raises


def _refresh(engine: Engine, summed: Summed) -> int:
    begun = now()
    with engine.begin() as connection:
        known = _locked(connection)
        if known is None:
            connection.execute(insert(digested).values(id=_ALL, until=_NEVER))
        if known is None or known <= _NEVER:
            days = _days(connection)
        else:
            days = _changed(connection, known - _MARGIN)
        days |= _lost(connection)
    ordered = sorted(days)
    for at in range(0, len(ordered), _TOGETHER):
        with engine.begin() as connection:
            _locked(connection)
            _digest(connection, ordered[at : at + _TOGETHER], summed)
    with engine.begin() as connection:
        connection.execute(update(digested).where(digested.c.id == _ALL).values(until=begun))
    return len(days)


def _locked(connection: Connection) -> datetime | None:
    """Return until when every change is known; who changes digests waits for one another."""
    query = select(digested.c.until).where(digested.c.id == _ALL).with_for_update()
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else utc(found)


def _days(connection: Connection) -> set[date]:
    return {
        utc(at).date() for at in connection.execute(select(conversations.c.created_at)).scalars()
    }


def _changed(connection: Connection, since: datetime) -> set[date]:
    """Return the days whose conversations were written to, rated, read or followed since.

    Each table is first asked for what is new in it, which an index answers; mostly, little is.
    """
    begun = conversations.c.created_at
    found = list(
        connection.execute(select(begun).where(conversations.c.updated_at >= since)).scalars()
    )
    touched: set[str] = set()
    for table, column in (
        (csat, csat.c.at),
        (suggestions, suggestions.c.at),
        (suggestions, suggestions.c.chosen_at),
    ):
        new = select(table.c.conversation_id).where(column >= since)
        touched.update(connection.execute(new).scalars())
    said: set[str] = set()
    for table in (feedback, interactions):
        new = select(table.c.message_id).where(table.c.at >= since)
        said.update(connection.execute(new).scalars())
    for part in _parts(said):
        there = select(messages.c.conversation_id).where(messages.c.id.in_(part))
        touched.update(connection.execute(there).scalars())
    for part in _parts(touched):
        there = select(begun).where(conversations.c.id.in_(part))
        found += connection.execute(there).scalars()
    again = select(conversations.c.sender).where(
        begun >= since, conversations.c.sender.is_not(None)
    )
    for part in _parts(set(connection.execute(again).scalars())):
        earlier = select(begun).where(
            conversations.c.sender.in_(part), begun >= since - daily_aggregates.AGAIN - _MARGIN
        )
        found += connection.execute(earlier).scalars()
    return {utc(at).date() for at in found}


def _parts(names: set[str]) -> Iterator[list[str]]:
    """Yield names in parts that fit into one query."""
    ordered = sorted(names)
    for at in range(0, len(ordered), _NAMES):
        yield ordered[at : at + _NAMES]


def _lost(connection: Connection) -> set[date]:
    """Return the days of which conversations were deleted, or brought in with an old date."""
    there = connection.execute(select(func.count()).select_from(conversations)).scalar_one()
    whole = (digests.c.channel == ANY) & (digests.c.language == ANY)
    total = select(func.sum(digests.c.conversations)).where(whole)
    summed = connection.execute(total).scalar_one() or 0
    if there == summed:
        return set()
    counts: dict[date, int] = {}
    for at in connection.execute(select(conversations.c.created_at)).scalars():
        day = utc(at).date()
        counts[day] = counts.get(day, 0) + 1
    kept = (
        select(digests.c.day, func.sum(digests.c.conversations))
        .where(whole)
        .group_by(digests.c.day)
    )
    known = {day: int(count) for day, count in connection.execute(kept)}
    return {day for day in counts.keys() | known.keys() if counts.get(day) != known.get(day)}


def mark(connection: Connection, days: Collection[date]) -> None:
    """Have the sums of some days made anew when they are next asked for."""
    _locked(connection)
    here = digests.c.day.in_(days)
    connection.execute(update(digests).where(here).values(conversations=_STALE))


def _digest(connection: Connection, days: Sequence[date], summed: Summed) -> None:
    """Sum up some days anew, each channel and language for itself and together."""
    connection.execute(delete(digests).where(digests.c.day.in_(days)))
    grouped: dict[tuple[date, str, str, bool], list[ConversationFacts]] = {}
    wanted = set(days)
    for fact in daily_aggregates.read(connection, days[0], days[-1]):
        if fact.day in wanted:
            for channel, language in product((fact.channel, ANY), (fact.language, ANY)):
                key = (fact.day, channel, language, fact.synthetic)
                grouped.setdefault(key, []).append(fact)
    rows = [
        {
            **dict(zip(("day", "channel", "language", "synthetic"), key, strict=True)),
            "conversations": len(group),
            "figures": dict(summed(group)),
        }
        for key, group in grouped.items()
    ]
    if rows:
        connection.execute(insert(digests), rows)


def read(  # noqa: PLR0913 — one parameter a filter
    engine: Engine,
    first: date,
    last: date,
    *,
    channel: str | None = None,
    language: str | None = None,
    synthetic: bool = False,
) -> list[DailyAggregate]:
    """Return the digests between two days, both included, oldest first."""
    wanted = (digests.c.day >= first) & (digests.c.day <= last)
    if not synthetic:
        wanted &= digests.c.synthetic.is_(False)
    wanted &= (digests.c.channel == (channel or ANY)) & (digests.c.language == (language or ANY))
    query = select(digests).where(wanted).order_by(digests.c.day)
    with engine.begin() as connection:
        return [_read(row) for row in connection.execute(query)]


def _read(row: Any) -> DailyAggregate:
    return DailyAggregate(row.day, row.figures)
