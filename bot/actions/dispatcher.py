"""Hears what a rasa-sdk action says, response by response and piece by piece."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rasa_sdk.executor import CollectingDispatcher

from bot.actions import rasa_protocol
from bot.actions.calls import ActionReply

Say = Callable[[ActionReply], None]


class LiveDispatcher(CollectingDispatcher):  # type: ignore[misc] # rasa_sdk ships no types
    """Passes on each response when it is uttered; the SDK's own waits for the action to end."""

    def __init__(self, say: Say) -> None:
        """Take who is told."""
        super().__init__()
        self._say = say

    def utter_message(self, *args: Any, **kwargs: Any) -> None:
        """Utter a response."""
        super().utter_message(*args, **kwargs)
        if said := rasa_protocol.response(self.messages[-1]):
            self._say(said)


class StreamQueue:
    """Where the executor puts the pieces of a streamed response; looks like a queue to it."""

    def __init__(self, say: Say) -> None:
        """Take who is told."""
        self._say = say
        self._begun = False

    async def put(self, event: Mapping[str, Any]) -> None:
        """Take an event of a stream: its start, a piece, its end."""
        kind = event.get("event")
        if kind == "stream_start":
            self._begun = False
        if kind != "stream_chunk":
            return
        piece = {key: value for key, value in event.items() if key != "event"}
        if said := rasa_protocol.response(piece):
            self._say(replace(said, continues=self._begun))
            self._begun = True
