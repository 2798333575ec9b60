"""Dispatchers that pass on the responses of a rasa-sdk action one by one."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rasa_sdk.executor import CollectingDispatcher

from bot.actions import rasa_protocol
from bot.actions.calls import ActionReply

Say = Callable[[ActionReply], None]


class LiveDispatcher(CollectingDispatcher):  # type: ignore[misc] # rasa_sdk ships no types
    """A dispatcher that passes on each response at once; the SDK's waits for the end."""

    def __init__(self, say: Say) -> None:
        """Store the callback for responses."""
        super().__init__()
        self._say = say

    def utter_message(self, *args: Any, **kwargs: Any) -> None:
        """Utter a response."""
        super().utter_message(*args, **kwargs)
        if reply := rasa_protocol.response(self.messages[-1]):
            self._say(reply)


class StreamQueue:
    """The queue of the executor for the pieces of a streamed response."""

    def __init__(self, say: Say) -> None:
        """Store the callback for responses."""
        self._say = say
        self._has_started = False

    async def put(self, event: Mapping[str, Any]) -> None:
        """Handle an event of a stream: its start, a piece, its end."""
        kind = event.get("event")
        if kind == "stream_start":
            self._has_started = False
        if kind != "stream_chunk":
            return
        piece = {key: value for key, value in event.items() if key != "event"}
        if reply := rasa_protocol.response(piece):
            self._say(replace(reply, continues=self._has_started))
            self._has_started = True
