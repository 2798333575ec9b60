"""A small client of the HTTP API."""

import secrets
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, Final, Self
from urllib.parse import quote

import httpx
from httpx_sse import EventSource

Json = dict[str, Any]
_TIMEOUT: Final = httpx.Timeout(120.0, connect=5.0)  # a reply may take long
_QUIET_SECONDS: Final = 30.0  # the server's heartbeats are more frequent
_TEMPORARY: Final = frozenset({429, 502, 503, 504})
_LONGEST_PAUSE: Final = 10.0
_FAILURES: Final = 8  # connections in a row without a message


class ApiError(Exception):
    """An error of the server; `status` is 0 if there was no response."""

    def __init__(self, message: str, status: int = 0, code: str = "unreachable") -> None:
        """Store the server's message and code."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.wait: float | None = None  # seconds to wait before the next request
        self.body: Json = {}  # the body of the response

    @property
    def may_pass(self) -> bool:
        """True if the same request may succeed a moment later."""
        return self.status in _TEMPORARY or self.code in {"unreachable", "cut_off"}


class _Bearer(httpx.Auth):
    """Sends the token, if there is one."""

    def __init__(self, token: str | Callable[[], str | None] | None) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        token = self._token() if callable(self._token) else self._token
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        yield request


class Client:
    """A client of a Careline server, safe to use in several threads."""

    def __init__(
        self,
        base_url: str,
        token: str | Callable[[], str | None] | None = None,
        *,
        attempts: int = 3,
    ) -> None:
        """Use the server at `base_url`.

        Args:
            base_url: The address of the server.
            token: The token for the console's routes, or a function that returns it, which is
                called before each request.
            attempts: Attempts for requests that change nothing, and for messages, which the server
                answers once.
        """
        self._attempts = attempts
        # No proxy from the environment: the server is usually on the same machine.
        self._http = httpx.Client(
            base_url=base_url, auth=_Bearer(token), timeout=_TIMEOUT, trust_env=False
        )

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(
        self,
        text: str,
        conversation_id: str | None = None,
        *,
        sender: str | None = None,
        client_message_id: str | None = None,
    ) -> Json:
        """Send a message and return its turn."""
        body = _message(text, conversation_id, sender, client_message_id)
        return self._json("POST", "/api/messages", json=body)

    def stream(
        self,
        text: str,
        conversation_id: str | None = None,
        *,
        sender: str | None = None,
        client_message_id: str | None = None,
    ) -> Iterator[tuple[str, Json]]:
        """Send a message and yield each event and its data; the last one is the turn.

        If the stream breaks, the message is sent again; of the second stream, which is about the
        same reply, only the turn is yielded. Raises ApiError for an error event, and if every
        stream ends before the turn.
        """
        body = _message(text, conversation_id, sender, client_message_id)
        has_begun = False
        for attempt in range(1, self._attempts + 1):
            is_repeated = has_begun
            try:
                for name, data in self._stream("POST", "/api/messages", json=body):
                    has_begun = True
                    if name == "turn" or not is_repeated:
                        yield name, data
            except ApiError as error:
                if attempt == self._attempts or not error.may_pass:
                    raise
                _pause(attempt, error)
            else:
                return

    def _stream(self, method: str, path: str, **options: Any) -> Iterator[tuple[str, Json]]:
        headers = {"Accept": "text/event-stream"}
        try:
            with self._http.stream(method, path, headers=headers, **options) as response:
                if response.is_error:
                    response.read()
                _check(response)
                yield from _until_turn(_events(response))
        except httpx.HTTPError as error:
            raise _unreachable(error) from error

    def history(self, conversation_id: str, after: str | int | None = None) -> list[Json]:
        """Return a conversation's messages in order, after a position or a message id."""
        query = {} if after is None else {"after": str(after)}
        path = f"/api/conversations/{quote(conversation_id, safe='')}/messages"
        lines: list[Json] = self._json("GET", path, params=query)["messages"]
        return lines

    def follow(self, conversation_id: str, after: str | int | None = None) -> Iterator[Json]:
        """Yield a conversation's messages as they arrive, until the caller stops.

        A connection that breaks is resumed: no message is missed or repeated.
        """
        path = f"/api/conversations/{quote(conversation_id, safe='')}/messages"
        timeout = httpx.Timeout(_QUIET_SECONDS, connect=5.0)
        failures = 0
        while True:
            headers = {"Accept": "text/event-stream"}
            if after is not None:
                headers["Last-Event-ID"] = str(after)
            try:
                with self._http.stream("GET", path, headers=headers, timeout=timeout) as response:
                    if response.is_error:
                        response.read()
                    _check(response)
                    for name, line in _events(response):
                        if name == "message":  # not the state of the conversation
                            failures, after = 0, line["position"]
                            yield line
                error = ApiError("the server ended the stream", code="cut_off")
            except httpx.HTTPError as http_error:
                error = _unreachable(http_error)
            except ApiError as api_error:
                error = api_error
            failures += 1
            if not error.may_pass or failures >= _FAILURES:
                raise error
            _pause(failures, error)

    def search(self, query: str, k: int = 5) -> list[Json]:
        """Return the passages that match a query best, as the chat finds them."""
        passages: Any = self._json("POST", "/api/search", json={"query": query, "k": k})
        return list(passages)

    def article(self, article_id: str) -> Json:
        """Return an article with its text, to which the offsets of citations refer."""
        return self._json("GET", f"/api/articles/{quote(article_id)}")

    def feedback(
        self,
        message_id: str,
        rating: str,
        *,
        reason: str | None = None,
        comment: str | None = None,
    ) -> None:
        """Rate a reply: rating is up or down."""
        fields = {"rating": rating, "reason": reason, "comment": comment}
        body = {key: value for key, value in fields.items() if value is not None}
        self._request("POST", f"/api/messages/{quote(message_id, safe='')}/feedback", json=body)

    def trace(self, message_id: str) -> Json:
        """Return the trace of a message."""
        return self._json("GET", f"/api/messages/{quote(message_id, safe='')}/trace")

    def explain(self, text: str) -> Json | None:
        """Return the explanation of a text's intent; None without a model; needs the token."""
        response = self._json("POST", "/api/explain", json={"text": text})
        explanation: Json | None = response["explanation"]
        return explanation

    def conversations(self, limit: int = 50) -> list[Json]:
        """Return the conversations with the latest activity; needs the token."""
        response = self._json("GET", "/api/conversations", params={"limit": str(limit)})
        conversations: list[Json] = response["conversations"]
        return conversations

    def insights(self, period: Json) -> Json:
        """Return the figures of a period, such as `{"days": 30}`; needs the token."""
        return self._json("GET", "/api/insights", params=period)

    def insights_csv(self, period: Json) -> str:
        """Return the figures of a period as a table; needs the token."""
        return self._request("GET", "/api/insights.csv", params=period).text

    def surges(self, period: Json) -> list[Json]:
        """Return the surges of a period with examples and changes; needs the token."""
        surges: list[Json] = self._json("GET", "/api/insights/surges", params=period)["surges"]
        return surges

    def behind(self, period: Json, figure: str, value: str = "") -> Json:
        """Return the conversations behind a figure; needs the token."""
        query = {**period, "figure": figure, "value": value}
        return self._json("GET", "/api/insights/conversations", params=query)

    def rename_topic(self, topic: str, name: str, *, join: bool = False) -> None:
        """Rename a discovered topic, or join it with the one of that name; needs the token."""
        self._request("PUT", f"/api/insights/topics/{topic}", json={"name": name, "join": join})

    def gaps(self, period: Json) -> list[Json]:
        """Return clusters of questions without an answer; needs the token."""
        clusters: list[Json] = self._json("GET", "/api/insights/gaps", params=period)["clusters"]
        return clusters

    def draft(self, title: str, language: str, questions: Sequence[str]) -> Json:
        """Create a draft of an article that answers questions; needs the token."""
        body = {"title": title, "language": language, "questions": list(questions)}
        response: Json = self._request("POST", "/api/insights/drafts", json=body).json()
        return response

    def get(self, path: str, /, **params: str) -> Json:
        """Return the response of a route."""
        return self._json("GET", path, params=params)

    def post(self, path: str, /, **body: object) -> Json:
        """Send a body to a route, once, and return the response."""
        response: Json = self._request("POST", path, json=body).json()
        return response

    def send_file(self, path: str, content: bytes, /, **params: str) -> Json:
        """Send a file to a route, once, and return the response."""
        response: Json = self._request("POST", path, content=content, params=params).json()
        return response

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        _check(response)
        return response

    def _json(self, method: str, path: str, **options: Any) -> Json:
        """Send a request that may be repeated, and return the JSON of the response."""
        for attempt in range(1, self._attempts + 1):
            try:
                response: Json = self._request(method, path, **options).json()
            except ApiError as error:
                if attempt == self._attempts or not error.may_pass:
                    raise
                _pause(attempt, error)
            else:
                return response
        raise AssertionError  # pragma: no cover — the loop returns or raises


