"""The clock of a test: a time in opening hours, and the orders with dates relative to it."""

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
_PAST_COLUMNS: Final = ("placed_days_ago", "delivered_days_ago", "refund_days_ago")
_FUTURE_COLUMN: Final = "eta_in_days"


def open_hour(policy: Policy, language: str) -> datetime:
    """Return a fixed time in opening hours of a language; any time if there are none."""
    hours = [_WEDNESDAY + timedelta(hours=number) for number in range(7 * 24)]
    open_hours = [hour for hour in hours if policy.is_open(hour, language)]
    # Not the first opening hour: time advances within a test, and can be set back.
    return open_hours[min(2, len(open_hours) - 1)] if open_hours else hours[0]


class Shop:
    """The home's orders, for tests: changes by one test are not visible to the next."""

    def __init__(self, home: Home, scratch: Path) -> None:
        """Use a folder for the orders of each requested day."""
        self._home = home
        self._scratch = scratch

    def actions(self, clock: Callable[[], datetime]) -> Actions | None:
        """Return actions on a private copy, with the clock's date; no server is called."""
        from bot.actions.runner import ActionRunner

        if self._home.settings.actions_url:
            return self._home.actions(dry=True)
        database = self._orders(clock().astimezone(UTC).date())
        return ActionRunner(database, dry=True, clock=clock) if database else None

    def names(self) -> tuple[str, ...]:
        """Return the names of the available actions."""
        from bot.actions.runner import ActionRunner

        actions = self._home.actions(dry=True)
        return tuple(actions.names()) if isinstance(actions, ActionRunner) else ()

    def _orders(self, day: date) -> Path | None:
        from bot.actions import orders_db

        source, existing = self._home.path / "orders.csv", self._home.path / "orders.db"
        database = self._scratch / f"{day}" / "orders.db"
        if database.exists():
            return database
        if not (source.exists() or existing.exists()):
            return None
        database.parent.mkdir()
        if source.exists():
            shifted = database.with_name("orders.csv")
            _shift(source, shifted, (datetime.now(UTC).date() - day).days)
            orders_db.build(shifted, database)
        else:
            shutil.copy(existing, database)
        return database


def _shift(source: Path, target: Path, days: int) -> None:
    """Copy orders, whose dates are relative to today, to so many days earlier."""
    with source.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for column in _PAST_COLUMNS:
            if row.get(column):
                row[column] = str(int(row[column]) + days)
        if row.get(_FUTURE_COLUMN):
            row[_FUTURE_COLUMN] = str(int(row[_FUTURE_COLUMN]) - days)
    with target.open("w", encoding="utf-8", newline="") as file:
        written = csv.DictWriter(file, list(rows[0]) if rows else ["number"])
        written.writeheader()
        written.writerows(rows)
