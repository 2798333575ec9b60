"""Runs rasa-sdk actions in process and hands on what they say as they say it."""

import asyncio
import logging
import warnings
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.actions import loader, rasa_protocol
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
from bot.actions.context import ActionContext, utc_now
from bot.actions.records import ProofSource, RecordSource

if TYPE_CHECKING:
    from rasa_sdk import Action

_logger = logging.getLogger(__name__)


class ActionRunner:
    """The actions of a home."""

    def __init__(
        self,
        home: Path | ActionContext,
        *,
        dry: bool = False,
        clock: Callable[[], datetime] | None = None,
        further: "Sequence[Action]" = (),
    ) -> None:
        """Load and register the actions of a home, given as a folder or as their context.

        A `dry` runner writes nothing. `further` actions are deprecated: put them into the home's
        folder `actions/`. Raises CarelineError where the actions cannot be loaded.
        """
        from rasa_sdk.executor import ActionExecutor

        if isinstance(home, Path):
            folder = home.parent if home.suffix == ".db" else home  # 0.1.0 took a file in the home
            home = ActionContext.of_home(folder, dry=dry, clock=clock or utc_now)
        if further:
            warnings.warn(
                "ActionRunner(further=…) is deprecated: put the actions into the home's `actions/`",
                DeprecationWarning,
                stacklevel=2,
            )
        self.executor = ActionExecutor()
        actions = [*loader.create(home), *further]
        for action in actions:
            self.executor.register_action(action)
        self.records: RecordSource | None = next(
            (action for action in actions if isinstance(action, RecordSource)), None
        )
        self.proofs: ProofSource | None = next(
            (action for action in actions if isinstance(action, ProofSource)), None
        )

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
