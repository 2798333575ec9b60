"""A hash chain of turns: each entry is hashed with the one before it, so that changes are detected.

An entry covers the customer's message, the reply, the decision and the citations as their rows are
stored, byte by byte. The entry of a deleted turn stays: it is marked as forgotten and holds only
hashes.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    DateTime,
    Engine,
    Float,
    String,
    Table,
    Text,
    cast,
    func,
    insert,
    select,
    type_coerce,
    update,
)

from bot.store.database import utc
from bot.store.tables import citations, decisions, ledger, messages

_FIRST: Final = "0" * 64
_LOCK: Final = 0x6361_7265  # PostgreSQL advisory lock: one writer of the chain at a time
_PAGE_SIZE: Final = 500
_SEPARATOR: Final = "\x1f"
# The columns that are hashed, in this order. Never change it: every stored hash would differ, and
# every turn would count as altered.
COVERED: Final = {
    messages: (
        *("position", "id", "conversation_id", "role", "text", "at", "client_message_id"),
        *("in_reply_to", "turn"),
    ),
    decisions: (
        *("message_id", "conversation_id", "at", "route", "reason", "intent", "confidence"),
        *("language", "sentiment", "trace"),
    ),
    citations: ("id", "message_id", "article", "title", "quote", "start", "end", "url"),
}


@dataclass
class LedgerReport:
    """The result of a check of the chain: ids of messages whose rows, or whose entry, differ."""

    entries: int = 0
    forgotten: int = 0
    altered: list[str] = field(default_factory=list)  # a row of the turn, or a missing one
    broken: list[str] = field(default_factory=list)  # the entry itself
    unlisted: list[str] = field(default_factory=list)  # turns without an entry

    @property
    def is_whole(self) -> bool:
        """Return whether nothing was altered, removed or inserted."""
        return not (self.altered or self.broken or self.unlisted)


def add(connection: Connection, message_id: str) -> None:
    """Append the turn of a message, in the transaction that wrote it."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    last = connection.execute(
        select(ledger.c.number, ledger.c.sha256).order_by(ledger.c.number.desc()).limit(1)
    ).one_or_none()
    number, before = (last.number + 1, last.sha256) if last else (1, _FIRST)
    content = _content(connection, message_id)
    connection.execute(
        insert(ledger).values(
            number=number,
            message_id=message_id,
            content_sha256=content,
            sha256=_link(before, number, message_id, content),
            forgotten=False,
        )
    )


def forget(connection: Connection, message_ids: list[str]) -> None:
    """Mark turns as deleted on purpose."""
    deleted = ledger.c.message_id.in_(message_ids)
    connection.execute(update(ledger).where(deleted).values(forgotten=True))


def is_unaltered(engine: Engine, message_id: str) -> bool | None:
    """Return whether a turn's rows are those that were written; None where it has no entry."""
    with engine.connect() as connection:
        expected = connection.execute(
            select(ledger.c.content_sha256).where(ledger.c.message_id == message_id)
        ).scalar_one_or_none()
        return None if expected is None else _content(connection, message_id) == expected


def walk(engine: Engine) -> LedgerReport:
    """Check every entry of the chain and the rows it covers."""
    report = LedgerReport()
    before, expected = _FIRST, 1
    with engine.connect() as connection:
        for entry in _entries(connection):
            report.entries += 1
            link = _link(before, entry.number, entry.message_id, entry.content_sha256)
            if entry.number != expected or link != entry.sha256:
                report.broken.append(entry.message_id)
            if entry.forgotten:
                report.forgotten += 1
                if _exists(connection, entry.message_id):
                    report.altered.append(entry.message_id)  # marked as forgotten, but not deleted
            elif _content(connection, entry.message_id) != entry.content_sha256:
                report.altered.append(entry.message_id)
            before, expected = entry.sha256, entry.number + 1
        report.unlisted += _unlisted(connection)
    return report


def _entries(connection: Connection) -> Iterator[Any]:
    at = 0
    while rows := connection.execute(
        select(ledger).where(ledger.c.number > at).order_by(ledger.c.number).limit(_PAGE_SIZE)
    ).all():
        yield from rows
        at = rows[-1].number


def _unlisted(connection: Connection) -> list[str]:
    """Return turns without an entry that were inserted after the chain began."""
    first = select(func.min(messages.c.position)).join(ledger, ledger.c.message_id == messages.c.id)
    start = connection.execute(first).scalar_one_or_none()
    if start is None:
        return []
    query = (
        select(messages.c.in_reply_to)
        .outerjoin(ledger, ledger.c.message_id == messages.c.in_reply_to)
        .where(messages.c.in_reply_to.is_not(None), ledger.c.number.is_(None))
        .where(messages.c.position > start)
    )
    return list(connection.execute(query).scalars())


def _exists(connection: Connection, message_id: str) -> bool:
    row = connection.execute(select(messages.c.id).where(messages.c.id == message_id))
    return row.one_or_none() is not None


def _link(before: str, number: int, message_id: str, content: str) -> str:
    line = _SEPARATOR.join((before, str(number), message_id, content))
    return hashlib.sha256(line.encode()).hexdigest()


def _content(connection: Connection, message_id: str) -> str:
    """Return the hash of all rows of a turn."""
    digest = hashlib.sha256()
    reply = select(messages.c.id).where(messages.c.in_reply_to == message_id).scalar_subquery()
    sources: tuple[tuple[Table, ColumnElement[bool], ColumnElement[Any]], ...] = (
        (messages, messages.c.id == message_id, messages.c.position),
        (messages, messages.c.in_reply_to == message_id, messages.c.position),
        (decisions, decisions.c.message_id == message_id, decisions.c.message_id),
        (citations, citations.c.message_id == reply, citations.c.id),
    )
    for table, condition, order in sources:
        for row in connection.execute(_raw(table, connection).where(condition).order_by(order)):
            digest.update(
                _SEPARATOR.join([table.name, *map(_plain, row)]).encode("utf-8", "replace")
            )
    return digest.hexdigest()


def _raw(table: Table, connection: Connection) -> Any:
    """Select a table's columns as they are stored: JSON as its text, so that every byte counts."""
    sqlite = connection.dialect.name == "sqlite"  # stores times as text, which may be invalid
    return select(*(_column(table.c[name], sqlite=sqlite) for name in COVERED[table]))


def _column(column: Any, *, sqlite: bool) -> Any:
    if isinstance(column.type, JSON | String) or (sqlite and isinstance(column.type, DateTime)):
        return cast(column, Text).label(column.name)
    return type_coerce(column, Float) if isinstance(column.type, Float) else column


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return utc(value).isoformat()
    return repr(value) if isinstance(value, float) else str(value)
