from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.actions import rasa_protocol
from bot.actions.calls import ActionReply, ActionResult
from bot.actions.rasa_protocol import InvalidActionResponseError
from bot.core.types import Button
from tests.bot.actions.calling import as_customer, call

CALL = call("action_x", customer="eve", size="M")


def test_who_a_visitor_is_comes_from_the_call_and_from_no_slot() -> None:
    assert rasa_protocol.body(CALL, with_domain=True)["tracker"]["slots"] == {
        "size": "M", "customer": None,
    }  # fmt: skip
    known = rasa_protocol.body(as_customer(CALL, "c-1"), with_domain=True)
    assert known["tracker"]["slots"]["customer"] == "c-1"


def test_the_domain_goes_along_when_it_is_wanted() -> None:
    bare, full = (rasa_protocol.body(CALL, with_domain=wanted) for wanted in (False, True))
    assert "domain" not in bare
    assert full["domain"]["actions"] == ["action_x"]
    assert bare["domain_digest"] == full["domain_digest"]


@pytest.mark.parametrize(
    "payload",
    [
        "text", 5, [], [{}], True, {"events": {}}, {"events": "x"}, {"responses": ["a"]},
        {"responses": [None]}, {"events": [1]}, {"responses": [{"text": "x" * 20_001}]},
        {"responses": [{"text": "a"}] * 51},
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused(payload: Any) -> None:
    with pytest.raises(InvalidActionResponseError):
        rasa_protocol.answer(payload, CALL)


@pytest.mark.parametrize("payload", [None, {}, {"events": None, "responses": None}])
def test_an_answer_may_hold_nothing(payload: Any) -> None:
    assert rasa_protocol.answer(payload, CALL) == ActionResult(())


def test_buttons_are_passed_on_and_pictures_are_not() -> None:
    buttons = [{"title": "Yes", "payload": "/yes"}, {"title": "No"}, {"payload": "/x"}, "z", None]
    responses = [
        {"text": "Sure?", "buttons": buttons, "image": "http://x/y.png"},
        {"image": "http://x/y.png", "text": ""},
        {"custom": {"a": 1}, "text": None, "buttons": "none"},
        {"buttons": buttons[:1]},
    ]
    found = rasa_protocol.answer({"responses": responses}, CALL).said
    yes, no = Button("Yes", "/yes"), Button("No", "No")
    assert found == (ActionReply("Sure?", None, {}, (yes, no)), ActionReply("", None, {}, (yes,)))


def test_slots_are_kept_as_text() -> None:
    values = {"a": 1, "b": True, "c": ["x", "y"], "d": None, "e": "", "f": "z", "g": {"h": 2}}
    events = [{"event": "slot", "name": name, "value": value} for name, value in values.items()]
    assert dict(rasa_protocol.answer({"events": events}, CALL).slots) == {
        "a": "1", "b": "true", "c": '["x", "y"]', "d": None, "e": None, "f": "z", "g": '{"h": 2}',
    }  # fmt: skip


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["event", "name", "value", "text", "buttons", "title", "response"]),
            inner | st.sampled_from(["slot", "followup", "reset_slots", "pause"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=3), st.lists(JSON, max_size=3))
def test_whatever_comes_is_an_answer_or_refused(events: Any, responses: Any) -> None:
    try:
        found = rasa_protocol.answer({"events": events, "responses": responses}, CALL)
    except InvalidActionResponseError:
        return
    assert all(isinstance(v, str | None) for v in found.slots.values())
    assert all(said.text is not None or said.template for said in found.said)
