"""The story of one customer message."""

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from bot.assistant import debouncing, retrieval
from bot.assistant.debouncing import MessageBurst
from bot.assistant.protocols import Components
from bot.assistant.reply_assembly import BETWEEN, in_script, is_needless, joined
from bot.assistant.responder import Responder
from bot.assistant.turn_context import TurnContext, stays
from bot.core.types import (
    ConversationChangedError,
    Decision,
    Handoff,
    InvalidMessageError,
    Message,
    Reply,
    Role,
    Route,
    ServingVersions,
    Turn,
    Understanding,
)
from bot.dialogue import state as states
from bot.dialogue.handoff import WITH_BOT
from bot.dialogue.policy import PLEASANTRIES
from bot.dialogue.state import State, advance

_logger = logging.getLogger(__name__)
_STRIPES: Final = 256
_PASSAGES: Final = 4
_ATTEMPTS: Final = 8  # times a reply is made anew because somebody else moved the conversation
_FOLLOWING: Final = 2  # questions that are suggested after an answer
_ANSWERS: Final = frozenset({Route.TEMPLATE, Route.RETRIEVE, Route.ACT})


@dataclass(frozen=True)
class Received:
    """The message is in the log: from here on it will be answered or handed off."""

    message: Message


Event = Received | Understanding | str | Turn
_Made = TypeVar("_Made")


