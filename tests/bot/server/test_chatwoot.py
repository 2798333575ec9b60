"""Chatwoot's agent bot: webhooks as Chatwoot writes them, answered through its API."""

import json
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import httpx
import pytest

from bot.core.signatures import signature
from bot.core.types import Button, Citation, Handoff, Reply, Turn
from bot.integrations.chatwoot import client as chatwoot_api
from tests.bot.server.neighbour import Neighbour
from tests.bot.server.turns import turn_with
from tests.running import Server

Json = dict[str, Any]
SECRET = "chatwoot-secret"
_numbers = count(1000)


@pytest.fixture
def bot(connected: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=connected.url, timeout=300) as client:
        yield client


@pytest.fixture
def conversation() -> int:
    """Return a conversation of Chatwoot that no other test has."""
    return next(_numbers)


def written(content: str | None, conversation: int, **more: Any) -> Json:
    """Return a webhook about a message, shaped as Chatwoot's agent bots get it."""
    return {
        "id": next(_numbers),
        "event": "message_created",
        "content": content,
        "content_type": "text",
        "content_attributes": {},
        "message_type": "incoming",
        "created_at": "2026-11-22T10:00:00.000Z",
        "private": False,
        "source_id": None,
        "additional_attributes": {},
        "account": {"id": 1, "name": "Northpeak"},
        "inbox": {"id": 5, "name": "Website"},
        "sender": {"id": 9, "name": "Jo", "email": "jo@example.org", "type": "contact"},
        "conversation": {
            "id": conversation,
            "inbox_id": 5,
            "status": "pending",
            "can_reply": True,
            "channel": "Channel::WebWidget",
            "labels": [],
            "meta": {"sender": {"id": 9, "name": "Jo"}, "assignee": None},
            "messages": [{"id": 1, "account_id": 1, "message_type": 0}],
            "timestamp": 1795341600,
        },
        **more,
    }


def deliver(bot: httpx.Client, hook: Json, secret: str = SECRET, age: float = 0) -> httpx.Response:
    raw = json.dumps(hook).encode()
    timestamp = str(int(time.time() - age))
    headers = {
        "Content-Type": "application/json",
        "X-Chatwoot-Timestamp": timestamp,
        "X-Chatwoot-Signature": signature(secret, timestamp, raw),
        "X-Chatwoot-Delivery": "4d9f0c0e",
    }
    return bot.post("/webhooks/chatwoot", content=raw, headers=headers)


def place(conversation: int) -> str:
    return f"/api/v1/accounts/1/conversations/{conversation}/"


def test_a_message_is_answered_through_chatwoots_api(
    bot: httpx.Client, neighbour: Neighbour, conversation: int
) -> None:
    answer = deliver(bot, written("How do I wash my rain jacket?", conversation))
    assert (answer.status_code, answer.json()) == (200, {"status": "accepted"})
    (sent,) = neighbour.wait_for(f"{place(conversation)}messages")
    assert sent.headers["api_access_token"] == "bot-token"
    assert sent.body["message_type"] == "outgoing"
    assert "30" in sent.body["content"]
    assert sent.body["private"] is False
    typing = neighbour.accepted(f"{place(conversation)}toggle_typing_status")
    assert typing[0].body == {"typing_status": "on"}
    assert typing[-1].body == {"typing_status": "off"}
    assert neighbour.accepted(f"{place(conversation)}toggle_status") == []


def test_a_repeated_webhook_is_answered_once(
    bot: httpx.Client, neighbour: Neighbour, conversation: int
) -> None:
    hook = written("hello", conversation)
    assert [deliver(bot, hook).status_code for _ in range(3)] == [200, 200, 200]
    neighbour.wait_for(f"{place(conversation)}messages")
    deliver(bot, written("how long is the warranty?", conversation))
    assert len(neighbour.wait_for(f"{place(conversation)}messages", 2)) == 2
    time.sleep(0.3)
    assert len(neighbour.accepted(f"{place(conversation)}messages")) == 2


