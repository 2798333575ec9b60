"""What an action is asked and what comes of it: the same in process and over HTTP."""

import contextvars
import logging
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Final

from bot.core.types import Button

_logger = logging.getLogger(__name__)

MAX_FOLLOWUPS: Final = 3
LISTEN: Final = "action_listen"

# Why an action failed; a person takes over then.
TIMEOUT: Final = "timeout"
UNREACHABLE: Final = "unreachable"
REJECTED: Final = "rejected"
UNKNOWN_ACTION: Final = "unknown_action"
BLOCKED: Final = "blocked"  # the action itself wants the bot to stop
BAD_ANSWER: Final = "bad_answer"


@dataclass(frozen=True)
class ActionCall:
    """An action to run, for a message of a conversation.

    `message_id` is the same when a message is sent or recovered again: what was done for it is not
    done twice. `customer` is who the visitor was proven to be, never what somebody wrote.
    """

    name: str
    conversation_id: str
    message_id: str
    text: str = field(repr=False)
    language: str = "en"
    slots: Mapping[str, str] = field(default_factory=dict, repr=False)
    customer: str | None = None
    intent: str | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class ActionReply:
    """One response of an action: a text, or the name and variables of a template.

    One that `continues` the response before it stands on the same line.
    """

    text: str | None
    template: str | None
    values: Mapping[str, str] = field(default_factory=dict)
    buttons: tuple[Button, ...] = ()
    continues: bool = False


@dataclass(frozen=True)
class ActionResult:
    """What an action said, the slots it set (None clears one) and the one it asks for.

    `failed` is a short reason why a person must take over. `then` is the action to run next; it is
    None in what `run` and `stream` return.
    """

    said: tuple[ActionReply, ...]
    slots: Mapping[str, str | None] = field(default_factory=dict)
    asks: str | None = None
    failed: str | None = None
    then: str | None = None


Steps = Generator[ActionReply, None, ActionResult]


def followed(call: ActionCall, once: Callable[[ActionCall], Steps]) -> Steps:
    """Run an action and those it names to follow it, at most three; return all they did."""
    said: list[ActionReply] = []
    slots: dict[str, str | None] = {}
    for _ in range(1 + MAX_FOLLOWUPS):
        result = yield from once(call)
        said += result.said
        slots |= result.slots
        done = replace(result, said=tuple(said), slots=slots, then=None)
        if result.failed or result.then in {None, LISTEN}:
            return done
        name = str(result.then)
        if name.startswith("utter_"):  # Rasa's name for just saying a response
            response = ActionReply(None, name)
            yield response
            return replace(done, said=(*said, response))
        known = {key: value for key, value in {**call.slots, **slots}.items() if value}
        call = replace(call, name=name, slots=known)
    _logger.warning("more than %d actions follow one another: %s", MAX_FOLLOWUPS, call.name)
    return done


def overheard(work: Callable[[Callable[[ActionReply], None]], ActionResult], name: str) -> Steps:
    """Do something in a thread of its own; yield what it says as it says it.

    It goes on while its words are sent, and ends what it began when nobody listens any more.
    """
    heard: SimpleQueue[ActionReply | ActionResult | BaseException] = SimpleQueue()

    def do() -> None:
        try:
            heard.put(work(heard.put))
        except BaseException as error:  # noqa: BLE001 — raised again where it was asked for
            heard.put(error)

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(do,), name=name, daemon=True).start()
    while True:
        item = heard.get()
        if isinstance(item, ActionReply):
            yield item
        elif isinstance(item, ActionResult):
            return item
        else:
            raise item


def finished(steps: Steps) -> ActionResult:
    """Run an action to its end without listening."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            result: ActionResult = stop.value
            return result
