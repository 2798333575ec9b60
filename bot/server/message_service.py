"""Messages of any channel on their way through the assistant.

Each is answered in a thread and read as a stream of events in the event loop.
"""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from bot.assistant.pipeline import Assistant, Event, Received
from bot.core.types import InvalidMessageError, Message, Turn
from bot.server import metrics
from bot.server.api_errors import BusyError, plain
from bot.server.in_flight import InFlightStreams

STREAM_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
HEARTBEAT_SECONDS: Final = 12.0
_THREADS: Final = 16
_MAX_IN_FLIGHT: Final = 128  # being answered or waiting, before clients are asked to come back
_PATIENCE_SECONDS: Final = 10.0  # for who was cut off to come back, before a model stops writing


class MessageService:
    """Answers messages in threads, a bounded number at a time."""

    def __init__(
        self,
        assistant: Callable[[], Assistant],
        announce: Callable[[Turn], None],
        burst_seconds: float,
    ) -> None:
        """Take what a message needs.

        Args:
            assistant: Returns the assistant that serves now.
            announce: Is called with each turn, after its reader.
            burst_seconds: Seconds of quiet after which messages in a row are read as one.
        """
        self.assistant = assistant
        self.announce = announce
        self.burst_seconds = burst_seconds
        self.in_flight: InFlightStreams[ReplyStream] = InFlightStreams()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="message")
        self._slots = threading.Semaphore(_MAX_IN_FLIGHT)

    async def begin(self, message: Message) -> "ReplyStream":
        """Start a message and wait until it is in the log.

        Up to here an error is an HTTP error.

        Raises:
            BadMessageError: Nobody could answer the message.
            BusyError: Too many messages are in flight.
        """
        self.assistant().check(message)
        _check_names(message)
        stream = ReplyStream(self, replace(message, burst=self.burst_seconds))
        self.in_flight.keep(message, stream)
        try:
            await stream.wait_for(0)
        except Exception:
            self.in_flight.drop(message)
            raise
        return stream

    def submit(self, work: Callable[[], None]) -> None:
        """Run a stream's work in a thread; raise BusyError where too many are in flight."""
        self.acquire()
        self._threads.submit(work)

    def acquire(self) -> None:
        """Take a slot among the messages in flight; raise BusyError where there is none."""
        if not self._slots.acquire(blocking=False):
            message = "too many messages at once: try again in a moment"
            raise BusyError(message)

    def release(self) -> None:
        """Give a slot back."""
        self._slots.release()

    def stop(self) -> None:
        """Finish the messages in flight."""
        self._threads.shutdown(wait=True)


class ReplyStream:
    """The events of one message, made in a thread and read in the event loop.

    The thread runs to the end even when nobody reads any more: the reply belongs to the
    conversation, not to the connection. Any number of readers may read, each from its own event.
    """

    def __init__(self, service: MessageService, message: Message) -> None:
        """Take a slot and start."""
        self._service = service
        self._message = message
        self._loop = asyncio.get_running_loop()
        self._made: list[Event] = []
        self._ended = False
        self._error: Exception | None = None
        self._more = asyncio.Event()
        self._lock = threading.Lock()
        self._readers = 0
        self._left_at: float | None = None
        service.submit(self._run)

    def _put(self, item: Event | Exception | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._take, item)
        except RuntimeError:  # the loop is closed: the server stops, the work goes on
            return

    def _take(self, item: Event | Exception | None) -> None:
        if isinstance(item, Exception):
            self._error = item
            self._service.in_flight.drop(self._message)  # sent again, it is tried again
        elif item is not None:
            self._made.append(item)
        self._ended = item is None or isinstance(item, Exception)
        self._more.set()
        self._more = asyncio.Event()

    def _run(self) -> None:
        metrics.IN_WORK.inc()
        try:
            for event in self._service.assistant().stream(self._message, self._is_left):
                if isinstance(event, Turn):
                    measure(event)
                self._put(event)
                if isinstance(event, Turn):
                    self._service.announce(event)
            self._put(None)
        except Exception as error:  # noqa: BLE001 — carried to the reader, who maps it to a status
            self._put(error)
        finally:
            metrics.IN_WORK.dec()
            self._service.release()

    def _is_left(self) -> bool:
        """Tell that all readers left some time ago: the reply ends with what was said."""
        with self._lock:
            left = self._left_at
        return left is not None and time.monotonic() - left > _PATIENCE_SECONDS

    def _count(self, readers: int) -> None:
        with self._lock:
            self._readers += readers
            self._left_at = None if self._readers else time.monotonic()

    @property
    def message(self) -> Message:
        """The message as it stands in the log: the first one, where it was sent twice."""
        first = self._made[0] if self._made else None
        return first.message if isinstance(first, Received) else self._message

    async def wait_for(self, number: int) -> Event | None:
        """Wait for an event and return it, None after the last; raise what the thread raised."""
        while number >= len(self._made):
            if self._error is not None:
                raise self._error
            if self._ended:
                return None
            await self._more.wait()
        return self._made[number]

    def from_event(self, number: int) -> int:
        """Return where to go on: one that was not reached here is another process's number."""
        return number if number <= len(self._made) else 0

    async def events(self, start: int = 0) -> AsyncGenerator[Event | None, None]:
        """Yield the events from a number on.

        None stands for a while in which there was no event: a sign of life is due.
        """
        self._count(1)
        try:
            number = start
            while True:
                try:
                    event = await asyncio.wait_for(self.wait_for(number), HEARTBEAT_SECONDS)
                except TimeoutError:
                    yield None
                    continue
                if event is None:
                    return
                yield event
                number += 1
        finally:
            self._count(-1)

    async def turn(self) -> Turn:
        """Return the finished turn, passing over what comes before it."""
        async with aclosing(self.events()) as events:
            async for event in events:
                if isinstance(event, Turn):
                    return event
        raise EOFError  # pragma: no cover — a stream ends with a turn, or raises


def _check_names(message: Message) -> None:
    """Raise BadMessageError for names of other systems that no database takes."""
    for name in (message.sender, message.channel, message.client_message_id):
        try:
            plain(name or "")
        except ValueError as error:
            complaint = f"a name of the message cannot be kept: {error}"
            raise InvalidMessageError(complaint) from error


def measure(turn: Turn) -> None:
    """Count a turn."""
    route = turn.decision.route.value
    metrics.MESSAGES.labels(route, turn.understanding.language).inc()
    seconds = dict(turn.timings_ms).get("total", 0.0) / 1000
    metrics.REPLY_SECONDS.labels(route).observe(seconds)
    if turn.decision.reason == "error":
        metrics.FAILURES.inc()
    for written in turn.reply.written:
        source = "reported" if written.usage.reported else "counted"
        metrics.TOKENS.labels("prompt", source).inc(written.usage.prompt_tokens)
        metrics.TOKENS.labels("completion", source).inc(written.usage.completion_tokens)
        if written.fell_back:
            metrics.FALLBACKS.labels(written.fell_back.partition(":")[0]).inc()
