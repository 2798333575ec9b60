"""What agents correct, on SQLite and on PostgreSQL, and the way from there into training."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, inspect, select

from bot.core.types import Correction, NotFoundError, Role
from bot.store import database, query_log
from bot.store.accounts import AccessLevel, Users
from bot.store.conversation_log import SqlLog
from bot.store.conversation_notes import ConversationNotes
from bot.store.corrections import Corrections
from bot.store.tables import metadata
from bot.store.visitors import VisitorConversations
from bot.training import datasets
from tests.bot.store.test_query_log import answer

_ALL = {
    Correction.INTENT: "complaint",
    Correction.ARTICLE: "right.md",
    Correction.ANSWER: "It is two years; write to me@example.com.",
}


@pytest.fixture
def log(engine: Engine) -> SqlLog:
    database.migrate(engine)
    return SqlLog(engine)


def test_a_correction_is_kept_with_what_the_bot_had_and_the_last_of_a_kind_counts(
    log: SqlLog, engine: Engine
) -> None:
    turn = answer(log, "how long is it?")
    Corrections(engine).correct(turn.reply_id, "Ann", {Correction.INTENT: "invoice"})
    found = Corrections(engine).correct(turn.message.id, "Bo", _ALL)
    assert found["message_id"] == turn.message.id
    kept = {kind: (one["value"], one["instead_of"]) for kind, one in found["corrections"].items()}
    assert kept == {
        "intent": ("complaint", "warranty"),
        "article": ("right.md", "cited.md"),
        "answer": ("It is two years; write to [email].", "Two years."),
    }
    assert {one["author"] for one in found["corrections"].values()} == {"Bo"}
    with pytest.raises(NotFoundError, match="no answered message nothing"):
        Corrections(engine).correct("nothing", "Ann", _ALL)


def test_corrections_are_exported_as_transcripts_that_training_reads(
    log: SqlLog, engine: Engine, tmp_path: Path
) -> None:
    names = [f"c{n}" for n in range(20)]
    taught = next(name for name in names if not datasets.is_held_back(name))
    held_back = next(name for name in names if datasets.is_held_back(name))
    for name in (taught, held_back):
        answer(log, "hello", name)
        turn = answer(log, "how long is it?", name)
        Corrections(engine).correct(turn.message.id, "Ann", _ALL)
    answer(log, "nobody looked at this", "other")
    rows = list(Corrections(engine).transcripts())
    assert {row["id"] for row in rows} == {taught, held_back}
    path = tmp_path / "corrections.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (example,) = datasets.read_examples(path)  # what is held back is not learnt
    assert (example.text, example.intent) == ("how long is it?", "complaint")
    assert (example.customer, example.reply) == ("hello", "Two years.")
    (conversation,) = (c for c in datasets.read_transcripts([path]) if c.id == taught)
    said = [(turn.role, turn.article) for turn in conversation.turns]
    assert said[-1] == (Role.AGENT, "right.md")
    assert [role for role, _ in said].count(Role.AGENT) == 1


def test_the_article_an_agent_names_is_what_search_learns(log: SqlLog, engine: Engine) -> None:
    turn = answer(log, "how long is it?")
    Corrections(engine).correct(turn.message.id, "Ann", {Correction.ARTICLE: "right.md"})
    assert query_log.answered_questions(engine) == [("how long is it?", frozenset({"right.md"}))]


def test_who_is_forgotten_leaves_no_correction(log: SqlLog, engine: Engine) -> None:
    turn = answer(log, "how long is it?", "gone")
    Corrections(engine).correct(turn.message.id, "Ann", _ALL)
    VisitorConversations(engine).forget("gone")
    assert list(Corrections(engine).transcripts()) == []


@pytest.mark.parametrize(
    ("before", "tables"),
    [("0006", {"users", "notes", "labels", "corrections"}), ("0007", {"corrections"})],
)
def test_a_revision_is_taken_back_with_its_rows_and_comes_again_empty(
    engine: Engine, before: str, tables: set[str]
) -> None:
    def there() -> set[str]:
        return tables & set(inspect(engine).get_table_names())

    database.migrate(engine)
    turn = answer(SqlLog(engine), "how long is it?")
    Corrections(engine).correct(turn.message.id, "Ann", _ALL)
    ConversationNotes(engine).add_label("c", "Ann", "vip")
    ConversationNotes(engine).add_note("c", "Ann", "call back")
    Users(engine).add("ann", "Ann", AccessLevel.AGENT, "correct horse")
    assert database.migrate(engine, before) == before
    assert there() == set()
    assert "conversations" in inspect(engine).get_table_names()
    assert database.migrate(engine) == database.head()
    assert there() == tables
    with engine.begin() as connection:
        for name in tables:
            count = select(func.count()).select_from(metadata.tables[name])
            assert connection.execute(count).scalar_one() == 0
