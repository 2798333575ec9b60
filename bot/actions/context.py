"""Context of a home's actions: the home, the clock, the store of effects and the dry flag."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import uuid4

from bot.actions.effects import FILE, EffectKey, EffectStore, Transaction

if TYPE_CHECKING:
    from rasa_sdk import Tracker

_MAX_VALUE: Final = 500  # characters of a slot's value


def utc_now() -> datetime:
    """Return the time of the machine."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class ActionRequest:
    """A request to an action, as read from the tracker.

    `message_id` is the same when a message is delivered again. `slots` holds only those with a
    value, each on one line; only the server fills `customer` among them.
    """

    conversation_id: str
    message_id: str
    language: str = "en"
    slots: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, tracker: "Tracker") -> Self:
        """Read a tracker; a message without an id gets a new one."""
        latest = tracker.latest_message or {}
        metadata = latest.get("metadata") or {}
        message_id = metadata.get("message_id") or latest.get("message_id") or uuid4().hex
        values = {
            name: _one_line(str(value))
            for name, value in tracker.slots.items()
            if value is not None
        }
        return cls(
            str(tracker.sender_id),
            str(message_id),
            str(metadata.get("language") or "en"),
            {name: value for name, value in values.items() if value},
        )


def _one_line(value: str) -> str:
    """Return a value without control characters and line breaks, cut to the maximum length."""
    spaced = "".join(" " if unicodedata.category(c).startswith("C") else c for c in value)
    return " ".join(spaced.split())[:_MAX_VALUE]


@dataclass(frozen=True)
class ActionContext:
    """The argument of a home's `actions(context)`; actions keep it.

    If `dry` is set, nothing may be written or sent: replays, tests, `verify` and the playground run
    actions dry. `effects` respects it; an action that calls another system must check it.
    """

    home: Path
    effects: EffectStore
    clock: Callable[[], datetime] = utc_now
    dry: bool = True

    @classmethod
    def empty(cls, home: Path, clock: Callable[[], datetime]) -> Self:
        """Return a dry context without recorded effects, for tests."""
        return cls(home, EffectStore(None, clock, dry=True), clock, dry=True)

    @classmethod
    def of_home(
        cls, home: Path, *, dry: bool = True, clock: Callable[[], datetime] = utc_now
    ) -> Self:
        """Return the context of a home; its effects are stored in its `actions.db`."""
        return cls(home, EffectStore(home / FILE, clock, dry=dry), clock, dry)

    def now(self) -> datetime:
        """Return the time; in a test, the time of the test."""
        return self.clock()

    def once(
        self,
        tracker: "Tracker",
        action: str,
        effect: Callable[[Transaction], Any],
        subject: str = "",
    ) -> Any:
        """Perform an effect of an action once per message, and return its result.

        `effect` gets the open transaction and returns the result to record, which must be JSON: the
        same message gets it again. `subject` distinguishes several effects of one message.
        """
        request = ActionRequest.of(tracker)
        key = EffectKey(request.conversation_id, request.message_id, action, subject)
        return self.effects.once(key, effect)
