"""A client of OpenAI's chat API over HTTP, for vLLM and the like, or a provider.

A request that fails before its first piece is retried while there is time; an engine that keeps
failing gets no requests for a while, so that customers do not wait for it (circuit breaker,
M. Nygard, Release It!, 2007).
"""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from bot.core.types import Usage
from bot.generation.language_models import (
    MAX_TOKENS,
    Chat,
    EngineError,
    Seconds,
    Writing,
    estimate_usage,
)

_CONNECT_SECONDS: Final = 3.0
_ATTEMPTS: Final = 3
_PAUSE_SECONDS: Final = 0.25  # before the second attempt; doubled before each further one
_RETRYABLE: Final = frozenset({408, 409, 429})  # and every 5xx
_SERVER_ERROR: Final = 500
_BAD_REQUEST: Final = 400
_MAX_LINE: Final = 2**20
_CHARACTERS_PER_TOKEN: Final = 4  # of English, if the engine does not report its usage


class _RetryableError(EngineError):
    """An error worth another attempt, perhaps after some seconds."""

    def __init__(self, message: str, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after


@dataclass
class CircuitBreaker:
    """Opens after consecutive failures; then one request at a time tests whether it is over."""

    failures: int = 5
    seconds: float = 20.0
    _count: int = 0
    _until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allows(self) -> bool:
        """Return whether a request may be made now."""
        with self._lock:
            if self._count < self.failures:
                return True
            if time.monotonic() < self._until:
                return False
            self._until = time.monotonic() + self.seconds  # this one tries, the others wait
            return True

    def record(self, *, succeeded: bool) -> None:
        """Record the result of a request."""
        with self._lock:
            self._count = 0 if succeeded else self._count + 1
            if self._count >= self.failures:
                self._until = time.monotonic() + self.seconds


class OpenAIGenerator:
    """Streams text from `{url}/chat/completions`."""

    def __init__(
        self, url: str, model: str, key: str | None = None, breaker: CircuitBreaker | None = None
    ) -> None:
        """Set the base URL (…/v1), the model's name there and the key, which is never logged."""
        self.name = model
        self._url = f"{url.rstrip('/')}/chat/completions"
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(headers=headers, follow_redirects=False)
        self._breaker = breaker or CircuitBreaker()

    def stream(self, chat: Chat, /, *, within: Seconds) -> Writing:
        """Yield pieces of the answer, then return the tokens used; closing disconnects."""
        if not self._breaker.allows():
            message = f"the engine of {self.name} failed several times and is left alone for now"
            raise EngineError(message)
        ends = time.monotonic() + within
        try:
            usage = yield from self._retry(chat, ends)
        except EngineError:
            self._breaker.record(succeeded=False)
            raise
        except GeneratorExit:
            self._breaker.record(succeeded=True)  # it answered; the rest is not needed
            raise
        self._breaker.record(succeeded=True)
        return usage

    def _retry(self, chat: Chat, ends: float) -> Writing:
        pause = _PAUSE_SECONDS
        for last in (*[False] * (_ATTEMPTS - 1), True):
            started = False
            attempt = self._request(chat, ends)
            try:
                while True:
                    try:
                        piece = next(attempt)
                    except StopIteration as stop:
                        usage: Usage = stop.value
                        return usage
                    started = True
                    yield piece
            except _RetryableError as error:
                wait = max(pause, error.after)
                if started or last or time.monotonic() + wait >= ends:
                    raise
                time.sleep(wait)
                pause *= 2
            finally:
                attempt.close()
        raise AssertionError  # pragma: no cover — the last attempt returns or raises

    def _request(self, chat: Chat, ends: float) -> Writing:
        body = {
            "model": self.name,
            "messages": list(chat),
            "temperature": 0,
            "max_tokens": MAX_TOKENS,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        written = ""
        usage: Usage | None = None
        finished = False
        try:
            limit = _timeout(ends)
            with self._http.stream("POST", self._url, json=body, timeout=limit) as response:
                _raise_for_status(response, self.name)
                for event in _events(response, ends, self.name):
                    finished = finished or event is None
                    if event is None:
                        break
                    usage = _usage(event) or usage
                    finished = finished or _is_last(event)
                    if piece := _piece(event):
                        written += piece
                        yield piece
        except httpx.TimeoutException as error:
            message = f"the engine of {self.name} was not done in time"
            raise EngineError(message) from error
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            message = f"the engine of {self.name} cannot be reached: {type(error).__name__}"
            raise _RetryableError(message) from error
        if not finished or not written:
            message = f"the engine of {self.name} broke off"
            raise _RetryableError(message)
        return usage or estimate_usage(_tokens, chat, written)


def _timeout(ends: float) -> httpx.Timeout:
    remaining = max(0.01, ends - time.monotonic())
    return httpx.Timeout(remaining, connect=min(remaining, _CONNECT_SECONDS))


def _raise_for_status(response: httpx.Response, name: str) -> None:
    status = response.status_code
    if status in _RETRYABLE or status >= _SERVER_ERROR:
        after = response.headers.get("retry-after", "")
        message = f"the engine of {name} is busy or broken ({status})"
        raise _RetryableError(message, float(after) if after.isdecimal() else 0.0)
    if status >= _BAD_REQUEST or not response.is_success:
        message = f"the engine of {name} refuses ({status}): look at generator_url and its key"
        raise EngineError(message)


def _events(response: httpx.Response, ends: float, name: str) -> Iterator[dict[str, Any] | None]:
    """Yield the events of a stream, None for its end; raise for anything else."""
    for line in _lines(response, ends, name):
        if not line.startswith("data:"):
            continue  # comments, names of events, blank lines
        data = line.removeprefix("data:").strip()
        if data == "[DONE]":
            yield None
            return
        try:
            event = json.loads(data)
        except ValueError as error:
            message = f"the engine of {name} sent invalid JSON"
            raise _RetryableError(message) from error
        if not isinstance(event, dict) or "error" in event:
            message = f"the engine of {name} reported an error"
            raise _RetryableError(message)
        yield event


def _lines(response: httpx.Response, ends: float, name: str) -> Iterator[str]:
    """Yield lines as they arrive; the time limit also applies to a slow stream."""
    waiting = ""
    for text in response.iter_text():
        if time.monotonic() > ends:
            message = f"the engine of {name} was not done in time"
            raise EngineError(message)
        *lines, waiting = (waiting + text).split("\n")
        if len(waiting) > _MAX_LINE:
            message = f"the engine of {name} sent something other than an event stream"
            raise EngineError(message)
        yield from lines
    yield waiting


def _piece(event: dict[str, Any]) -> str:
    choice = _choice(event)
    delta = choice.get("delta")
    content = delta.get("content") if isinstance(delta, dict) else None
    return content if isinstance(content, str) else ""


def _is_last(event: dict[str, Any]) -> bool:
    return _choice(event).get("finish_reason") is not None


def _choice(event: dict[str, Any]) -> dict[str, Any]:
    choices = event.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}


def _usage(event: dict[str, Any]) -> Usage | None:
    usage = event.get("usage")
    if not isinstance(usage, dict):
        return None
    numbers = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not all(isinstance(number, int) and number >= 0 for number in numbers):
        return None
    return Usage(int(numbers[0] or 0), int(numbers[1] or 0), reported=True)


def _tokens(text: str) -> int:
    """Return the approximate number of tokens: a Han character counts as one."""
    wide = sum(character > "\u2e80" for character in text)
    return wide + -(-(len(text) - wide) // _CHARACTERS_PER_TOKEN)
