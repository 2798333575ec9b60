"""Corrections over HTTP: what is right is chosen, and what was chosen is exported."""

import json

import httpx
import pytest

from bot.core.types import new_id
from bot.server.auth.secrets_file import load_or_create
from tests.running import Server


@pytest.fixture
def desk(api: httpx.Client, server: Server) -> httpx.Client:
    api.headers["Authorization"] = f"Bearer {load_or_create(server.home).token}"
    return api


def ask(api: httpx.Client, text: str) -> dict[str, str]:
    body = {"text": text, "conversation_id": new_id()}
    found: dict[str, str] = api.post("/api/messages", json=body).raise_for_status().json()
    return found


def test_the_intents_come_with_titles_in_both_languages(desk: httpx.Client) -> None:
    found = {one["intent"]: one for one in desk.get("/api/desk/intents").json()["intents"]}
    assert found["refund_status"]["en"] == "Where is my refund?"
    assert "退款" in found["refund_status"]["zh"]
    assert list(found)[-1] == "oos"


def test_a_correction_is_checked_kept_and_exported(desk: httpx.Client) -> None:
    turn = ask(desk, "How do I wash my rain jacket? Write to me@example.com")
    path = f"/api/desk/messages/{turn['reply_id']}/corrections"
    article = desk.post("/api/search", json={"query": "rain jacket"}).json()[0]["article"]
    right = {"intent": "oos", "article": article, "answer": " By hand. a@example.com "}
    assert desk.post(path, json=right).status_code == 201
    kept = desk.get(path).json()
    assert kept["message_id"] == turn["message_id"]
    assert kept["corrections"]["answer"]["value"] == "By hand. [email]"
    assert kept["corrections"]["intent"]["instead_of"] == turn["intent"]
    answer = desk.get("/api/desk/corrections.jsonl")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    rows = [json.loads(line) for line in answer.text.splitlines()]
    (row,) = (row for row in rows if row["id"] == turn["conversation_id"])
    asked, replied = row["turns"]
    assert (asked["intent"], asked["text"]) == (
        "oos",
        "How do I wash my rain jacket? Write to [email]",
    )
    assert (replied["role"], replied["article"]) == ("agent", article)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"answer": "  "}, 422),
        ({"intent": "no_such_intent"}, 422),
        ({"article": "no/such/article.md"}, 404),
    ],
)
def test_what_cannot_be_right_is_refused(
    desk: httpx.Client, body: dict[str, str], status: int
) -> None:
    turn = ask(desk, "hello")
    path = f"/api/desk/messages/{turn['message_id']}/corrections"
    assert desk.post(path, json=body).status_code == status
    assert desk.get(path).json()["corrections"] == {}
