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
    """A delivery to a target of a channel; those of one target are delivered one after another.

    The key identifies it: a delivery that is added twice is made once.
    """

    channel: str
    target: str
    key: str
    body: Mapping[str, Any] = field(default_factory=dict)
    id: int = 0
    attempts: int = 0  # this one included


class Outbox:
    """A queue of deliveries. Their bodies are removed as soon as they are made or given up."""

    def __init__(self, engine: Engine) -> None:
        """Use a migrated database."""
        self._engine = engine

    def add(self, deliveries: Sequence[Delivery], *, wait: float = 0.0) -> None:
        """Store deliveries, to be delivered after `wait` seconds; known keys change nothing."""
        due = now() + timedelta(seconds=wait)
        for last in (False, True):
            try:
                with self._engine.begin() as connection:
                    _insert(connection, deliveries, due)
            except IntegrityError:  # another process added one of them
                if last:
                    raise
            else:
                return

    def claim(self, channels: Collection[str], lease: float) -> Delivery | None:
        """Claim the delivery that has been due the longest, for `lease` seconds.

        The order within a target is kept: while its first delivery waits, the next ones wait too.
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
            is_unclaimed = (outbox.c.id == row.id) & (outbox.c.attempts == row.attempts)
            claimed = connection.execute(
                update(outbox)
                .where(is_unclaimed, outbox.c.done_at.is_(None))
                .values(attempts=row.attempts + 1, next_at=at + timedelta(seconds=lease))
            )
            if claimed.rowcount != 1:
                return None
        return Delivery(row.channel, row.target, row.key, row.body, row.id, row.attempts + 1)

    def settle(self, delivery: Delivery, following: Sequence[Delivery] = ()) -> None:
        """Mark a delivery as made and add the ones that follow from it, in one transaction."""
        with self._engine.begin() as connection:
            _close(connection, delivery.id, None)
            _insert(connection, following, now())

    def postpone(self, delivery: Delivery, seconds: float) -> None:
        """Try a delivery again later."""
        due = now() + timedelta(seconds=seconds)
        with self._engine.begin() as connection:
            connection.execute(update(outbox).where(outbox.c.id == delivery.id).values(next_at=due))

    def give_up(self, delivery: Delivery, reason: str) -> None:
        """Mark a delivery as impossible; the ones behind it move up."""
        with self._engine.begin() as connection:
            _close(connection, delivery.id, reason)

    def make_due(self, key: str) -> None:
        """Make a delivery due now, unless it was tried already."""
        with self._engine.begin() as connection:
            waiting = (outbox.c.key == key) & (outbox.c.attempts == 0)
            connection.execute(update(outbox).where(waiting).values(next_at=now()))

    def cancel(self, channel: str, target: str, reason: str) -> int:
        """Drop the deliveries to a target that are not made yet; return how many."""
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
        """Return the number of deliveries still to be made."""
        with self._engine.begin() as connection:
            count = select(func.count()).select_from(outbox).where(outbox.c.done_at.is_(None))
            return int(connection.execute(count).scalar_one())

    def forget(self, before: datetime) -> None:
        """Remove the keys of deliveries that were closed before a time."""
        with self._engine.begin() as connection:
            connection.execute(delete(outbox).where(outbox.c.done_at < before))


def _insert(connection: Connection, deliveries: Sequence[Delivery], due: datetime) -> None:
    keys = [delivery.key for delivery in deliveries]
    existing = set(
        connection.execute(select(outbox.c.key).where(outbox.c.key.in_(keys))).scalars()
        if keys
        else ()
    )
    for delivery in deliveries:
        if delivery.key not in existing:
            connection.execute(
                insert(outbox).values(
                    key=delivery.key,
                    channel=delivery.channel,
                    target=delivery.target,
                    body=dict(delivery.body),
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
