"""Runs rasa-sdk actions in process and hands back what they said and set."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.types import CarelineError


@dataclass(frozen=True)
class Said:
    """One response of an action: a text, or the name and variables of a template."""

    text: str | None
    template: str | None
    values: Mapping[str, str]


@dataclass(frozen=True)
class ActionResult:
    """What an action said, and the slots it set (None clears one)."""

    said: tuple[Said, ...]
    slots: Mapping[str, str | None] = field(default_factory=dict)


_STANDARD_KEYS = frozenset(
    {"text", "buttons", "elements", "custom", "template", "response", "image", "attachment"}
)


class ActionRunner:
    """The actions of a home."""

    def __init__(self, database: Path) -> None:
        """Register the actions; the orders database is opened when one needs it."""
        from rasa_sdk.executor import ActionExecutor

        from bot.actions.orders import ActionOrderStatus

        self._executor = ActionExecutor()
        self._executor.register_action(ActionOrderStatus(database))

    def run(
        self, name: str, conversation_id: str, text: str, slots: Mapping[str, str]
    ) -> ActionResult:
        """Run an action; raise CarelineError when there is none of this name."""
        from rasa_sdk.interfaces import ActionNotFoundException

        call = _call(name, conversation_id, text, slots)
        try:
            # Each run has a loop of its own: the caller is a thread of the server.
            result = asyncio.run(self._executor.run(call))
        except ActionNotFoundException as error:
            message = f"there is no action `{name}`: correct it in policy.yml"
            raise CarelineError(message) from error
        if result is None:
            return ActionResult(())
        return ActionResult(
            tuple(_said(response) for response in result.responses),
            {e["name"]: e["value"] for e in result.events if e.get("event") == "slot"},
        )

    def names(self) -> Sequence[str]:
        """Return the names of the actions there are."""
        return sorted(self._executor.actions)


def _said(response: Mapping[str, Any]) -> Said:
    values = {key: str(v) for key, v in response.items() if key not in _STANDARD_KEYS}
    return Said(response.get("text"), response.get("response"), values)


def _call(name: str, conversation_id: str, text: str, slots: Mapping[str, str]) -> dict[str, Any]:
    return {
        "next_action": name,
        "sender_id": conversation_id,
        "version": "3.1",
        "tracker": {
            "sender_id": conversation_id,
            "slots": dict(slots),
            "latest_message": {"text": text, "intent": {}, "intent_ranking": [], "entities": []},
            "events": [],
            "paused": False,
            "followup_action": None,
            "active_loop": {},
            "latest_action_name": None,
            "stack": [],
        },
        "domain": {
            "intents": [], "entities": [], "slots": {}, "responses": {}, "actions": [name],
            "forms": {},
        },
    }  # fmt: skip
