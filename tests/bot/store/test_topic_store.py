"""Topics in the log: kept, counted by day, given to messages, and gone with them."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import Engine, func, select

from bot.analytics import reports
from bot.core.types import NotFoundError, now
from bot.store import daily_aggregates, database, synthetic_conversations, tables, topic_store
from bot.store.conversation_log import SqlLog
from bot.store.daily_aggregates import ReportQuery
from bot.store.topic_store import Topic
from bot.store.visitors import VisitorConversations
from tests.bot.store.test_query_log import answer

NOTHING: dict[str, list[str]] = {"reason": [], "intent": []}
AGO = timedelta(days=2)


def topic(number: int = 1, *, known: bool = False) -> Topic:
    vector = np.arange(4, dtype=np.float32) + number
    return Topic(
        f"topic:{number}", f"name {number}", "en", vector, vector * np.float32(0.5), "refund", known
    )


@pytest.fixture
def log(engine: Engine) -> SqlLog:
    database.migrate(engine)
    return SqlLog(engine)


def asked(log: SqlLog, text: str, conversation: str = "c") -> str:
    return answer(log, text, conversation).message.id


def unplaced(engine: Engine, *, limit: int = 10, **without: list[str]) -> list[str]:
    found = topic_store.latest(
        engine, now() - AGO, limit, synthetic=False, without={**NOTHING, **without}, unplaced=True
    )
    return [one.text for one in found]


def rows(engine: Engine, name: str) -> int:
    with engine.connect() as connection:
        query = select(func.count()).select_from(tables.metadata.tables[name])
        return int(connection.execute(query).scalar_one())


def test_a_topic_is_read_as_it_was_kept(log: SqlLog, engine: Engine) -> None:
    assert log.pending() == []
    topic_store.add(engine, [topic()], "e5", synthetic=False)
    (kept,) = topic_store.read(engine, "e5", synthetic=False)
    assert (kept.id, kept.name, kept.intent, kept.known) == ("topic:1", "name 1", "refund", False)
    np.testing.assert_array_equal(kept.origin, topic().origin)
    np.testing.assert_array_equal(kept.mean, topic().mean)
    assert topic_store.read(engine, "another", synthetic=True) == []


def test_made_up_topics_come_only_where_they_are_asked_for(log: SqlLog, engine: Engine) -> None:
    topic_store.add(engine, [topic(1)], "e5", synthetic=False)
    topic_store.add(engine, [topic(2)], "e5", synthetic=True)
    assert [one.id for one in topic_store.read(engine, "e5", synthetic=False)] == ["topic:1"]
    assert len(topic_store.read(engine, "e5", synthetic=True)) == 2
    synthetic_conversations.clear(engine)
    assert len(topic_store.read(engine, "e5", synthetic=True)) == 1
    assert log.pending() == []


def test_messages_without_a_topic_come_newest_first(log: SqlLog, engine: Engine) -> None:
    first, _ = asked(log, "first one"), asked(log, "second one", "d")
    assert unplaced(engine) == ["second one", "first one"]
    assert unplaced(engine, limit=1) == ["second one"]
    topic_store.add(engine, [topic()], "e5", synthetic=False)
    assert topic_store.place(engine, {first: "topic:1", "gone": "topic:1"}) == 1
    assert topic_store.place(engine, {first: "topic:1"}) == 0
    assert unplaced(engine) == ["second one"]
    everything = topic_store.latest(engine, now() - AGO, 9, synthetic=False, without=NOTHING)
    assert [one.topic for one in everything] == [None, "topic:1"]
    assert topic_store.latest(engine, now(), 9, synthetic=False, without=NOTHING) == []
    assert topic_store.latest(engine, now() - AGO, 9, synthetic=True, without=NOTHING) == []
    assert unplaced(engine, intent=["warranty"]) == []
    assert unplaced(engine, reason=["route:warranty"]) == []


def test_figures_know_of_a_topic_as_soon_as_messages_have_one(log: SqlLog, engine: Engine) -> None:
    ids = [asked(log, f"message {n}", f"c{n % 3}") for n in range(6)]
    today = reports.query(7)
    assert reports.insights(engine, today)["topics"] == []
    topic_store.add(engine, [topic(1), topic(2, known=True)], "e5", synthetic=False)
    topic_store.place(engine, {**dict.fromkeys(ids[:4], "topic:1"), ids[4]: "topic:2"})
    (row,) = reports.insights(engine, today)["topics"]
    assert (row["topic"], row["kind"], row["name"]) == ("topic:1", "discovered", "name 1")
    assert (row["messages"], row["intent"], row["language"]) == (4, "refund", "en")
    behind = reports.conversations_of_figure(engine, today, "topic", "topic:1")
    assert behind["count"] == 3
    topic_store.rename(engine, "topic:1", "ants in parcels")
    assert reports.insights(engine, today)["topics"][0]["name"] == "ants in parcels"
    topic_store.rename(engine, "topic:1", "name 2")  # of one that is shown nowhere
    topic_store.add(engine, [topic(3)], "e5", synthetic=False)
    with pytest.raises(topic_store.TopicNameTakenError, match="another topic"):
        topic_store.rename(engine, "topic:1", "name 3")
    with pytest.raises(NotFoundError, match="no topic"):
        topic_store.rename(engine, "topic:9", "x")


def test_topics_that_are_one_are_joined_with_what_is_still_to_come(
    log: SqlLog, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [asked(log, f"message {n}", f"c{n}") for n in range(5)]
    topic_store.add(engine, [topic(1), topic(2), topic(3)], "e5", synthetic=False)
    topic_store.add(engine, [topic(4)], "e5", synthetic=True)
    topic_store.place(engine, {ids[0]: "topic:1", ids[1]: "topic:2", ids[2]: "topic:3"})
    today = reports.query(7)
    assert len(reports.insights(engine, today)["topics"]) == 3
    assert topic_store.join(engine, "topic:1", "name 2") == "topic:2"
    assert topic_store.join(engine, "topic:2", "name 3") == "topic:3"
    assert topic_store.place(engine, {ids[3]: "topic:1", ids[4]: "topic:2"}) == 2
    (row,) = reports.insights(engine, today)["topics"]
    assert (row["topic"], row["messages"]) == ("topic:3", 5)
    assert [one["messages"] for one in topic_store.sizes(engine)] == [5]
    assert topic_store.visible_topics(engine).keys() == {"topic:3", "topic:4"}
    assert (
        len(topic_store.read(engine, "e5", synthetic=False)) == 3
    )  # messages are still near to each
    for one, name in (("topic:3", "name 3"), ("topic:3", "x"), ("topic:9", "name 3")):
        with pytest.raises(NotFoundError):
            topic_store.join(engine, one, name)
    with pytest.raises(topic_store.TopicJoinError, match="simulated"):
        topic_store.join(engine, "topic:3", "name 4")
    assert topic_store.join(engine, "topic:4", "name 3") == "topic:3"
    synthetic_conversations.clear(engine)
    monkeypatch.setattr(topic_store, "_GRACE_PERIOD", timedelta())
    assert topic_store.sweep(engine, "e5") == 0  # what was joined has no messages, and stays
    assert topic_store.sweep(engine, "another") == 3
    assert unplaced(engine) != []


def test_a_day_that_changed_is_not_lost_when_another_conversation_is_forgotten(
    log: SqlLog, engine: Engine
) -> None:
    days = [now() - timedelta(days=ago) for ago in (10, 5)]
    old = answer(log, "an old one", "old", at=days[0]).message.id
    answer(log, "a newer one", "new", at=days[1])
    set_days(engine, {"old": days[0], "new": days[1]})
    month = reports.query(30)
    assert reports.insights(engine, month)["figures"]["conversations"] == 2
    topic_store.add(engine, [topic()], "e5", synthetic=False)
    topic_store.place(engine, {old: "topic:1"})
    VisitorConversations(engine).forget("new")
    page = reports.insights(engine, month)
    assert [day["day"] for day in page["days"] if day["conversations"]] == [
        days[0].date().isoformat()
    ]
    assert page["topics"][0]["messages"] == 1


def set_days(engine: Engine, days: dict[str, datetime]) -> None:
    with engine.begin() as connection:
        for conversation, at in days.items():
            here = tables.conversations.c.id == conversation
            connection.execute(
                tables.conversations.update().where(here).values(created_at=at, updated_at=at)
            )


def test_made_up_messages_count_in_no_list_and_are_no_example(log: SqlLog, engine: Engine) -> None:
    ids = [asked(log, "a real one", "real"), asked(log, "a made-up one", "made up")]
    with engine.begin() as connection:
        here = tables.conversations.c.id == "made up"
        connection.execute(tables.conversations.update().where(here).values(synthetic=True))
    topic_store.add(engine, [topic()], "e5", synthetic=False)
    topic_store.place(engine, dict.fromkeys(ids, "topic:1"))
    assert [one["messages"] for one in topic_store.sizes(engine)] == [1]
    assert [one["messages"] for one in topic_store.sizes(engine, synthetic=True)] == [2]
    today = now().date()
    query = ReportQuery(today, today)
    queries = [
        query,
        replace(query, synthetic=True),
        replace(query, channel="no"),
        replace(query, language="zh"),
    ]
    for name in ("topic:1", "warranty"):
        with engine.connect() as connection:
            examples = [
                daily_aggregates.examples(
                    connection, query, topic=name, sentiment="neutral", limit=9
                )
                for query in queries
            ]
        assert [len(texts) for texts in examples] == [1, 2, 0, 0]
        assert examples[0][0]["text"] == "a real one"


def test_who_is_forgotten_leaves_no_place(log: SqlLog, engine: Engine) -> None:
    kept, gone = asked(log, "kept one", "c"), asked(log, "gone one", "d")
    topic_store.add(engine, [topic()], "e5", synthetic=False)
    topic_store.place(engine, {kept: "topic:1", gone: "topic:1"})
    VisitorConversations(engine).forget("d")
    assert rows(engine, "message_topics") == 1
    assert topic_store.sizes(engine)[0]["messages"] == 1


def test_topics_of_another_encoder_are_swept_and_empty_ones_when_they_are_old(
    log: SqlLog, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = asked(log, "one message")
    topic_store.add(engine, [topic(1)], "old", synthetic=False)
    topic_store.add(engine, [topic(2)], "e5", synthetic=False)
    topic_store.place(engine, {message: "topic:1"})
    assert reports.insights(engine, reports.query(7))["topics"]
    assert topic_store.sweep(engine, "e5") == 1
    assert reports.insights(engine, reports.query(7))["topics"] == []
    assert unplaced(engine) == ["one message"]
    monkeypatch.setattr(topic_store, "_GRACE_PERIOD", timedelta())
    assert topic_store.sweep(engine, "e5") == 1
    assert rows(engine, "topics") == 0


def test_one_of_several_processes_looks_and_the_next_one_later(log: SqlLog, engine: Engine) -> None:
    assert log.pending() == []
    assert topic_store.claim(engine, timedelta(hours=1))
    assert not topic_store.claim(engine, timedelta(hours=1))
    assert topic_store.claim(engine, timedelta())


def test_nobody_looks_beside_another_and_a_crash_keeps_nobody_away_for_ever(
    log: SqlLog, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert log.pending() == []
    for _ in range(2):
        with topic_store.exclusive_update(engine):
            for _ in range(2):  # who is refused frees nothing
                with (
                    pytest.raises(topic_store.TopicUpdateRunningError),
                    topic_store.exclusive_update(engine),
                ):
                    pass
    monkeypatch.setattr(topic_store, "_MAX_DURATION", timedelta(0))
    with topic_store.exclusive_update(engine), topic_store.exclusive_update(engine):
        pass


def test_the_revision_is_taken_back_and_comes_again_empty(log: SqlLog, engine: Engine) -> None:
    message = asked(log, "one message")
    topic_store.add(engine, [topic()], "e5", synthetic=False)
    topic_store.place(engine, {message: "topic:1"})
    assert database.migrate(engine, "0008") == "0008"
    assert database.migrate(engine) == database.head()
    assert rows(engine, "message_topics") == rows(engine, "topics") == 0
