"""The desk on SQLite and on PostgreSQL: one owner at a time, whoever is faster."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from bot.core.types import (
    ConversationChangedError,
    Decision,
    Entity,
    Message,
    NotFoundError,
    Reply,
    Route,
    ServingVersions,
    Turn,
    Understanding,
)
from bot.dialogue.handoff import LEASE, ConversationOwner, CustomerNotice, HandoffRefusedError
from bot.dialogue.state import State, advance
from bot.store import conversation_summary, database
from bot.store.conversation_log import SqlLog
from bot.store.handoff_desk import PRESENCE, Agent, AgentLease, HandoffDesk
from bot.store.read_model import ConversationReader

PATIENCE = timedelta(minutes=5)


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 11, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, by: timedelta) -> None:
        self.at += by


def words(notice: CustomerNotice, language: str) -> str:
    return f"{language}:{notice.template}:{','.join(notice.values.values())}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(engine: Engine) -> SqlLog:
    database.migrate(engine)
    return SqlLog(engine)


@pytest.fixture
def desk(log: SqlLog, engine: Engine, clock: Clock) -> HandoffDesk:
    assert log
    made = HandoffDesk(engine, words, clock)
    made.save_agent(Agent("ann", "Ann", queues=("support",), capacity=2))
    made.save_agent(Agent("bo", "Bo", languages=("zh",)))
    return made


def turn(  # noqa: PLR0917 — what a turn is made of
    log: SqlLog,
    conversation: str,
    route: Route = Route.HANDOFF,
    reason: str = "route:human",
    text: str = "a person please",
    clock: Callable[[], datetime] | None = None,
    entities: tuple[Entity, ...] = (),
) -> tuple[Turn, State, State]:
    """Receive a message and make the turn that answers it; nothing is committed yet."""
    at = clock() if clock else datetime(2026, 3, 11, 12, tzinfo=UTC)
    message = log.receive(Message(text, conversation, at=at)).message
    before = log.load(conversation)
    made = Turn(
        message=message,
        understanding=Understanding("en", "negative", "angry", "human", 0.9, (), entities),
        decision=Decision(route, reason, "human", queue="support"),
        reply=Reply("A colleague takes over."),
        versions=ServingVersions(None, None, "t", "p"),
    )
    return made, advance(before, made), before


def hand_off(log: SqlLog, conversation: str, clock: Clock) -> None:
    log.append(*turn(log, conversation, clock=clock))


def lines(engine: Engine, conversation: str) -> list[tuple[str, str]]:
    return [
        (line["role"], line["text"]) for line in ConversationReader(engine).history(conversation)
    ]


def test_a_person_takes_answers_and_gives_back(
    desk: HandoffDesk, log: SqlLog, engine: Engine, clock: Clock
) -> None:
    hand_off(log, "c", clock)
    held = desk.take("c", "ann")
    desk.send("c", "ann", held.fence, "Hello, how can I help?")
    desk.give_back("c", "ann", held.fence)
    assert lines(engine, "c") == [
        ("customer", "a person please"),
        ("bot", "A colleague takes over."),
        ("bot", "en:handoff_joined:Ann"),
        ("agent", "Hello, how can I help?"),
        ("bot", "en:handoff_returned:"),
    ]
    said = [line for line in ConversationReader(engine).history("c") if line["role"] == "agent"]
    assert said[0]["author"] == "Ann"
    assert log.load("c").owner is ConversationOwner.RETURNED
    assert [line.text for line in log.load("c").history][-2:] == [
        "Hello, how can I help?",
        "en:handoff_returned:",
    ]


def test_who_is_at_all_of_theirs_keeps_them_and_no_others(
    desk: HandoffDesk, log: SqlLog, clock: Clock
) -> None:
    for name, agent in (("c1", "ann"), ("c2", "ann"), ("c3", "bo")):
        hand_off(log, name, clock)
        desk.take(name, agent)
    clock.forward(LEASE / 2)
    assert desk.renew_all("ann") == 2
    clock.forward(LEASE / 2 + timedelta(seconds=1))
    assert desk.apply_timeouts(PATIENCE) == 1
    owners = {name: desk.assignment(name).owner for name in ("c1", "c2", "c3")}
    assert owners == {
        "c1": ConversationOwner.HUMAN,
        "c2": ConversationOwner.HUMAN,
        "c3": ConversationOwner.QUEUED,
    }


def test_of_two_agents_who_take_it_at_once_one_gets_it(
    desk: HandoffDesk, log: SqlLog, engine: Engine, clock: Clock
) -> None:
    for number in range(5):
        hand_off(log, f"c{number}", clock)

        def take(agent: str, conversation: str = f"c{number}") -> AgentLease | None:
            try:
                return desk.take(conversation, agent)
            except (HandoffRefusedError, ConversationChangedError):
                return None

        with ThreadPoolExecutor(2) as threads:
            found = list(threads.map(take, ("bo", "bo2" if number > 9 else "ann")))
        assert sum(one is not None for one in found) == 1
        joined = [text for _, text in lines(engine, f"c{number}") if "joined" in text]
        assert len(joined) == 1
        owner = desk.assignment(f"c{number}")
        desk.close(f"c{number}", str(owner.agent), owner.fence)


def test_a_late_reply_of_the_bot_is_dropped(
    desk: HandoffDesk, log: SqlLog, engine: Engine, clock: Clock
) -> None:
    hand_off(log, "c", clock)
    late = turn(log, "c", Route.TEMPLATE, "route:thanks", "thank you", clock)
    desk.take("c", "ann")
    with pytest.raises(ConversationChangedError):
        log.append(*late)
    assert lines(engine, "c")[-1] == ("bot", "en:handoff_joined:Ann")
    assert [message.text for message in log.pending("c")] == ["thank you"]


def test_an_agents_late_words_are_not_sent(
    desk: HandoffDesk, log: SqlLog, engine: Engine, clock: Clock
) -> None:
    hand_off(log, "c", clock)
    held = desk.take("c", "ann")
    clock.forward(LEASE + timedelta(seconds=1))
    assert desk.apply_timeouts(PATIENCE) == 1
    with pytest.raises(HandoffRefusedError):
        desk.send("c", "ann", held.fence, "Still there?")
    assert lines(engine, "c")[-1] == ("bot", "en:handoff_agent_left:")
    (waiting,) = desk.queue()
    assert (waiting.owner, waiting.agent) == (ConversationOwner.QUEUED, None)
    taken = desk.take("c", "bo")
    assert taken.fence > held.fence


def test_words_that_are_delivered_twice_are_said_once(
    desk: HandoffDesk, log: SqlLog, engine: Engine, clock: Clock
) -> None:
    hand_off(log, "c", clock)
    held = desk.take("c", "ann")

    def say(_: int) -> str:
        for _try in range(20):
            try:
                return desk.send("c", "ann", held.fence, "Hello", "once")
            except ConversationChangedError:
                continue
        raise AssertionError

    with ThreadPoolExecutor(4) as threads:
        sent = set(threads.map(say, range(4)))
    assert len(sent) == 1
    assert lines(engine, "c").count(("agent", "Hello")) == 1


def test_an_agent_has_no_more_conversations_than_there_is_room_for(
    desk: HandoffDesk, log: SqlLog, clock: Clock
) -> None:
    for name in ("a", "b", "c"):
        hand_off(log, name, clock)
    desk.take("a", "ann")
    desk.take("b", "ann")
    desk.take("b", "ann")  # the request came twice
    with pytest.raises(HandoffRefusedError, match="2 conversations"):
        desk.take("c", "ann")
    assert {agent.id: agent.busy for agent in desk.agents()} == {"ann": 2, "bo": 0}


def test_passing_on_needs_somebody_who_is_there(
    desk: HandoffDesk, log: SqlLog, engine: Engine, clock: Clock
) -> None:
    hand_off(log, "c", clock)
    held = desk.take("c", "ann")
    with pytest.raises(HandoffRefusedError, match="Bo is not there"):
        desk.transfer("c", "ann", held.fence, to="bo")
    desk.set_presence("bo")
    desk.transfer("c", "ann", held.fence, to="bo")
    assignment = desk.assignment("c")
    assert (assignment.agent, assignment.owner) == ("bo", ConversationOwner.HUMAN)
    desk.transfer("c", "bo", assignment.fence, queue="billing")
    assert desk.assignment("c").queue == "billing"
    assert lines(engine, "c")[-1] == ("bot", "en:handoff_transferred:")


def test_presence_is_forgotten_after_a_minute(desk: HandoffDesk, log: SqlLog, clock: Clock) -> None:
    assert not log.is_staffed("support", clock())
    desk.set_presence("ann")
    assert log.is_staffed("support", clock())
    assert not log.is_staffed("security", clock())
    clock.forward(PRESENCE)
    assert not log.is_staffed("support", clock())
    desk.set_presence("bo")
    assert log.is_staffed("security", clock())  # who names no queue answers all
    desk.set_presence("bo", online=False)
    assert not log.is_staffed("security", clock())


def test_who_waits_for_long_may_leave_an_address(
    desk: HandoffDesk, log: SqlLog, engine: Engine, clock: Clock
) -> None:
    hand_off(log, "c", clock)
    clock.forward(PATIENCE)
    assert desk.apply_timeouts(PATIENCE) == 1
    assert desk.apply_timeouts(PATIENCE) == 0
    assert lines(engine, "c")[-1] == ("bot", "en:handoff_contact:")
    found = (Entity("email", "ada@example.com", "ada@example.com", 0, 15),)
    given = turn(log, "c", reason="contact_given", text="ada@example.com", entities=found)
    log.append(*given)
    (waiting,) = desk.queue()
    assert (waiting.contact, waiting.owner) == ("ada@example.com", ConversationOwner.QUEUED)


def test_a_silent_customer_is_asked_and_then_the_conversation_is_closed(
    desk: HandoffDesk, log: SqlLog, engine: Engine, clock: Clock
) -> None:
    log.append(*turn(log, "c", Route.TEMPLATE, "route:thanks", "thanks", clock))
    clock.at = datetime.now(UTC) + timedelta(minutes=30)  # rows are stamped by the real clock
    silence = timedelta(minutes=20)
    assert desk.apply_timeouts(PATIENCE, silence) == 1
    assert desk.apply_timeouts(PATIENCE, silence) == 0
    clock.forward(silence)
    assert desk.apply_timeouts(PATIENCE, silence) == 1
    assert [text for _, text in lines(engine, "c")][-2:] == [
        "en:still_there:",
        "en:closed_silence:",
    ]
    log.append(*turn(log, "c", Route.TEMPLATE, "route:greeting", "hello again", clock))
    assert log.load("c").owner is ConversationOwner.BOT


def test_the_queue_is_in_the_order_of_the_waiting(
    desk: HandoffDesk, log: SqlLog, clock: Clock
) -> None:
    for name in ("a", "b", "c"):
        hand_off(log, name, clock)
        clock.forward(timedelta(seconds=10))
    assert [one.conversation_id for one in desk.queue()] == ["a", "b", "c"]
    assert [log.queue_position(name) for name in ("a", "b", "c")] == [1, 2, 3]
    assert desk.queue()[0].mood == "angry"


def test_the_summary_says_who_wants_what_and_what_was_tried(
    desk: HandoffDesk, log: SqlLog, engine: Engine, clock: Clock
) -> None:
    assert desk
    log.append(*turn(log, "c", Route.TEMPLATE, "route:refund_status", "where is my money", clock))
    hand_off(log, "c", clock)
    found = conversation_summary.summary(engine, "c")
    assert found["questions"] == ["where is my money", "a person please"]
    assert (found["because"], found["mood"], found["state"]) == ("route:human", "angry", "queued")
    assert [one["reason"] for one in found["tried"]] == ["route:refund_status"]
    with pytest.raises(NotFoundError):
        conversation_summary.summary(engine, "nowhere")


def test_unknown_agents_and_conversations_are_named(
    desk: HandoffDesk, log: SqlLog, clock: Clock
) -> None:
    hand_off(log, "c", clock)
    for call in (
        lambda: desk.take("nowhere", "ann"),
        lambda: desk.take("c", "nobody"),
        lambda: desk.set_presence("nobody"),
        lambda: desk.assignment("nowhere"),
    ):
        with pytest.raises(NotFoundError):
            call()


def test_two_replies_made_from_the_same_state_do_not_both_stand(log: SqlLog) -> None:
    one = turn(log, "c", Route.TEMPLATE, "route:thanks", "first")
    other = turn(log, "c", Route.TEMPLATE, "route:thanks", "second")
    log.append(*one)
    with pytest.raises(ConversationChangedError):
        log.append(*other)
    fresh = replace(other[0], reply=Reply("made anew"))
    before = log.load("c")
    assert log.append(fresh, advance(before, fresh), before).reply.text == "made anew"
