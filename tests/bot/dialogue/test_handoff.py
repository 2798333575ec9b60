"""Who may speak: the rules of the hand-off, each by itself and in every order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from careline_benchmarks import handoff as bench
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bot.dialogue import handoff
from bot.dialogue.handoff import (
    LEASE,
    TYPING,
    AgentAssigned,
    AgentSpoke,
    AgentTyping,
    Assignment,
    ConversationClosed,
    ConversationOwner,
    CustomerSilent,
    CustomerWrote,
    HandedOff,
    HandoffRefusedError,
    LeaseRenewed,
    QueueLeft,
    ReturnedToBot,
    TimePassed,
    TokenShown,
    Transferred,
    move,
)

NOON = datetime(2026, 3, 11, 12, tzinfo=UTC)
PATIENCE = timedelta(minutes=5)
QUEUED = move(Assignment(), HandedOff("support"), NOON).assignment
WITH_ANN = move(QUEUED, AgentAssigned("ann", "Ann"), NOON).assignment


def told(assignment: Assignment, event: Any, at: datetime = NOON) -> list[str]:
    return [notice.template for notice in move(assignment, event, at).notices]


def test_a_conversation_goes_from_the_bot_to_a_person_and_back() -> None:
    assert (QUEUED.owner, QUEUED.queue, QUEUED.since) == (ConversationOwner.QUEUED, "support", NOON)
    assert (WITH_ANN.owner, WITH_ANN.agent) == (ConversationOwner.HUMAN, "ann")
    back = move(WITH_ANN, ReturnedToBot("ann", WITH_ANN.fence), NOON).assignment
    assert (back.owner, back.agent) == (ConversationOwner.RETURNED, None)
    closed = move(back, ConversationClosed(), NOON).assignment
    assert closed.owner is ConversationOwner.CLOSED
    assert move(closed, CustomerWrote(), NOON).assignment.owner is ConversationOwner.BOT
    tokens = [c.fence for c in (Assignment(), QUEUED, WITH_ANN, back, closed)]
    assert tokens == [0, 1, 2, 3, 4]


def test_the_customer_is_told_of_every_change_the_bot_does_not_tell_itself() -> None:
    fence = WITH_ANN.fence
    assert told(QUEUED, AgentAssigned("ann", "Ann")) == ["handoff_joined"]
    assert told(QUEUED, QueueLeft()) == ["handoff_withdrawn"]
    assert told(WITH_ANN, ReturnedToBot("ann", fence)) == ["handoff_returned"]
    assert told(WITH_ANN, Transferred("ann", fence, queue="billing")) == ["handoff_transferred"]
    assert told(WITH_ANN, Transferred("ann", fence, to="bo", name="Bo")) == ["handoff_joined"]
    assert told(WITH_ANN, ConversationClosed(TokenShown("ann", fence))) == ["closed"]
    assert told(WITH_ANN, TimePassed(PATIENCE), NOON + 2 * LEASE) == ["handoff_agent_left"]
    assert told(QUEUED, TimePassed(PATIENCE), NOON + PATIENCE) == ["handoff_contact"]
    closed = move(Assignment(), ConversationClosed(), NOON).assignment
    assert told(closed, CustomerWrote()) == ["reopened"]


def test_of_two_who_take_it_the_second_is_refused() -> None:
    with pytest.raises(HandoffRefusedError, match="colleague"):
        move(WITH_ANN, AgentAssigned("bo", "Bo"), NOON)
    again = move(WITH_ANN, AgentAssigned("ann", "Ann"), NOON)
    assert (again.assignment.fence, again.notices) == (WITH_ANN.fence, ())


@pytest.mark.parametrize(
    "event", [AgentSpoke, LeaseRenewed, AgentTyping, ReturnedToBot, Transferred]
)
def test_an_old_token_or_another_agent_is_refused(event: type[Any]) -> None:
    for agent, fence in (("ann", WITH_ANN.fence - 1), ("bo", WITH_ANN.fence)):
        with pytest.raises(HandoffRefusedError, match="not yours"):
            move(WITH_ANN, event(agent, fence), NOON)
        with pytest.raises(HandoffRefusedError, match="not yours"):
            move(QUEUED, event(agent, fence), NOON)


def test_an_agent_not_heard_of_loses_the_conversation_but_not_the_customers_place() -> None:
    late = NOON + LEASE + timedelta(seconds=1)
    with pytest.raises(HandoffRefusedError, match="too long"):
        move(WITH_ANN, AgentSpoke("ann", WITH_ANN.fence), late)
    lost = move(WITH_ANN, TimePassed(PATIENCE), late).assignment
    assert (lost.owner, lost.since) == (ConversationOwner.QUEUED, QUEUED.since)
    renewed = move(WITH_ANN, LeaseRenewed("ann", WITH_ANN.fence), NOON + LEASE).assignment
    assert move(renewed, TimePassed(PATIENCE), late).assignment == renewed


def test_typing_ends_by_itself_with_a_message_and_with_the_conversation() -> None:
    fence = WITH_ANN.fence
    typing = move(WITH_ANN, AgentTyping("ann", fence), NOON).assignment
    assert typing.is_typing(NOON)
    assert not typing.is_typing(NOON + TYPING)
    for event in (
        AgentSpoke("ann", fence),
        AgentTyping("ann", fence, on=False),
        ReturnedToBot("ann", fence),
    ):
        assert not move(typing, event, NOON).assignment.is_typing(NOON)


def test_who_waits_for_long_is_asked_for_an_address_once() -> None:
    asked = move(QUEUED, TimePassed(PATIENCE), NOON + PATIENCE).assignment
    assert asked.asked_contact
    assert move(asked, TimePassed(PATIENCE), NOON + 9 * PATIENCE).notices == ()
    assert move(QUEUED, TimePassed(PATIENCE), NOON + PATIENCE / 2).notices == ()


def test_a_silent_customer_is_asked_once_and_then_the_conversation_is_closed() -> None:
    asked = move(Assignment(), CustomerSilent(), NOON)
    assert [notice.template for notice in asked.notices] == ["still_there"]
    assert told(asked.assignment, CustomerSilent()) == ["closed_silence"]
    assert not move(asked.assignment, CustomerWrote(), NOON).assignment.asked_silent
    for waits in (QUEUED, WITH_ANN):  # who waits for a person is not closed on
        assert move(waits, CustomerSilent(), NOON).assignment == waits


def test_only_the_bots_conversations_end_by_themselves() -> None:
    for assignment in (QUEUED, WITH_ANN):
        with pytest.raises(HandoffRefusedError):
            move(assignment, ConversationClosed(), NOON)


def test_the_bot_gives_up_only_what_it_has() -> None:
    with pytest.raises(HandoffRefusedError):
        move(WITH_ANN, HandedOff("support"), NOON)
    moved = move(QUEUED, HandedOff("security"), NOON).assignment
    assert (moved.owner, moved.queue, moved.fence) == (
        ConversationOwner.QUEUED,
        "security",
        QUEUED.fence,
    )


_AGENTS = st.sampled_from(["ann", "bo"])
_TOKENS = st.integers(0, 12)
_EVENTS = st.one_of(
    st.builds(HandedOff, st.sampled_from(["support", "billing"])),
    st.just(CustomerWrote()),
    st.just(QueueLeft()),
    st.builds(AgentAssigned, _AGENTS, st.just("A name")),
    st.builds(AgentSpoke, _AGENTS, _TOKENS),
    st.builds(LeaseRenewed, _AGENTS, _TOKENS),
    st.builds(AgentTyping, _AGENTS, _TOKENS, st.booleans()),
    st.builds(ReturnedToBot, _AGENTS, _TOKENS),
    st.builds(Transferred, _AGENTS, _TOKENS, st.just("billing"), st.none() | _AGENTS),
    st.builds(ConversationClosed, st.none() | st.builds(TokenShown, _AGENTS, _TOKENS)),
    st.just(TimePassed(PATIENCE)),
    st.just(CustomerSilent()),
)


class AnyOrder(RuleBasedStateMachine):
    """Everything may happen at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.at = NOON
        self.now = Assignment()
        self.before = Assignment()
        self.told = 0
        self.event: Any = None

    @rule(event=_EVENTS, seconds=st.sampled_from([0, 1, 30, 200, 400]))
    def happens(self, event: Any, seconds: int) -> None:
        self.at += timedelta(seconds=seconds)
        self.before, self.event, self.told = self.now, event, 0
        try:
            moved = move(self.now, event, self.at)
        except HandoffRefusedError:
            return
        self.now, self.told = moved.assignment, len(moved.notices)

    @invariant()
    def one_owner_at_a_time(self) -> None:
        assert (self.now.agent is not None) == (self.now.owner is ConversationOwner.HUMAN)
        assert (self.now.lease_until is not None) == (self.now.owner is ConversationOwner.HUMAN)

    @invariant()
    def the_token_grows_with_every_change_of_the_owner(self) -> None:
        same = (self.before.owner, self.before.agent) == (self.now.owner, self.now.agent)
        if not same:
            assert self.now.fence == self.before.fence + 1
            assert self.told or isinstance(self.event, HandedOff)
        assert self.now.fence >= self.before.fence

    @invariant()
    def nothing_is_left_of_who_had_it_before(self) -> None:
        if self.now.fence != self.before.fence:
            assert self.now.typing_until is None
            assert not self.now.asked_silent

    @invariant()
    def who_waits_can_be_taken_and_can_leave(self) -> None:
        if self.now.owner is ConversationOwner.QUEUED:
            assert self.now.since is not None
            assert (
                move(self.now, AgentAssigned("cy", "Cy"), self.at).assignment.owner
                is ConversationOwner.HUMAN
            )
            assert move(self.now, QueueLeft(), self.at).assignment.owner in handoff.WITH_BOT


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_thousand_interleavings_break_no_rule() -> None:
    assert not set().union(*(bench.run(seed).wrong for seed in range(1000)))


@pytest.mark.parametrize("fault", sorted(bench._FAULTS))
def test_a_fault_planted_in_a_rule_is_found(fault: str) -> None:
    assert any(fault in bench.run(seed, fault).wrong for seed in range(200))
