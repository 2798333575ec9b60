"""The path of one customer message: receive, load, understand, decide, retrieve, respond, commit.

Every channel, the replay and the tests take this one path through `Assistant.stream`.
"""

import logging
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from bot.assistant import debouncing, retrieval
from bot.assistant.debouncing import MessageBurst
from bot.assistant.protocols import Components, MessageReceipt
from bot.assistant.reply_assembly import BETWEEN, in_script, is_needless, join_replies
from bot.assistant.responder import Responder
from bot.assistant.turn_context import (
    Answer,
    Response,
    Retrieval,
    StepTimer,
    TurnContext,
    never_cancelled,
)
from bot.core.failures import log_failure
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
from bot.dialogue.handoff import WITH_BOT
from bot.dialogue.state import CLOSED, State, advance

_logger = logging.getLogger(__name__)
_STRIPES: Final = 256
_ATTEMPTS: Final = 8  # times a reply is redone because its conversation changed meanwhile


@dataclass(frozen=True)
class Received:
    """The message is in the log: from here on it will be answered or handed off."""

    message: Message


Event = Received | Understanding | str | Turn
_Returned = TypeVar("_Returned")


@dataclass(frozen=True)
class ProcessedTurn:
    """A finished turn that is not committed yet, and the state after it."""

    turn: Turn
    state: State


