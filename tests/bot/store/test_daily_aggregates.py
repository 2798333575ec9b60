"""The figures of reports, compared with queries on the rows; aggregates follow changes."""

import csv
import io
import json
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, select, text, update

from bot.analytics import reports
from bot.analytics.outcomes import bucket, upper
from bot.analytics.traffic_simulation import TrafficSource, simulate_traffic
from bot.core.types import Feedback, Message, Reply, ServingVersions
from bot.dialogue.handoff import ConversationOwner
from bot.store import database, synthetic_conversations, tables, topic_store
from bot.store.conversation_log import SqlLog
from bot.store.conversation_notes import ConversationNotes
from bot.store.handoff_desk import HandoffDesk
from bot.store.topic_store import Topic
from tests.bot.server.turns import turn_with

UNTIL = datetime(2026, 3, 31, 12, tzinfo=UTC)
TEXTS = {
    language: {
        intent: [f"{intent} {n}" for n in range(5)] for intent in ("refund", "size", "track")
    }
    for language in ("en", "zh")
}
SOURCE = TrafficSource(
    TEXTS,
    tuple((f"a{n}.md", f"Article {n}", f"Text of article {n}.") for n in range(6)),
    ServingVersions("m-1", "k-1", "t-1", "p-1"),
)
ALL: dict[str, Any] = {"first": date(2026, 2, 1), "last": date(2026, 3, 31), "synthetic": True}


@pytest.fixture
def filled(engine: Engine) -> Engine:
    database.migrate(engine)
    synthetic_conversations.write(engine, simulate_traffic(SOURCE, 60, 6.0, seed=3, until=UNTIL))
    return engine


def count_rows(engine: Engine, sql: str, **values: Any) -> Any:
    since = datetime(2026, 2, 1, tzinfo=UTC)
    until = datetime(2026, 4, 1, tzinfo=UTC)
    bound = {"since": since, "until": until, **values}
    if engine.dialect.name == "sqlite":  # stores times as text
        bound = {k: str(v)[:19] if isinstance(v, datetime) else v for k, v in bound.items()}
    with engine.connect() as connection:
        return connection.execute(text(sql), bound).scalar_one()


IN_PERIOD = "c.created_at >= :since AND c.created_at < :until"
HANDED = "EXISTS (SELECT 1 FROM decisions d WHERE d.conversation_id = c.id AND d.route = 'handoff')"
LAST_RATING = (
    "(SELECT f.rating FROM feedback f JOIN messages m ON m.id = f.message_id"
    " WHERE m.conversation_id = c.id ORDER BY f.id DESC LIMIT 1)"
)
SCORE = "(SELECT s.score FROM csat s WHERE s.conversation_id = c.id)"
BAD = f"(COALESCE({LAST_RATING}, '') = 'down' OR COALESCE({SCORE}, 3) <= 2)"
GOOD = f"(COALESCE({LAST_RATING}, '') = 'up' OR COALESCE({SCORE}, 3) >= 4)"
ASKED_BACK = (
    "(SELECT d.route FROM decisions d JOIN messages m ON m.id = d.message_id"
    " WHERE d.conversation_id = c.id ORDER BY m.position DESC LIMIT 1) = 'clarify'"
)
OUTCOMES = {
    "handoff": HANDED,
    "unhappy": f"NOT {HANDED} AND {BAD}",
    "confirmed": f"NOT {HANDED} AND NOT {BAD} AND {GOOD}",
    "abandoned": f"NOT {HANDED} AND NOT {BAD} AND NOT {GOOD} AND {ASKED_BACK}",
    "assumed": f"NOT {HANDED} AND NOT {BAD} AND NOT {GOOD} AND NOT {ASKED_BACK}",
}


def count_conversations(engine: Engine, condition: str = "1 = 1", **values: Any) -> int:
    sql = f"SELECT count(*) FROM conversations c WHERE {IN_PERIOD} AND {condition}"
    return int(count_rows(engine, sql, **values))


def count_decisions(engine: Engine, condition: str, **values: Any) -> int:
    sql = (
        "SELECT count(*) FROM decisions d JOIN conversations c ON c.id = d.conversation_id"
        f" WHERE {IN_PERIOD} AND {condition}"
    )
    return int(count_rows(engine, sql, **values))


def returning(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT id, sender, created_at FROM conversations WHERE sender IS NOT NULL")
        ).all()
    starts = [(r.id, r.sender, datetime.fromisoformat(str(r.created_at))) for r in rows]
    return {
        identifier
        for identifier, sender, at in starts
        for _, other, later in starts
        if sender == other and timedelta() < later - at <= timedelta(days=7)
    }


