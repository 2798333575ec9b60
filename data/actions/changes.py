"""Changes made for customers: cancellations, addresses, returns, invoices and callbacks.

They are stored in the home's `actions.db` and outlive the orders, which are created again daily.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

from bot.actions import Transaction

from .orders_db import Order, Orders

_FIRST_RETURN: Final = 10_000
_TABLES: Final = """
tries (conversation_id TEXT, message_id TEXT, number TEXT, at TEXT NOT NULL,
  PRIMARY KEY (conversation_id, message_id, number));
identified (conversation_id TEXT, number TEXT, PRIMARY KEY (conversation_id, number));
cancellations (number TEXT PRIMARY KEY, at TEXT NOT NULL);
addresses (number TEXT PRIMARY KEY, address TEXT NOT NULL, at TEXT NOT NULL);
returns (id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, reason TEXT, items TEXT,
  at TEXT NOT NULL);
invoices (id INTEGER PRIMARY KEY, number TEXT NOT NULL, at TEXT NOT NULL);
callbacks (conversation_id TEXT PRIMARY KEY, phone TEXT NOT NULL, wanted TEXT NOT NULL,
  language TEXT NOT NULL, number TEXT, at TEXT NOT NULL)
"""
TABLES: Final = tuple(f"CREATE TABLE IF NOT EXISTS {table}" for table in _TABLES.split(";"))


@dataclass(frozen=True)
class Return:
    """A return that was started."""

    number: str
    started: date


@dataclass(frozen=True)
class Callback:
    """A requested phone call."""

    phone: str = field(repr=False)
    wanted: str


class Changes:
    """The changes to orders, within one transaction."""

    def __init__(self, transaction: Transaction, orders: Orders) -> None:
        """Store the open transaction and the orders."""
        self._transaction = transaction
        self._orders = orders
        self._at = transaction.now.isoformat()
        self.today = transaction.now.date()
        self.now = transaction.now

    def order(self, number: str) -> Order | None:
        """Return an order with its changes."""
        order = self._orders.find(number)
        if order is None:
            return None
        if row := self._fetch_one("SELECT address FROM addresses WHERE number = ?", order.number):
            order = replace(order, address=row[0])
        if row := self._fetch_one("SELECT at FROM cancellations WHERE number = ?", order.number):
            on = datetime.fromisoformat(row[0]).date()
            if order.status != "cancelled":
                order = replace(order, status="cancelled", refund="pending", refund_on=on)
        return order

    def orders_of(self, customer: str) -> list[Order]:
        """Return a customer's orders with their changes, newest first."""
        numbers = self._orders.numbers_of(customer)
        return [order for number in numbers if (order := self.order(number))]

    def identified(self, conversation_id: str) -> list[Order]:
        """Return the orders that were proven in a conversation."""
        query = "SELECT number FROM identified WHERE conversation_id = ? ORDER BY number"
        rows = self._transaction.execute(query, (conversation_id,)).fetchall()
        return [order for (number,) in rows if (order := self.order(number))]

    def tries(self, conversation_id: str, besides: str) -> int:
        """Return the number of failed attempts in a conversation, without those of one message."""
        query = "SELECT count(*) FROM tries WHERE conversation_id = ? AND message_id != ?"
        row = self._fetch_one(query, conversation_id, besides)
        return int(row[0]) if row else 0

    def add_try(self, conversation_id: str, message_id: str, number: str) -> None:
        """Count a failed attempt; the same one counts once."""
        self._write(
            "INSERT OR IGNORE INTO tries VALUES (?, ?, ?, ?)",
            *(conversation_id, message_id, number, self._at),
        )

    def is_identified(self, conversation_id: str, number: str) -> bool:
        """Return whether an order was proven in a conversation."""
        query = "SELECT 1 FROM identified WHERE conversation_id = ? AND number = ?"
        return self._fetch_one(query, conversation_id, number.strip().upper()) is not None

    def identify(self, conversation_id: str, number: str) -> None:
        """Record that an order was proven in a conversation."""
        self._write("INSERT OR IGNORE INTO identified VALUES (?, ?)", conversation_id, number)

    def cancel(self, number: str) -> None:
        """Cancel an order."""
        self._write("INSERT INTO cancellations VALUES (?, ?)", number, self._at)

    def change_address(self, number: str, address: str) -> None:
        """Change the delivery address of an order."""
        self._write("INSERT OR REPLACE INTO addresses VALUES (?, ?, ?)", number, address, self._at)

    def return_of(self, number: str) -> Return | None:
        """Return the return of an order."""
        row = self._fetch_one("SELECT id, at FROM returns WHERE number = ?", number)
        if row is None:
            return None
        return Return(f"R{_FIRST_RETURN + row[0]}", datetime.fromisoformat(row[1]).date())

    def start_return(self, number: str, reason: str, items: str) -> Return:
        """Start a return; an order has at most one."""
        row = self._write(
            "INSERT INTO returns (number, reason, items, at) VALUES (?, ?, ?, ?)",
            *(number, reason, items, self._at),
        )
        return Return(f"R{_FIRST_RETURN + row}", self.today)

    def send_invoice(self, number: str) -> None:
        """Queue an invoice for sending."""
        self._write("INSERT INTO invoices (number, at) VALUES (?, ?)", number, self._at)

    def callback(self, conversation_id: str) -> Callback | None:
        """Return the callback that was booked in a conversation."""
        query = "SELECT phone, wanted FROM callbacks WHERE conversation_id = ?"
        row = self._fetch_one(query, conversation_id)
        return Callback(*row) if row else None

    def book(
        self, conversation_id: str, callback: Callback, language: str, number: str | None
    ) -> None:
        """Book a callback, or move the one of this conversation."""
        self._write(
            "INSERT OR REPLACE INTO callbacks VALUES (?, ?, ?, ?, ?, ?)",
            *(conversation_id, callback.phone, callback.wanted, language, number, self._at),
        )

    def _fetch_one(self, query: str, *values: str) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._transaction.execute(query, values).fetchone()
        return row

    def _write(self, statement: str, *values: str | None) -> int:
        return self._transaction.execute(statement, values).lastrowid or 0