def test_a_handoff_opens_the_conversation_after_the_last_words(
    bot: httpx.Client, neighbour: Neighbour, conversation: int
) -> None:
    deliver(bot, written("I want to talk to a human", conversation))
    (opened,) = neighbour.wait_for(f"{place(conversation)}toggle_status")
    assert opened.body == {"status": "open"}
    paths = [sent.path for sent in neighbour.accepted(place(conversation))]
    assert paths.index(f"{place(conversation)}messages") < paths.index(opened.path)


@pytest.mark.parametrize(
    "change",
    [
        {"message_type": "outgoing"},
        {"private": True},
        {"event": "conversation_updated"},
        {"event": "message_updated"},
        {"event": "webwidget_triggered", "conversation": None},
        {"conversation": {"id": 7, "status": "open"}},
        {"conversation": {"id": 7, "status": "resolved"}},
        {"conversation": {"id": 7, "status": "snoozed"}},
    ],
)
def test_what_is_not_the_bots_to_answer_is_ignored(
    bot: httpx.Client, neighbour: Neighbour, conversation: int, change: Json
) -> None:
    answer = deliver(bot, {**written("hello", conversation), **change})
    assert (answer.status_code, answer.json()) == (200, {"status": "ignored"})
    time.sleep(0.05)
    assert neighbour.accepted(place(conversation)) == []
    assert neighbour.accepted(place(7)) == []


def test_a_pressed_button_is_the_customers_message(
    bot: httpx.Client, neighbour: Neighbour, conversation: int
) -> None:
    chosen = {"submitted_values": [{"title": "Warranty", "value": "/warranty"}]}
    hook = written(
        "Which one?",
        conversation,
        event="message_updated",
        message_type="outgoing",
        content_type="input_select",
        content_attributes=chosen,
    )
    assert deliver(bot, hook).json() == {"status": "accepted"}
    assert neighbour.wait_for(f"{place(conversation)}messages")


@pytest.mark.parametrize("content", [None, "", "x" * 20_000])
def test_what_cannot_be_read_is_for_people(
    bot: httpx.Client, neighbour: Neighbour, conversation: int, content: str | None
) -> None:
    assert deliver(bot, written(content, conversation)).json() == {"status": "handed over"}
    neighbour.wait_for(f"{place(conversation)}toggle_status")
    assert neighbour.accepted(f"{place(conversation)}messages") == []


def test_a_chatwoot_that_is_down_gets_the_reply_later_and_in_order(
    bot: httpx.Client, neighbour: Neighbour, conversation: int
) -> None:
    neighbour.plan[f"{place(conversation)}messages"] = [503, 429]
    deliver(bot, written("hello", conversation))
    deliver(bot, written("how long is the warranty?", conversation))
    first, second = neighbour.wait_for(f"{place(conversation)}messages", 2, 40)
    assert "2" in second.body["content"]
    assert first.body["content"] != second.body["content"]
    tried = [sent for sent in neighbour.got if f"{place(conversation)}messages" in sent.path]
    assert [sent.status for sent in tried] == [503, 429, 200, 200]
    assert len({sent.headers["idempotency-key"] for sent in tried[:3]}) == 1


def test_a_reply_that_is_refused_does_not_hold_up_the_next(
    bot: httpx.Client, neighbour: Neighbour, conversation: int
) -> None:
    neighbour.plan[f"{place(conversation)}messages"] = [404]
    deliver(bot, written("hello", conversation))
    deliver(bot, written("how long is the warranty?", conversation))
    (sent,) = neighbour.wait_for(f"{place(conversation)}messages")
    assert "2" in sent.body["content"]


def test_people_are_not_talked_over(
    bot: httpx.Client, neighbour: Neighbour, conversation: int
) -> None:
    neighbour.plan[f"{place(conversation)}messages"] = [503]
    deliver(bot, written("hello", conversation))
    while not [sent for sent in neighbour.got if f"{place(conversation)}messages" in sent.path]:
        time.sleep(0.01)
    opened = written(None, conversation)["conversation"]
    hook = {**opened, "event": "conversation_status_changed", "status": "open"}
    assert deliver(bot, hook).json() == {"status": "noted"}
    time.sleep(1.5)
    assert neighbour.accepted(f"{place(conversation)}messages") == []


