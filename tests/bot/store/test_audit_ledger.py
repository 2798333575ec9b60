"""The chain of turns, on SQLite and on PostgreSQL."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, insert, select, update

from bot.core.types import Message, NotFoundError, Turn
from bot.dialogue.state import advance
from bot.store import audit_ledger, database, tampering
from bot.store.conversation_log import SqlLog
from bot.store.tables import citations, decisions, messages
from bot.store.tables import ledger as entries
from tests.bot.store.test_conversation_log import turn_of

Change = Callable[[Any], Any]


@pytest.fixture
def log(engine: Engine) -> SqlLog:
    database.migrate(engine)
    return SqlLog(engine)


def say(log: SqlLog, text: str, conversation: str = "c") -> Turn:
    turn = turn_of(log.receive(Message(text, conversation)).message)
    before = log.load(conversation)
    return log.append(turn, advance(before, turn), before)


def test_a_log_nobody_touched_is_whole(log: SqlLog, engine: Engine) -> None:
    turns = [say(log, f"question {number}") for number in range(3)]
    report = audit_ledger.walk(engine)
    assert report.is_whole
    assert (report.entries, report.forgotten) == (3, 0)
    assert audit_ledger.is_unaltered(engine, turns[1].message.id)
    assert audit_ledger.is_unaltered(engine, "nothing") is None


def test_an_empty_log_is_whole(log: SqlLog, engine: Engine) -> None:
    assert log.pending() == []
    assert audit_ledger.walk(engine).is_whole


@pytest.mark.parametrize(
    "change",
    [
        lambda turn: (
            update(messages).where(messages.c.id == turn.message.id).values(text="question 2")
        ),
        lambda turn: (
            update(messages).where(messages.c.id == turn.reply_id).values(text="Two year.")
        ),
        lambda turn: (
            update(messages)
            .where(messages.c.id == turn.reply_id)
            .values(turn=func.replace(messages.c.turn, "neutral", "neutrol"))
        ),
        lambda turn: (
            update(decisions)
            .where(decisions.c.message_id == turn.message.id)
            .values(confidence=0.9000000000000001)
        ),
        lambda turn: (
            update(decisions).where(decisions.c.message_id == turn.message.id).values(reason="x")
        ),
        lambda turn: (
            update(citations).where(citations.c.message_id == turn.reply_id).values(start=5)
        ),
        lambda turn: delete(citations).where(citations.c.message_id == turn.reply_id),
    ],
    ids=["message", "reply", "record", "confidence", "reason", "offset", "citation removed"],
)
def test_a_row_that_was_altered_is_found(log: SqlLog, engine: Engine, change: Change) -> None:
    turns = [say(log, f"question {number}") for number in range(3)]
    statement = change(turns[1])
    if engine.dialect.name == "postgresql" and "replace" in str(statement):
        pytest.skip("JSON is no text there")
    with engine.begin() as connection:
        connection.execute(statement)
    report = audit_ledger.walk(engine)
    assert report.altered == [turns[1].message.id]
    assert not report.broken
    assert audit_ledger.is_unaltered(engine, turns[1].message.id) is False


def test_a_space_in_the_stored_json_is_an_alteration(log: SqlLog, engine: Engine) -> None:
    turn = say(log, "question")
    with engine.begin() as connection:
        sign = "::json" if engine.dialect.name == "postgresql" else ""
        connection.exec_driver_sql(
            f"UPDATE decisions SET trace = (replace(CAST(trace AS TEXT), ',', ' ,')){sign}"
        )
    assert audit_ledger.walk(engine).altered == [turn.message.id]


@pytest.mark.parametrize("column", ["content_sha256", "sha256", "number", "message_id"])
def test_an_entry_that_was_altered_is_found(log: SqlLog, engine: Engine, column: str) -> None:
    turns = [say(log, f"question {number}") for number in range(3)]
    value: Any = 17 if column == "number" else "0" * 64
    here = entries.c.message_id == turns[2].message.id
    with engine.begin() as connection:
        connection.execute(update(entries).where(here).values({column: value}))
    report = audit_ledger.walk(engine)
    assert report.broken
    assert not report.is_whole


def test_an_entry_that_was_removed_is_found(log: SqlLog, engine: Engine) -> None:
    turns = [say(log, f"question {number}") for number in range(3)]
    with engine.begin() as connection:
        connection.execute(delete(entries).where(entries.c.number == 2))
    report = audit_ledger.walk(engine)
    assert report.broken == [turns[2].message.id]
    assert report.unlisted == [turns[1].message.id]


def test_a_turn_that_was_slipped_in_is_found(log: SqlLog, engine: Engine) -> None:
    turn = say(log, "question")
    with engine.begin() as connection:
        row = dict(
            connection.execute(select(messages).where(messages.c.id == turn.reply_id))
            .mappings()
            .one()
        )
        row |= {"position": 99, "id": "forged", "in_reply_to": "forged-question"}
        connection.execute(insert(messages).values(**row))
    assert audit_ledger.walk(engine).unlisted == ["forged-question"]


def test_what_was_forgotten_on_purpose_leaves_the_chain_whole(log: SqlLog, engine: Engine) -> None:
    turns = [say(log, f"question {number}", f"c{number}") for number in range(3)]
    gone = turns[1]
    with engine.begin() as connection:
        audit_ledger.forget(connection, [gone.message.id])
    assert audit_ledger.walk(engine).altered == [gone.message.id]  # it is still there
    with engine.begin() as connection:
        connection.execute(delete(citations).where(citations.c.message_id == gone.reply_id))
        connection.execute(delete(decisions).where(decisions.c.message_id == gone.message.id))
        connection.execute(delete(messages).where(messages.c.conversation_id == "c1"))
    report = audit_ledger.walk(engine)
    assert report.is_whole
    assert report.forgotten == 1


def test_the_columns_that_no_hash_covers_are_these() -> None:
    """Name a new column here: if it were hashed, the turns that are stored would not match."""
    left_out = {
        column.name
        for table, names in audit_ledger.COVERED.items()
        for column in table.columns
        if column.name not in names
    }
    assert left_out == {"status", "author", "sealed", "merged_into"}


def test_turns_written_at_once_make_one_chain(log: SqlLog, engine: Engine) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: say(log, "question", f"c{n}"), range(24)))
    report = audit_ledger.walk(engine)
    assert report.is_whole
    assert report.entries == 24


def test_any_altered_byte_of_any_kind_of_row_is_found(log: SqlLog, engine: Engine) -> None:
    if engine.dialect.name == "postgresql":
        pytest.skip("a byte of a time or of JSON cannot be altered there without being valid")
    for number in range(5):
        say(log, f"question {number}")
    for number in range(48):
        with tampering.altered(engine, number):
            assert not audit_ledger.walk(engine).is_whole, number
    assert audit_ledger.walk(engine).is_whole


def test_a_log_without_turns_cannot_be_altered(tmp_path: Path) -> None:
    engine = database.connect(f"sqlite:///{tmp_path / 'empty.db'}")
    database.migrate(engine)
    with pytest.raises(NotFoundError, match="needs turns"), tampering.altered(engine, 0):
        pass
