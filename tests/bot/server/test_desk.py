"""People answer over HTTP: the queue, taking over, speaking, giving back."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bot.core.types import new_id
from bot.server.auth.secrets_file import load_or_create
from tests.running import Server
from ui.client.http_client import Client


@pytest.fixture
def desk(server: Server) -> Iterator[httpx.Client]:
    token = load_or_create(server.home).token
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{server.url}/api/desk", headers=headers, timeout=300) as client:
        client.put("/agents", json={"id": "ann", "name": "Ann"})
        client.put("/agents", json={"id": "bo", "name": "Bo"})
        yield client


def post(client: httpx.Client, path: str, status: int = 200, **body: Any) -> dict[str, Any]:
    answer = client.post(path, json=body)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ask(api: httpx.Client, conversation: str, text: str) -> dict[str, Any]:
    return post(api, "/api/messages", text=text, conversation_id=conversation)


def test_the_queue_tells_what_was_asked_before_a_person_was(
    api: httpx.Client, desk: httpx.Client
) -> None:
    conversation = new_id()
    texts = ("how long does standard shipping take", "and to France?", "I want to talk to a human")
    turns = [ask(api, conversation, text) for text in texts]
    (waits,) = [
        one
        for one in desk.get("/queue").json()["conversations"]
        if one["conversation_id"] == conversation
    ]
    assert waits["intents"][-1] == waits["intent"] == turns[-1]["intent"]
    assert waits["intents"][0] in {turn["intent"] for turn in turns[:-1]}
    assert len(waits["intents"]) == 2


def test_a_person_takes_over_is_the_only_one_who_speaks_and_gives_back(
    api: httpx.Client, desk: httpx.Client, server: Server
) -> None:
    conversation = new_id()
    here = f"/conversations/{conversation}"
    asked = ask(api, conversation, "I want to talk to a human")
    assert asked["handoff"]["state"] == "queued"
    waiting = desk.get("/queue").json()["conversations"]
    assert conversation in [one["conversation_id"] for one in waiting]
    held = post(desk, f"{here}/take", agent="ann")
    token = {"agent": "ann", "fence": held["fence"]}
    post(desk, f"{here}/typing", **token)
    standing = api.get(f"/api{here}/messages").json()["handoff"]
    assert (standing["state"], standing["agent"], standing["typing"]) == ("human", "Ann", True)
    post(desk, f"{here}/say", 201, text="Hello, Ann here.", client_message_id="1", **token)
    post(desk, f"{here}/say", 201, text="Hello, Ann here.", client_message_id="1", **token)
    silent = ask(api, conversation, "where is my parcel")
    assert (silent["reply"]["text"], silent["reason"]) == ("", "with_human")
    assert silent["intent"]  # read all the same: the console shows it
    post(desk, f"{here}/return", **token)
    again = ask(api, conversation, "how long does standard shipping take")
    assert again["reply"]["text"]
    assert "handoff" not in again
    with Client(server.url) as client:
        roles = [line["role"] for line in client.history(conversation)]
    # asked, given up, joined, the agent, asked, returned, asked, answered
    expected = ["customer", "bot", "bot", "agent", "customer", "bot", "customer", "bot"]
    assert roles == expected
    standing = api.get(f"/api{here}/messages").json()["handoff"]
    assert (standing["state"], standing["typing"]) == ("returned", False)


def test_of_two_agents_one_is_told_that_it_is_too_late(
    api: httpx.Client, desk: httpx.Client
) -> None:
    conversation = new_id()
    here = f"/conversations/{conversation}"
    ask(api, conversation, "转人工")
    held = post(desk, f"{here}/take", agent="ann")
    refused = post(desk, f"{here}/take", 409, agent="bo")
    assert refused["error"]["code"] == "refused"
    late = post(desk, f"{here}/say", 409, agent="bo", fence=held["fence"], text="me too")
    assert "not yours" in late["error"]["message"]
    closed = post(desk, f"{here}/close", agent="ann", fence=held["fence"])
    assert closed["state"] == "closed"
    after = post(desk, f"{here}/say", 409, agent="ann", fence=held["fence"], text="one more")
    assert after["error"]["code"] == "refused"
    back = ask(api, conversation, "你好")
    assert back["reply"]["text"].startswith("欢迎回来。")


def test_a_follower_is_told_who_has_the_conversation(api: httpx.Client, desk: httpx.Client) -> None:
    conversation = new_id()
    ask(api, conversation, "a human please")
    path = f"/api/conversations/{conversation}/messages"
    seen: list[str] = []
    with api.stream("GET", path, headers={"Accept": "text/event-stream"}) as stream:
        for line in stream.iter_lines():
            seen.append(line)
            if "event: status" in line and len([s for s in seen if "event: status" in s]) == 1:
                post(desk, f"/conversations/{conversation}/take", agent="ann")
            if '"agent": "Ann"' in line:
                break
    assert any('"state": "queued"' in line for line in seen)


def test_a_summary_tells_the_person_what_it_is_about(api: httpx.Client, desk: httpx.Client) -> None:
    conversation = new_id()
    ask(api, conversation, "where is my parcel")
    ask(api, conversation, "forget it, a human please")
    found = desk.get(f"/conversations/{conversation}/summary").json()
    assert found["questions"] == ["where is my parcel", "forget it, a human please"]
    assert found["tried"][0]["action"] == "action_order_status"


def test_the_desk_wants_the_consoles_token(api: httpx.Client, desk: httpx.Client) -> None:
    for method, path in (("GET", "queue"), ("GET", "agents"), ("POST", "conversations/c/take")):
        body = {"agent": "ann"} if method == "POST" else None
        answer = api.request(method, f"/api/desk/{path}", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "http")
        assert answer.json()["error"]["reason"] == "signed_out"
    assert desk.post("/conversations/nowhere/take", json={"agent": "ann"}).status_code == 404
    assert desk.post("/agents/nobody/presence", json={}).status_code == 404


def test_presence_prolongs_every_lease_of_the_agent_when_asked_to(
    api: httpx.Client, desk: httpx.Client
) -> None:
    desk.put("/agents", json={"id": "kim", "name": "Kim", "capacity": 5}).raise_for_status()
    for _ in range(2):
        conversation = new_id()
        ask(api, conversation, "a human please")
        post(desk, f"/conversations/{conversation}/take", agent="kim")
    assert post(desk, "/agents/kim/presence", online=True)["renewed"] == 0
    assert post(desk, "/agents/kim/presence", online=True, renew=True)["renewed"] == 2
