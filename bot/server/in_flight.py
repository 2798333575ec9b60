"""Streams of messages in flight and just answered, so that clients can reconnect."""

import threading
from collections import OrderedDict
from typing import Final, Generic, TypeVar

from bot.core.types import Message

_MAX_STREAMS: Final = 256
_Stream = TypeVar("_Stream")
_Key = tuple[str, str]


class InFlightStreams(Generic[_Stream]):
    """Streams by conversation and client message id; the oldest are dropped."""

    def __init__(self) -> None:
        """Start empty."""
        self._streams: OrderedDict[_Key, _Stream] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, message: Message) -> _Stream | None:
        """Return the stream of a message that was sent before, if it is still stored."""
        key = _key(message)
        with self._lock:
            return self._streams.get(key) if key else None

    def keep(self, message: Message, stream: _Stream) -> None:
        """Store a stream; a message without a client id cannot be found again."""
        if key := _key(message):
            with self._lock:
                self._streams[key] = stream
                while len(self._streams) > _MAX_STREAMS:
                    self._streams.popitem(last=False)

    def drop(self, message: Message) -> None:
        """Remove a stream that failed."""
        if key := _key(message):
            with self._lock:
                self._streams.pop(key, None)

    def forget(self, conversation_id: str) -> None:
        """Remove the streams of a conversation."""
        with self._lock:
            for key in [key for key in self._streams if key[0] == conversation_id]:
                del self._streams[key]


def _key(message: Message) -> _Key | None:
    name = message.client_message_id
    return (message.conversation_id, name) if name else None
