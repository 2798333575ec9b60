"""The playground: the serving path, step by step, and nothing left behind."""

from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from bot.container import Home
from bot.core.settings import Settings
from bot.core.types import new_id
from bot.server.auth.secrets_file import load_or_create
from bot.store.tables import metadata
from tests.running import Server


@pytest.fixture
def desk(api: httpx.Client, server: Server) -> httpx.Client:
    api.headers["Authorization"] = f"Bearer {load_or_create(server.home).token}"
    return api


def attempt(desk: httpx.Client, text: str, **more: Any) -> dict[str, Any]:
    answer = desk.post("/api/playground", json={"text": text, **more})
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def rows(home: Home) -> dict[str, int]:
    with home.engine.begin() as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in metadata.tables.items()
        }


def test_a_question_is_answered_as_it_is_served_and_nothing_is_kept(
    desk: httpx.Client, server: Server
) -> None:
    text = "How do I wash my rain jacket?"
    body = {"text": text, "conversation_id": new_id()}
    served = desk.post("/api/messages", json=body).json()
    home = Home(Settings.load(server.home))
    before = rows(home)
    found = attempt(desk, text)
    assert rows(home) == before
    home.engine.dispose()
    for key in ("intent", "confidence", "route", "reason", "reply", "versions", "ranking"):
        assert found["turn"][key] == served[key], key
    assert {"understand", "decide", "search", "compose", "total"} <= set(
        found["turn"]["timings_ms"]
    )
    scores = [one["score"] for one in found["candidates"]]
    assert len(scores) == 10
    assert {"dense", "sparse", "score"} <= set(found["candidates"][0])
    used = {one["article"] for one in found["candidates"] if one["used"]}
    assert {citation["article"] for citation in served["reply"]["citations"]} <= used
    assert found["support"]
    assert all(one["supported"] and one["score"] > 0.45 for one in found["support"])
    assert found["trace"]["generated"] == []


def test_what_is_not_searched_for_shows_candidates_that_were_not_used(desk: httpx.Client) -> None:
    found = attempt(desk, "I want to talk to a human")
    assert found["turn"]["route"] == "handoff"
    assert found["candidates"]
    assert not any(one["used"] for one in found["candidates"])
    assert found["support"] == []


def test_earlier_messages_language_and_channel_are_the_conversations(desk: httpx.Client) -> None:
    question = "How do I wash my rain jacket?"
    alone, after = attempt(desk, question), attempt(desk, question, earlier=["hello"])
    for found in (alone, after):  # the scores are those of the search the reply came by
        traced = {one["chunk"]: one["score"] for one in found["trace"]["candidates"]}
        shown = {one["chunk"]: one["score"] for one in found["candidates"] if one["used"]}
        assert shown == traced
    found = attempt(desk, "A10234", earlier=["where is my parcel"], channel="cli")
    assert [one["text"] for one in found["earlier"]] == ["where is my parcel"]
    assert found["turn"]["route"] == "act"
    assert attempt(desk, "A10234")["turn"]["reply"] != found["turn"]["reply"]
    chinese = attempt(desk, "ok 123", language="zh")["turn"]["reply"]["text"]
    english = attempt(desk, "ok 123", language="en")["turn"]["reply"]["text"]
    assert any("一" <= character <= "鿿" for character in chinese)
    assert not any("一" <= character <= "鿿" for character in english)


def test_an_action_is_tried_on_a_copy(desk: httpx.Client) -> None:
    earlier = ["cancel my order A20415", "devon.a@example.org"]
    for _ in range(2):  # it is not cancelled already the second time
        turn = attempt(desk, "yes", earlier=earlier)["turn"]
        assert turn["reason"] == "confirmed"
        assert "A20415 (Lantern 2 tent) is cancelled" in turn["reply"]["text"]


@pytest.mark.parametrize(
    "body",
    [{}, {"text": ""}, {"text": "x", "earlier": ["y"] * 11}, {"text": "x", "language": "fr"}],
)
def test_what_is_no_question_is_refused(desk: httpx.Client, body: dict[str, Any]) -> None:
    assert desk.post("/api/playground", json=body).status_code == 422


def test_control_characters_are_refused(desk: httpx.Client) -> None:
    assert desk.post("/api/playground", json={"text": "a\u0007b"}).status_code in {400, 422}