@pytest.mark.parametrize(("secret", "age"), [("wrong", 0), (SECRET, 3600), (SECRET, -3600)])
def test_a_wrong_or_old_signature_is_refused(
    bot: httpx.Client, conversation: int, secret: str, age: float
) -> None:
    answer = deliver(bot, written("hello", conversation), secret, age)
    assert answer.status_code == 401
    assert "chatwoot_secret" in answer.json()["error"]["message"]


def test_a_changed_body_is_refused_and_a_secret_in_the_address_taken(
    bot: httpx.Client, conversation: int
) -> None:
    timestamp = str(int(time.time()))
    headers = {
        "X-Chatwoot-Timestamp": timestamp,
        "X-Chatwoot-Signature": signature(SECRET, timestamp, b"{}"),
    }
    hook = written("hello", conversation)
    path = "/webhooks/chatwoot"
    assert bot.post(path, json=hook, headers=headers).status_code == 401
    assert bot.post(path, json=hook, params={"secret": "guess"}).status_code == 401
    assert bot.post(path, json=hook, params={"secret": SECRET}).status_code == 200


@pytest.mark.parametrize(
    "raw", [b"", b"\xff", b"[]", b'{"event": 3}', b'{"event":"x","id":-1}', b"[" * 100_000]
)
def test_what_is_no_webhook_gets_a_clear_error(bot: httpx.Client, raw: bytes) -> None:
    answer = bot.post("/webhooks/chatwoot", content=raw, params={"secret": SECRET})
    assert answer.status_code == 422
    assert "webhook of Chatwoot" in answer.json()["error"]["message"]


def test_without_settings_the_route_says_what_to_set(api: httpx.Client) -> None:
    answer = api.post("/webhooks/chatwoot", json={})
    assert answer.status_code == 404
    assert "chatwoot_secret" in answer.json()["error"]["message"]


def test_a_reply_survives_the_death_of_the_server(
    bot: httpx.Client, connected: Server, neighbour: Neighbour, conversation: int
) -> None:
    neighbour.plan[f"{place(conversation)}messages"] = [503]
    deliver(bot, written("hello", conversation))
    while not [sent for sent in neighbour.got if f"{place(conversation)}messages" in sent.path]:
        time.sleep(0.01)
    time.sleep(0.3)  # killed earlier, it would be tried again when the lease is over
    connected.kill()
    connected.start()
    (sent,) = neighbour.wait_for(f"{place(conversation)}messages")
    assert sent.body["content"]


class Turns(dict[str, Turn]):
    """Turns as the log keeps them."""

    def answered(self, message_id: str, /) -> Turn | None:
        return self.get(message_id)


def carried(turn: Turn | None) -> list[Json]:
    turns = Turns({"m": turn} if turn else {})
    chatwoot = chatwoot_api.ChatwootChannel("http://127.0.0.1:9", "token", turns)
    deliveries = chatwoot.deliver(chatwoot_api.reply_delivery(1, 2, "3", "m"))
    return [dict(delivery.body) for delivery in deliveries]


def test_buttons_are_choices_and_sources_are_links() -> None:
    citation = Citation("w.md", "Warranty", "Two years.", 0, 10, "https://shop.example/w")
    buttons = (Button("Returns", "/returns"),)
    (message,) = carried(turn_with(Reply("Two years.", (citation, citation), buttons)))
    assert message["content"] == {
        "content": "Two years.\n\n[Warranty](https://shop.example/w)",
        "message_type": "outgoing",
        "private": False,
        "content_type": "input_select",
        "content_attributes": {"items": [{"title": "Returns", "value": "/returns"}]},
    }


def test_silence_is_not_sent_but_people_are_called() -> None:
    assert carried(turn_with(Reply(""))) == []
    assert carried(turn_with(Reply(""), Handoff("bot", "support"))) == []
    (status,) = carried(turn_with(Reply(""), Handoff("human", "support")))
    assert status["content"] == {"status": "open"}


def test_a_reply_that_is_not_there_yet_is_fetched_later() -> None:
    from bot.integrations.delivery import DeliveryPostponedError

    with pytest.raises(DeliveryPostponedError):
        carried(None)
