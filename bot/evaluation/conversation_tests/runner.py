"""The runner of conversation tests: one assistant, a new conversation for each test."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel

from bot.assistant.pipeline import Assistant
from bot.assistant.protocols import Actions, Components, MessageUnderstander
from bot.core.privacy import redact
from bot.core.types import InvalidMessageError, Message, Role, Turn
from bot.dialogue import handoff
from bot.dialogue.handoff import WITH_BOT, ConversationOwner, Event, HandoffRefusedError, TokenShown
from bot.dialogue.policy import Policy
from bot.dialogue.policy_file import PolicyContent
from bot.dialogue.state import State, Utterance
from bot.evaluation.conversation_tests import coverage
from bot.evaluation.conversation_tests.cases import ConversationTest, LocatedTest, TestStep
from bot.evaluation.conversation_tests.coverage import Coverage, CoveredItems, RecordingActions
from bot.evaluation.conversation_tests.expectations import (
    TurnOutcome,
    UnmetExpectation,
    differences,
)
from bot.evaluation.conversation_tests.test_clock import TestActions, open_hour
from bot.store.in_memory_log import MemoryLog

_AGENT: Final = "agent-1"
_AGENT_NAME: Final = "Mia"
_TURN_INTERVAL: Final = timedelta(seconds=10)
_MAX_HISTORY: Final = 12

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class PlayedStep:
    """A turn that was run, and its differences from the expectation."""

    step: TestStep
    outcome: TurnOutcome
    differences: tuple[UnmetExpectation, ...] = ()


@dataclass(frozen=True)
class TestResult:
    """A test that was run."""

    test: LocatedTest
    played: tuple[PlayedStep, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Return whether there is no difference."""
        return not any(step.differences for step in self.played)


@dataclass(frozen=True)
class TestRun:
    """All tests that were run, and their coverage."""

    results: tuple[TestResult, ...]
    coverage: Coverage
    seconds: float

    @property
    def failed(self) -> tuple[TestResult, ...]:
        """The tests that failed."""
        return tuple(result for result in self.results if not result.passed)


class _Log(MemoryLog):
    """A log that stores no personal data of messages, like the log of a server."""

    def append(self, turn: Turn, state: State, before: State | None = None) -> Turn:
        """Store a turn, and a history without personal data."""
        history = tuple(replace(line, text=redact(line.text)) for line in state.history)
        return super().append(turn, replace(state, history=history), before)


class TestRunner:
    """Runs tests with the components of an assistant."""

    def __init__(
        self,
        parts: Components,
        actions: Callable[[Clock], Actions | None],
        names: Sequence[str] = (),
        labels: Sequence[str] = (),
        *,
        promises: bool = False,
    ) -> None:
        """Take the components, a factory of actions, and the names of actions and intents.

        `promises` is set where the home promises a maximum rate of wrong answers.
        """
        self.parts = parts
        self._actions = actions
        content = parts.policy.content
        self.coverage = Coverage.of(
            intents=coverage.intents_of(labels, content),
            templates=parts.templates.names,
            actions=names,
            rules=coverage.rules_of(content, promises=promises),
        )

    def run(self, test: LocatedTest) -> TestResult:
        """Run one test."""
        started = time.perf_counter()
        conversation = _TestConversation(self.parts, self._actions, test.case)
        played = tuple(conversation.play(step) for step in test.case.turns)
        content = conversation.assistant.components.policy.content
        for step in played:
            if step.outcome.turn:
                self.coverage.add_turn(step.outcome.turn, content)
            self.coverage.add("templates", step.outcome.templates)
            self.coverage.add("actions", step.outcome.actions)
        return TestResult(test, played, time.perf_counter() - started)


