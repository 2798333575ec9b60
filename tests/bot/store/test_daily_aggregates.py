"""Every figure against an independent query on raw rows; digests that follow what changes."""

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
from bot.store import conversation_notes, database, synthetic_conversations, tables, topic_store
from bot.store.conversation_log import SqlLog
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
WORLD = TrafficSource(
    TEXTS,
    tuple((f"a{n}.md", f"Article {n}", f"Text of article {n}.") for n in range(6)),
    ServingVersions("m-1", "k-1", "t-1", "p-1"),
)
ALL: dict[str, Any] = {"first": date(2026, 2, 1), "last": date(2026, 3, 31), "synthetic": True}


@pytest.fixture
def filled(engine: Engine) -> Engine:
    database.migrate(engine)
    synthetic_conversations.write(engine, simulate_traffic(WORLD, 60, 6.0, seed=3, until=UNTIL))
    return engine


def counted(engine: Engine, sql: str, **values: Any) -> Any:
    since = datetime(2026, 2, 1, tzinfo=UTC)
    until = datetime(2026, 4, 1, tzinfo=UTC)
    bound = {"since": since, "until": until, **values}
    if engine.dialect.name == "sqlite":  # which keeps times as text
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


def conversations(engine: Engine, condition: str = "1 = 1", **values: Any) -> int:
    sql = f"SELECT count(*) FROM conversations c WHERE {IN_PERIOD} AND {condition}"
    return int(counted(engine, sql, **values))


def steps(engine: Engine, condition: str, **values: Any) -> int:
    sql = (
        "SELECT count(*) FROM decisions d JOIN conversations c ON c.id = d.conversation_id"
        f" WHERE {IN_PERIOD} AND {condition}"
    )
    return int(counted(engine, sql, **values))


def again(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT id, sender, created_at FROM conversations WHERE sender IS NOT NULL")
        ).all()
    begun = [(r.id, r.sender, datetime.fromisoformat(str(r.created_at))) for r in rows]
    return {
        one
        for one, sender, at in begun
        for _, other, then in begun
        if sender == other and timedelta() < then - at <= timedelta(days=7)
    }


def test_conversations_outcomes_and_deflection_are_those_of_the_rows(filled: Engine) -> None:
    figures = reports.insights(filled, reports.query(**ALL))["figures"]
    assert figures["conversations"] == conversations(filled) > 200
    expected = {name: conversations(filled, condition) for name, condition in OUTCOMES.items()}
    assert figures["outcomes"] == expected
    assert all(expected.values())
    back = again(filled)
    assert figures["came_again"] == len(back) > 0
    with filled.connect() as connection:
        resolved = f"({OUTCOMES['confirmed']}) OR ({OUTCOMES['assumed']})"
        rows = connection.execute(text(f"SELECT c.id FROM conversations c WHERE {resolved}"))
        deflected = set(rows.scalars()) - back
    assert figures["deflected"] == len(deflected)
    assert figures["deflection"] == pytest.approx(len(deflected) / conversations(filled), abs=1e-6)


def test_csat_routes_intents_and_moods_are_those_of_the_rows(filled: Engine) -> None:
    found = reports.insights(filled, reports.query(**ALL))
    of_rows = f"FROM csat s JOIN conversations c ON c.id = s.conversation_id WHERE {IN_PERIOD}"
    given = found["figures"]["csat"]
    assert given["n"] == counted(filled, f"SELECT count(*) {of_rows}")
    mean = float(counted(filled, f"SELECT avg(s.score * 1.0) {of_rows}"))
    assert given["mean"] == pytest.approx(mean, abs=1e-5)
    content = counted(filled, f"SELECT count(*) {of_rows} AND s.score >= 4")
    assert given["satisfied"] == pytest.approx(content / given["n"], abs=1e-5)
    for route, count in found["routes"].items():
        assert count == steps(filled, "d.route = :route", route=route)
    assert sum(found["routes"].values()) == steps(filled, "1 = 1") == found["figures"]["replies"]
    for row in found["intents"]:
        assert row["messages"] == steps(filled, "d.intent = :intent", intent=row["intent"])
        negative = "d.intent = :intent AND d.sentiment = 'negative'"
        assert row["negative"] == steps(filled, negative, intent=row["intent"])
    for row in found["voice"][::9]:
        day = datetime.fromisoformat(row["day"]).replace(tzinfo=UTC)
        condition = "d.intent = :intent AND d.sentiment = 'neutral'"
        here = {"since": day, "until": day + timedelta(days=1), "intent": row["topic"]}
        assert row["neutral"] == steps(filled, condition, **here)


