"""Changes to stored bytes, to prove that they are detected. For benchmarks and tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Engine, String, Table, Text, cast, func, select, text

from bot.core.types import NotFoundError
from bot.store.tables import citations, decisions, ledger, messages

_KEYS: Final = {messages: "position", decisions: "message_id", citations: "id", ledger: "number"}
_COLUMNS: Final = {
    messages: ("text", "turn", "at"),
    decisions: ("trace", "reason", "language"),
    citations: ("quote", "title"),
    ledger: ("sha256", "content_sha256"),
}


@contextmanager
def altered(engine: Engine, number: int) -> Iterator[None]:
    """Change one byte of one value, another for each number; put it back at the end."""
    table, column, key, before = _select_value(engine, number)
    at = (number * 7919) % len(before)
    other = "x" if before[at] != "x" else "y"
    _write(engine, table, column, key, before[:at] + other + before[at + 1 :])
    try:
        yield
    finally:
        _write(engine, table, column, key, before)


def alter_replies(engine: Engine) -> None:
    """Change the text of every logged reply."""
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE messages SET text = text || '.' WHERE in_reply_to IS NOT NULL")
        )


def _select_value(engine: Engine, number: int) -> tuple[Table, str, Any, str]:
    """Return a table, a column, the key of a row, and the value there, which is not empty.

    Raises NotFoundError if no row has such a value.
    """
    tables = list(_COLUMNS)
    table = tables[number % len(tables)]
    columns = _COLUMNS[table]
    column = columns[(number // len(tables)) % len(columns)]
    key, value = table.c[_KEYS[table]], cast(table.c[column], Text)
    filled = select(key, value).where(value.is_not(None), value != "").order_by(key)
    with engine.connect() as connection:
        count = connection.execute(select(func.count()).select_from(filled.subquery())).scalar_one()
        if not count:
            message = f"no row of {table.name} has a {column}: the log needs turns with answers"
            raise NotFoundError(message)
        row = connection.execute(filled.offset((number * 104729) % count).limit(1)).one()
    return table, column, row[0], str(row[1])


def _write(engine: Engine, table: Table, column: str, key: Any, value: str) -> None:
    """Write a raw value, independent of the column's type."""
    name = _KEYS[table]
    sign = ""
    if engine.dialect.name == "postgresql" and not isinstance(table.c[column].type, String):
        sign = f"::{table.c[column].type.compile(engine.dialect)}"
    statement = f"UPDATE {table.name} SET {column} = (:value){sign} WHERE {name} = :key"  # noqa: S608
    with engine.begin() as connection:
        connection.execute(text(statement), {"value": value, "key": key})
