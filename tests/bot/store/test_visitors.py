"""Whose a conversation is, its files, its rating and its end, on SQLite and on PostgreSQL."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, func, select, update

from bot.core.types import (
    CarelineError,
    Decision,
    Feedback,
    Interaction,
    InvalidMessageError,
    Message,
    NotFoundError,
    Reply,
    Route,
    ServingVersions,
    Turn,
    Understanding,
    new_id,
    now,
)
from bot.dialogue.state import State
from bot.store import aggregate_cache, audit_ledger, database, reply_suggestions
from bot.store import attachments as attaching
from bot.store.attachments import Attachment, Attachments
from bot.store.conversation_log import SqlLog
from bot.store.daily_aggregates import ConversationFacts
from bot.store.encryption import FieldCipher
from bot.store.outbox import Delivery, Outbox
from bot.store.read_model import ConversationReader
from bot.store.tables import attachments, conversations, messages, metadata
from bot.store.visitors import VisitorConversations

SEAL = FieldCipher(Fernet.generate_key().decode())


@pytest.fixture
def log(engine: Engine) -> SqlLog:
    database.migrate(engine)
    return SqlLog(engine, SEAL)


def talk(log: SqlLog, conversation: str, visitor: str | None = "v") -> Turn:
    """Receive a message and answer it."""
    message = log.receive(Message("hello", conversation, visitor=visitor, customer="c-1")).message
    turn = Turn(
        message=message,
        understanding=Understanding("en", "neutral", "none", None, 0.0),
        decision=Decision(Route.TEMPLATE, "smalltalk"),
        reply=Reply("Hello!"),
        versions=ServingVersions(None, None, "t", "p"),
    )
    return log.append(turn, State())


def file(conversation: str, content: bytes = b"a photo") -> Attachment:
    return Attachment(new_id(), conversation, "photo.png", "image/png", content)


def test_a_conversation_is_its_first_visitors(log: SqlLog, engine: Engine) -> None:
    visits = VisitorConversations(engine)
    assert visits.holder("a") is None
    talk(log, "a")
    talk(log, "a", visitor="another")
    talk(log, "b", visitor=None)
    assert (visits.holder("a"), visits.holder("b")) == ("v", "")


def test_the_customer_is_known_again_after_a_crash(log: SqlLog, engine: Engine) -> None:
    log.receive(Message("mine?", "a", visitor="v", customer="c-1@example.org"))
    (left,) = log.pending()
    assert left.customer == "c-1@example.org"
    again = SqlLog(engine, FieldCipher(Fernet.generate_key().decode())).pending()
    assert again[0].customer is None  # with another key nothing is read


def test_a_file_is_sealed_and_given_to_one_message(log: SqlLog, engine: Engine) -> None:
    store, sent = Attachments(engine, SEAL), file("a", b"PNG secret")
    store.add(Message("", "a", visitor="v"), sent)
    assert VisitorConversations(engine).holder("a") == "v"
    with engine.begin() as connection:
        raw = connection.execute(select(attachments.c.content)).scalar_one()
    assert b"secret" not in raw
    assert store.get(sent.id) == sent
    log.receive(Message("look", "a", attachments=(sent.id,)))
    with pytest.raises(InvalidMessageError, match="sent before"):
        log.receive(Message("again", "a", attachments=(sent.id,)))
    (line,) = ConversationReader(engine).history("a")
    assert line["attachments"][0]["name"] == "photo.png"
    with pytest.raises(NotFoundError):
        Attachments(engine, FieldCipher(Fernet.generate_key().decode())).get(sent.id)


def test_a_file_that_no_message_names_is_removed_and_they_are_counted(
    log: SqlLog, engine: Engine
) -> None:
    del log
    store, opening = Attachments(engine, SEAL), Message("", "a")
    first = file("a")
    store.add(opening, first)
    with engine.begin() as connection:
        connection.execute(update(attachments).values(at=now() - timedelta(hours=2)))
    for _ in range(attaching.MAX_FILES):
        store.add(opening, file("a"))
    with pytest.raises(NotFoundError):
        store.get(first.id)
    with pytest.raises(CarelineError, match="files"):
        store.add(opening, file("a"))


def test_a_rating_is_kept_once_and_needs_a_conversation(log: SqlLog, engine: Engine) -> None:
    visits = VisitorConversations(engine)
    talk(log, "a")
    visits.rate("a", 2, "slow, call me at jo@example.org")
    visits.rate("a", 5, None)
    assert visits.score("a") == 5
    with pytest.raises(NotFoundError):
        visits.rate("nowhere", 5, None)


def test_name_and_contact_are_added_to(log: SqlLog, engine: Engine) -> None:
    del log
    visits, opening = VisitorConversations(engine), Message("", "a", visitor="v")
    visits.introduce(opening, "Kim", None)
    visits.introduce(opening, None, "kim@example.org")
    with engine.begin() as connection:
        row = connection.execute(select(conversations)).one()
    assert (row.visitor_name, row.contact, row.visitor) == ("Kim", "kim@example.org", "v")


def counted(facts: Sequence[ConversationFacts]) -> dict[str, float]:
    return {"conversations": len(facts)}


def test_forgetting_leaves_nothing_but_the_ledgers_hashes(log: SqlLog, engine: Engine) -> None:
    visits = VisitorConversations(engine)
    kept = talk(log, "kept")
    Attachments(engine, SEAL).add(Message("", "gone"), sent := file("gone"))
    gone = talk(log, "gone")
    log.receive(replace(gone.message, id=new_id(), attachments=(sent.id,)))
    log.add_feedback(Feedback(gone.reply_id, "up"))
    log.add_interaction(gone.reply_id, Interaction.OPENED, "article")
    visits.rate("gone", 4, None)
    offered = reply_suggestions.offer(
        engine, "gone", [{"kind": "template", "text": "Hi", "source": "hi"}]
    )
    reply_suggestions.choose(engine, offered, 0, gone.reply_id, "Hi!")
    Outbox(engine).add([Delivery("webhook", name, name) for name in ("gone", "kept")])
    aggregate_cache.refresh(engine, counted)
    assert visits.forget("gone") == 3
    aggregate_cache.refresh(engine, counted)
    left = {"conversations": 1, "messages": 2, "decisions": 1, "outbox": 1, "digested": 1}
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            if table.name in {"ledger", "versions", "agents", "digests"}:
                continue
            found = connection.execute(select(func.count()).select_from(table)).scalar_one()
            assert (table.name, found) == (table.name, left.get(table.name, 0))
        held = connection.execute(select(messages.c.conversation_id)).scalars()
        assert set(held) == {"kept"}
    (day,) = aggregate_cache.read(engine, date.min, date.max)
    assert day.figures == {"conversations": 1}
    report = audit_ledger.walk(engine)
    assert (report.is_whole, report.forgotten) == (True, 1)
    assert log.answered(kept.message.id) is not None
    with pytest.raises(NotFoundError):
        visits.forget("gone")
