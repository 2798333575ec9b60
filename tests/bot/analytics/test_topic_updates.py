"""Looks at a home, hour after hour: what is new is found among what is known."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.analytics import topic_updates
from bot.container import Home
from bot.core.settings import Settings
from bot.store import topic_store as store
from bot.store.conversation_log import SqlLog
from tests.bot.store.test_query_log import answer
from tests.knowledge_base.fakes import HashEncoder

ORDINARY = ("where is my delivery", "delivery is late", "my delivery has not come", "delivery when")
SMOKE = (
    "parcel smells smoke",
    "whole parcel smells smoke",
    "parcel smells smoke again",
    "strange parcel smells smoke",
    "parcel smells smoke inside",
    "parcel smells smoke badly",
)


class Counting(HashEncoder):
    def __init__(self) -> None:
        super().__init__(dimension=4096)
        self.base = SimpleNamespace(id="hash")
        self.read: list[str] = []

    def queries(self, texts: Any, /, *, progress: bool = False) -> Any:
        del progress
        self.read += texts
        return super().queries(texts)


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> Counting:
    found = Counting()
    monkeypatch.setattr(Home, "encoder", lambda _home: found)
    return found


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(Settings.load(tmp_path))
    found.log()
    return found


def say(home: Home, *texts: str, intent: str, start: int = 0) -> None:
    log = home.log()
    assert isinstance(log, SqlLog)
    for n, text in enumerate(texts, start=start):
        answer(log, text, f"{intent}-{n}", intent=intent)


def ordinary(count: int) -> list[str]:
    return [f"{ORDINARY[n % 4]} number{n // 4}" for n in range(count)]


def test_a_new_subject_within_a_known_intent_is_found_an_hour_later(
    home: Home, encoder: Counting
) -> None:
    say(home, *ordinary(40), intent="delivery")
    say(home, *[f"first{n} second{n}" for n in range(40)], intent="other")
    looker = topic_updates.TopicUpdater(home.engine, home.encoder, home.small_talk)
    looker.look()
    before = len(encoder.read)
    say(home, *SMOKE, intent="delivery", start=100)
    looked = looker.look()
    assert looked.found == 1
    assert looked.placed == len(SMOKE)
    (smoke,) = [one for one in store.sizes(home.engine) if "smoke" in one["name"]]
    assert smoke["intent"] == "delivery"
    assert smoke["messages"] == len(SMOKE)
    assert not {*ordinary(40)} & {*encoder.read[before:]}  # known from the hour before
    assert looker.look() == topic_updates.TopicUpdate()


def test_a_home_without_messages_needs_no_encoder(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Home, "encoder", lambda _home: pytest.fail("it was loaded"))
    assert (
        topic_updates.TopicUpdater(home.engine, home.encoder, home.small_talk).look()
        == topic_updates.TopicUpdate()
    )


def test_the_past_of_a_new_topic_belongs_to_it(
    home: Home, encoder: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(home, *SMOKE, intent="old")
    say(home, *[f"{text} today" for text in SMOKE], intent="new")
    monkeypatch.setattr(topic_updates, "_MAX_POOL", len(SMOKE))
    looked = topic_updates.TopicUpdater(
        home.engine, home.encoder, home.small_talk, patient=True
    ).look()
    assert encoder.read
    assert (looked.found, looked.placed) == (0, 2 * len(SMOKE))  # it is all there is of "new"


def test_messages_get_topics_of_a_new_encoder_at_once(home: Home, encoder: Counting) -> None:
    say(home, *SMOKE, intent="old")
    looker = topic_updates.TopicUpdater(home.engine, home.encoder, home.small_talk)
    assert looker.look().placed == len(SMOKE)
    encoder.base.id = "another"
    assert looker.look().placed == len(SMOKE)
    assert looker.look().placed == 0
    assert looker.look(fresh=True).placed == len(SMOKE)
