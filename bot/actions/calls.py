"""Calls and results of actions: the same in process and over HTTP."""

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

# The reasons of a failed action; a person takes over.
TIMEOUT: Final = "timeout"
UNREACHABLE: Final = "unreachable"
REJECTED: Final = "rejected"
UNKNOWN_ACTION: Final = "unknown_action"
BLOCKED: Final = "blocked"  # the action pauses the bot
BAD_ANSWER: Final = "bad_answer"


@dataclass(frozen=True)
class ActionCall:
    """An action to run, for a message of a conversation.

    `message_id` stays the same when a message is sent again or recovered, so that its effects
    happen once. `customer` is the verified identity of the visitor, never text of the customer.
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

    If it `continues` the response before it, both are on the same line.
    """

    text: str | None
    template: str | None
    values: Mapping[str, str] = field(default_factory=dict)
    buttons: tuple[Button, ...] = ()
    continues: bool = False


@dataclass(frozen=True)
class ActionResult:
    """The responses of an action, the slots it set (None clears one) and the slot it asks for.

    `failed` is the reason why a person must take over. `then` is the action to run next; it is
    None in the results of `run` and `stream`.
    """

    said: tuple[ActionReply, ...]
    slots: Mapping[str, str | None] = field(default_factory=dict)
    asks: str | None = None
    failed: str | None = None
    then: str | None = None


Steps = Generator[ActionReply, None, ActionResult]


def run_with_followups(call: ActionCall, run_one: Callable[[ActionCall], Steps]) -> Steps:
    """Run an action and its follow-up actions, at most three; return the combined result."""
    responses: list[ActionReply] = []
    slots: dict[str, str | None] = {}
    for _ in range(1 + MAX_FOLLOWUPS):
        result = yield from run_one(call)
        responses += result.said
        slots |= result.slots
        combined = replace(result, said=tuple(responses), slots=slots, then=None)
        if result.failed or result.then in {None, LISTEN}:
            return combined
        name = str(result.then)
        if name.startswith("utter_"):  # in Rasa, just a response
            response = ActionReply(None, name)
            yield response
            return replace(combined, said=(*responses, response))
        filled = {key: value for key, value in {**call.slots, **slots}.items() if value}
        call = replace(call, name=name, slots=filled)
    _logger.warning("more than %d follow-up actions: stopped at %s", MAX_FOLLOWUPS, call.name)
    return combined


def stream_from_thread(
    work: Callable[[Callable[[ActionReply], None]], ActionResult], name: str
) -> Steps:
    """Run a function in a thread; yield its responses as they come.

    The thread continues while a response is sent, and finishes even if nobody reads on.
    """
    items: SimpleQueue[ActionReply | ActionResult | BaseException] = SimpleQueue()

    def target() -> None:
        try:
            items.put(work(items.put))
        except BaseException as error:  # noqa: BLE001 — raised again by the reader
            items.put(error)

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(target,), name=name, daemon=True).start()
    while True:
        item = items.get()
        if isinstance(item, ActionReply):
            yield item
        elif isinstance(item, ActionResult):
            return item
        else:
            raise item


def run_to_end(steps: Steps) -> ActionResult:
    """Run an action to its end; ignore the intermediate responses."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            result: ActionResult = stop.value
            return result