def grouped(engine: Engine, count: int = 7) -> None:
    """Put four messages of five into topics, the last of which is no more than an intent."""
    vector = np.zeros(2, dtype=np.float32)
    made = [
        Topic(f"topic:{n}", f"subject {n}", "en", vector, vector, "size", n == count - 1)
        for n in range(count)
    ]
    topic_store.add(engine, made, "e5", synthetic=True)
    with engine.connect() as connection:
        ids = connection.execute(text("SELECT message_id FROM decisions ORDER BY message_id"))
        places = {one: f"topic:{n % count}" for n, one in enumerate(ids.scalars()) if n % 5}
    assert topic_store.place(engine, places) == len(places)


def test_topics_beside_the_intents_are_those_of_the_rows(filled: Engine) -> None:
    grouped(filled)
    found = reports.insights(filled, reports.query(**ALL))
    here = "EXISTS (SELECT 1 FROM message_topics t WHERE t.message_id = d.message_id"
    here += " AND t.topic_id = :topic)"
    assert len(found["topics"]) == 6
    for row in found["topics"]:
        name = row["topic"]
        assert row["messages"] == steps(filled, here, topic=name) > 0
        negative = f"{here} AND d.sentiment = 'negative'"
        assert row["negative"] == steps(filled, negative, topic=name)
        behind = reports.conversations_of_figure(filled, reports.query(**ALL), "topic", name)
        with_it = f"EXISTS (SELECT 1 FROM decisions d WHERE d.conversation_id = c.id AND {here})"
        assert behind["count"] == conversations(filled, with_it, topic=name)
        upset = with_it.replace(
            "topic_id = :topic)", "topic_id = :topic) AND d.sentiment = 'negative'"
        )
        behind = reports.conversations_of_figure(filled, reports.query(**ALL), "negative", name)
        assert behind["count"] == conversations(filled, upset, topic=name)
    for row in [row for row in found["voice"] if row["kind"] == "discovered"][::17]:
        day = datetime.fromisoformat(row["day"]).replace(tzinfo=UTC)
        bounds = {"since": day, "until": day + timedelta(days=1), "topic": row["topic"]}
        assert row["neutral"] == steps(filled, f"{here} AND d.sentiment = 'neutral'", **bounds)
    table = list(csv.DictReader(io.StringIO(reports.as_csv(found))))
    told = {row["name"]: row["value"] for row in table if row["section"] == "topics"}
    assert told["subject 0 messages"] == str(
        next(row["messages"] for row in found["topics"] if row["name"] == "subject 0")
    )


