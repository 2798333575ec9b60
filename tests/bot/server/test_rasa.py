"""Rasa's REST channel, spoken as an unmodified client of Rasa speaks it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest

from bot.core.signatures import conversation_id
from bot.core.types import Button, Reply, Turn, new_id
from bot.integrations.rasa import tracker as rasa_tracker
from bot.server.routes import rasa
from tests.bot.server.turns import turn_with
from tests.running import Server

Json = dict[str, Any]


def say(api: httpx.Client, text: str, sender: str) -> list[Json]:
    answer = api.post("/webhooks/rest/webhook", json={"sender": sender, "message": text})
    assert answer.status_code == 200
    messages: list[Json] = answer.json()
    return messages


def token_of(server: Server) -> str:
    secrets = json.loads((server.home / ".secrets.json").read_text(encoding="utf-8"))
    token: str = secrets["token"]
    return token


def test_the_channel_says_that_it_is_there(api: httpx.Client) -> None:
    assert api.get("/webhooks/rest/").json() == {"status": "ok"}


def test_a_message_is_answered_with_a_list_of_messages(api: httpx.Client) -> None:
    sender = new_id()
    found = say(api, "how do I wash a rain jacket?", sender)
    assert {message["recipient_id"] for message in found} == {sender}
    assert all(message["text"] for message in found)
    assert found[-1]["metadata"]["citations"][0]["quote"]
    assert found[-1]["metadata"]["route"] == "retrieve"


def test_without_a_sender_it_is_the_default_one(api: httpx.Client) -> None:
    found = api.post("/webhooks/rest/webhook", json={"message": "hello"}).json()
    assert found[0]["recipient_id"] == "default"


def test_a_sender_goes_on_with_a_conversation(api: httpx.Client) -> None:
    sender = new_id()
    say(api, "where is my parcel", sender)
    answered = say(api, "A10234", sender)
    assert answered[-1]["metadata"]["reason"] in {"slot_filled", "missing_slot"}  # of the form


def test_buttons_come_back_as_the_payload_that_was_pressed(api: httpx.Client) -> None:
    sender = new_id()
    found = say(api, "/greet", sender)
    assert found[0]["text"]
    turn = turn_with(Reply("Which one?", buttons=(Button("Returns", "/returns"),)))
    (message,) = rasa.responses(turn, turn.reply.text, sender)
    assert message["buttons"] == [{"title": "Returns", "payload": "/returns"}]


def test_a_line_that_is_an_image_becomes_one() -> None:
    turn = turn_with(Reply("Look:\n![the bag](https://shop.example/bag.png)\nNice?"))
    found = rasa.responses(turn, turn.reply.text, "me")
    assert [message.get("text") or message["image"] for message in found] == [
        "Look:",
        "https://shop.example/bag.png",
        "Nice?",
    ]


def test_while_a_person_has_the_conversation_the_list_is_empty() -> None:
    assert rasa.responses(turn_with(Reply("")), "", "me") == []


def test_a_stream_says_the_same_sentence_by_sentence(api: httpx.Client) -> None:
    body = {"sender": new_id(), "message": "how do I wash a rain jacket?"}
    with api.stream("POST", "/webhooks/rest/webhook?stream=true", json=body) as answer:
        assert answer.status_code == 200
        streamed = [json.loads(line) for line in answer.iter_lines()]
    whole = say(api, body["message"], new_id())
    words = " ".join(message["text"] for message in streamed).split()
    assert words == " ".join(message["text"] for message in whole).split()
    assert streamed[-1]["metadata"]["citations"] == whole[-1]["metadata"]["citations"]
    assert all("metadata" not in message for message in streamed[:-1])


def test_a_message_with_an_id_is_answered_once(api: httpx.Client) -> None:
    body = {
        "sender": new_id(),
        "message": "hello",
        "metadata": {"client_message_id": "once"},
    }
    twice = [api.post("/webhooks/rest/webhook", json=body).json() for _ in range(2)]
    assert twice[0] == twice[1]


def test_a_text_is_parsed_and_not_kept(api: httpx.Client, server: Server) -> None:
    text = "where is my order A10234"
    found = api.post("/model/parse", json={"text": text}).json()
    assert found["text"] == text
    assert found["intent"]["name"] == "order_status"
    assert found["intent_ranking"][0] == found["intent"]
    assert all(
        text[entity["start"] : entity["end"]] == entity["text"] for entity in found["entities"]
    )
    marked = "parse marks zzyzx"
    api.post("/model/parse", json={"text": marked})
    assert "zzyzx" not in server.output.read_text(encoding="utf-8")


def test_the_tracker_tells_the_conversation_to_holders_of_the_token(
    api: httpx.Client, server: Server
) -> None:
    sender = new_id()
    say(api, "where is my parcel", sender)
    say(api, "A10234", sender)
    path = f"/conversations/{sender}/tracker"
    assert api.get(path).status_code == 401
    assert api.get(path, params={"token": "guess"}).status_code == 401
    found = api.get(path, params={"token": token_of(server)}).json()
    assert found == api.get(path, headers={"Authorization": f"Bearer {token_of(server)}"}).json()
    assert found["sender_id"] == sender
    assert found["latest_message"]["text"]
    assert found["latest_message"]["intent"].keys() == {"name", "confidence"}
    kinds = [event["event"] for event in found["events"]]
    assert (kinds.count("user"), kinds.count("bot")) == (2, 2)
    assert "slot" in kinds
    times = [event["timestamp"] for event in found["events"]]
    assert times == sorted(times)
    assert found["slots"]
    bare = api.get(path, params={"token": token_of(server), "include_events": "NONE"}).json()
    assert bare["events"] is None


def test_a_sender_nobody_knows_has_an_empty_tracker(api: httpx.Client, server: Server) -> None:
    path = f"/conversations/{new_id()}/tracker"
    found = api.get(path, params={"token": token_of(server)}).json()
    assert (found["events"], found["slots"]) == ([], {})


def test_a_turn_that_was_forgotten_leaves_its_words() -> None:
    from bot.dialogue.state import State

    line = {"id": "1", "role": "customer", "text": "hi", "at": "2026-01-31T09:30:00+00:00"}
    found = rasa_tracker.tracker("me", [line], [], State())
    assert found["latest_message"]["text"] == "hi"
    assert found["latest_message"]["intent"] == {}


def test_knowing_a_sender_does_not_open_the_history(api: httpx.Client, server: Server) -> None:
    say(api, "hello", "a-guessable-sender")
    guess = api.get("/api/conversations/a-guessable-sender/messages")
    assert guess.status_code == 404
    known = conversation_id(token_of(server), "rasa", "a-guessable-sender")
    assert api.get(f"/api/conversations/{known}/messages").status_code == 200
    assert conversation_id("another", "rasa", "a-guessable-sender") != known
    assert conversation_id(token_of(server), "other", "a-guessable-sender") != known


@pytest.mark.parametrize(
    "body",
    [{"sender": "x"}, {"sender": "x", "message": " "}, {"sender": "y" * 300, "message": "a"}],
)
def test_what_cannot_be_answered_gets_a_clear_error(api: httpx.Client, body: Json) -> None:
    answer = api.post("/webhooks/rest/webhook", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]


def test_a_token_closes_webhook_and_parser(connected: Server) -> None:
    with httpx.Client(base_url=connected.url, timeout=300) as api:
        body = {"sender": new_id(), "message": "hello", "text": "hello"}
        for path in ("/webhooks/rest/webhook", "/model/parse"):
            assert api.post(path, json=body).status_code == 401
            assert api.post(path, json=body, params={"token": "rasa-tokem"}).status_code == 401
            assert api.post(path, json=body, params={"token": "rasa-token"}).status_code == 200
            headers = {"Authorization": "Bearer rasa-token"}
            assert api.post(path, json=body, headers=headers).status_code == 200
        tracker = f"/conversations/{body['sender']}/tracker"
        assert api.get(tracker, params={"token": "rasa-token"}).status_code == 200


class Told:
    """An answering whose events are given."""

    def __init__(self, *found: str | Turn | None) -> None:
        self.found = found

    async def events(self) -> AsyncIterator[str | Turn | None]:
        for event in self.found:
            yield event


def streamed(*found: str | Turn | None) -> list[str]:
    async def read() -> list[str]:
        lines = rasa._lines(cast("Any", Told(*found)), "me")
        return [json.loads(line).get("text", "") async for line in lines]

    return asyncio.run(read())


def test_a_sentence_leaves_when_the_next_one_begins() -> None:
    reply = turn_with(Reply("Two years. Keep the bill!"))
    assert streamed("Two ", "years. ", None, "Keep the bill!", reply) == [
        "Two years.",
        "Keep the bill!",
    ]


def test_words_that_were_overtaken_are_not_said() -> None:
    assert streamed("Two years", turn_with(Reply(""))) == []
    assert streamed("Two years", turn_with(Reply("A colleague is here."))) == [
        "A colleague is here."
    ]
