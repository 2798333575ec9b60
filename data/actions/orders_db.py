"""The shop's orders in SQLite, created from the home's `orders.csv`.

Changes to orders are stored elsewhere (see `changes.py`): this database can be created again at
any time.
"""

import csv
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from bot.actions import ActionContext
from bot.core.types import CarelineError

STATUSES: Final = ("processing", "shipped", "delivered", "delayed", "cancelled", "returned")
PAID_BY: Final = ("card", "wallet", "gift_card")
REFUNDS: Final = ("", "pending", "arrived", "refunded")
_SCHEMA_VERSION: Final = 2  # a database of another version is created again


@dataclass(frozen=True)
class Order:
    """An order; one without an e-mail address cannot be proven by address.

    `refund` is "pending" (after a cancellation), "arrived" (back in the warehouse) or "refunded",
    since the day `refund_on`.
    """

    number: str
    status: str
    items: str
    placed: date
    eta: date
    email: str = field(default="", repr=False)
    customer: str = ""
    name: str = field(default="", repr=False)
    country: str = ""
    address: str = field(default="", repr=False)
    shipping: str = "standard"
    packed: bool = True
    delivered: date | None = None
    paid_by: str = "card"
    refund: str = ""
    refund_on: date | None = None


_COLUMNS: Final = tuple(column.name for column in fields(Order))
_DATES: Final = frozenset({"placed", "eta", "delivered", "refund_on"})


class Orders:
    """The orders of a home; those of a dry context are in memory, and no file is written."""

    def __init__(self, context: ActionContext) -> None:
        """Read the orders; raise CarelineError for invalid rows of `orders.csv`."""
        self._source = context.home / "orders.csv"
        self._database = context.home / "orders.db"
        self._context = context
        self._lock = threading.Lock()
        self._copy: sqlite3.Connection | None = None
        if context.dry:
            self._copy = self._in_memory()
        else:
            self._refresh()

    def find(self, number: str) -> Order | None:
        """Return the order with this number; None if there is none."""
        with self._connection() as connection:
            query = "SELECT * FROM orders WHERE number = ?"
            row = connection.execute(query, (number.strip().upper(),)).fetchone()
        if row is None:
            return None
        values = dict(zip(_COLUMNS, row, strict=True))
        for name in _DATES:
            values[name] = date.fromisoformat(values[name]) if values[name] else None
        return Order(**{**values, "packed": bool(values["packed"])})

    def numbers(self) -> list[str]:
        """Return the numbers of all orders."""
        with self._connection() as connection:
            query = "SELECT number FROM orders ORDER BY number"
            return [number for (number,) in connection.execute(query)]

    def numbers_of(self, customer: str) -> list[str]:
        """Return the numbers of a customer's orders, newest first."""
        if not customer:
            return []
        with self._connection() as connection:
            query = "SELECT number FROM orders WHERE customer = ? ORDER BY placed DESC, number"
            return [number for (number,) in connection.execute(query, (customer,))]

    def _refresh(self) -> None:
        today = _day(self._context)
        if self._source.exists() and not is_current(self._database, self._source, today):
            build(self._source, self._database, today)

    def _in_memory(self) -> sqlite3.Connection:
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        if self._source.exists() or not self._database.exists():
            _fill(copy, self._source, _day(self._context))
        else:
            with closing(_open(self._database)) as source:
                source.backup(copy)
        return copy

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        if self._copy is not None:
            with self._lock:
                yield self._copy
            return
        self._refresh()
        if not self._database.exists():
            with closing(self._in_memory()) as empty:
                yield empty
            return
        with closing(_open(self._database)) as connection:
            yield connection


def _day(context: ActionContext) -> date:
    return context.now().astimezone(UTC).date()


def build(source: Path, database: Path, today: date | None = None) -> int:
    """Create the database from a CSV with dates relative to today; return the number of rows."""
    scratch = database.with_name(f".{database.name}.{os.getpid()}.{threading.get_ident()}")
    scratch.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(scratch)) as connection:
            count = _fill(connection, source, today or datetime.now(UTC).date())
        scratch.replace(database)
    finally:
        scratch.unlink(missing_ok=True)
    return count


def _fill(connection: sqlite3.Connection, source: Path, today: date) -> int:
    """Create the table from a CSV (empty if there is none); return the number of rows."""
    rows: list[dict[str, str]] = []
    if source.exists():
        with source.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    table = ", ".join(("number TEXT PRIMARY KEY", *_COLUMNS[1:]))
    insert = f"INSERT INTO orders VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 — constant columns
    with connection:
        connection.execute(f"CREATE TABLE orders ({table})")
        connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        for number, row in enumerate(rows, start=2):
            try:
                connection.execute(insert, _to_row(_order(row, today)))
            except (KeyError, TypeError, ValueError, sqlite3.IntegrityError) as error:
                message = f"{source} row {number} is not an order: {error!r}"
                raise CarelineError(message) from error
    return len(rows)


def _order(row: Mapping[str, str], today: date) -> Order:
    """Read a row; columns after the first five are optional."""
    status, extra = row["status"], {key: (value or "").strip() for key, value in row.items() if key}
    _check_allowed("status", status, STATUSES)
    paid_by = extra.get("paid_by") or "card"
    _check_allowed("paid_by", paid_by, PAID_BY)
    refund = extra.get("refund", "")
    _check_allowed("refund", refund, REFUNDS)
    eta = today + timedelta(days=int(row["eta_in_days"]))
    delivered = _ago(extra.get("delivered_days_ago"), today)
    if delivered is None and status == "delivered":
        delivered = min(eta, today)
    return Order(
        number=row["number"].strip().upper(),
        status=status,
        items=row["items"],
        placed=today - timedelta(days=int(row["placed_days_ago"])),
        eta=eta,
        email=extra.get("email", ""),
        customer=extra.get("customer", ""),
        name=extra.get("name", ""),
        country=extra.get("country", "").upper(),
        address=extra.get("address", ""),
        shipping=extra.get("shipping") or "standard",
        packed=status != "processing" or extra.get("packed", "yes") != "no",
        delivered=delivered,
        paid_by=paid_by,
        refund=refund,
        refund_on=_ago(extra.get("refund_days_ago"), today),
    )


def _check_allowed(column: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        message = f"{column} must be one of {', '.join(filter(None, allowed))}"
        raise ValueError(message)


def _ago(days: str | None, today: date) -> date | None:
    return today - timedelta(days=int(days)) if days else None


def _to_row(order: Order) -> tuple[object, ...]:
    return tuple(str(v) if isinstance(v, date) else v for v in astuple(order))


def is_current(database: Path, source: Path, today: date | None = None) -> bool:
    """Return whether the database was created today from the current CSV."""
    if not database.exists() or database.stat().st_mtime < source.stat().st_mtime:
        return False
    created = datetime.fromtimestamp(database.stat().st_mtime, UTC).date()
    if created != (today or datetime.now(UTC).date()):
        return False
    with closing(_open(database)) as connection:
        return bool(connection.execute("PRAGMA user_version").fetchone()[0] == _SCHEMA_VERSION)


def _open(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)
