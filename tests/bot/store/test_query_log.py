"""What learning reads from the log, on SQLite and on PostgreSQL."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from bot.core.types import (
    Citation,
    Decision,
    Feedback,
    Interaction,
    Message,
    NotFoundError,
    Reply,
    Route,
    ServingVersions,
    Turn,
    Understanding,
    now,
)
from bot.dialogue.state import advance
from bot.store import database, query_log
from bot.store.conversation_log import SqlLog
from knowledge_base.documents import Chunk, SearchHit


@pytest.fixture
def log(engine: Engine) -> SqlLog:
    database.migrate(engine)
    return SqlLog(engine)


def answer(
    log: SqlLog,
    text: str,
    conversation: str = "c",
    *,
    intent: str | None = "warranty",
    reason: str = "route:warranty",
    at: datetime | None = None,
    sender: str | None = None,
) -> Turn:
    message = Message(text, conversation, at=at or now(), sender=sender)
    stored = log.receive(message).message
    found = SearchHit(Chunk("1", "found.md", "Found", (), "text", 0, 4), 0.2, 0.5, 1.0)
    turn = Turn(
        message=stored,
        understanding=Understanding("en", "neutral", "calm", intent, 0.9),
        decision=Decision(Route.RETRIEVE, reason, intent),
        reply=Reply("Two years.", (Citation("cited.md", "W", "Two years.", 4, 14),)),
        versions=ServingVersions("m-1", "k-1", "t-1", "p-1"),
        evidence=(found,),
    )
    return log.append(turn, advance(log.load(conversation), turn))


def test_questions_come_with_what_became_of_them(log: SqlLog, engine: Engine) -> None:
    turn = answer(log, "how long, I am a@b.org", reason="no_evidence")
    (found,) = query_log.logged_questions(engine)
    assert found.message_id == turn.message.id
    assert (found.route, found.reason, found.intent) == ("retrieve", "no_evidence", "warranty")
    assert (found.language, found.confidence, found.rating) == ("en", 0.9, None)
    assert "a@b.org" not in found.text
    assert found.at.tzinfo is not None


def test_the_last_rating_of_a_reply_is_its_questions(log: SqlLog, engine: Engine) -> None:
    turn, other = answer(log, "one"), answer(log, "two")
    log.add_feedback(Feedback(turn.reply_id, "up"))
    log.add_feedback(Feedback(turn.reply_id, "down"))
    log.add_feedback(Feedback(other.message.id, "up"))
    assert [q.rating for q in query_log.logged_questions(engine)] == ["down", "up"]


def test_conversations_stay_together_and_in_order(log: SqlLog, engine: Engine) -> None:
    for text, conversation in (("a1", "a"), ("b1", "b"), ("a2", "a")):
        answer(log, text, conversation)
    assert [q.text for q in query_log.logged_questions(engine)] == ["a1", "a2", "b1"]


def test_older_questions_can_be_left_out(log: SqlLog, engine: Engine) -> None:
    answer(log, "long ago", at=datetime(2020, 1, 1, tzinfo=UTC))
    answer(log, "today")
    assert [q.text for q in query_log.logged_questions(engine, now() - timedelta(days=1))] == [
        "today"
    ]


def test_messages_nobody_decided_about_are_left_out(log: SqlLog, engine: Engine) -> None:
    log.receive(Message("pending", "c"))
    assert query_log.logged_questions(engine) == []


def test_sessions_are_the_intents_of_conversations(log: SqlLog, engine: Engine) -> None:
    for intent, conversation in (("x", "a"), ("y", "b"), (None, "a"), ("z", "a")):
        answer(log, "text", conversation, intent=intent, sender=f"user-{conversation}")
    assert query_log.sessions(engine) == [("x", "z"), ("y",)]


def test_opened_articles_are_steps_of_a_session(log: SqlLog, engine: Engine) -> None:
    turn = answer(log, "one", intent="x")
    answer(log, "two", intent="y")
    log.add_interaction(turn.reply_id, Interaction.OPENED, "care.md")
    assert query_log.sessions(engine) == [("x", "care.md", "y")]


def test_earlier_visits_of_a_sender_are_known_and_nobody_elses(log: SqlLog) -> None:
    opened = answer(log, "one", "a", intent="x", sender="me@b.org")
    answer(log, "two", "b", intent="y", sender="me@b.org")
    answer(log, "three", "c", intent="z", sender="me@b.org")
    answer(log, "four", "d", intent="other", sender="you")
    log.add_interaction(opened.reply_id, Interaction.OPENED, "care.md")
    assert log.earlier("me@b.org", "c") == ("x", "care.md", "y")
    assert log.earlier("nobody", "c") == ()


def test_what_answered_a_question_is_what_people_showed(log: SqlLog, engine: Engine) -> None:
    liked, opened, taken, nothing, bad = (
        answer(log, text) for text in ("liked", "opened", "taken over", "nothing", "bad")
    )
    log.add_feedback(Feedback(liked.reply_id, "up"))
    log.add_interaction(opened.reply_id, Interaction.OPENED, "care.md")
    log.add_interaction(taken.message.id, Interaction.ACCEPTED, "agent.md")
    for turn, rating in ((taken, "down"), (bad, "down")):
        log.add_feedback(Feedback(turn.reply_id, rating))
    log.add_interaction(bad.reply_id, Interaction.OPENED, "care.md")
    assert nothing.reply.citations
    assert sorted(query_log.answered_questions(engine)) == [
        ("liked", frozenset({"cited.md"})),
        ("opened", frozenset({"care.md"})),
        ("taken over", frozenset({"agent.md"})),
    ]


def test_an_interaction_with_an_unknown_message_is_refused(log: SqlLog) -> None:
    with pytest.raises(NotFoundError, match="no message"):
        log.add_interaction("nothing", Interaction.OPENED, "care.md")


def test_articles_that_were_found_or_cited_are_known(log: SqlLog, engine: Engine) -> None:
    assert query_log.retrieved_articles(engine) == frozenset()
    turn = answer(log, "text")
    assert query_log.retrieved_articles(engine) == {"found.md", "cited.md"}
    assert replace(turn, evidence=()) != turn
