"""The clock of a conversation test, and the actions at its time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bot.actions import ActionContext
from bot.actions.runner import ActionRunner
from bot.assistant.protocols import Actions
from bot.dialogue.policy import Policy

_WEDNESDAY: Final = datetime(2026, 3, 11, tzinfo=UTC)


def open_hour(policy: Policy, language: str) -> datetime:
    """Return a fixed time in opening hours of a language; any time if there are none."""
    hours = [_WEDNESDAY + timedelta(hours=number) for number in range(7 * 24)]
    open_hours = [hour for hour in hours if policy.is_open(hour, language)]
    # Not the first opening hour: time advances within a test, and can be set back.
    return open_hours[min(2, len(open_hours) - 1)] if open_hours else hours[0]


class TestActions:
    """The home's actions for tests: the effects of one test are gone for the next."""

    __test__ = False  # pytest collects classes of this name

    def __init__(self, home: Path, dry: Actions | None) -> None:
        """Take the folder of a home and its dry actions; None where it has none."""
        self._home = home
        self._dry = dry

    def at(self, clock: Callable[[], datetime]) -> Actions | None:
        """Return dry actions whose today is the clock's; no server is asked."""
        if not isinstance(self._dry, ActionRunner):
            return self._dry
        return ActionRunner(ActionContext.empty(self._home, clock))

    def names(self) -> tuple[str, ...]:
        """Return the names of the actions."""
        return tuple(self._dry.names()) if isinstance(self._dry, ActionRunner) else ()
