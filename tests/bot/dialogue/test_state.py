import json
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.types import (
    Decision,
    Message,
    Reply,
    Role,
    Route,
    ServingVersions,
    Turn,
    Understanding,
)
from bot.dialogue.handoff import Assignment
from bot.dialogue.state import (
    BOT,
    CLOSED,
    HUMAN,
    QUEUED,
    FormState,
    State,
    Utterance,
    advance,
    from_json,
    to_json,
)

VERSIONS = ServingVersions("m", "k", "t", "p")


def turn(
    decision: Decision,
    *,
    language: str = "en",
    slots: tuple[tuple[str, str], ...] = (),
    text: str = "Where is it?",
) -> Turn:
    understanding = Understanding(language, "neutral", "calm", decision.intent, 0.9)
    return Turn(Message(text), understanding, decision, Reply("There."), VERSIONS, slots=slots)


def routed(
    route: Route = Route.TEMPLATE,
    reason: str = "route:refund",
    *,
    intent: str = "refund",
    queue: str | None = None,
) -> Decision:
    return Decision(route, reason, intent, queue=queue)


def test_what_was_said_is_remembered_in_order() -> None:
    state = advance(advance(State(), turn(routed(), text="一")), turn(routed(), text="二"))
    assert [line.text for line in state.history] == ["一", "There.", "二", "There."]
    assert [line.role for line in state.history] == [Role.CUSTOMER, Role.BOT] * 2


def test_only_the_last_lines_are_remembered() -> None:
    state = State()
    for number in range(20):
        state = advance(state, turn(routed(), text=str(number)))
    assert len(state.history) == 12
    assert state.history[-2].text == "19"


def test_the_language_changes_only_to_one_we_speak() -> None:
    state = advance(State(), turn(routed(), language="zh"))
    assert state.language == "zh"
    for language in ("mixed", "other"):
        assert advance(state, turn(routed(), language=language)).language == "zh"
    assert advance(state, turn(routed(), language="en")).language == "en"


def test_pleasantries_do_not_change_the_subject() -> None:
    state = advance(State(), turn(routed(intent="refund")))
    for reason in ("smalltalk", "no_words"):
        assert advance(state, turn(routed(reason=reason, intent="thanks"))).intent == "refund"
    assert advance(state, turn(routed(intent="shipping"))).intent == "shipping"


def test_slots_are_kept_replaced_and_cleared() -> None:
    state = advance(State(), turn(routed(), slots=(("order_number", "A10234"), ("size", "M"))))
    assert state.slots == {"order_number": "A10234", "size": "M"}
    state = advance(state, turn(routed(), slots=(("order_number", "A10391"),)))
    assert state.slots == {"order_number": "A10391", "size": "M"}
    assert advance(state, turn(routed(), slots=(("order_number", ""),))).slots == {"size": "M"}


def test_what_was_asked_for_and_offered_is_remembered_for_one_turn() -> None:
    asked = Decision(Route.ACT, "missing_slot", "order_status", slot="order_number")
    offered = Decision(Route.CLARIFY, "unsure", "refund", options=("refund", "invoice"))
    state = advance(State(), turn(asked))
    assert state.open_slot == "order_number"
    state = advance(state, turn(offered))
    assert state.options == ("refund", "invoice")
    assert state.open_slot == "order_number"  # the form waits for its slot
    assert advance(state, turn(routed())).options == ()


def test_replies_that_do_not_help_are_counted_until_one_does() -> None:
    state = State()
    for decision in (routed(Route.CLARIFY, "unsure"), routed(reason="no_evidence")):
        state = advance(state, turn(decision))
    assert state.failures == 2
    assert advance(state, turn(routed())).failures == 0


@pytest.mark.parametrize("reason", ["no_evidence", "out_of_scope", "file_received"])
def test_an_offer_of_a_colleague_stands_for_one_turn(reason: str) -> None:
    state = advance(State(), turn(routed(reason=reason)))
    assert state.offered_human
    assert not advance(state, turn(routed())).offered_human


def test_a_hand_off_puts_the_conversation_into_its_queue() -> None:
    state = advance(State(), turn(routed(Route.HANDOFF, "anger", queue="complaints")))
    assert (state.owner, state.queue) == (QUEUED, "complaints")


def test_who_waits_already_stays_in_the_queue_and_with_the_person() -> None:
    again = routed(Route.HANDOFF, "anger", queue="support")
    waiting = State(assignment=Assignment(QUEUED, queue="complaints"))
    assert advance(waiting, turn(again)).queue == "complaints"
    helped = State(assignment=Assignment(HUMAN, queue="complaints"))
    assert advance(helped, turn(again)).owner == HUMAN
    assert advance(waiting, turn(routed())).owner == QUEUED


def test_the_old_state_stays_as_it_was() -> None:
    state = State(slots={"size": "M"})
    advance(state, turn(routed(), slots=(("size", "L"),)))
    assert state == State(slots={"size": "M"})


_WORDS = st.text(max_size=8)
_STATES = st.builds(
    State,
    language=st.sampled_from(["en", "zh", None]),
    history=st.lists(st.builds(Utterance, st.sampled_from(Role), _WORDS), max_size=3).map(tuple),
    intent=st.none() | _WORDS,
    slots=st.dictionaries(_WORDS, _WORDS, max_size=3),
    forms=st.lists(st.builds(FormState, _WORDS, _WORDS, st.integers(1, 3)), max_size=2).map(tuple),
    options=st.lists(_WORDS, max_size=3).map(tuple),
    failures=st.integers(0, 5),
    offered_human=st.booleans(),
    assignment=st.builds(
        Assignment,
        st.sampled_from([BOT, QUEUED, HUMAN, CLOSED]),
        st.integers(0, 5),
        st.none() | _WORDS,
        since=st.none() | st.datetimes(timezones=st.just(UTC)),
    ),
    revision=st.integers(0, 9),
)


@settings(max_examples=50, deadline=None)
@given(_STATES)
def test_a_state_comes_back_from_json_as_it_was(state: State) -> None:
    assert from_json(json.loads(json.dumps(to_json(state)))) == state


def test_a_state_of_an_older_version_gets_the_defaults() -> None:
    assert from_json({}) == State()
