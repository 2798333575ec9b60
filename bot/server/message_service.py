"""The message service: messages of any channel on their way through the assistant.

Each is answered in a thread and read as a stream of events in the event loop.
"""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from bot.assistant.pipeline import Assistant, Event, Received
from bot.core.types import InvalidMessageError, Message, Turn
from bot.server import metrics
from bot.server.api_errors import BusyError, plain
from bot.server.in_flight import InFlightStreams

_logger = logging.getLogger(__name__)

UNFINISHED: Final = "the reply could not be finished: ask again"
STREAM_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
HEARTBEAT_SECONDS: Final = 12.0
_THREADS: Final = 16
_MAX_IN_FLIGHT: Final = 128  # answered or waiting; above this, clients get a 429
_PATIENCE_SECONDS: Final = 10.0  # for a client to reconnect, before generation stops


class MessageService:
    """Answers messages in threads, a bounded number at a time."""

    def __init__(
        self,
        assistant: Callable[[], Assistant],
        announce: Callable[[Turn], None],
        burst_seconds: float,
    ) -> None:
        """Store the dependencies.

        Args:
            assistant: Returns the active assistant.
            announce: Called with each turn, after the reader has it.
            burst_seconds: Seconds without a message after which messages in a row are joined.
        """
        self.assistant = assistant
        self.announce = announce
        self.burst_seconds = burst_seconds
        self.in_flight: InFlightStreams[ReplyStream] = InFlightStreams()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="message")
        self._slots = threading.Semaphore(_MAX_IN_FLIGHT)

    async def begin(self, message: Message) -> "ReplyStream":
        """Start a message and wait until it is in the log.

        An error up to this point becomes an HTTP error.

        Raises:
            InvalidMessageError: The message cannot be answered.
            BusyError: Too many messages are in flight.
        """
        self.assistant().check(message)
        _check_names(message)
        stream = ReplyStream(self, replace(message, burst=self.burst_seconds))
        self.in_flight.keep(message, stream)
        await stream.wait_for(0)  # after an error, the stream is no longer in flight
        return stream

    def submit(self, work: Callable[[], None]) -> Future[None]:
        """Run a stream in a thread; raise BusyError if too many are in flight."""
        self.acquire()
        return self._threads.submit(work)

    def acquire(self) -> None:
        """Take a slot for a message in flight; raise BusyError if there is none."""
        if not self._slots.acquire(blocking=False):
            message = "too many messages at once: try again in a moment"
            raise BusyError(message)

    def release(self) -> None:
        """Release a slot."""
        self._slots.release()

    def stop(self) -> None:
        """Finish the messages in flight."""
        self._threads.shutdown(wait=True)


async def end_with_error(
    chunks: AsyncGenerator[bytes, None], error: Callable[[], bytes]
) -> AsyncGenerator[bytes, None]:
    """Yield the chunks of a response; after a failure, an error is the last one.

    The status line is sent by then, so that the failure cannot become a status any more.
    """
    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk
    except Exception:  # whatever failed, the client must learn that nothing more comes
        _logger.exception("a reply could not be finished")
        metrics.FAILURES.inc()
        yield error()


class ReplyStream:
    """The events of one message, produced in a thread and read in the event loop.

    The thread runs to the end even if nobody reads: the reply belongs to the conversation, not to
    the connection. Any number of readers can read, each from its own event.
    """

    def __init__(self, service: MessageService, message: Message) -> None:
        """Take a slot and start."""
        self._service = service
        self._message = message
        self._loop = asyncio.get_running_loop()
        self._events: list[Event] = []
        self._ended = False
        self._error: BaseException | None = None
        self._more = asyncio.Event()
        self._lock = threading.Lock()
        self._readers = 0
        self._left_at: float | None = None
        # The readers get an error of the thread, and map it to a status.
        service.submit(self._run).add_done_callback(lambda run: self._put(run.exception()))

    def _put(self, item: Event | BaseException | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._receive, item)
        except RuntimeError:  # the loop is closed: the server stops, the thread goes on
            return

    def _receive(self, item: Event | BaseException | None) -> None:
        if isinstance(item, BaseException):
            self._error = item
            self._service.in_flight.drop(self._message)  # a repeated message is answered anew
        elif item is not None:
            self._events.append(item)
        self._ended = item is None or isinstance(item, BaseException)
        self._more.set()
        self._more = asyncio.Event()

    def _run(self) -> None:
        metrics.IN_WORK.inc()
        try:
            for event in self._service.assistant().stream(self._message, self._is_abandoned):
                if isinstance(event, Turn):
                    measure(event)
                self._put(event)
                if isinstance(event, Turn):
                    self._service.announce(event)
        finally:
            metrics.IN_WORK.dec()
            self._service.release()

    def _is_abandoned(self) -> bool:
        """Return whether all readers left some time ago; the reply then ends early."""
        with self._lock:
            left_at = self._left_at
        return left_at is not None and time.monotonic() - left_at > _PATIENCE_SECONDS

    def _count(self, readers: int) -> None:
        with self._lock:
            self._readers += readers
            self._left_at = None if self._readers else time.monotonic()

    @property
    def message(self) -> Message:
        """The message as stored in the log: the first one if it was sent twice."""
        first = self._events[0] if self._events else None
        return first.message if isinstance(first, Received) else self._message

    async def wait_for(self, number: int) -> Event | None:
        """Wait for an event and return it; None after the last. Raise the thread's error."""
        while number >= len(self._events):
            if self._error is not None:
                raise self._error
            if self._ended:
                return None
            await self._more.wait()
        return self._events[number]

    def from_event(self, number: int) -> int:
        """Return the event to continue with; an unknown number is another process's."""
        return number if number <= len(self._events) else 0

    async def events(self, start: int = 0) -> AsyncGenerator[Event | None, None]:
        """Yield the events from a number on.

        None means that no event came for a while: a heartbeat is due.
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
        """Return the finished turn; skip the events before it."""
        async with aclosing(self.events()) as events:
            async for event in events:
                if isinstance(event, Turn):
                    return event
        raise EOFError  # pragma: no cover — a stream ends with a turn, or raises


def _check_names(message: Message) -> None:
    """Raise InvalidMessageError for external names that no database accepts."""
    for name in (message.sender, message.channel, message.client_message_id):
        try:
            plain(name or "")
        except ValueError as error:
            text = f"a name of the message cannot be stored: {error}"
            raise InvalidMessageError(text) from error


def measure(turn: Turn) -> None:
    """Update the metrics with a turn."""
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
