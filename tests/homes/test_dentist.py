"""A home of another trade: it shares no intent, slot or action with the demo."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from bot.container import Home, build_assistant
from bot.core.settings import Settings
from bot.core.types import Message, Route, Turn, new_id
from bot.dialogue.handoff import ConversationOwner
from bot.dialogue.policy_checks import find_unfilled_slots
from bot.nlu import emotion_classifier
from bot.nlu.entities.extractor import BUILT_IN
from bot.server import app as server_app
from bot.server.auth.secrets_file import load_or_create
from bot.store.in_memory_log import MemoryLog
from bot.training import classifier_heads, datasets, pipeline
from bot.training.job import TrainingJob
from knowledge_base.ingest import ingest
from knowledge_base.sources import loader
from tests.conftest import DEMO, made_once

DENTIST = Path(__file__).parent / "dentist"
PHONE = "+1 503 555 0100"


def _make(folder: Path, encoder: Path) -> None:
    shutil.copytree(DENTIST, folder, ignore=shutil.ignore_patterns("__pycache__"))
    settings = f'base = "{encoder}"\nenglish_base = ""\ncache = "{encoder.parent / "cache"}"\n'
    (folder / "careline.toml").write_text(settings + 'business = "Dr Molar"\n', encoding="utf-8")
    home = Home(Settings.load(folder))
    examples = datasets.read_all_examples(datasets.training_files(folder / "dialogs"))
    rows = emotion_classifier.examples()[::10]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emotion_classifier, "examples", lambda: rows)
        for module, name in ((pipeline, "_FOLDS"), (classifier_heads, "_HISTORY_FOLDS")):
            patch.setattr(module, name, 2)
        pipeline.train(TrainingJob(examples, home.encoder(), method="head"), home.models)
    ingest(loader.load([folder / "kb"]), home.knowledge_versions, home.indexing_encoders())


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> Path:
    return made_once(tmp_path_factory, "dentist", partial(_make, encoder=tiny_encoder))


@pytest.fixture
def home(practice: Path, tmp_path: Path) -> Iterator[Home]:
    folder = tmp_path / "home"
    shutil.copytree(practice, folder, ignore=shutil.ignore_patterns("*.db*"))
    place = Home(Settings.load(folder))
    yield place
    if "engine" in place.__dict__:
        place.engine.dispose()


def talk(home: Home, conversation: str, *texts: str, dry: bool = False) -> list[Turn]:
    """Say some texts in a conversation and return the turns."""
    bot = build_assistant(home, MemoryLog() if dry else None)
    return [bot.answer(Message(text, conversation)) for text in texts]


BOOKING = ("I would like to book a check-up", "2031-03-12 at 10:00", PHONE, "yes")


def test_the_practice_shares_no_name_with_the_shop() -> None:
    shop, practice = (Home(Settings.load(folder)).policy().content for folder in (DEMO, DENTIST))
    assert not set(shop.routes) & set(practice.routes)
    assert not ({*shop.wanted(), *shop.slots} & {*practice.wanted(), *practice.slots})
    actions = [{rule.action for rule in content.routes.values()} for content in (shop, practice)]
    assert actions[0] & actions[1] == {None}
    assert practice.undeclared() == []
    assert find_unfilled_slots(practice, BUILT_IN) == []


def test_an_appointment_is_booked_moved_and_cancelled(home: Home) -> None:
    conversation = new_id()
    booked = talk(home, conversation, *BOOKING)
    assert [turn.decision.slot for turn in booked[:2]] == ["appointment_time", "patient_phone"]
    assert booked[2].decision.confirms
    assert "Shall I book a check-up" in booked[2].reply.text
    assert "K1001" in booked[3].reply.text
    assert dict(booked[3].slots)["identified"] == "K1001"

    moved = talk(home, conversation, "please move appointment K1001", "2031-03-14 at 11:30", "yes")
    assert "K1001" in moved[-1].reply.text
    assert "2031-03-14T11:30" in moved[-1].reply.text

    elsewhere = new_id()  # where the telephone number has to prove it
    wrong = talk(home, elsewhere, "cancel appointment K1001", "+1 503 555 9999", "yes")
    assert "No appointment has this code" in wrong[-1].reply.text
    right = talk(home, new_id(), "cancel appointment K1001", PHONE, "yes")
    assert right[-1].reply.text == "Appointment K1001 is cancelled."


def test_it_speaks_chinese(home: Home) -> None:
    conversation = new_id()
    turns = talk(home, conversation, "我想预约洗牙", "2031-03-12 10:00", PHONE, "好的")
    assert "K1001" in turns[-1].reply.text
    assert "已为您预约" in turns[-1].reply.text


def test_a_question_is_answered_from_the_articles(home: Home) -> None:
    (turn,) = talk(home, new_id(), "how much is a cleaning?")
    assert turn.decision.route is Route.RETRIEVE
    assert "85 euros" in turn.reply.text
    assert turn.reply.citations[0].article.endswith("prices.md")


def test_a_person_is_called_and_small_talk_is_small_talk(home: Home) -> None:
    turns = talk(home, new_id(), "hello", "please connect me with the reception")
    assert (turns[0].decision.reason, turns[0].decision.intent) == ("smalltalk", "hello")
    assert turns[1].decision.route is Route.HANDOFF
    assert turns[1].handoff is not None
    assert (turns[1].handoff.state, turns[1].handoff.queue) == (
        ConversationOwner.QUEUED,
        "reception",
    )


def test_what_is_played_dry_changes_nothing(home: Home) -> None:
    before = {p: p.read_bytes() for p in home.path.rglob("*.db")}
    turns = talk(home, new_id(), *BOOKING, dry=True)
    assert "K1001" in turns[-1].reply.text
    assert {p: p.read_bytes() for p in home.path.rglob("*.db")} == before
    assert "K1001" in talk(home, new_id(), *BOOKING)[-1].reply.text  # the first one in earnest


def test_the_reception_sees_the_appointments_of_a_patient(home: Home) -> None:
    conversation = new_id()
    talk(home, conversation, *BOOKING, "I want to talk to the receptionist")
    token = load_or_create(home.path).token
    path = f"/api/desk/conversations/{conversation}/orders"
    with TestClient(
        server_app.create(home, "http://testserver"),
        headers={"Authorization": f"Bearer {token}"},
    ) as client:
        listed = client.get(path).raise_for_status().json()
        (record,) = listed["orders"]
        assert (record["code"], record["status"]) == ("K1001", "booked")
        assert record["display"]["heading"] == "K1001"
        assert listed["titles"]["records"]["en"] == "Appointments"
        assert [field["name"] for field in listed["fields"]] == ["code", "phone"]
        proven = client.post(path, json={"code": "K1001", "phone": PHONE}).raise_for_status()
        assert [one["code"] for one in proven.json()["orders"]] == ["K1001"]
        wrong = client.post(path, json={"code": "K1001", "phone": "+1 503 555 9999"})
        assert wrong.status_code == 404
        page = client.get("/")
        assert "Dr Molar" in page.text  # a neutral page: the practice has none of its own