class _TestConversation:
    """The conversation of one test: its assistant, its log and its time."""

    def __init__(
        self, parts: Components, actions: Callable[[Clock], Actions | None], case: ConversationTest
    ) -> None:
        """Build the assistant of one test."""
        self.case = case
        self.log = _Log()
        policy = _policy(parts.policy, case)
        self.now = case.at or open_hour(policy, case.language)
        removed = _removed(case, "templates")
        templates = CoveredItems.recording(parts.templates, removed)
        self.rendered = templates.rendered
        test_actions = None if "actions" in case.without else actions(lambda: self.now)
        recorded_actions = RecordingActions(test_actions) if test_actions else None
        self.ran: list[str] = recorded_actions.ran if recorded_actions else []
        parts = replace(
            parts,
            log=self.log,
            policy=policy,
            templates=templates,
            actions=recorded_actions,
            suggester=None,
        )
        if "knowledge" in case.without:
            parts = replace(parts, knowledge=None)
        if "model" in case.without:
            parts = replace(parts, understander=_without_model(policy), model_version=None)
        self.assistant = Assistant(parts)

    @property
    def state(self) -> State:
        """The present state of the conversation."""
        return self.log.load(self.case.name)

    def play(self, step: TestStep) -> PlayedStep:
        """Run a turn, and compare its result with the expectation."""
        self.rendered.clear()
        self.ran.clear()
        self.now += timedelta(minutes=step.minutes) if step.minutes else _TURN_INTERVAL
        turn = None
        try:
            if step.customer is not None:
                turn = self.assistant.answer(self._message(step.customer))
                text = turn.reply.text
            else:
                text = self._apply_event(step)
        except (HandoffRefusedError, InvalidMessageError) as error:
            refused = UnmetExpectation("turn", "can be played", str(error))
            return PlayedStep(step, TurnOutcome("", self.state), (refused,))
        outcome = TurnOutcome(text, self.state, tuple(self.rendered), tuple(self.ran), turn)
        return PlayedStep(step, outcome, tuple(differences(step.expect, outcome)))

    def _message(self, text: str) -> Message:
        case = self.case
        return Message(text, case.name, sender=case.customer, channel=case.channel, at=self.now)

    def _apply_event(self, step: TestStep) -> str:
        """Apply the rules of the hand-off, and return the customer's notices, as the desk does."""
        before = self.state
        moved = handoff.move(before.assignment, _event(step, before, self._patience()), self.now)
        language = before.language or self.case.language
        templates = self.assistant.components.templates
        notices = [templates.render(n.template, language, 0, **n.values) for n in moved.notices]
        lines = [Utterance(Role.BOT, text) for text in notices]
        if step.agent is not None:
            lines = [Utterance(Role.AGENT, step.agent)]
        state = replace(
            before,
            assignment=moved.assignment,
            history=(*before.history, *lines)[-_MAX_HISTORY:],
            revision=before.revision + 1,
        )
        if moved.assignment.owner != before.owner:  # a new owner begins without open questions
            state = replace(state, forms=(), options=(), failures=0, offered_human=False)
        self.log.states[self.case.name] = state
        return "\n".join(notices)

    def _patience(self) -> timedelta:
        return timedelta(minutes=self.assistant.components.policy.content.patience_minutes)


def _event(step: TestStep, state: State, patience: timedelta) -> Event:
    """Return the hand-off event of a step."""
    fence = state.assignment.fence
    if step.agent is not None:
        return handoff.AgentSpoke(_AGENT, fence)
    waits = step.event == "wait" and state.owner not in WITH_BOT
    events: dict[str | None, Event] = {
        "take": handoff.AgentAssigned(_AGENT, _AGENT_NAME),
        "give_back": handoff.ReturnedToBot(_AGENT, fence),
        "transfer": handoff.Transferred(_AGENT, fence, queue=step.queue),
        "close": handoff.ConversationClosed(
            TokenShown(_AGENT, fence) if state.owner is ConversationOwner.HUMAN else None
        ),
        "wait": handoff.TimePassed(patience) if waits else handoff.CustomerSilent(),
        "silence": handoff.CustomerSilent(),
    }
    return events[step.event]


def _removed(case: ConversationTest, kind: str) -> frozenset[str]:
    """Return the names of a kind that are removed for a test."""
    return frozenset(n.partition(".")[2] for n in case.without if n.startswith(f"{kind}."))


def _policy(policy: Policy, case: ConversationTest) -> Policy:
    """Return the policy with the changes of one test."""
    content = apply_changes(policy.content, case.policy) if case.policy else policy.content
    removed = _removed(case, "routes")
    routes = {name: rule for name, rule in content.routes.items() if name not in removed}
    content = content.model_copy(update={"routes": routes})
    knows = policy.has_knowledge and "knowledge" not in case.without
    return replace(policy, content=content, has_knowledge=knows)


def apply_changes(content: PolicyContent, change: PolicyContent) -> PolicyContent:
    """Return a content with the changed entries; mappings are merged."""
    updates: dict[str, object] = {}
    for name in change.model_fields_set:
        old, new = getattr(content, name), getattr(change, name)
        if isinstance(new, dict):
            new = {**old, **new}
        elif isinstance(new, BaseModel):
            new = old.model_copy(update={n: getattr(new, n) for n in new.model_fields_set})
        updates[name] = new
    return content.model_copy(update=updates)


def _without_model(policy: Policy) -> MessageUnderstander:
    from bot.nlu.entities.extractor import EntityExtractor
    from bot.nlu.understander import Understander

    return Understander(None, EntityExtractor(policy.content.entities))


def build_runner(components: Components, actions: TestActions, *, promises: bool) -> TestRunner:
    """Return a runner of tests on an assistant's components.

    Args:
        components: Those of the active versions, with a log that forgets.
        actions: The home's actions for tests.
        promises: Whether the settings promise a share of wrong answers.
    """
    model = getattr(components.understander, "model", None)
    labels = model.labels if model else ()
    return TestRunner(components, actions.at, actions.names(), labels, promises=promises)


def run(
    runner: TestRunner,
    tests: Sequence[LocatedTest],
    *,
    fail_fast: bool = False,
    each: Callable[[TestResult], None] = lambda _: None,
) -> TestRun:
    """Run tests, one after the other; stop at the first failure where that is requested."""
    started = time.perf_counter()
    results: list[TestResult] = []
    for test in tests:
        results.append(runner.run(test))
        each(results[-1])
        if fail_fast and not results[-1].passed:
            break
    return TestRun(tuple(results), runner.coverage, time.perf_counter() - started)
