"""Doing replies again, on a trained home with a log in SQL."""

from collections.abc import Generator
from dataclasses import replace

import pytest
from sqlalchemy import update

from bot.assistant.pipeline import Assistant
from bot.container import Home, build_assistant
from bot.core.settings import Settings
from bot.core.types import CarelineError, Message, NotFoundError, Turn, Usage
from bot.evaluation.reply_verification import Verifier
from bot.generation.answerers import ExtractiveAnswerer, LlmAnswerer
from bot.generation.language_models import Chat
from bot.generation.prompts import load
from bot.store import content_snapshots
from bot.store.tables import messages

CONVERSATION = (
    "hello there",
    "how long does standard shipping take?",
    "and to Canada?",
    "where is my order",
    "A10234",
    "what does the climate of Mars look like?",
    "标准配送需要多少天",
    "礼品卡有效期多久？还有怎么退货",
    "I want to talk to a human agent",
    "is somebody there?",
)


def talk(home: Home, *texts: str, bot: Assistant | None = None) -> list[Turn]:
    bot = bot or build_assistant(home)
    return [bot.answer(Message(text, "c")) for text in texts]


def restarted(home: Home) -> Home:
    fresh = Home(Settings.load(home.path))
    fresh._encoders = home._encoders
    return fresh


def test_every_reply_of_a_conversation_comes_out_the_same_after_a_restart(home: Home) -> None:
    turns = talk(home, *CONVERSATION)
    assert len({turn.decision.route for turn in turns}) >= 4
    again = restarted(home)
    verifier = Verifier(again, build_assistant)
    for turn in turns:
        done = verifier.verify(turn.message.id)
        assert done.equal, (turn.message.text, done.differences)
        assert done.unaltered
        assert verifier.verify(turn.reply_id) == done
    again.engine.dispose()


def test_what_was_done_is_not_done_again(home: Home) -> None:
    _, turn = talk(home, "where is my order A10234", "marta.lindqvist@example.com")
    assert turn.reply.composer == "action"
    done = Verifier(home, build_assistant).verify(turn.message.id)
    assert done.equal, done.differences
    assert done.redacted
    assert done.not_repeated == "action"


def test_a_reply_that_was_altered_differs_in_what_was_altered(home: Home) -> None:
    (turn,) = talk(home, "how long does standard shipping take?")
    with home.engine.begin() as connection:
        record = connection.execute(messages.select().where(messages.c.id == turn.reply_id)).one()
        changed = {**record.turn, "reply": {**record.turn["reply"], "text": "One day."}}
        here = messages.c.id == turn.reply_id
        connection.execute(update(messages).where(here).values(turn=changed))
    done = Verifier(home, build_assistant).verify(turn.message.id)
    assert [difference.part for difference in done.differences] == ["reply"]
    assert done.unaltered is False
    assert not done.equal


def test_texts_and_rules_are_those_that_served_whatever_they_are_now(home: Home) -> None:
    (turn,) = talk(home, "hello there")
    path = home.path / "templates" / "en.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("ello", "owdy"), encoding="utf-8")
    (other,) = talk(home, "hello there")
    verifier = Verifier(home, build_assistant)
    assert verifier.verify(turn.message.id).equal
    assert verifier.verify(other.message.id).equal
    assert turn.versions.content != other.versions.content


def test_texts_that_were_not_kept_are_asked_for(home: Home) -> None:
    (turn,) = talk(home, "hello there")
    kept = content_snapshots.snapshot_folder(home.path, turn.versions.content or "")
    assert kept is not None
    (kept / "policy.yml").unlink()
    kept.rename(kept.with_name("elsewhere"))
    (home.path / "policy.yml").write_text("version: 1\n", encoding="utf-8")
    with pytest.raises(CarelineError, match="not kept"):
        Verifier(home, build_assistant).verify(turn.message.id)


def test_a_message_with_personal_data_says_that_it_was_removed(home: Home) -> None:
    (turn,) = talk(home, "how long does standard shipping take? I am a.person@example.org")
    assert Verifier(home, build_assistant).verify(turn.message.id).redacted


def test_an_unknown_message_is_named(home: Home) -> None:
    home.migrate()
    with pytest.raises(NotFoundError, match="no answered message"):
        Verifier(home, build_assistant).verify("nothing")


class _Writer:
    """A generator that writes the same each time."""

    name = "writer"

    def stream(self, chat: Chat, /, *, within: float) -> Generator[str, None, Usage]:
        del chat, within
        yield "Standard shipping takes "
        yield "3–5 business days."
        return Usage(100, 9)


def test_what_a_model_wrote_is_taken_from_the_log(home: Home) -> None:
    bot = build_assistant(home)
    composer = LlmAnswerer(_Writer(), ExtractiveAnswerer(home.encoder()), load(home.path))
    bot = Assistant(replace(bot.components, composer=composer))
    (turn,) = talk(home, "how long does standard shipping take?", bot=bot)
    done = Verifier(home, build_assistant).verify(turn.message.id)
    assert done.equal, done.differences
    if turn.reply.composer == "generated":
        assert done.not_repeated == "generator"
