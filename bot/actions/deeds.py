"""What was done for customers: cancellations, addresses, returns, invoices, calls back, tries.

It lies in `actions.db` beside the orders and outlives them: the orders are made again each day.
What a message brought about is written together with what was said about it, so a message that
comes twice acts once.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from bot.actions import orders_db
from bot.actions.calls import ActionReply, ActionResult
from bot.actions.orders_db import Order

FILE: Final = "actions.db"
_BUSY_SECONDS: Final = 10.0
_LAYOUT: Final = 1
_FIRST_RETURN: Final = 10_000
_TABLES: Final = """
CREATE TABLE effects (message_id TEXT, action TEXT, subject TEXT, conversation_id TEXT,
  result TEXT NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (message_id, action, subject, conversation_id));
CREATE TABLE tries (conversation_id TEXT, message_id TEXT, number TEXT, at TEXT NOT NULL,
  PRIMARY KEY (conversation_id, message_id, number));
CREATE TABLE identified (conversation_id TEXT, number TEXT, PRIMARY KEY (conversation_id, number));
CREATE TABLE cancellations (number TEXT PRIMARY KEY, at TEXT NOT NULL);
CREATE TABLE addresses (number TEXT PRIMARY KEY, address TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE returns (id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, reason TEXT, items TEXT,
  at TEXT NOT NULL);
CREATE TABLE invoices (id INTEGER PRIMARY KEY, number TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE callbacks (conversation_id TEXT PRIMARY KEY, phone TEXT NOT NULL, wanted TEXT NOT NULL,
  language TEXT NOT NULL, number TEXT, at TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Key:
    """What a message wants done: the same message, action and subject act once."""

    conversation_id: str
    message_id: str
    action: str
    subject: str


@dataclass(frozen=True)
class Return:
    """A return that was started."""

    number: str
    started: date


@dataclass(frozen=True)
class Callback:
    """A call somebody is waiting for."""

    phone: str = field(repr=False)
    wanted: str


class Book:
    """The deeds of a shop; a dry one is a private copy in memory, and nothing is written."""

    def __init__(self, orders: Path, *, dry: bool = False) -> None:
        """Take the orders database; the deeds lie beside it. Nothing is opened yet."""
        self.orders = orders
        self._path = orders.with_name(FILE)
        self._dry = dry
        self._copy: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    @contextmanager
    def writing(self, at: datetime) -> Iterator["Page"]:
        """Open a page in one transaction: all that is done on it is kept, or nothing."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                _prepare(connection)
                yield Page(connection, self.orders, at)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def reading(self, at: datetime) -> Iterator["Page"]:
        """Open a page that only reads; nothing was done yet where nothing is written down."""
        with closing(_read_only(self._path)) as connection:
            yield Page(connection, self.orders, at)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        if not self._dry:
            with closing(
                sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
            ) as connection:
                yield connection
            return
        with self._lock:
            if self._copy is None:
                self._copy = _copied(self._path)
            yield self._copy


def _copied(path: Path) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    if path.exists():
        with closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
        ) as source:
            source.backup(copy)
    return copy


def _read_only(path: Path) -> sqlite3.Connection:
    if path.exists():
        found = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        if _is_prepared(found):
            return found
        found.close()  # whoever makes it is at it just now
    empty = sqlite3.connect(":memory:", isolation_level=None)
    _prepare(empty)
    return empty


def _is_prepared(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("PRAGMA user_version").fetchone()[0] == _LAYOUT)


def _prepare(connection: sqlite3.Connection) -> None:
    if _is_prepared(connection):
        return
    for table in filter(str.strip, _TABLES.split(";")):  # executescript would commit first
        connection.execute(table)
    connection.execute(f"PRAGMA user_version = {_LAYOUT}")


class Page:
    """The deeds within one transaction."""

    def __init__(self, connection: sqlite3.Connection, orders: Path, at: datetime) -> None:
        """Take the open transaction, the orders and the time."""
        self._connection = connection
        self._orders = orders
        self._at = at.isoformat()
        self.today = at.date()
        self.now = at

    def recorded(self, key: Key) -> ActionResult | None:
        """Return what came of the same message before."""
        row = self._one(
            "SELECT result FROM effects WHERE message_id = ? AND action = ? AND subject = ? "
            "AND conversation_id = ?",
            *(key.message_id, key.action, key.subject, key.conversation_id),
        )
        return _from_json(row[0]) if row else None

    def record(self, key: Key, result: ActionResult) -> None:
        """Keep what came of a message."""
        self._write(
            "INSERT INTO effects VALUES (?, ?, ?, ?, ?, ?)",
            *(key.message_id, key.action, key.subject, key.conversation_id),
            *(_to_json(result), self._at),
        )

    def order(self, number: str) -> Order | None:
        """Return an order with what was done to it since."""
        order = orders_db.find(self._orders, number)
        if order is None:
            return None
        if row := self._one("SELECT address FROM addresses WHERE number = ?", order.number):
            order = replace(order, address=row[0])
        if row := self._one("SELECT at FROM cancellations WHERE number = ?", order.number):
            on = datetime.fromisoformat(row[0]).date()
            if order.status != "cancelled":
                order = replace(order, status="cancelled", refund="pending", refund_on=on)
        return order

    def orders_of(self, customer: str) -> list[Order]:
        """Return a customer's orders with what was done to them since, the newest first."""
        numbers = orders_db.numbers_of(self._orders, customer)
        return [order for number in numbers if (order := self.order(number))]

    def identified(self, conversation_id: str) -> list[Order]:
        """Return the orders that were proven in a conversation."""
        query = "SELECT number FROM identified WHERE conversation_id = ? ORDER BY number"
        rows = self._connection.execute(query, (conversation_id,)).fetchall()
        return [order for (number,) in rows if (order := self.order(number))]

    def tries(self, conversation_id: str, besides: str) -> int:
        """Return how many tries failed in a conversation, besides those of one message."""
        query = "SELECT count(*) FROM tries WHERE conversation_id = ? AND message_id != ?"
        row = self._one(query, conversation_id, besides)
        return int(row[0]) if row else 0

    def add_try(self, conversation_id: str, message_id: str, number: str) -> None:
        """Count a failed try; the same one counts once."""
        self._write(
            "INSERT OR IGNORE INTO tries VALUES (?, ?, ?, ?)",
            *(conversation_id, message_id, number, self._at),
        )

    def is_identified(self, conversation_id: str, number: str) -> bool:
        """Tell whether an order was proven in a conversation."""
        query = "SELECT 1 FROM identified WHERE conversation_id = ? AND number = ?"
        return self._one(query, conversation_id, number.strip().upper()) is not None

    def identify(self, conversation_id: str, number: str) -> None:
        """Remember that an order was proven in a conversation."""
        self._write("INSERT OR IGNORE INTO identified VALUES (?, ?)", conversation_id, number)

    def cancel(self, number: str) -> None:
        """Cancel an order."""
        self._write("INSERT INTO cancellations VALUES (?, ?)", number, self._at)

    def change_address(self, number: str, address: str) -> None:
        """Send an order somewhere else."""
        self._write("INSERT OR REPLACE INTO addresses VALUES (?, ?, ?)", number, address, self._at)

    def return_of(self, number: str) -> Return | None:
        """Return the return of an order."""
        row = self._one("SELECT id, at FROM returns WHERE number = ?", number)
        if row is None:
            return None
        return Return(f"R{_FIRST_RETURN + row[0]}", datetime.fromisoformat(row[1]).date())

    def start_return(self, number: str, reason: str, items: str) -> Return:
        """Start a return; an order has one at most."""
        row = self._write(
            "INSERT INTO returns (number, reason, items, at) VALUES (?, ?, ?, ?)",
            *(number, reason, items, self._at),
        )
        return Return(f"R{_FIRST_RETURN + row}", self.today)

    def send_invoice(self, number: str) -> None:
        """Put an invoice among those to be sent."""
        self._write("INSERT INTO invoices (number, at) VALUES (?, ?)", number, self._at)

    def callback(self, conversation_id: str) -> Callback | None:
        """Return the call that was booked in a conversation."""
        query = "SELECT phone, wanted FROM callbacks WHERE conversation_id = ?"
        row = self._one(query, conversation_id)
        return Callback(*row) if row else None

    def book(
        self, conversation_id: str, callback: Callback, language: str, number: str | None
    ) -> None:
        """Book a call, or move the one of this conversation."""
        self._write(
            "INSERT OR REPLACE INTO callbacks VALUES (?, ?, ?, ?, ?, ?)",
            *(conversation_id, callback.phone, callback.wanted, language, number, self._at),
        )

    def _one(self, query: str, *values: str) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._connection.execute(query, values).fetchone()
        return row

    def _write(self, statement: str, *values: str | None) -> int:
        return self._connection.execute(statement, values).lastrowid or 0


def _to_json(result: ActionResult) -> str:
    said = [[one.template, dict(one.values)] for one in result.said]
    kept = {"said": said, "slots": dict(result.slots), "asks": result.asks, "failed": result.failed}
    return json.dumps(kept, ensure_ascii=False)


def _from_json(text: str) -> ActionResult:
    kept = json.loads(text)
    said = tuple(ActionReply(None, template, values) for template, values in kept["said"])
    return ActionResult(said, kept["slots"], kept["asks"], kept["failed"])
