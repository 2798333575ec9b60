"""`careline bench handoff`: random interleavings of the events of a conversation.

A simulation in memory does what the server and the desk do, one step at a time, with all kinds of
failures: workers crash and restart, replies come late, deliveries are lost and repeated, agents use
old screens, time passes. The rules of `bot.dialogue.handoff` are the real ones. What the customer
can read is checked after every step; a fault is planted in each rule to prove that it is detected.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.dialogue import handoff
from bot.dialogue.handoff import (
    Assignment,
    ConversationOwner,
    Event,
    HandoffRefusedError,
    HandoffTransition,
)
from careline_benchmarks.harness import (
    Benchmark,
    BenchmarkContext,
    BenchmarkReport,
    at_least,
    at_most,
)

_RUNS: Final = 100_000
_FAULT_RUNS: Final = 2_000
_STEPS: Final = 28
_PATIENCE: Final = timedelta(minutes=5)
_GIVES_UP: Final = 0.4
_TYPES: Final = 0.8
_NOW_AND_THEN: Final = 0.2
_AGENTS: Final = ("ann", "bo")

Move = Callable[[Assignment, Event, datetime], HandoffTransition]


@dataclass
class _Line:
    """A line that the customer read, its speaker, and the assignment at that moment."""

    speaker: str  # "bot", an agent, or "notice"
    assignment: Assignment
    at: datetime


@dataclass
class _Work:
    """A reply in preparation, based on the state at its start."""

    message: int
    revision: int
    fence: int


@dataclass
class HandoffSimulation:
    """One conversation, two agents, two workers and a clock."""

    dice: random.Random
    move: Move = handoff.move
    checks_revision: bool = True
    at: datetime = datetime(2026, 1, 5, 12, tzinfo=UTC)
    assignment: Assignment = field(default_factory=Assignment)
    revision: int = 0
    lines: list[_Line] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)
    answered: Counter[int] = field(default_factory=Counter)
    working: list[_Work] = field(default_factory=list)
    screens: dict[str, int] = field(default_factory=dict)  # agent → the token on the screen
    sent: set[str] = field(default_factory=set)
    wrong: set[str] = field(default_factory=set)
    messages: int = 0
    edges: int = 0

    # Events

    def change(self, event: Event, *, tells: bool = False) -> bool:
        """Apply a rule; `tells` if the reply itself informs the customer of the change."""
        try:
            moved = self.move(self.assignment, event, self.at)
        except HandoffRefusedError:
            return False
        before, self.assignment = self.assignment, moved.assignment
        self.revision += 1
        for _ in moved.notices:
            self.lines.append(_Line("notice", self.assignment, self.at))
        if (before.owner, before.agent) != (self.assignment.owner, self.assignment.agent):
            self.edges += 1
            if not (moved.notices or tells):
                self.wrong.add("an edge the customer is not told of")
            if self.assignment.typing_until is not None:
                self.wrong.add("typing that does not clear")
        return True

    def customer_writes(self) -> None:
        """Commit a message; a channel may deliver it twice, but the log keeps only one."""
        self.messages += 1
        self.pending.append(self.messages)

    def worker_begins(self) -> None:
        """Let a worker take the oldest unanswered message, perhaps one that another worker has."""
        if self.pending:
            self.working.append(_Work(self.pending[0], self.revision, self.assignment.fence))

    def worker_ends(self) -> None:
        """Commit a reply, or discard it because the conversation has changed."""
        if not self.working:
            return
        work = self.working.pop(self.dice.randrange(len(self.working)))
        if work.message not in self.pending:
            return  # the log refuses a second reply
        if self.checks_revision and work.revision != self.revision:
            return  # discarded: the message is still pending
        self._reply(work)

    def _reply(self, work: _Work) -> None:
        self.pending.remove(work.message)
        self.answered[work.message] += 1
        owner = self.assignment.owner
        stale = work.revision != self.revision
        if owner is ConversationOwner.HUMAN and not stale:
            self.revision += 1
            return  # the bot keeps silent
        if owner is ConversationOwner.CLOSED:
            if stale:
                self.lines.append(_Line("bot", self.assignment, self.at))
                return
            self.change(handoff.CustomerWrote(), tells=True)
        gives_up = self.dice.random() < _GIVES_UP
        owner = self.assignment.owner
        if owner in handoff.WITH_BOT and gives_up:
            self.change(handoff.HandedOff("support"), tells=True)
        elif owner is ConversationOwner.QUEUED and self.dice.random() < _NOW_AND_THEN:
            self.change(handoff.QueueLeft(), tells=True)
        self.revision += 1
        self.lines.append(_Line("bot", self.assignment, self.at))

    def worker_crashes(self) -> None:
        """Lose the replies in preparation; their messages are still pending."""
        self.working.clear()

    def agent_takes(self) -> None:
        """Let an agent take the conversation."""
        agent = self.dice.choice(_AGENTS)
        if self.change(handoff.AgentAssigned(agent, agent.title())):
            self.screens[agent] = self.assignment.fence

    def _held(self) -> tuple[str, int]:
        """Return an agent and the token on the screen, however old."""
        agent = self.dice.choice(_AGENTS)
        return agent, self.screens.get(agent, self.dice.randrange(3))

    def agent_says(self) -> None:
        """Let an agent speak, whether or not the conversation is assigned to them."""
        agent, fence = self._held()
        name = f"{agent}-{len(self.lines)}-{self.dice.randrange(3)}"
        for _ in range(self.dice.choice((1, 1, 2))):  # deliveries are sometimes repeated
            if name in self.sent:
                continue
            if self.change(handoff.AgentSpoke(agent, fence)):
                self.sent.add(name)
                self.lines.append(_Line(agent, self.assignment, self.at))

    def agent_types(self) -> None:
        """Let an agent begin or stop typing."""
        agent, fence = self._held()
        self.change(handoff.AgentTyping(agent, fence, self.dice.random() < _TYPES))

    def agent_lets_go(self) -> None:
        """Let an agent return the conversation to the bot, transfer it or close it."""
        agent, fence = self._held()
        events: tuple[Event, ...] = (
            handoff.ReturnedToBot(agent, fence),
            handoff.Transferred(agent, fence, queue="billing"),
            handoff.Transferred(agent, fence, to="bo", name="Bo"),
            handoff.ConversationClosed(handoff.TokenShown(agent, fence)),
        )
        self.change(self.dice.choice(events))

    def time_passes(self) -> None:
        """Move the clock by seconds or minutes."""
        self.at += timedelta(seconds=self.dice.choice((1, 20, 130, 400)))
        self.clock_strikes()

    def clock_strikes(self) -> None:
        """Apply the timeouts; sometimes the customer was silent."""
        self.change(handoff.TimePassed(_PATIENCE))
        if self.dice.random() < _NOW_AND_THEN:
            self.change(handoff.CustomerSilent())

    # Invariants

    def check(self) -> None:
        """Check everything that the customer could read."""
        for line in self.lines:
            owner = line.assignment.owner
            if line.speaker in _AGENTS and (owner, line.assignment.agent) != (
                ConversationOwner.HUMAN,
                line.speaker,
            ):
                self.wrong.add("two speakers")
            if line.speaker == "bot" and owner is ConversationOwner.HUMAN:
                self.wrong.add("two speakers")
            if line.speaker != "notice" and owner is ConversationOwner.CLOSED:
                self.wrong.add("a reply after the close")
        self.lines.clear()
        if any(count > 1 for count in self.answered.values()):
            self.wrong.add("a message answered twice")

    def settle(self) -> None:
        """Restart everything and let an hour pass: no conversation may be stuck."""
        self.working.clear()
        for _ in range(3 * self.messages + 3):
            self.worker_begins()
            self.worker_ends()
            self.check()
        for _ in range(3):
            self.at += timedelta(minutes=20)
            self.change(handoff.TimePassed(_PATIENCE))
        if self.pending:
            self.wrong.add("a dead end")
        if self.assignment.owner is ConversationOwner.HUMAN:  # nobody renewed the lease for an hour
            self.wrong.add("a dead end")
        if self.assignment.owner is ConversationOwner.QUEUED:
            taken = self.move(self.assignment, handoff.AgentAssigned("ann", "Ann"), self.at)
            is_taken = taken.assignment.owner is ConversationOwner.HUMAN
            if not (is_taken and self.assignment.asked_contact):
                self.wrong.add("a dead end")
        if self.assignment.is_typing(self.at):
            self.wrong.add("typing that does not clear")
        self.check()


_STEPS_THERE_ARE: Final = (
    HandoffSimulation.customer_writes,
    HandoffSimulation.customer_writes,
    HandoffSimulation.worker_begins,
    HandoffSimulation.worker_begins,
    HandoffSimulation.worker_ends,
    HandoffSimulation.worker_ends,
    HandoffSimulation.worker_ends,
    HandoffSimulation.worker_crashes,
    HandoffSimulation.agent_takes,
    HandoffSimulation.agent_says,
    HandoffSimulation.agent_says,
    HandoffSimulation.agent_types,
    HandoffSimulation.agent_lets_go,
    HandoffSimulation.time_passes,
)


def run(seed: int, fault: str | None = None) -> HandoffSimulation:
    """Simulate one conversation; return the simulation with its violations."""
    dice = random.Random(seed)  # noqa: S311 — no secret
    world = HandoffSimulation(dice)
    if fault is not None:
        world.move = _FAULTS[fault]
        world.checks_revision = fault != "two speakers"
    for _ in range(_STEPS):
        dice.choice(_STEPS_THERE_ARE)(world)
        world.check()
    world.settle()
    return world


# A fault in each rule


def _no_token(now: Assignment, event: Event, at: datetime) -> HandoffTransition:
    """Accept messages of any agent, whoever has the conversation."""
    if isinstance(event, handoff.AgentSpoke):
        return HandoffTransition(now)
    return handoff.move(now, event, at)


def _endless_lease(now: Assignment, event: Event, at: datetime) -> HandoffTransition:
    return (
        HandoffTransition(now)
        if isinstance(event, handoff.TimePassed)
        else handoff.move(now, event, at)
    )


def _typing_stays(now: Assignment, event: Event, at: datetime) -> HandoffTransition:
    moved = handoff.move(now, event, at)
    until = moved.assignment.typing_until or now.typing_until
    return replace(moved, assignment=replace(moved.assignment, typing_until=until))


def _word_after_close(now: Assignment, event: Event, at: datetime) -> HandoffTransition:
    if isinstance(event, handoff.AgentSpoke) and now.owner is ConversationOwner.CLOSED:
        return HandoffTransition(now)
    return handoff.move(now, event, at)


def _nothing_told(now: Assignment, event: Event, at: datetime) -> HandoffTransition:
    return replace(handoff.move(now, event, at), notices=())


_FAULTS: Final[dict[str, Move]] = {
    "two speakers": _no_token,
    "a dead end": _endless_lease,
    "typing that does not clear": _typing_stays,
    "a reply after the close": _word_after_close,
    "an edge the customer is not told of": _nothing_told,
}


def _interleavings(setting: BenchmarkContext, result: BenchmarkReport) -> None:
    """Count the violations in 100,000 conversations, and the planted faults that are detected."""
    fault = "two speakers" if setting.planted else None
    wrong: Counter[str] = Counter()
    edges = 0
    for seed in range(_RUNS):
        world = run(seed, fault)
        wrong.update(world.wrong)
        edges += world.edges
    detected = [
        name
        for name in _FAULTS
        if any(name in run(seed, name).wrong for seed in range(_FAULT_RUNS))
    ]
    result.figures["handoff"] = {
        "interleavings": _RUNS,
        "changes of the owner": edges,
        "violations": dict(wrong),
        "faults found": detected,
    }
    result.bars += [
        at_most("handoff: violations", float(wrong.total()), 0.0),
        at_least("handoff: planted faults found", len(detected) / len(_FAULTS), 1.0),
    ]


BENCHMARK: Final = Benchmark({"interleavings": _interleavings})
