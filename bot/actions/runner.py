"""Runs rasa-sdk actions in process and hands on what they say as they say it."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.actions import rasa_protocol
from bot.actions.calls import (
    BLOCKED,
    REJECTED,
    UNKNOWN_ACTION,
    ActionCall,
    ActionReply,
    ActionResult,
    Steps,
    finished,
    followed,
    overheard,
)

if TYPE_CHECKING:
    from rasa_sdk import Action

_logger = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class ActionRunner:
    """The actions of a home."""

    def __init__(
        self,
        database: Path,
        *,
        dry: bool = False,
        clock: Callable[[], datetime] = _now,
        further: "Sequence[Action]" = (),
    ) -> None:
        """Register the shop's actions and `further` ones; databases are opened when needed.

        A `dry` runner acts on a private copy: nothing is written.
        """
        from rasa_sdk.executor import ActionExecutor

        from bot.actions.deeds import Book
        from bot.actions.orders import actions

        self.executor = ActionExecutor()
        for action in (*actions(Book(database, dry=dry), clock), *further):
            self.executor.register_action(action)

    def names(self) -> Sequence[str]:
        """Return the names of the actions there are."""
        return sorted(self.executor.actions)

    def run(self, call: ActionCall, /) -> ActionResult:
        """Run an action and those that follow it."""
        return finished(self.stream(call))

    def stream(self, call: ActionCall, /) -> Steps:
        """Run an action; yield what it says as it says it, then return what came of it."""
        return (yield from followed(call, self._once))

    def _once(self, call: ActionCall) -> Steps:
        return (yield from overheard(lambda say: self._done(call, say), call.name))

    def _done(self, call: ActionCall, say: Callable[[ActionReply], None]) -> ActionResult:
        from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException

        try:
            return asyncio.run(self._executed(call, say))
        except ActionNotFoundException:
            _logger.error("there is no action `%s`: correct it in policy.yml", call.name)  # noqa: TRY400
            return ActionResult((), failed=UNKNOWN_ACTION)
        except ActionExecutionRejection as error:
            blocked = error.message == BLOCKED
            return ActionResult((), failed=BLOCKED if blocked else REJECTED)

    async def _executed(
        self, call: ActionCall, hear: Callable[[ActionReply], None]
    ) -> ActionResult:
        from bot.actions.dispatcher import LiveDispatcher, StreamQueue

        said: list[ActionReply] = []

        def say(one: ActionReply) -> None:
            said.append(one)
            hear(one)

        sent = rasa_protocol.body(call, with_domain=True)
        done: Any = await self.executor.run(
            sent, sink=StreamQueue(say), dispatcher=LiveDispatcher(say)
        )
        return rasa_protocol.events(done.events if done else [], tuple(said), call)
