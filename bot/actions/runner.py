"""Runner of rasa-sdk actions in process, which passes on responses as they come."""

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
    run_to_end,
    run_with_followups,
    stream_from_thread,
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
        folder `actions/`.

        Raises:
            CarelineError: the actions cannot be loaded.
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
        """Return the names of the actions."""
        return sorted(self.executor.actions)

    def run(self, call: ActionCall, /) -> ActionResult:
        """Run an action and its follow-up actions."""
        return run_to_end(self.stream(call))

    def stream(self, call: ActionCall, /) -> Steps:
        """Run an action; yield its responses as they come, then return the result."""
        return (yield from run_with_followups(call, self._once))

    def _once(self, call: ActionCall) -> Steps:
        return (yield from stream_from_thread(lambda say: self._call(call, say), call.name))

    def _call(self, call: ActionCall, say: Callable[[ActionReply], None]) -> ActionResult:
        from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException

        try:
            return asyncio.run(self._execute(call, say))
        except ActionNotFoundException:
            _logger.error("there is no action `%s`: correct it in policy.yml", call.name)  # noqa: TRY400
            return ActionResult((), failed=UNKNOWN_ACTION)
        except ActionExecutionRejection as error:
            blocked = error.message == BLOCKED
            return ActionResult((), failed=BLOCKED if blocked else REJECTED)

    async def _execute(
        self, call: ActionCall, on_reply: Callable[[ActionReply], None]
    ) -> ActionResult:
        from bot.actions.dispatcher import LiveDispatcher, StreamQueue

        replies: list[ActionReply] = []

        def say(reply: ActionReply) -> None:
            replies.append(reply)
            on_reply(reply)

        request = rasa_protocol.body(call, with_domain=True)
        result: Any = await self.executor.run(
            request, sink=StreamQueue(say), dispatcher=LiveDispatcher(say)
        )
        return rasa_protocol.events(result.events if result else [], tuple(replies), call)
