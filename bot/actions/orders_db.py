"""The demo shop's orders in SQLite, made from the home's `orders.csv`."""

import csv
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from bot.types import CarelineError

STATUSES: Final = ("processing", "shipped", "delivered", "delayed", "cancelled", "returned")
_TABLE: Final = (
    "CREATE TABLE orders (number TEXT PRIMARY KEY, status TEXT NOT NULL, items TEXT NOT NULL, "
    "placed TEXT NOT NULL, eta TEXT NOT NULL)"
)


@dataclass(frozen=True)
class Order:
    """An order as the shop knows it."""

    number: str
    status: str
    items: str
    placed: date
    eta: date


def build(source: Path, database: Path) -> int:
    """Make the database from a CSV whose dates count in days from today; return the rows."""
    today = datetime.now(UTC).date()
    with source.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    scratch = database.with_name(f".{database.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    with closing(sqlite3.connect(scratch)) as connection, connection:
        connection.execute(_TABLE)
        for number, row in enumerate(rows, start=2):
            if row.get("status") not in STATUSES:
                message = f"{source} row {number}: status must be one of {', '.join(STATUSES)}"
                raise CarelineError(message)
            try:
                placed = today - timedelta(days=int(row["placed_days_ago"]))
                eta = today + timedelta(days=int(row["eta_in_days"]))
                connection.execute(
                    "INSERT INTO orders VALUES (?, ?, ?, ?, ?)",
                    (row["number"], row["status"], row["items"], str(placed), str(eta)),
                )
            except (KeyError, TypeError, ValueError, sqlite3.IntegrityError) as error:
                message = f"{source} row {number} is no order: {error!r}"
                raise CarelineError(message) from error
    scratch.replace(database)
    return len(rows)


def find(database: Path, number: str) -> Order | None:
    """Return the order of this number, None when there is none."""
    uri = f"{database.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        query = "SELECT * FROM orders WHERE number = ?"
        row = connection.execute(query, (number.upper(),)).fetchone()
    return Order(row[0], row[1], row[2], *map(date.fromisoformat, row[3:])) if row else None
