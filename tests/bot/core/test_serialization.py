import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.core import serialization
from bot.core.types import (
    Button,
    Citation,
    Decision,
    Entity,
    Handoff,
    IntentScore,
    Message,
    Reply,
    Route,
    ServingVersions,
    Turn,
    Understanding,
)
from knowledge_base.documents import SearchHit
from tests.knowledge_base.fakes import passage

TEXT = "Ship A10234 to ann@example.com, 电话 13812345678"


@pytest.fixture
def turn() -> Turn:
    at = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
    mail, phone = TEXT.index("ann@"), TEXT.index("138")
    return Turn(
        message=Message(TEXT, "c1", "s1", "widget", "client-1", "m1", at),
        understanding=Understanding(
            "mixed",
            "neutral",
            "calm",
            "order_status",
            0.8,
            (IntentScore("order_status", 0.8), IntentScore("human", 0.1)),
            (
                Entity("order_number", "A10234", "A10234", 5, 11),
                Entity("email", "ANN@EXAMPLE.COM", "ann@example.com", mail, mail + 15),
                Entity("phone", "13812345678", "13812345678", phone, phone + 11),
            ),
        ),
        decision=Decision(Route.ACT, "route:order_status", "order_status", action="look"),
        reply=Reply(
            "It is on its way.",
            (Citation("a.md", "A", "on its way", 3, 13, "https://shop.example/a"),),
            (Button("Talk to a person", "human"),),
            ("b.md",),
            "extractive",
        ),
        versions=ServingVersions("m-1", "k-1", "t-1", "p-1"),
        evidence=(SearchHit(passage("It is on its way."), 0.5, 0.6, 0.7),),
        slots=(("order_number", "A10234"),),
        timings_ms=(("understand", 1.5), ("total", 2.0)),
        reply_id="r1",
    )


def test_a_turn_has_the_keys_that_scripts_rely_on(turn: Turn) -> None:
    body = serialization.turn_json(turn)
    assert set(body) >= {
        "message_id", "conversation_id", "language", "sentiment", "emotion", "intent",
        "confidence", "ranking", "entities", "requests", "route", "reason", "reply", "versions",
        "timings_ms",
    }  # fmt: skip
    assert set(body["reply"]) >= {"text", "citations", "buttons", "related"}
    assert set(body["reply"]["citations"][0]) >= {
        "article", "title", "quote", "start", "end", "url",
    }  # fmt: skip
    assert set(body["reply"]["buttons"][0]) >= {"title", "payload"}
    assert set(body["entities"][0]) >= {"entity", "value", "text", "start", "end"}
    assert set(body["requests"][0]) >= {"text", "start", "end", "intent", "confidence", "route"}
    assert set(body["ranking"][0]) >= {"intent", "confidence"}
    assert set(body["versions"]) >= {"model", "knowledge", "templates", "policy"}


def test_a_turn_says_what_was_decided(turn: Turn) -> None:
    body = serialization.turn_json(turn)
    assert (body["message_id"], body["conversation_id"]) == ("m1", "c1")
    assert (body["route"], body["reason"]) == ("act", "route:order_status")
    assert (body["intent"], body["confidence"]) == ("order_status", 0.8)
    assert body["reply"]["text"] == "It is on its way."
    assert body["timings_ms"] == {"understand": 1.5, "total": 2.0}
    assert body["versions"]["model"] == "m-1"


def test_offsets_of_requests_and_entities_lead_into_the_message(turn: Turn) -> None:
    body = serialization.turn_json(turn)
    for part in [*body["entities"], *body["requests"]]:
        assert TEXT[part["start"] : part["end"]] == part["text"]


def test_a_turn_is_plain_json(turn: Turn) -> None:
    body = serialization.turn_json(turn)
    assert json.loads(json.dumps(body)) == body


def test_the_hand_off_is_told_only_when_there_is_one(turn: Turn) -> None:
    assert "handoff" not in serialization.turn_json(turn)
    waiting = replace(turn, handoff=Handoff("queued", "support", 2))
    assert serialization.turn_json(waiting)["handoff"] == {
        "state": "queued",
        "queue": "support",
        "position": 2,
    }


def test_a_record_gives_back_the_turn(turn: Turn) -> None:
    turn = replace(turn, handoff=Handoff("queued", "support", 1))
    stored = json.loads(json.dumps(serialization.to_record(turn)))
    assert serialization.from_record(stored) == serialization.without_personal_data(turn)


def test_a_record_without_personal_data_gives_back_the_very_turn(turn: Turn) -> None:
    message = replace(turn.message, text="订单 A10234 到哪了？")
    plain = replace(turn, message=message, understanding=replace(turn.understanding, entities=()))
    assert (
        serialization.from_record(json.loads(json.dumps(serialization.to_record(plain)))) == plain
    )


def test_a_record_holds_no_personal_data(turn: Turn) -> None:
    record = json.dumps(serialization.to_record(turn), ensure_ascii=False).lower()
    assert "ann@example" not in record
    assert "13812345678" not in record
    assert "[email]" in record
    assert "a10234" in record


def test_slots_in_a_record_hold_no_personal_data(turn: Turn) -> None:
    filled = replace(turn, slots=(("phone", "13812345678"), ("order_number", "A10234")))
    record = json.dumps(serialization.to_record(filled))
    assert "13812345678" not in record
    assert "A10234" in record


def test_the_shops_own_words_stay(turn: Turn) -> None:
    spoken = replace(turn, reply=replace(turn.reply, text="Write to help@shop.example."))
    assert serialization.without_personal_data(spoken).reply == spoken.reply


def test_a_trace_explains_without_personal_data(turn: Turn) -> None:
    trace = serialization.trace_json(turn)
    text = json.dumps(trace, ensure_ascii=False).lower()
    assert "ann@example" not in text
    assert "13812345678" not in text
    assert trace["composer"] == "extractive"
    assert trace["candidates"][0]["article"] == "returns.md"
    assert len(trace["citations"][0]["sha256"]) == 64
