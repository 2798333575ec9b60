"""What language models cost, on SQLite and on PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from bot.core.types import Feedback, GenerationRecord, Message, Route, Turn, Usage, now
from bot.dialogue.state import advance
from bot.store import costs, database
from bot.store.conversation_log import SqlLog
from tests.bot.store.test_conversation_log import turn_of


@pytest.fixture
def log(engine: Engine) -> SqlLog:
    database.migrate(engine)
    return SqlLog(engine)


def say(
    log: SqlLog,
    conversation: str,
    written: GenerationRecord | None = None,
    route: Route = Route.RETRIEVE,
) -> Turn:
    turn = turn_of(log.receive(Message("question", conversation)).message, route)
    made = (written,) if written else ()
    turn = replace(turn, reply=replace(turn.reply, written=made))
    return log.append(turn, advance(log.load(conversation), turn))


def test_costs_are_added_up_over_conversations_and_those_resolved(
    log: SqlLog, engine: Engine
) -> None:
    told = GenerationRecord("llama", "0" * 64, Usage(100, 10, reported=True), None, 0.5)
    ours = GenerationRecord("llama", "0" * 64, Usage(0, 4, reported=False), "engine", None)
    say(log, "resolved", told)
    say(log, "resolved")
    disliked = say(log, "disliked", ours)
    log.add_feedback(Feedback(disliked.reply_id, "down"))
    say(log, "handed off", told, Route.HANDOFF)
    found = costs.of_log(engine)
    assert (found.conversations, found.resolved, found.replies, found.written) == (3, 1, 4, 3)
    assert (found.prompt_tokens, found.completion_tokens) == (200, 24)
    assert found.reported == pytest.approx(2 / 3)
    assert found.per_conversation == pytest.approx(1 / 3)
    assert found.per_resolved == pytest.approx(1.0)


def test_an_empty_log_cost_nothing(log: SqlLog, engine: Engine) -> None:
    say(log, "old")
    found = costs.of_log(engine, now() + timedelta(hours=1))
    assert found.cost == 0.0
    assert found.per_conversation is None
    assert found.per_resolved is None
    assert found.reported is None