def test_conversations_outcomes_and_deflection_match_the_rows(filled: Engine) -> None:
    figures = reports.insights(filled, reports.query(**ALL))["figures"]
    assert figures["conversations"] == count_conversations(filled) > 200
    expected = {
        name: count_conversations(filled, condition) for name, condition in OUTCOMES.items()
    }
    assert figures["outcomes"] == expected
    assert all(expected.values())
    came_again = returning(filled)
    assert figures["came_again"] == len(came_again) > 0
    with filled.connect() as connection:
        resolved = f"({OUTCOMES['confirmed']}) OR ({OUTCOMES['assumed']})"
        rows = connection.execute(text(f"SELECT c.id FROM conversations c WHERE {resolved}"))
        deflected = set(rows.scalars()) - came_again
    assert figures["deflected"] == len(deflected)
    assert figures["deflection"] == pytest.approx(
        len(deflected) / count_conversations(filled), abs=1e-6
    )


def test_csat_routes_intents_and_sentiments_match_the_rows(filled: Engine) -> None:
    report = reports.insights(filled, reports.query(**ALL))
    source = f"FROM csat s JOIN conversations c ON c.id = s.conversation_id WHERE {IN_PERIOD}"
    csat = report["figures"]["csat"]
    assert csat["n"] == count_rows(filled, f"SELECT count(*) {source}")
    mean = float(count_rows(filled, f"SELECT avg(s.score * 1.0) {source}"))
    assert csat["mean"] == pytest.approx(mean, abs=1e-5)
    satisfied = count_rows(filled, f"SELECT count(*) {source} AND s.score >= 4")
    assert csat["satisfied"] == pytest.approx(satisfied / csat["n"], abs=1e-5)
    for route, count in report["routes"].items():
        assert count == count_decisions(filled, "d.route = :route", route=route)
    assert (
        sum(report["routes"].values())
        == count_decisions(filled, "1 = 1")
        == report["figures"]["replies"]
    )
    for row in report["intents"]:
        assert row["messages"] == count_decisions(
            filled, "d.intent = :intent", intent=row["intent"]
        )
        negative = "d.intent = :intent AND d.sentiment = 'negative'"
        assert row["negative"] == count_decisions(filled, negative, intent=row["intent"])
    for row in report["voice"][::9]:
        day = datetime.fromisoformat(row["day"]).replace(tzinfo=UTC)
        condition = "d.intent = :intent AND d.sentiment = 'neutral'"
        values = {"since": day, "until": day + timedelta(days=1), "intent": row["topic"]}
        assert row["neutral"] == count_decisions(filled, condition, **values)


def add_topics(engine: Engine, count: int = 7) -> None:
    """Assign four of five messages to topics, of which the last one is just an intent."""
    vector = np.zeros(2, dtype=np.float32)
    topics = [
        Topic(f"topic:{n}", f"subject {n}", "en", vector, vector, "size", n == count - 1)
        for n in range(count)
    ]
    topic_store.add(engine, topics, "e5", synthetic=True)
    with engine.connect() as connection:
        ids = connection.execute(text("SELECT message_id FROM decisions ORDER BY message_id"))
        assigned = {name: f"topic:{n % count}" for n, name in enumerate(ids.scalars()) if n % 5}
    assert topic_store.place(engine, assigned) == len(assigned)


def test_topics_match_the_rows(filled: Engine) -> None:
    add_topics(filled)
    report = reports.insights(filled, reports.query(**ALL))
    has_topic = "EXISTS (SELECT 1 FROM message_topics t WHERE t.message_id = d.message_id"
    has_topic += " AND t.topic_id = :topic)"
    assert len(report["topics"]) == 6
    for row in report["topics"]:
        name = row["topic"]
        assert row["messages"] == count_decisions(filled, has_topic, topic=name) > 0
        negative = f"{has_topic} AND d.sentiment = 'negative'"
        assert row["negative"] == count_decisions(filled, negative, topic=name)
        listed = reports.conversations_of_figure(filled, reports.query(**ALL), "topic", name)
        with_topic = (
            f"EXISTS (SELECT 1 FROM decisions d WHERE d.conversation_id = c.id AND {has_topic})"
        )
        assert listed["count"] == count_conversations(filled, with_topic, topic=name)
        negative_topic = with_topic.replace(
            "topic_id = :topic)", "topic_id = :topic) AND d.sentiment = 'negative'"
        )
        listed = reports.conversations_of_figure(filled, reports.query(**ALL), "negative", name)
        assert listed["count"] == count_conversations(filled, negative_topic, topic=name)
    for row in [row for row in report["voice"] if row["kind"] == "discovered"][::17]:
        day = datetime.fromisoformat(row["day"]).replace(tzinfo=UTC)
        bounds = {"since": day, "until": day + timedelta(days=1), "topic": row["topic"]}
        assert row["neutral"] == count_decisions(
            filled, f"{has_topic} AND d.sentiment = 'neutral'", **bounds
        )
    table = list(csv.DictReader(io.StringIO(reports.as_csv(report))))
    values = {row["name"]: row["value"] for row in table if row["section"] == "topics"}
    assert values["subject 0 messages"] == str(
        next(row["messages"] for row in report["topics"] if row["name"] == "subject 0")
    )


