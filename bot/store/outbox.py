"""Deliveries to other systems, stored in SQL until they are done, in order, by one process."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.core.types import now
from bot.store.tables import outbox

_MAX_ERROR_LENGTH: Final = 256  # characters of the reason for giving up


@dataclass(frozen=True)
class Delivery:
    """Something to deliver: parcels of one channel and target are delivered one after another.

    The key identifies a parcel: one that is added twice is delivered once.
    """

    channel: str
    target: str
    key: str
    body: Mapping[str, Any] = field(default_factory=dict)
    id: int = 0
    attempts: int = 0  # this one included


class Outbox:
    """A queue of parcels. Their bodies are removed as soon as they are delivered or given up."""

    def __init__(self, engine: Engine) -> None:
        """Use a migrated database."""
        self._engine = engine

    def add(self, parcels: Sequence[Delivery], *, wait: float = 0.0) -> None:
        """Store parcels, to be delivered after `wait` seconds; known keys change nothing."""
        due = now() + timedelta(seconds=wait)
        for last in (False, True):
            try:
                with self._engine.begin() as connection:
                    _insert(connection, parcels, due)
            except IntegrityError:  # another process added one of them
                if last:
                    raise
            else:
                return

    def claim(self, channels: Collection[str], lease: float) -> Delivery | None:
        """Claim the parcel that has been due the longest, for `lease` seconds.

        The order within a target is kept: while its first parcel waits, the next ones wait too.
        """
        earlier = outbox.alias("earlier")
        blocked = (
            select(earlier.c.id)
            .where(
                earlier.c.channel == outbox.c.channel,
                earlier.c.target == outbox.c.target,
                earlier.c.done_at.is_(None),
                earlier.c.id < outbox.c.id,
            )
            .exists()
        )
        at = now()
        due = (
            select(outbox)
            .where(
                outbox.c.done_at.is_(None),
                outbox.c.next_at <= at,
                outbox.c.channel.in_(channels),
                ~blocked,
            )
            .order_by(outbox.c.next_at, outbox.c.id)
            .limit(1)
        )
        with self._engine.begin() as connection:
            row = connection.execute(due).one_or_none()
            if row is None:
                return None
            # Where two processes saw the same row, the count of attempts lets only one of them
            # claim it.
            ours = (outbox.c.id == row.id) & (outbox.c.attempts == row.attempts)
            taken = connection.execute(
                update(outbox)
                .where(ours, outbox.c.done_at.is_(None))
                .values(attempts=row.attempts + 1, next_at=at + timedelta(seconds=lease))
            )
            if taken.rowcount != 1:
                return None
        return Delivery(row.channel, row.target, row.key, row.body, row.id, row.attempts + 1)

    def settle(self, parcel: Delivery, following: Sequence[Delivery] = ()) -> None:
        """Mark a parcel as delivered and add the ones that follow from it, in one transaction."""
        with self._engine.begin() as connection:
            _close(connection, parcel.id, None)
            _insert(connection, following, now())

    def postpone(self, parcel: Delivery, seconds: float) -> None:
        """Try a parcel again later."""
        due = now() + timedelta(seconds=seconds)
        with self._engine.begin() as connection:
            connection.execute(update(outbox).where(outbox.c.id == parcel.id).values(next_at=due))

    def give_up(self, parcel: Delivery, reason: str) -> None:
        """Mark a parcel as undeliverable; the ones behind it move up."""
        with self._engine.begin() as connection:
            _close(connection, parcel.id, reason)

    def hasten(self, key: str) -> None:
        """Make a parcel due now, unless its delivery has begun."""
        with self._engine.begin() as connection:
            waiting = (outbox.c.key == key) & (outbox.c.attempts == 0)
            connection.execute(update(outbox).where(waiting).values(next_at=now()))

    def cancel(self, channel: str, target: str, reason: str) -> int:
        """Drop the parcels that a target has not received yet; return how many."""
        with self._engine.begin() as connection:
            pending = connection.execute(
                select(outbox.c.id).where(
                    outbox.c.channel == channel,
                    outbox.c.target == target,
                    outbox.c.done_at.is_(None),
                )
            ).scalars()
            identifiers = list(pending)
            for identifier in identifiers:
                _close(connection, identifier, reason)
        return len(identifiers)

    def waiting(self) -> int:
        """Return the number of parcels still to be delivered."""
        with self._engine.begin() as connection:
            count = select(func.count()).select_from(outbox).where(outbox.c.done_at.is_(None))
            return int(connection.execute(count).scalar_one())

    def forget(self, before: datetime) -> None:
        """Remove the keys of parcels that were closed before a time."""
        with self._engine.begin() as connection:
            connection.execute(delete(outbox).where(outbox.c.done_at < before))


def _insert(connection: Connection, parcels: Sequence[Delivery], due: datetime) -> None:
    keys = [parcel.key for parcel in parcels]
    existing = set(
        connection.execute(select(outbox.c.key).where(outbox.c.key.in_(keys))).scalars()
        if keys
        else ()
    )
    for parcel in parcels:
        if parcel.key not in existing:
            connection.execute(
                insert(outbox).values(
                    key=parcel.key,
                    channel=parcel.channel,
                    target=parcel.target,
                    body=dict(parcel.body),
                    attempts=0,
                    next_at=due,
                )
            )


def _close(connection: Connection, identifier: int, reason: str | None) -> None:
    connection.execute(
        update(outbox)
        .where(outbox.c.id == identifier)
        .values(done_at=now(), body={}, error=reason[:_MAX_ERROR_LENGTH] if reason else None)
    )
