"""The story of one customer message."""

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from bot import evidence
from bot.dialogue import state as states
from bot.dialogue.state import State, advance
from bot.dialogue.templates import built_in
from bot.generation.pieces import pieces
from bot.parts import Parts, Stream
from bot.replies import BETWEEN, in_script, joined
from bot.types import (
    BadMessageError,
    Button,
    Decision,
    Handoff,
    Message,
    Reply,
    Role,
    Route,
    ServedBy,
    Turn,
    Understanding,
)
from bot.work import Work, stays

_logger = logging.getLogger(__name__)
_STRIPES: Final = 256
_PASSAGES: Final = 4
_FOLLOWING: Final = 2  # questions that are suggested after an answer
_ANSWERS: Final = frozenset({Route.TEMPLATE, Route.RETRIEVE, Route.ACT})


@dataclass(frozen=True)
class Received:
    """The message is in the log: from here on it will be answered or handed off."""

    message: Message


Event = Received | Understanding | str | Turn


class Assistant:
    """Answers messages. Every channel, the replay and the tests take this one path."""

    def __init__(self, parts: Parts, after: "Assistant | None" = None) -> None:
        """Put the parts together; nothing is loaded or opened here.

        An assistant that takes over `after` another shares its locks: a message the old one is
        still at work on goes before the next one of that conversation.
        """
        self.parts = parts
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
        with self._one_at_a_time(message.conversation_id):
            done = receipt.turn or self.parts.log.answered(message.id)
            if done:
                yield from (done.understanding, done.reply.text, done)
                return
            state = self.parts.log.load(message.conversation_id)
            turn, moved = yield from self._turn(Work(message, state, gone))
            yield self.parts.log.append(turn, moved, state)

    def recover(self) -> int:
        """Answer, or hand off, what a crash left unanswered; return how many messages."""
        left = self.parts.log.pending()
        for message in left:
            with self._one_at_a_time(message.conversation_id):
                if self.parts.log.answered(message.id) is not None:
                    continue
                try:
                    state = self.parts.log.load(message.conversation_id)
                    self.parts.log.append(*_last(self._turn(Work(message, state))), state)
                except Exception:  # one message must not keep the server from starting
                    _logger.exception("message %s is still unanswered", message.id)
        return len(left)

    def check(self, message: Message) -> None:
        """Raise BadMessageError for what nobody could answer, before it is stored."""
        if not message.text.strip():
            complaint = "the message is empty: write a question"
            raise BadMessageError(complaint)
        if len(message.text) > self.parts.max_characters:
            complaint = (
                f"the message has {len(message.text)} characters; at most "
                f"{self.parts.max_characters} are read: shorten it"
            )
            raise BadMessageError(complaint)
        if any(_is_no_text(character) for character in message.text):
            complaint = "the message holds control characters, not text: send plain text"
            raise BadMessageError(complaint)

    def again(self, message: Message, state: State) -> Turn:
        """Return the turn that a message gets in a state; nothing is written anywhere."""
        return _last(self._turn(Work(message, state)))[0]

    def _turn(self, work: Work) -> Generator[Event, None, tuple[Turn, State]]:
        """Think and speak; whatever goes wrong on the way becomes a hand-off."""
        message, state = work.message, work.state
        started = time.perf_counter()
        try:
            understanding = self._understand(work)
            yield understanding
            decisions, reply = yield from self._respond(work, understanding)
        except Exception:  # the edge: one bad message must not end the conversation
            _logger.exception("message %s could not be answered and is handed off", message.id)
            understanding, decision, reply = self._give_up(work)
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
            timings_ms=tuple(work.clock.items()),
        )
        moved = advance(state, turn)
        if moved.owner != states.BOT:
            position = self.parts.log.queue_position(message.conversation_id)
            queue = moved.queue or self.parts.policy.content.default_queue
            turn = replace(turn, handoff=Handoff(moved.owner, queue, position))
        return turn, moved

    def _respond(
        self, work: Work, understanding: Understanding
    ) -> Generator[str, None, tuple[list[Decision], Reply]]:
        """Decide, gather and compose for each request, in order, until one needs a person."""
        decisions: list[Decision] = []
        replies: list[Reply] = []
        for part in understanding.parts(work.message.text):
            if replies:
                yield BETWEEN
            work.asked = part.requests[0].text
            try:
                decision = self._decide(work, part)
                decision = self._gather(work, part, decision)
                composed = self._compose(work, part, decision)
                decision, reply = yield from in_script(composed, work.script)
            except Exception:
                if not replies:
                    raise
                # What was done for the requests before stands; a person sees to the rest.
                _logger.exception("a request of message %s is handed off", work.message.id)
                _, decision, reply = self._give_up(work)
                yield reply.text
            decisions.append(decision)
            replies.append(reply)
            if decision.route is Route.HANDOFF:
                break
        reply = joined(replies)
        following = evidence.following(self.parts, work, understanding, decisions)
        return decisions, replace(reply, related=reply.related + following)

    def _understand(self, work: Work) -> Understanding:
        with work.stage("understand"):
            return self.parts.understander.understand(
                work.message.text,
                spoken=work.state.language,
                customer=work.last(Role.CUSTOMER),
                reply=work.last(Role.BOT) or work.last(Role.AGENT),
                today=work.message.at.astimezone().date(),
            )

    def _decide(self, work: Work, understanding: Understanding) -> Decision:
        with work.stage("decide"):
            decision = self.parts.policy.decide(work.asked, understanding, work.state)
            work.slots |= self.parts.policy.slots(understanding.entities)
            if decision.template and not self.parts.templates.has(decision.template):
                return self.parts.policy.without_template(decision)
            return decision

    def _gather(self, work: Work, understanding: Understanding, decision: Decision) -> Decision:
        """Search where that was decided; without evidence the policy decides again."""
        if decision.route is not Route.RETRIEVE or self.parts.knowledge is None:
            return decision
        language = work.language(understanding)
        with work.stage("search"):
            hits, enough = evidence.search(self.parts, work, decision, language)
        work.found = tuple(hits)
        work.evidence += work.found
        return decision if enough else self.parts.policy.without_evidence(decision, work.state)

    def _compose(
        self, work: Work, understanding: Understanding, decision: Decision
    ) -> Generator[str, None, tuple[Decision, Reply]]:
        language = work.language(understanding)
        with work.stage("compose"):
            if decision.route is Route.RETRIEVE:
                return decision, (yield from self._from_passages(work, language))
            if decision.route is Route.ACT and decision.slot is None:
                decision, reply = self._act(work, decision, language)
            else:
                reply = self._from_template(work, decision, language)
            yield from pieces(reply.text)
            return decision, reply

    def _from_passages(self, work: Work, language: str) -> Stream:
        threshold = 0.6 * work.found[0].score
        hits = [hit for hit in work.found if hit.score >= threshold]
        theirs = hits[0].chunk.language
        prefix = ""
        if theirs in {"en", "zh"} and theirs != language:
            prefix = self._say("passages_in_other_language", language, work) + "\n"
            yield prefix
        reply = yield from self.parts.composer.stream(work.question, hits, language, work.gone)
        titles = dict.fromkeys(hit.chunk.title for hit in hits if hit.chunk.title)
        cited = {citation.title for citation in reply.citations}
        related = tuple(title for title in titles if title not in cited)[:2]
        return replace(reply, text=prefix + reply.text, related=related)

    def _from_template(self, work: Work, decision: Decision, language: str) -> Reply:
        name = decision.template or "handoff"
        values = {key: v for key, v in {**work.state.slots, **work.slots}.items() if v}
        if decision.route is Route.HANDOFF and work.state.owner == states.QUEUED:
            name = "handoff_waiting"
            values["position"] = str(self.parts.log.queue_position(work.message.conversation_id))
        if name.startswith("ask_") and not self.parts.templates.has(name):
            name, values["slot"] = "ask_slot", (decision.slot or "").replace("_", " ")
        buttons = tuple(
            Button(self.parts.templates.title(intent, language), f"/{intent}")
            for intent in decision.options
        )
        if decision.route is Route.CLARIFY and not buttons and name == "clarify":
            name = "clarify_open"
        return Reply(self._say(name, language, work, **values), buttons=buttons)

    def _act(self, work: Work, decision: Decision, language: str) -> tuple[Decision, Reply]:
        """Run the action; where there is none, or it fails, a person takes over."""
        if self.parts.actions is None or decision.action is None:
            decision = self.parts.policy.action_failed(decision)
            return decision, self._from_template(work, decision, language)
        slots = {**work.state.slots, **work.slots}
        result = self.parts.actions.run(
            decision.action, work.message.conversation_id, work.message.text, slots
        )
        work.slots |= {key: value for key, value in result.slots.items() if value}
        cleared = [key for key, value in result.slots.items() if value is None]
        for name in cleared:
            work.slots[name] = ""
        texts = [
            said.text or self._say(said.template or "error", language, work, **said.values)
            for said in result.said
        ]
        slot = cleared[0] if cleared else None  # asked for again
        return replace(decision, slot=slot), Reply("\n".join(texts), composer="action")

    def _say(self, name: str, language: str, work: Work, /, **values: str) -> str:
        variant = sum(1 for line in work.state.history if line.role is Role.BOT)
        return self.parts.templates.render(name, language, variant, **values)

    def _give_up(self, work: Work) -> tuple[Understanding, Decision, Reply]:
        language = work.state.language or "en"
        understanding = Understanding(language, "neutral", "calm", None, 0.0)
        queue = self.parts.policy.content.default_queue
        decision = Decision(Route.HANDOFF, "error", template="error", queue=queue)
        return understanding, decision, Reply(built_in("error", language))

    def served_by(self) -> ServedBy:
        """Return the versions that answer now."""
        return ServedBy(
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


def _last(
    steps: Generator[Event, None, tuple[Turn, State]],
) -> tuple[Turn, State]:
    """Run a turn to its end without listening."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            result: tuple[Turn, State] = stop.value
            return result