def _events(response: httpx.Response) -> Iterator[tuple[str, Json]]:
    """Yield the name and data of each server-sent event."""
    for event in EventSource(response).iter_sse():
        yield event.event, event.json()


def _until_turn(stream: Iterable[tuple[str, Json]]) -> Iterator[tuple[str, Json]]:
    for name, data in stream:
        if name == "error":
            raise _error_of(data, 200)
        yield name, data
        if name == "turn":
            return
    message = "the reply was cut off: send the message again"
    raise ApiError(message, code="cut_off")


def _message(
    text: str,
    conversation_id: str | None,
    sender: str | None = None,
    client_message_id: str | None = None,
) -> Json:
    """Return a message that is answered once, however often it is sent.

    The server recognises it by both ids, which are created here if the caller has none.
    """
    body = {
        "text": text,
        "conversation_id": conversation_id or secrets.token_hex(16),
        "client_message_id": client_message_id or secrets.token_hex(16),
    }
    return body | {"sender": sender} if sender else body


def _pause(attempt: int, error: ApiError) -> None:
    """Wait as long as the server asked for, or twice as long each time."""
    time.sleep(min(error.wait if error.wait is not None else 0.2 * 2**attempt, _LONGEST_PAUSE))


def _check(response: httpx.Response) -> None:
    if not response.is_error:
        return
    try:
        body = response.json()
    except ValueError:  # the error page of a proxy
        body = {}
    error = _error_of(body if isinstance(body, dict) else {}, response.status_code)
    wait = response.headers.get("Retry-After", "")
    error.wait = float(wait) if wait.isascii() and wait.isdecimal() else None
    raise error


def _error_of(body: Json, status: int) -> ApiError:
    details = body.get("error") or {}
    message = details.get("message") or f"the server answered with status {status}"
    error = ApiError(message, status, details.get("code") or "error")
    error.body = body
    return error


def _unreachable(error: httpx.HTTPError) -> ApiError:
    return ApiError(f"the server does not answer: {error}")
