"""The time of a test: an hour at which people answer, and the orders as they are that day."""

import csv
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from bot.assistant.protocols import Actions
from bot.container import Home
from bot.dialogue.policy import Policy

_WEDNESDAY: Final = datetime(2026, 3, 11, tzinfo=UTC)
_AGO: Final = ("placed_days_ago", "delivered_days_ago", "refund_days_ago")
_AHEAD: Final = "eta_in_days"


def open_hour(policy: Policy, language: str) -> datetime:
    """Return a fixed time at which people answer in a language; the first if they never do."""
    hours = [_WEDNESDAY + timedelta(hours=number) for number in range(7 * 24)]
    found = [hour for hour in hours if policy.is_open(hour, language)]
    # Not the first hour of the day's work: time goes on within a test, and can be set back.
    return found[min(2, len(found) - 1)] if found else hours[0]


class Shop:
    """The home's orders, for tests: nothing that one does is there for the next."""

    def __init__(self, home: Home, scratch: Path) -> None:
        """Use a folder for the orders of each day that is asked for."""
        self._home = home
        self._scratch = scratch

    def actions(self, clock: Callable[[], datetime]) -> Actions | None:
        """Return actions on a private copy, whose today is the clock's; no server is asked."""
        from bot.actions.runner import ActionRunner

        if self._home.settings.actions_url:
            return self._home.actions(dry=True)
        database = self._orders(clock().astimezone(UTC).date())
        return ActionRunner(database, dry=True, clock=clock) if database else None

    def names(self) -> tuple[str, ...]:
        """Return the names of the actions there are."""
        from bot.actions.runner import ActionRunner

        found = self._home.actions(dry=True)
        return tuple(found.names()) if isinstance(found, ActionRunner) else ()

    def _orders(self, day: date) -> Path | None:
        from bot.actions import orders_db

        source, made = self._home.path / "orders.csv", self._home.path / "orders.db"
        database = self._scratch / f"{day}" / "orders.db"
        if database.exists():
            return database
        if not (source.exists() or made.exists()):
            return None
        database.parent.mkdir()
        if source.exists():
            shifted = database.with_name("orders.csv")
            _shift(source, shifted, (datetime.now(UTC).date() - day).days)
            orders_db.build(shifted, database)
        else:
            shutil.copy(made, database)
        return database


def _shift(source: Path, target: Path, days: int) -> None:
    """Copy orders, whose dates count from the day they are read, to so many days earlier."""
    with source.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for column in _AGO:
            if row.get(column):
                row[column] = str(int(row[column]) + days)
        if row.get(_AHEAD):
            row[_AHEAD] = str(int(row[_AHEAD]) - days)
    with target.open("w", encoding="utf-8", newline="") as file:
        written = csv.DictWriter(file, list(rows[0]) if rows else ["number"])
        written.writeheader()
        written.writerows(rows)
