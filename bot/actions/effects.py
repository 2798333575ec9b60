"""The idempotency store for side effects of actions: one effect per message.

The writes of an action and its result are committed in one transaction. A message that is
delivered twice, or recovered after a crash, acts once and gets the same result.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

FILE: Final = "actions.db"
_BUSY_SECONDS: Final = 10.0
_SCHEMA_VERSION: Final = 1
_EFFECTS: Final = """
CREATE TABLE IF NOT EXISTS effects (message_id TEXT, action TEXT, subject TEXT,
  conversation_id TEXT, result TEXT NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (message_id, action, subject, conversation_id))
"""


@dataclass(frozen=True)
class EffectKey:
    """The key of an effect: the same message, action and subject act once."""

    conversation_id: str
    message_id: str
    action: str
    subject: str = ""


class Transaction:
    """An open transaction: its writes are committed together, or not at all."""

    def __init__(self, connection: sqlite3.Connection, now: datetime) -> None:
        """Store the open connection and the time of the transaction."""
        self._connection = connection
        self.now = now

    def execute(self, statement: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        """Execute an SQL statement."""
        return self._connection.execute(statement, values)

    def result(self, key: EffectKey) -> str | None:
        """Return the recorded result of an effect as JSON; None if it has not happened."""
        row = self.execute(
            "SELECT result FROM effects WHERE message_id = ? AND action = ? AND subject = ? "
            "AND conversation_id = ?",
            (key.message_id, key.action, key.subject, key.conversation_id),
        ).fetchone()
        return str(row[0]) if row else None

    def record(self, key: EffectKey, result: object) -> None:
        """Record that an effect happened, with its result, which must be JSON."""
        self.execute(
            "INSERT INTO effects VALUES (?, ?, ?, ?, ?, ?)",
            (
                *(key.message_id, key.action, key.subject, key.conversation_id),
                *(json.dumps(result, ensure_ascii=False), self.now.isoformat()),
            ),
        )


class EffectStore:
    """The SQLite file of a home's actions; a dry store is an in-memory copy."""

    def __init__(
        self, path: Path | None, clock: Callable[[], datetime], *, dry: bool = False
    ) -> None:
        """Store the file and the clock; nothing is opened yet.

        Without a file the store is empty and in memory.
        """
        self._path = path
        self._clock = clock
        self._dry = dry or path is None
        self._tables: tuple[str, ...] = (_EFFECTS,)
        self._copy: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def add_tables(self, *statements: str) -> None:
        """Add tables of the home, each as `CREATE TABLE IF NOT EXISTS …`.

        They are created with the first transaction; actions write to them in the transaction that
        records their effect.
        """
        self._tables += statements

    def once(self, key: EffectKey, effect: Callable[[Transaction], Any]) -> Any:
        """Perform an effect and return its result; the second time, return the recorded result.

        The result must be JSON. If the effect raises, nothing is written.
        """
        with self.transaction() as transaction:
            recorded = transaction.result(key)
            if recorded is not None:
                return json.loads(recorded)
            result = effect(transaction)
            transaction.record(key, result)
            return result

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction that is committed at the end, or rolled back after an exception."""
        with self._connection() as connection, connection:  # the latter commits or rolls back
            connection.execute("BEGIN IMMEDIATE")
            self._prepare(connection)
            yield Transaction(connection, self._clock())

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Open the store read-only; it is empty until an action has written."""
        if self._dry:
            with self.transaction() as transaction:
                yield transaction
            return
        with closing(self._read_only()) as connection:
            yield Transaction(connection, self._clock())

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        if self._path is not None and not self._dry:
            with closing(
                sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
            ) as connection:
                yield connection
            return
        with self._lock:
            if self._copy is None:
                self._copy = _copy(self._path)
            yield self._copy

    def _read_only(self) -> sqlite3.Connection:
        empty = sqlite3.connect(":memory:", isolation_level=None)
        self._prepare(empty)
        if self._path is None or not self._path.exists():
            return empty
        connection = sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True)
        if _names(connection) >= _names(empty):
            empty.close()
            return connection
        connection.close()  # another process is creating the tables at this moment
        return empty

    def _prepare(self, connection: sqlite3.Connection) -> None:
        for statement in self._tables:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")


def _copy(path: Path | None) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    if path is not None and path.exists():
        with closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
        ) as source:
            source.backup(copy)
    return copy


def _names(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {str(name) for (name,) in rows}
