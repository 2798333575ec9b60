"""The HTTP API, spoken with over a real connection."""

import json
import sqlite3
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx
import pytest

from bot.core.types import new_id
from tests.running import Server

TURN_KEYS = {
    "message_id", "conversation_id", "language", "sentiment", "emotion", "intent", "confidence",
    "ranking", "entities", "requests", "route", "reason", "reply", "versions", "timings_ms",
}  # fmt: skip


def events(response: httpx.Response) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (id, event, data) of a stream."""
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif "data" in fields:
            yield fields.get("id", ""), fields["event"], json.loads(fields["data"])
            fields = {}


def stream(api: httpx.Client, body: dict[str, str]) -> list[tuple[str, str, dict[str, Any]]]:
    headers = {"Accept": "text/event-stream"}
    with api.stream("POST", "/api/messages", json=body, headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        return list(events(response))


def test_a_message_is_answered_with_a_turn(api: httpx.Client) -> None:
    turn = api.post("/api/messages", json={"text": "how do I wash a rain jacket?"}).json()
    assert set(turn) >= TURN_KEYS
    assert turn["route"] == "retrieve"
    citation = turn["reply"]["citations"][0]
    article = api.get(f"/api/articles/{citation['article']}").json()
    assert article["text"][citation["start"] : citation["end"]] == citation["quote"]


def test_a_stream_says_received_understood_words_and_the_turn(api: httpx.Client) -> None:
    seen = stream(api, {"text": "标准配送要多久？"})
    names = [name for _, name, _ in seen]
    assert names[:2] == ["received", "understood"]
    assert names[-1] == "turn"
    assert [number for number, _, _ in seen] == [str(n) for n in range(len(seen))]
    turn = seen[-1][2]
    assert (
        "".join(data["text"] for _, name, data in seen if name == "token")
        == (turn["reply"]["text"])
    )
    assert seen[0][2]["message_id"] == turn["message_id"]


def test_the_same_client_message_id_is_answered_once(api: httpx.Client) -> None:
    body = {"text": "hello", "conversation_id": new_id(), "client_message_id": "once"}
    with ThreadPoolExecutor(4) as threads:
        turns = list(threads.map(lambda _n: api.post("/api/messages", json=body).json(), range(4)))
    assert len({turn["reply_id"] for turn in turns}) == 1
    history = api.get(f"/api/conversations/{body['conversation_id']}/messages").json()
    assert [line["role"] for line in history["messages"]] == ["customer", "bot"]
    assert stream(api, body)[-1][2]["reply_id"] == turns[0]["reply_id"]


def test_a_stream_that_was_cut_goes_on_after_the_last_event(api: httpx.Client) -> None:
    body = {
        "text": "how long is the warranty?",
        "conversation_id": new_id(),
        "client_message_id": "cut",
    }
    whole = stream(api, body)
    headers = {"Accept": "text/event-stream", "Last-Event-ID": whole[2][0]}
    with api.stream("POST", "/api/messages", json=body, headers=headers) as response:
        rest = list(events(response))
    assert rest == whole[3:]
    for unknown in ("none", "-1", "٣"):
        again = [(b"Accept", b"text/event-stream"), (b"Last-Event-ID", unknown.encode())]
        with api.stream("POST", "/api/messages", json=body, headers=again) as response:
            assert list(events(response)) == whole


def test_a_form_goes_on_over_requests(api: httpx.Client) -> None:
    asked = api.post("/api/messages", json={"text": "where is my parcel"}).json()
    again = {"text": "A10234", "conversation_id": asked["conversation_id"]}
    named = api.post("/api/messages", json=again).json()
    assert (asked["route"], named["reason"]) == ("act", "missing_slot")
    proof = {**again, "text": "marta.lindqvist@example.com"}
    answered = api.post("/api/messages", json=proof).json()
    assert answered["reason"] == "slot_filled"
    assert "A10234" in answered["reply"]["text"]


def test_history_can_be_followed_live_and_resumed(api: httpx.Client, server: Server) -> None:
    first = api.post("/api/messages", json={"text": "hello"}).json()
    path = f"/api/conversations/{first['conversation_id']}/messages"
    last = api.get(path).json()["messages"][-1]["position"]
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(last)}
    with (
        httpx.Client(base_url=server.url, timeout=300) as other,
        other.stream("GET", path, headers=headers) as live,
    ):
        body = {"text": "and hello again", "conversation_id": first["conversation_id"]}
        api.post("/api/messages", json=body)
        following = (event for event in events(live) if event[1] == "message")
        lines = [next(following)[2], next(following)[2]]
    assert [line["role"] for line in lines] == ["customer", "bot"]
    assert lines[0]["position"] > last


def test_feedback_and_trace_belong_to_a_message(api: httpx.Client) -> None:
    turn = api.post("/api/messages", json={"text": "how long is the warranty?"}).json()
    given = api.post(f"/api/messages/{turn['reply_id']}/feedback", json={"rating": "up"})
    assert given.status_code == 201
    trace = api.get(f"/api/messages/{turn['message_id']}/trace").json()
    assert trace["reason"] == turn["reason"]
    assert trace["candidates"]
    missing = api.post("/api/messages/none/feedback", json={"rating": "up"})
    assert missing.status_code == 404


def test_opened_articles_are_noted_and_must_exist(api: httpx.Client) -> None:
    turn = api.post("/api/messages", json={"text": "how long is the warranty?"}).json()
    article = turn["reply"]["citations"][0]["article"]
    path = f"/api/messages/{turn['reply_id']}/opened"
    assert api.post(path, json={"article": article}).status_code == 201
    assert api.post(path, json={"article": "no such thing"}).status_code == 404
    unknown = api.post("/api/messages/none/opened", json={"article": article})
    assert unknown.status_code == 404


def test_search_takes_the_path_of_the_chat(api: httpx.Client) -> None:
    hits = api.post("/api/search", json={"query": "gift card balance", "k": 3}).json()
    assert len(hits) == 3
    assert hits == sorted(hits, key=lambda hit: -hit["score"])


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/messages", {"text": ""}, 422),
        ("POST", "/api/messages", {"text": "  \n "}, 422),
        ("POST", "/api/messages", {"text": "x" * 20_000}, 422),
        ("POST", "/api/messages", {"text": "\x00\x01\x02"}, 422),
        ("POST", "/api/messages", {"words": "hello"}, 422),
        ("POST", "/api/messages", {"text": "hi", "conversation_id": "../x"}, 422),
        ("POST", "/api/search", {"query": " "}, 422),
        ("GET", "/api/conversations/none/messages", None, 404),
        ("GET", "/api/articles/none", None, 404),
        ("GET", "/api/messages/none/trace", None, 404),
        ("GET", "/api/conversations", None, 401),
        ("GET", "/nowhere", None, 404),
        ("DELETE", "/api/messages", None, 405),
    ],
)
def test_bad_requests_get_a_clear_error(
    api: httpx.Client, method: str, path: str, body: dict[str, str] | None, status: int
) -> None:
    response = api.request(method, path, json=body)
    assert response.status_code == status
    error = response.json()["error"]
    assert error["code"]
    assert error["message"]
    assert "Traceback" not in response.text


def test_bytes_that_are_no_json_get_a_clear_error(api: httpx.Client) -> None:
    response = api.post("/api/messages", content=b"\xff\xfe\x00binary")
    assert response.status_code == 422
    assert response.json()["error"]["message"]


def test_an_emoji_is_asked_back(api: httpx.Client) -> None:
    turn = api.post("/api/messages", json={"text": "🎒"}).json()
    assert (turn["route"], turn["reason"]) == ("clarify", "no_words")


def test_health_readiness_metrics_and_docs_answer(api: httpx.Client) -> None:
    api.post("/api/messages", json={"text": "hello"})
    assert api.get("/healthz").json() == {"status": "ok"}
    ready = api.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    metrics = api.get("/metrics").text
    assert 'careline_messages_total{language="en",route="template"}' in metrics
    assert "careline_reply_seconds_bucket" in metrics
    assert "swagger-ui-bundle.js" in api.get("/docs").text
    assert api.get("/openapi.json").json()["info"]["title"] == "Careline"


def test_the_console_lists_conversations_with_its_token(api: httpx.Client, server: Server) -> None:
    turn = api.post("/api/messages", json={"text": "hello from the list"}).json()
    secrets = server.home / ".secrets.json"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    token = json.loads(secrets.read_text(encoding="utf-8"))["token"]
    headers = {"Authorization": f"Bearer {token}"}
    rows = api.get("/api/conversations", headers=headers).json()["conversations"]
    assert turn["conversation_id"] in {row["conversation_id"] for row in rows}


def test_neither_log_nor_database_holds_personal_data(api: httpx.Client, server: Server) -> None:
    secret = "jo.customer@example.org"
    api.post("/api/messages", json={"text": f"my mail is {secret}", "sender": secret})
    assert secret not in server.output.read_text(encoding="utf-8")
    with closing(sqlite3.connect(server.home / "careline.db")) as connection:
        assert secret not in "\n".join(connection.iterdump())


def test_an_edited_policy_is_served_without_a_restart(api: httpx.Client, server: Server) -> None:
    before = api.post("/api/messages", json={"text": "hello"}).json()["versions"]["policy"]
    policy = server.home / "policy.yml"
    policy.write_text(policy.read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")
    after = before
    patience = time.monotonic() + 300
    while after == before and time.monotonic() < patience:
        time.sleep(0.2)
        after = api.post("/api/messages", json={"text": "hello"}).json()["versions"]["policy"]
    assert after != before
