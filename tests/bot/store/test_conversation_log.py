"""The conversation log, on SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, text

from bot.core.types import (
    CarelineError,
    Citation,
    Decision,
    Entity,
    Feedback,
    Message,
    NotFoundError,
    Reply,
    Route,
    ServingVersions,
    Turn,
    Understanding,
    now,
)
from bot.dialogue.state import FormState, State, advance
from bot.store import database, encryption
from bot.store.conversation_log import SqlLog
from bot.store.read_model import ConversationReader


@pytest.fixture
def log(engine: Engine) -> SqlLog:
    database.migrate(engine)
    return SqlLog(engine)


@pytest.fixture
def reader(engine: Engine) -> ConversationReader:
    return ConversationReader(engine)


def turn_of(message: Message, route: Route = Route.RETRIEVE) -> Turn:
    entities = (Entity("email", "A@B.ORG", "a@b.org", 0, 7),)
    return Turn(
        message=message,
        understanding=Understanding("en", "neutral", "calm", "warranty", 0.9, (), entities),
        decision=Decision(route, "route:warranty", "warranty", queue="support"),
        reply=Reply("Two years.", (Citation("w.md", "Warranty", "Two years.", 4, 14),)),
        versions=ServingVersions("m-1", "k-1", "t-1", "p-1"),
    )


def answer(log: SqlLog, message: Message, route: Route = Route.RETRIEVE) -> Turn:
    stored = log.receive(message).message
    turn = turn_of(stored, route)
    return log.append(turn, advance(log.load(message.conversation_id), turn))


def test_a_message_is_in_the_history_before_it_is_answered(
    log: SqlLog, reader: ConversationReader
) -> None:
    log.receive(Message("where is it", "c"))
    (line,) = reader.history("c")
    assert (line["role"], line["status"]) == ("customer", "pending")
    assert [message.text for message in log.pending()] == ["where is it"]


def test_an_answered_message_and_its_reply_stand_in_order(
    log: SqlLog, reader: ConversationReader
) -> None:
    answer(log, Message("how long is the warranty", "c"))
    customer, bot = reader.history("c")
    assert (customer["status"], bot["in_reply_to"]) == ("answered", customer["id"])
    assert bot["reply"]["citations"][0]["quote"] == "Two years."
    assert log.pending() == []
    assert reader.history("c", customer["id"]) == [bot]
    assert reader.history("c", str(bot["position"])) == []


def test_a_message_sent_twice_is_stored_once_and_keeps_its_turn(
    log: SqlLog, reader: ConversationReader
) -> None:
    first = answer(log, Message("hello", "c", client_message_id="k"))
    again = log.receive(Message("hello", "c", client_message_id="k"))
    assert again.message.id == first.message.id
    assert again.turn is not None
    assert again.turn.reply_id == first.reply_id
    assert len(reader.history("c")) == 2


def test_an_unanswered_message_comes_back_with_its_channel_and_its_customer(
    engine: Engine, tmp_path: Path
) -> None:
    database.migrate(engine)
    log = SqlLog(engine, encryption.load_or_make(tmp_path))
    message = Message(
        *("hello", "c"),
        sender="ada",
        channel="rasa",
        client_message_id="k",
        visitor="v",
        customer="c-1001",
    )
    assert log.receive(message).message == message
    assert log.pending() == [message]  # after a crash
    assert log.receive(replace(message, id="again", at=now())).message == message  # sent twice


def test_two_replies_to_one_message_leave_the_first(
    log: SqlLog, reader: ConversationReader
) -> None:
    message = log.receive(Message("hello", "c")).message
    first, second = turn_of(message), turn_of(message)
    assert log.append(first, State()).reply_id == first.reply_id
    assert log.append(second, State()).reply_id == first.reply_id
    assert len(reader.history("c")) == 2


def test_many_threads_storing_the_same_message_store_it_once(
    log: SqlLog, reader: ConversationReader
) -> None:
    def send(_number: int) -> str:
        return log.receive(Message("hello", "c", client_message_id="k")).message.id

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(send, range(24)))) == 1
    assert len(reader.history("c")) == 1


def test_personal_data_is_nowhere_in_the_database(
    log: SqlLog, reader: ConversationReader, engine: Engine
) -> None:
    secret = ("a@b.org", "4111 1111 1111 1111", "+1 415 555 2671")
    answer(log, Message(f"I am {secret[0]}, card {secret[1]}, call {secret[2]}", "c", "a@b.org"))
    log.add_feedback(Feedback(reader.history("c")[1]["id"], "down", None, f"call {secret[2]}"))
    tables = ("conversations", "messages", "decisions", "citations", "feedback", "interactions")
    with engine.connect() as connection:
        everything = "".join(
            str(row)
            for table in tables
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        )
    assert "[email]" in everything
    assert not [value for value in secret if value in everything]


def test_the_state_comes_back_as_it_was_saved(log: SqlLog) -> None:
    turn = turn_of(log.receive(Message("my order is A10234", "c")).message)
    turn = replace(turn, slots=(("order_number", "A10234"),))
    saved = advance(State(), turn)
    log.append(turn, saved)
    assert log.load("c") == saved
    assert log.load("unknown") == State()


def test_places_in_the_queue_follow_the_order_of_arrival(log: SqlLog) -> None:
    for name in ("first", "second", "third"):
        answer(log, Message("a human please", name), Route.HANDOFF)
    places = [log.queue_position(name) for name in ("first", "second", "third")]
    assert places == [1, 2, 3]
    assert log.queue_position("not yet in it") == 4


def test_the_trace_is_found_by_either_id_and_names_the_versions(
    log: SqlLog, reader: ConversationReader
) -> None:
    turn = answer(log, Message("how long is the warranty", "c"))
    trace = reader.trace(turn.message.id)
    assert trace == reader.trace(turn.reply_id)
    assert trace["reason"] == "route:warranty"
    assert trace["versions"]["model"] == "m-1"
    with pytest.raises(NotFoundError):
        reader.trace("nothing")


def test_feedback_on_an_unknown_message_is_refused(log: SqlLog) -> None:
    with pytest.raises(NotFoundError):
        log.add_feedback(Feedback("nothing", "up"))


def test_the_list_of_conversations_starts_with_the_one_that_moved_last(
    log: SqlLog, reader: ConversationReader
) -> None:
    for name in ("old", "new"):
        answer(log, Message(f"hello from {name}", name))
    rows = reader.conversations()
    assert [row["conversation_id"] for row in rows] == ["new", "old"]
    assert (rows[0]["messages"], rows[0]["last_role"]) == (2, "bot")


def test_migrations_go_up_and_down_and_up(engine: Engine) -> None:
    assert database.revision(engine) is None
    assert database.migrate(engine) == database.head()
    assert database.migrate(engine, "base") is None
    assert database.migrate(engine) == database.head()


def test_the_migrated_tables_are_those_the_code_uses(engine: Engine) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    from bot.store.tables import metadata

    database.migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_database_from_the_future_is_refused(engine: Engine) -> None:
    database.migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CarelineError, match="9999"):
        database.migrate(engine)


def test_an_address_nobody_understands_says_what_to_write() -> None:
    with pytest.raises(CarelineError, match="sqlite:///"):
        database.connect("nonsense")


def test_what_waits_for_an_answer_is_sealed_and_answered_as_it_was_written(
    engine: Engine, tmp_path: Path
) -> None:
    database.migrate(engine)
    log = SqlLog(engine, encryption.load_or_make(tmp_path))
    written = "my address is ada@example.com"
    log.receive(Message(written, "c"))
    with engine.connect() as connection:
        row = connection.execute(text("SELECT text, sealed FROM messages")).one()
    assert "ada" not in row.text
    assert "ada" not in row.sealed
    (waiting,) = log.pending()
    assert waiting.text == written  # after a crash as well
    elsewhere = SqlLog(engine, encryption.FieldCipher(Fernet.generate_key().decode()))
    assert elsewhere.pending()[0].text == "my address is [email]"
    turn = turn_of(waiting)
    log.append(turn, advance(log.load("c"), turn), log.load("c"))
    with engine.connect() as connection:
        sealed = connection.execute(text("SELECT sealed FROM messages WHERE role = 'customer'"))
        assert sealed.scalar_one() is None


def test_what_an_open_form_was_told_is_sealed_in_the_database(
    engine: Engine, tmp_path: Path
) -> None:
    database.migrate(engine)
    log = SqlLog(engine, encryption.load_or_make(tmp_path))
    message = log.receive(Message("to 12 Elm Street please", "c")).message
    slots = {"order_number": "A10234", "new_address": "12 Elm Street", "email": "ada@example.com"}
    told = State(
        forms=(FormState("change_address", "confirm"),),
        slots=slots,
        revision=1,
        unsealed=frozenset({"order_number"}),
    )
    log.append(turn_of(message), told, log.load("c"))
    with engine.connect() as connection:
        stored = str(connection.execute(text("SELECT state FROM conversations")).scalar_one())
    assert "A10234" in stored
    assert "Elm" not in stored
    assert "ada@" not in stored
    assert log.load("c").slots == slots
    other = SqlLog(engine, encryption.FieldCipher(Fernet.generate_key().decode()))
    assert other.load("c").slots == {"order_number": "A10234"}  # asked for again
