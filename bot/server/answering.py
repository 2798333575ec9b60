"""One message on its way through the assistant, for any channel: made in a thread, read here."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from bot.assistant import Event, Received
from bot.server import metrics
from bot.server.problems import plain
from bot.server.service import Service
from bot.types import BadMessageError, Message, Turn

STREAM_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
HEARTBEAT_SECONDS: Final = 12.0


class Answering:
    """The events of one message, made in a thread and read in the event loop.

    The thread goes on to the end when nobody reads any more: the reply belongs to the
    conversation, not to the connection.
    """

    def __init__(self, service: Service, message: Message) -> None:
        """Take a place among the messages in work and start; `begin` also checks the message."""
        self.first: Event | None = None
        self._service = service
        self._message = replace(message, burst=service.home.settings.burst_seconds)
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Event | Exception | None] = asyncio.Queue()
        self._left = threading.Event()
        service.take()
        service.threads.submit(self._run)

    @classmethod
    async def begin(cls, service: Service, message: Message) -> "Answering":
        """Start a message and wait until it is in the log.

        Raises BadMessageError for what nobody could answer, BusyError where there is no place, and
        whatever keeps the message from being stored: up to here an error is an HTTP error.
        """
        service.assistant.check(message)
        _check_names(message)
        answering = cls(service, message)
        answering.first = await answering.next()
        return answering

    def _put(self, item: Event | Exception | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)
        except RuntimeError:  # the loop is closed: the server stops, the work goes on
            return

    def _run(self) -> None:
        metrics.IN_WORK.inc()
        try:
            for event in self._service.assistant.stream(self._message, self._left.is_set):
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

    def leave(self) -> None:
        """Say that nobody reads on: a language model may stop, the reply ends with what it said."""
        self._left.set()

    @property
    def message(self) -> Message:
        """The message as it stands in the log: the first one, where it was sent twice."""
        return self.first.message if isinstance(self.first, Received) else self._message

    async def next(self) -> Event | None:
        """Return the next event, None at the end; raise what the thread raised."""
        item = await self._queue.get()
        if isinstance(item, Exception):
            raise item
        return item

    async def events(self) -> AsyncIterator[Event | None]:
        """Yield the events, and None whenever there was none for a while: a sign of life is due."""
        event = self.first
        try:
            while event is not None:
                yield event
                waiting = asyncio.ensure_future(self.next())
                while not (await asyncio.wait({waiting}, timeout=HEARTBEAT_SECONDS))[0]:
                    yield None
                event = waiting.result()
        finally:
            self.leave()

    async def turn(self) -> Turn:
        """Return the finished turn, passing over what comes before it."""
        event = self.first
        while not isinstance(event, Turn):
            event = await self.next()
            if event is None:  # pragma: no cover — a stream ends with a turn, or raises
                raise EOFError
        return event


def _check_names(message: Message) -> None:
    """Raise BadMessageError for names of other systems that no database takes."""
    for name in (message.sender, message.channel, message.client_message_id):
        try:
            plain(name or "")
        except ValueError as error:
            complaint = f"a name of the message cannot be kept: {error}"
            raise BadMessageError(complaint) from error


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