def test_times_articles_and_suggestions_are_those_of_the_rows(filled: Engine) -> None:
    found = reports.insights(filled, reports.query(**ALL))
    with filled.connect() as connection:
        traces = connection.execute(text("SELECT trace FROM decisions")).scalars().all()
        offers = connection.execute(text("SELECT kind, distance FROM suggestions")).all()
    times = [
        (json.loads(trace) if isinstance(trace, str) else trace)["timings_ms"] for trace in traces
    ]
    for name, stage in (("first_token_ms", "first_token"), ("reply_ms", "total")):
        ordered = sorted(one[stage] for one in times)
        median = ordered[(len(ordered) - 1) // 2]
        assert found["figures"][name]["n"] == len(ordered)
        assert found["figures"][name]["p50"] == pytest.approx(upper(bucket(median)), rel=1e-3)
        assert median <= found["figures"][name]["p50"] <= median * 1.06
    for row in found["articles"]:
        of_rows = (
            "FROM citations k JOIN messages m ON m.id = k.message_id"
            " LEFT JOIN feedback f ON f.message_id = m.id WHERE k.article = :article"
        )
        here = {"article": row["article"]}
        assert row["cited"] == counted(filled, f"SELECT count(DISTINCT m.id) {of_rows}", **here)
        for rating in ("up", "down"):
            rated = f"SELECT count(DISTINCT m.id) {of_rows} AND f.rating = '{rating}'"
            assert row[f"thumb_{rating}"] == counted(filled, rated, **here)
    taken = [row for row in offers if row.kind]
    assert found["suggestions"]["offered"] == len(offers) > 0
    assert found["suggestions"]["acceptance"] == pytest.approx(len(taken) / len(offers), abs=1e-5)
    assert found["suggestions"]["unchanged"] == sum(row.distance == 0 for row in taken)


def test_filters_show_a_part_and_the_days_add_up(filled: Engine) -> None:
    whole = reports.insights(filled, reports.query(**ALL))
    parts = [
        reports.insights(filled, reports.query(**ALL, channel=channel))
        for channel in whole["channels"]
    ]
    assert len(parts) == 3
    total = sum(part["figures"]["conversations"] for part in parts)
    assert total == whole["figures"]["conversations"]
    assert sum(day["conversations"] for day in whole["days"]) == total
    chinese = reports.insights(filled, reports.query(**ALL, language="zh"))["figures"]
    assert chinese["conversations"] == conversations(filled, "c.language = 'zh'")


def test_every_figure_leads_to_as_many_conversations(filled: Engine) -> None:
    wanted = reports.query(**ALL)
    found = reports.insights(filled, wanted)
    figures = found["figures"]
    for name, count in figures["outcomes"].items():
        assert reports.conversations_of_figure(filled, wanted, "outcome", name)["count"] == count
    assert (
        reports.conversations_of_figure(filled, wanted, "deflected")["count"]
        == figures["deflected"]
    )
    assert (
        reports.conversations_of_figure(filled, wanted, "came_again")["count"]
        == figures["came_again"]
    )
    assert reports.conversations_of_figure(filled, wanted, "csat")["count"] == figures["csat"]["n"]
    for row in found["intents"]:
        told = reports.conversations_of_figure(filled, wanted, "negative", row["intent"], 7)
        assert told["count"] == row["upset_conversations"]
        assert len(told["conversations"]) == min(7, told["count"])
    with pytest.raises(reports.ReportQueryError, match="choose from"):
        reports.conversations_of_figure(filled, wanted, "nonsense")


def test_what_was_made_up_is_left_out_and_can_be_removed(filled: Engine) -> None:
    wanted = reports.query(**{**ALL, "synthetic": False})
    assert reports.insights(filled, wanted)["figures"]["conversations"] == 0
    assert synthetic_conversations.clear(filled) > 0
    everything = reports.insights(filled, reports.query(**ALL))
    assert everything["figures"]["conversations"] == 0
    assert conversations(filled) == 0


def test_what_is_made_up_anew_is_summed_up_anew(filled: Engine) -> None:
    wanted = reports.query(**ALL)
    before = reports.insights(filled, wanted)["figures"]["outcomes"]
    made = list(simulate_traffic(WORLD, 60, 6.0, seed=3, until=UNTIL))
    synthetic_conversations.clear(filled)
    # As many a day: their number does not tell that they are others.
    synthetic_conversations.write(
        filled, [replace(one, turns=one.turns[:1], ratings=one.ratings[:1]) for one in made]
    )
    after = reports.insights(filled, wanted)["figures"]["outcomes"]
    assert sum(after.values()) == sum(before.values())
    assert after != before
    for outcome, count in after.items():
        assert reports.conversations_of_figure(filled, wanted, "outcome", outcome)["count"] == count


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
        found: dict[str, Any] = reports.insights(engine, reports.query(3))["figures"]
        return found

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


def test_the_table_holds_what_the_page_shows(filled: Engine) -> None:
    found = reports.insights(filled, reports.query(**ALL))
    rows = list(csv.DictReader(io.StringIO(reports.as_csv(found))))
    table = {(row["section"], row["name"]): row["value"] for row in rows}
    assert table["figures", "deflected"] == str(found["figures"]["deflected"])
    assert table["routes", "retrieve"] == str(found["routes"]["retrieve"])
    top = found["intents"][0]
    assert table["intents", f"{top['intent']} messages"] == str(top["messages"])


def wait(engine: Engine, most: int) -> int:
    """Put the newest conversations into the queue and return how many those are."""
    newest = select(tables.conversations.c.id).order_by(tables.conversations.c.created_at.desc())
    with engine.begin() as connection:
        names = connection.execute(newest.limit(most)).scalars().all()
        here = tables.conversations.c.id.in_(names)
        values = {"owner": ConversationOwner.QUEUED.value, "queue": "general", "queued_at": UNTIL}
        connection.execute(update(tables.conversations).where(here).values(**values))
    return len(names)


@pytest.mark.slow
def test_ten_thousand_conversations_cost_little_more_than_a_hundred(engine: Engine) -> None:
    database.migrate(engine)
    desk = HandoffDesk(engine, lambda notice, language: f"{notice}{language}")
    wanted = reports.query(**ALL)

    def seconds(rate: float) -> tuple[float, float]:
        synthetic_conversations.clear(engine)
        synthetic_conversations.write(
            engine, simulate_traffic(WORLD, 60, rate, seed=3, until=UNTIL)
        )
        grouped(engine, 30)
        reports.insights(engine, wanted)
        assert wait(engine, 20) == 20
        pages, queues = [], []
        for _ in range(7):
            begun = time.perf_counter()
            reports.insights(engine, wanted)
            pages.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            waiting = [one.conversation_id for one in desk.queue()]
            assert len(conversation_notes.queue_details(engine, waiting)) == 20
            queues.append(time.perf_counter() - begun)
        return min(pages), min(queues)

    few, many = seconds(100 / 60), seconds(10_000 / 60 / 1.05)
    assert conversations(engine) > 9_000
    assert many[0] <= 3.0 * few[0], f"{few[0]:.4f} s, {many[0]:.4f} s"
    assert many[1] <= 1.5 * few[1], f"{few[1]:.4f} s, {many[1]:.4f} s"