class Assistant:
    """Answers messages. Every channel, the replay and the tests take this one path."""

    def __init__(self, parts: Components, after: "Assistant | None" = None) -> None:
        """Put the parts together; nothing is loaded or opened here.

        An assistant that takes over `after` another shares its locks: a message the old one is
        still at work on goes before the next one of that conversation.
        """
        self.parts = parts
        self._speaker = Responder(parts)
        fresh = [threading.Lock() for _ in range(_STRIPES)]
        self._locks: list[threading.Lock] = after._locks if after else fresh  # noqa: SLF001

    def answer(self, message: Message) -> Turn:
        """Return the finished turn: the last item of `stream`."""
        *_, turn = self.stream(message)
        if not isinstance(turn, Turn):  # pragma: no cover — stream ends with a turn
            raise TypeError
        return turn

    def stream(self, message: Message, gone: Callable[[], bool] = stays) -> Iterator[Event]:
        """Yield that it was received, what was understood, the words, and the finished turn.

        `gone` tells whether the customer has left: then a language model need not write on.
        """
        self.check(message)
        receipt = self.parts.log.receive(message)
        message = receipt.message
        yield Received(message)
        if message.burst and receipt.turn is None:
            debouncing.wait_for_quiet(self.parts.log, message)
        with self._one_at_a_time(message.conversation_id):
            if receipt.turn is None and not message.burst:
                self._settle_before(message)
            done = receipt.turn or self.parts.log.answered(message.id)
            if done:
                yield from (done.understanding, done.reply.text, done)
                return
            yield (yield from self._answer(debouncing.whole(self.parts.log, message), gone))

    def recover(self) -> int:
        """Answer, or hand off, what a crash left unanswered; return how many messages."""
        left = self.parts.log.pending()
        for message in left:
            with self._one_at_a_time(message.conversation_id):
                self._settle(message)
        return len(left)

    def _settle_before(self, message: Message) -> None:
        """Answer what the customer wrote before this message: replies come in its order."""
        for other in self.parts.log.pending(message.conversation_id):
            if other.id == message.id:
                return
            self._settle(other)

    def _settle(self, message: Message) -> None:
        """Answer a message nobody listens for, if that is still to be done."""
        if self.parts.log.answered(message.id) is not None:
            return
        try:
            _last(self._answer(MessageBurst(message), stays))
        except Exception:  # one message must not keep the others from being answered
            _logger.exception("message %s is still unanswered", message.id)

    def _answer(
        self, asked: MessageBurst, gone: Callable[[], bool]
    ) -> Generator[Event, None, Turn]:
        """Think, speak and commit, all over again where the conversation moved on meanwhile.

        What was said under a state that no longer stands is dropped: whoever has the conversation
        by then decides what the customer reads.
        """
        message = asked.message
        for attempt in range(_ATTEMPTS):
            state = self.parts.log.load(message.conversation_id)
            steps = self._turn(TurnContext(message, state, gone))
            turn, moved = (yield from steps) if attempt == 0 else _last(steps)
            turn = replace(turn, merged=asked.merged)
            try:
                return self.parts.log.append(turn, moved, state)
            except ConversationChangedError:
                _logger.info("message %s is answered again: its conversation moved on", message.id)
        complaint = "too much happens in this conversation at once: send the message again"
        raise ConversationChangedError(complaint)

    def check(self, message: Message) -> None:
        """Raise BadMessageError for what nobody could answer, before it is stored."""
        if not message.text.strip():
            complaint = "the message is empty: write a question"
            raise InvalidMessageError(complaint)
        if len(message.text) > self.parts.max_characters:
            complaint = (
                f"the message has {len(message.text)} characters; at most "
                f"{self.parts.max_characters} are read: shorten it"
            )
            raise InvalidMessageError(complaint)
        if any(_is_no_text(character) for character in message.text):
            complaint = "the message holds control characters, not text: send plain text"
            raise InvalidMessageError(complaint)

    def again(self, message: Message, state: State) -> Turn:
        """Return the turn that a message gets in a state; nothing is written anywhere."""
        return _last(self._turn(TurnContext(message, state)))[0]

    def _turn(self, work: TurnContext) -> Generator[Event, None, tuple[Turn, State]]:
        """Think and speak; whatever goes wrong on the way becomes a hand-off."""
        message, state = work.message, work.state
        started = time.perf_counter()
        try:
            understanding = self._understand(work)
            yield understanding
            said = self._respond(work, understanding)
            decisions, reply = yield from work.timed(said, started)
        except Exception:  # the edge: one bad message must not end the conversation
            _logger.exception("message %s could not be answered and is handed off", message.id)
            understanding, decision, reply = self._speaker.give_up(work)
            decisions = [decision]
            yield reply.text
        work.clock["total"] = round(1000 * (time.perf_counter() - started), 3)
        turn = Turn(
            message=message,
            understanding=understanding,
            decision=decisions[0],
            further=tuple(decisions[1:]),
            reply=reply,
            versions=self.served_by(),
            evidence=work.evidence,
            judged=work.judged,
            slots=tuple(sorted(work.slots.items())),
            acted=work.acted,
            timings_ms=tuple(work.clock.items()),
        )
        moved = advance(state, turn)
        if moved.owner not in WITH_BOT or moved.owner != state.owner:
            position = self.parts.log.queue_position(message.conversation_id)
            queue = moved.queue or self.parts.policy.content.default_queue
            turn = replace(turn, handoff=Handoff(moved.owner, queue, position))
        return turn, moved

    def _respond(
        self, work: TurnContext, understanding: Understanding
    ) -> Generator[str, None, tuple[list[Decision], Reply]]:
        """Decide, gather and compose for each request, in order, until one needs a person."""
        decisions: list[Decision] = []
        replies: list[Reply] = []
        if work.state.owner is states.CLOSED:
            again = self._speaker.say("reopened", work.language(understanding), work)
            yield again
            replies.append(Reply(again))
        parts = understanding.parts(work.message.text)
        wants = len(parts) > 1 and any(part.intent not in PLEASANTRIES for part in parts)
        for part in parts:
            work.asked = part.requests[0].text
            try:
                decision = self._decide(work, part)
                if is_needless(decision, decisions, wants=wants):
                    decisions.append(decision)
                    continue
                if replies:
                    yield BETWEEN
                decision = self._gather(work, part, decision)
                composed = self._speaker.composed(work, part, decision)
                decision, reply = yield from in_script(composed, work.script)
            except Exception:
                if not decisions:
                    raise
                # What was done for the requests before stands; a person sees to the rest.
                _logger.exception("a request of message %s is handed off", work.message.id)
                _, decision, reply = self._speaker.give_up(work)
                yield reply.text
            decisions.append(decision)
            replies.append(reply)
            if decision.route is Route.HANDOFF:
                break
        if not replies:  # strange messages may be small talk throughout: one is answered
            composed = self._speaker.composed(work, parts[0], decisions[0])
            decisions[0], reply = yield from in_script(composed, work.script)
            replies.append(reply)
        reply = joined(replies)
        following = retrieval.following(self.parts, work, understanding, decisions)
        return decisions, replace(reply, related=reply.related + following)

    def _understand(self, work: TurnContext) -> Understanding:
        with work.stage("understand"):
            return self.parts.understander.understand(
                work.message.text,
                spoken=work.state.language,
                customer=work.last(Role.CUSTOMER),
                reply=work.last(Role.BOT, Role.AGENT),
                leaning=work.state.leaning,
                today=work.message.at.astimezone().date(),
            )

    def _decide(self, work: TurnContext, understanding: Understanding) -> Decision:
        with work.stage("decide"):
            state = self._vouched(work, understanding)
            decision = self.parts.policy.decide(work.asked, understanding, state)
            work.slots |= self.parts.policy.slots(work.asked, understanding, work.state)
            if decision.template and not self.parts.templates.has(decision.template):
                decision = self.parts.policy.without_template(decision)
            return decision

    def _vouched(self, work: TurnContext, understanding: Understanding) -> State:
        """Return the state in which a proven customer is not asked for a proof.

        Whether the order is theirs is for the action to find out; if not, it asks all the same.
        """
        policy, state = self.parts.policy, work.state
        if not work.message.customer:
            return state
        known = {**state.slots, **policy.slots(work.asked, understanding, state)}
        rules = (rule.given_by for rule in policy.content.slots.values() if rule.given_by)
        proofs = {proof: known[of] for proof, of in rules if known.get(of)}
        return replace(state, slots={**state.slots, **proofs})

    def _gather(
        self, work: TurnContext, understanding: Understanding, decision: Decision
    ) -> Decision:
        """Search where that was decided; without evidence the policy decides again."""
        if decision.route is not Route.RETRIEVE or self.parts.knowledge is None:
            return decision
        language = work.language(understanding)
        with work.stage("search"):
            hits, enough = retrieval.search(self.parts, work, decision, language)
        work.found = tuple(hits)
        work.evidence += work.found
        return decision if enough else self.parts.policy.without_evidence(decision, work.state)

    def served_by(self) -> ServingVersions:
        """Return the versions that answer now."""
        return ServingVersions(
            model=self.parts.model_version,
            knowledge=self.parts.knowledge.version if self.parts.knowledge else None,
            templates=self.parts.templates.version,
            policy=self.parts.policy.version,
            content=self.parts.content,
        )

    @contextmanager
    def _one_at_a_time(self, conversation_id: str) -> Iterator[None]:
        """Hold back other messages of the same conversation, and the few that share its lock."""
        with self._locks[hash(conversation_id) % _STRIPES]:
            yield


def _is_no_text(character: str) -> bool:
    """Tell a control character, or half a surrogate pair: what is left of bytes read as text."""
    return (character < " " and character not in "\t\n\r") or "\ud800" <= character <= "\udfff"


def _last(steps: Generator[Event, None, _Made]) -> _Made:
    """Run steps to their end without listening."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            made: _Made = stop.value
            return made