def test_times_articles_and_suggestions_match_the_rows(filled: Engine) -> None:
    report = reports.insights(filled, reports.query(**ALL))
    with filled.connect() as connection:
        traces = connection.execute(text("SELECT trace FROM decisions")).scalars().all()
        offers = connection.execute(text("SELECT kind, distance FROM suggestions")).all()
    times = [
        (json.loads(trace) if isinstance(trace, str) else trace)["timings_ms"] for trace in traces
    ]
    for name, stage in (("first_token_ms", "first_token"), ("reply_ms", "total")):
        ordered = sorted(timings[stage] for timings in times)
        median = ordered[(len(ordered) - 1) // 2]
        assert report["figures"][name]["n"] == len(ordered)
        assert report["figures"][name]["p50"] == pytest.approx(upper(bucket(median)), rel=1e-3)
        assert median <= report["figures"][name]["p50"] <= median * 1.06
    for row in report["articles"]:
        source = (
            "FROM citations k JOIN messages m ON m.id = k.message_id"
            " LEFT JOIN feedback f ON f.message_id = m.id WHERE k.article = :article"
        )
        values = {"article": row["article"]}
        assert row["cited"] == count_rows(filled, f"SELECT count(DISTINCT m.id) {source}", **values)
        for rating in ("up", "down"):
            rated = f"SELECT count(DISTINCT m.id) {source} AND f.rating = '{rating}'"
            assert row[f"thumb_{rating}"] == count_rows(filled, rated, **values)
    accepted = [row for row in offers if row.kind]
    assert report["suggestions"]["offered"] == len(offers) > 0
    assert report["suggestions"]["acceptance"] == pytest.approx(
        len(accepted) / len(offers), abs=1e-5
    )
    assert report["suggestions"]["unchanged"] == sum(row.distance == 0 for row in accepted)


def test_filters_show_a_part_and_the_days_add_up(filled: Engine) -> None:
    total_report = reports.insights(filled, reports.query(**ALL))
    by_channel = [
        reports.insights(filled, reports.query(**ALL, channel=channel))
        for channel in total_report["channels"]
    ]
    assert len(by_channel) == 3
    total = sum(part["figures"]["conversations"] for part in by_channel)
    assert total == total_report["figures"]["conversations"]
    assert sum(day["conversations"] for day in total_report["days"]) == total
    chinese = reports.insights(filled, reports.query(**ALL, language="zh"))["figures"]
    assert chinese["conversations"] == count_conversations(filled, "c.language = 'zh'")


def test_every_figure_leads_to_as_many_conversations(filled: Engine) -> None:
    query = reports.query(**ALL)
    report = reports.insights(filled, query)
    figures = report["figures"]
    for name, count in figures["outcomes"].items():
        assert reports.conversations_of_figure(filled, query, "outcome", name)["count"] == count
    assert (
        reports.conversations_of_figure(filled, query, "deflected")["count"] == figures["deflected"]
    )
    assert (
        reports.conversations_of_figure(filled, query, "came_again")["count"]
        == figures["came_again"]
    )
    assert reports.conversations_of_figure(filled, query, "csat")["count"] == figures["csat"]["n"]
    for row in report["intents"]:
        listed = reports.conversations_of_figure(filled, query, "negative", row["intent"], 7)
        assert listed["count"] == row["upset_conversations"]
        assert len(listed["conversations"]) == min(7, listed["count"])
    with pytest.raises(reports.ReportQueryError, match="choose from"):
        reports.conversations_of_figure(filled, query, "nonsense")


def test_simulated_conversations_are_excluded_and_can_be_removed(filled: Engine) -> None:
    query = reports.query(**{**ALL, "synthetic": False})
    assert reports.insights(filled, query)["figures"]["conversations"] == 0
    assert synthetic_conversations.clear(filled) > 0
    report = reports.insights(filled, reports.query(**ALL))
    assert report["figures"]["conversations"] == 0
    assert count_conversations(filled) == 0


def test_new_simulated_conversations_are_aggregated_again(filled: Engine) -> None:
    query = reports.query(**ALL)
    before = reports.insights(filled, query)["figures"]["outcomes"]
    simulated = list(simulate_traffic(SOURCE, 60, 6.0, seed=3, until=UNTIL))
    synthetic_conversations.clear(filled)
    # The counts per day stay the same; only the content differs.
    synthetic_conversations.write(
        filled, [replace(c, turns=c.turns[:1], ratings=c.ratings[:1]) for c in simulated]
    )
    after = reports.insights(filled, query)["figures"]["outcomes"]
    assert sum(after.values()) == sum(before.values())
    assert after != before
    for outcome, count in after.items():
        assert reports.conversations_of_figure(filled, query, "outcome", outcome)["count"] == count


def test_figures_follow_ratings_replies_and_returns(engine: Engine) -> None:
    database.migrate(engine)
    log = SqlLog(engine)

    def talk(sender: str) -> str:
        message = Message("where is it", sender=sender)
        log.receive(message)
        turn = turn_with(Reply("here"))
        turn = type(turn)(**{**turn.__dict__, "message": message})
        log.append(turn, log.load(message.conversation_id))
        return message.id

    def figures() -> dict[str, Any]:
        values: dict[str, Any] = reports.insights(engine, reports.query(3))["figures"]
        return values

    first = talk("s-1")
    assert figures()["outcomes"]["assumed"] == 1
    log.add_feedback(Feedback(first, "down"))
    assert figures()["outcomes"] == {**dict.fromkeys(OUTCOMES, 0), "unhappy": 1}
    log.add_feedback(Feedback(first, "up"))
    assert figures()["deflected"] == 1
    talk("s-1")
    assert figures()["conversations"] == 2
    assert figures()["came_again"] == 1
    assert figures()["deflected"] == 1  # the second conversation only


def test_the_csv_has_the_figures_of_the_page(filled: Engine) -> None:
    report = reports.insights(filled, reports.query(**ALL))
    rows = list(csv.DictReader(io.StringIO(reports.as_csv(report))))
    table = {(row["section"], row["name"]): row["value"] for row in rows}
    assert table["figures", "deflected"] == str(report["figures"]["deflected"])
    assert table["routes", "retrieve"] == str(report["routes"]["retrieve"])
    top = report["intents"][0]
    assert table["intents", f"{top['intent']} messages"] == str(top["messages"])


def queue_newest(engine: Engine, limit: int) -> int:
    """Put the newest conversations into the queue and return their number."""
    newest = select(tables.conversations.c.id).order_by(tables.conversations.c.created_at.desc())
    with engine.begin() as connection:
        names = connection.execute(newest.limit(limit)).scalars().all()
        is_newest = tables.conversations.c.id.in_(names)
        values = {"owner": ConversationOwner.QUEUED.value, "queue": "general", "queued_at": UNTIL}
        connection.execute(update(tables.conversations).where(is_newest).values(**values))
    return len(names)


@pytest.mark.slow
def test_ten_thousand_conversations_take_little_longer_than_a_hundred(engine: Engine) -> None:
    database.migrate(engine)
    desk = HandoffDesk(engine, lambda notice, language: f"{notice}{language}")
    query = reports.query(**ALL)

    def seconds(rate: float) -> tuple[float, float]:
        synthetic_conversations.clear(engine)
        synthetic_conversations.write(
            engine, simulate_traffic(SOURCE, 60, rate, seed=3, until=UNTIL)
        )
        add_topics(engine, 30)
        reports.insights(engine, query)
        assert queue_newest(engine, 20) == 20
        pages, queues = [], []
        for _ in range(7):
            started = time.perf_counter()
            reports.insights(engine, query)
            pages.append(time.perf_counter() - started)
            started = time.perf_counter()
            waiting = [item.conversation_id for item in desk.queue()]
            assert len(ConversationNotes(engine).queue_details(waiting)) == 20
            queues.append(time.perf_counter() - started)
        return min(pages), min(queues)

    few, many = seconds(100 / 60), seconds(10_000 / 60 / 1.05)
    assert count_conversations(engine) > 9_000
    assert many[0] <= 3.0 * few[0], f"{few[0]:.4f} s, {many[0]:.4f} s"
    assert many[1] <= 1.5 * few[1], f"{few[1]:.4f} s, {many[1]:.4f} s"