class Assistant:
    """Answers messages."""

    def __init__(self, components: Components, after: "Assistant | None" = None) -> None:
        """Put the components together; nothing is loaded or opened here.

        An assistant that replaces another (`after`) shares its locks: a message that the old one
        is still answering comes before the next one of that conversation.
        """
        self.components = components
        self._responder = Responder(components)
        fresh = [threading.Lock() for _ in range(_STRIPES)]
        self._locks: list[threading.Lock] = after._locks if after else fresh  # noqa: SLF001

    def answer(self, message: Message) -> Turn:
        """Return the finished turn: the last item of `stream`."""
        *_, turn = self.stream(message)
        if not isinstance(turn, Turn):  # pragma: no cover — stream ends with a turn
            raise TypeError
        return turn

    def stream(
        self, message: Message, is_cancelled: Callable[[], bool] = never_cancelled
    ) -> Iterator[Event]:
        """Yield `Received`, the understanding, the reply's tokens, and the finished turn.

        Args:
            message: The customer's message.
            is_cancelled: Whether the customer has left; then a language model stops writing.

        Raises:
            InvalidMessageError: Nobody could answer the message; nothing is stored.
            ConversationChangedError: Too much happens in the conversation at once.
        """
        receipt = self.receive(message)
        message = receipt.message
        yield Received(message)
        if message.burst and receipt.turn is None:
            debouncing.wait_for_quiet(self.components.log, message)
        with self._one_at_a_time(message.conversation_id):
            if receipt.turn is None and not message.burst:
                self._answer_earlier(message)
            turn = receipt.turn or self.components.log.answered(message.id)
            if turn:
                yield from (turn.understanding, turn.reply.text, turn)
                return
            burst = debouncing.whole(self.components.log, message)
            yield (yield from self._answer(burst, is_cancelled))

    def receive(self, message: Message) -> MessageReceipt:
        """Commit the message to the log before anything is said about it."""
        self.check(message)
        return self.components.log.receive(message)

    def _answer(
        self, burst: MessageBurst, is_cancelled: Callable[[], bool]
    ) -> Generator[Event, None, Turn]:
        """Load, process and commit, again where the conversation changed meanwhile.

        A reply for a state that is no longer current is dropped: whoever has the conversation by
        then decides what the customer reads.
        """
        message = burst.message
        for attempt in range(_ATTEMPTS):
            state = self.components.log.load(message.conversation_id)
            steps = self._process(TurnContext(message, state, is_cancelled))
            processed = (yield from steps) if attempt == 0 else _exhaust(steps)
            processed = replace(processed, turn=replace(processed.turn, merged=burst.merged))
            try:
                return self.commit(processed, state)
            except ConversationChangedError:
                _logger.info("message %s is answered again: its conversation changed", message.id)
        error = "too much happens in this conversation at once: send the message again"
        raise ConversationChangedError(error)

    def commit(self, processed: ProcessedTurn, before: State) -> Turn:
        """Write the turn and the next state in one transaction.

        Raises:
            ConversationChangedError: The conversation is no longer in the state before.
        """
        return self.components.log.append(processed.turn, processed.state, before)

    def _process(self, context: TurnContext) -> Generator[Event, None, ProcessedTurn]:
        """Understand the message and answer its requests; any failure becomes a hand-off."""
        timer = StepTimer()
        answer = Answer()
        try:
            understanding = self.understand(context, timer)
            yield understanding
            answer = yield from timer.note_first_token(
                self._answer_requests(context, understanding, timer)
            )
        except Exception:  # the edge: one bad message must not end the conversation
            _logger.exception(
                "message %s could not be answered and is handed off", context.message.id
            )
        if not answer.replies:
            understanding, decision, reply = self._responder.hand_off_after_error(context)
            answer = answer.with_response(Response(decision, reply))
            yield reply.text
        timer.note("total")
        return self._finish(context, understanding, answer, timer)

    def _finish(
        self, context: TurnContext, understanding: Understanding, answer: Answer, timer: StepTimer
    ) -> ProcessedTurn:
        """Return the turn and the state after it."""
        turn = Turn(
            message=context.message,
            understanding=understanding,
            decision=answer.decisions[0],
            further=answer.decisions[1:],
            reply=join_replies(answer.replies, answer.related),
            versions=self.served_by(),
            evidence=answer.hits,
            judged=answer.judged,
            slots=tuple(sorted(answer.slots.items())),
            acted=answer.actions,
            timings_ms=tuple(timer.milliseconds.items()),
        )
        state = advance(context.state, turn, self.components.policy.content.kept)
        if state.owner not in WITH_BOT or state.owner != context.state.owner:
            position = self.components.log.queue_position(context.message.conversation_id)
            queue = state.queue or self.components.policy.content.default_queue
            turn = replace(turn, handoff=Handoff(state.owner, queue, position))
        return ProcessedTurn(turn, state)

    def _answer_requests(
        self, context: TurnContext, understanding: Understanding, timer: StepTimer
    ) -> Generator[str, None, Answer]:
        """Answer each request of the message in order, until one needs a person."""
        answer = Answer()
        if context.state.owner is CLOSED:
            reopened = self._responder.render("reopened", context.language(understanding), context)
            yield reopened
            answer = answer.with_reply(Reply(reopened))
        parts = understanding.parts(context.message.text)
        is_kind = self.components.policy.content.is_kind
        has_request = len(parts) > 1 and not all(
            is_kind(part.intent, "small_talk") for part in parts
        )
        for part in parts:
            own = replace(context, request=part.requests[0].text).with_slots(answer.slots)
            try:
                decision, slots = self.decide(own, part, timer)
                answer = answer.with_slots(slots)
                if is_needless(decision, answer.decisions, has_request=has_request):
                    answer = answer.with_decision(decision)
                    continue
                if answer.replies:
                    yield BETWEEN
                passages = self.retrieve(own, part, decision, timer)
                answer = answer.with_retrieval(passages)
                response = yield from self.respond(own.with_slots(slots), part, passages, timer)
            except Exception:
                if not answer.decisions:
                    _logger.exception("message %s is handed off", context.message.id)
                    return replace(answer, replies=())
                # The replies to the requests before are kept; an agent handles the rest.
                _logger.exception("a request of message %s is handed off", context.message.id)
                _, decision, reply = self._responder.hand_off_after_error(context)
                yield reply.text
                response = Response(decision, reply)
            answer = answer.with_response(response)
            if response.decision.route is Route.HANDOFF:
                break
        if not answer.replies:  # small talk in every request: the first one is answered
            first = replace(context, request=parts[0].requests[0].text)
            unsearched = Retrieval(answer.decisions[0])
            response = yield from self.respond(first, parts[0], unsearched, timer)
            answer = answer.with_first_response(response)
        related = retrieval.follow_up_titles(
            self.components, context, understanding, answer.decisions
        )
        return replace(answer, related=related)

    def understand(self, context: TurnContext, timer: StepTimer) -> Understanding:
        """Return language, sentiment, entities, dialogue act and intents of the message."""
        with timer.step("understand"):
            return self.components.understander.understand(
                context.message.text,
                conversation_language=context.state.language,
                customer=context.last(Role.CUSTOMER),
                reply=context.last(Role.BOT, Role.AGENT),
                intent_history=context.state.leaning,
                today=context.message.at.astimezone().date(),
            )

    def decide(
        self, context: TurnContext, understanding: Understanding, timer: StepTimer
    ) -> tuple[Decision, dict[str, str]]:
        """Return where a request goes, and the slot values in it."""
        policy = self.components.policy
        with timer.step("decide"):
            state = self._with_proofs(context, understanding)
            decision = policy.decide(context.request, understanding, state)
            slots = policy.slots(context.request, understanding, context.state)
            if decision.template and not self.components.templates.has(decision.template):
                decision = policy.without_template(decision)
            return decision, slots

    def _with_proofs(self, context: TurnContext, understanding: Understanding) -> State:
        """Return the state in which a customer whose identity is proven is asked for no proof.

        Whether the record is theirs is for the action to check; if not, it asks all the same.
        """
        policy, state = self.components.policy, context.state
        if not context.message.customer:
            return state
        known = {**state.slots, **policy.slots(context.request, understanding, state)}
        rules = (rule.given_by for rule in policy.content.slots.values() if rule.given_by)
        proofs = {proof: known[of] for proof, of in rules if known.get(of)}
        return replace(state, slots={**state.slots, **proofs})

    def retrieve(
        self,
        context: TurnContext,
        understanding: Understanding,
        decision: Decision,
        timer: StepTimer,
    ) -> Retrieval:
        """Search where the policy decided so; without evidence the policy decides again."""
        if decision.route is not Route.RETRIEVE or self.components.knowledge is None:
            return Retrieval(decision)
        language = context.language(understanding)
        with timer.step("search"):
            passages = retrieval.search(self.components, context, decision, language)
        if not passages.is_evidence:
            decision = self.components.policy.without_evidence(decision, context.state)
        return Retrieval(decision, passages)

    def respond(
        self,
        context: TurnContext,
        understanding: Understanding,
        retrieved: Retrieval,
        timer: StepTimer,
    ) -> Generator[str, None, Response]:
        """Yield the tokens of the reply to a request, in the customer's script."""
        tokens = self._responder.respond(context, understanding, retrieved, timer)
        return (yield from in_script(tokens, context.script))

    def served_by(self) -> ServingVersions:
        """Return the versions that answer now."""
        knowledge = self.components.knowledge
        return ServingVersions(
            model=self.components.model_version,
            knowledge=knowledge.version if knowledge else None,
            templates=self.components.templates.version,
            policy=self.components.policy.version,
            content=self.components.content,
        )

    def replay(self, message: Message, state: State) -> Turn:
        """Return the turn that a message gets in a state; nothing is written anywhere."""
        return _exhaust(self._process(TurnContext(message, state))).turn

    def check(self, message: Message) -> None:
        """Raise InvalidMessageError for what nobody could answer, before it is stored."""
        if not message.text.strip():
            error = "the message is empty: write a question"
            raise InvalidMessageError(error)
        if len(message.text) > self.components.max_characters:
            error = (
                f"the message has {len(message.text)} characters; at most "
                f"{self.components.max_characters} are read: shorten it"
            )
            raise InvalidMessageError(error)
        if any(_is_control(character) for character in message.text):
            error = "the message holds control characters, not text: send plain text"
            raise InvalidMessageError(error)

    def recover(self) -> int:
        """Answer, or hand off, what a crash left unanswered; return how many messages."""
        pending = self.components.log.pending()
        for message in pending:
            with self._one_at_a_time(message.conversation_id):
                self._answer_pending(message)
        return len(pending)

    def _answer_earlier(self, message: Message) -> None:
        """Answer what the customer wrote before this message: replies come in its order."""
        for other in self.components.log.pending(message.conversation_id):
            if other.id == message.id:
                return
            self._answer_pending(other)

    def _answer_pending(self, message: Message) -> None:
        """Answer a message nobody listens for, if that is still to be done."""
        if self.components.log.answered(message.id) is not None:
            return
        # One message must not keep the others from being answered.
        with log_failure(_logger, "message %s is still unanswered", message.id):
            _exhaust(self._answer(MessageBurst(message), never_cancelled))

    @contextmanager
    def _one_at_a_time(self, conversation_id: str) -> Iterator[None]:
        """Hold back other messages of the same conversation, and the few that share its lock."""
        with self._locks[hash(conversation_id) % _STRIPES]:
            yield


def _is_control(character: str) -> bool:
    """Return whether a character is no text: a control character, or half a surrogate pair."""
    return (character < " " and character not in "\t\n\r") or "\ud800" <= character <= "\udfff"


def _exhaust(steps: Generator[Event, None, _Returned]) -> _Returned:
    """Run steps to their end without listening, and return what they return."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            returned: _Returned = stop.value
            return returned
