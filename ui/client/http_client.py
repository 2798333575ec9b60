"""A small client of the HTTP API: all that the screens know of the server."""

import json
import re
import secrets
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, Final, Self
from urllib.parse import quote

import httpx

Json = dict[str, Any]
_TIMEOUT: Final = httpx.Timeout(120.0, connect=5.0)  # a reply may be long in coming
_QUIET_SECONDS: Final = 30.0  # the server gives a sign of life more often
_AGAIN: Final = frozenset({429, 502, 503, 504})  # what may work a moment later
_LONGEST_PAUSE: Final = 10.0
_FAILURES: Final = 8  # connections in a row that brought nothing

_LINE_END: Final = re.compile(r"\r\n|\n|\r(?=.)", re.DOTALL)  # a last \r may get its \n yet


class ApiError(Exception):
    """The server refused or did not answer; `status` is 0 where there was no answer."""

    def __init__(self, message: str, status: int = 0, code: str = "unreachable") -> None:
        """Keep the server's words and its code."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.wait: float | None = None  # how long the server asked us to wait, in seconds
        self.body: Json = {}  # all that the server answered

    @property
    def may_pass(self) -> bool:
        """Whether the same request may work a moment later."""
        return self.status in _AGAIN or self.code in {"unreachable", "cut_off"}


class _Bearer(httpx.Auth):
    """Shows the token, where there is one."""

    def __init__(self, token: str | Callable[[], str | None] | None) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        token = self._token() if callable(self._token) else self._token
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        yield request


class Client:
    """Speaks to a Careline server; may be used by many threads at once."""

    def __init__(
        self,
        base_url: str,
        token: str | Callable[[], str | None] | None = None,
        *,
        attempts: int = 3,
    ) -> None:
        """Use the server at `base_url`; the token opens the console's routes.

        A function is asked for the token before each request.

        What changes nothing, and a message, which the server answers once, is tried `attempts`
        times.
        """
        self._attempts = attempts
        # The server is a neighbour: a proxy from the environment would only be in the way.
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

        Where the stream breaks, the message is sent again, and of the second stream, which is
        about the same reply, only the turn is new. Raises ApiError for an error event, and where
        every stream ended before the turn.
        """
        body = _message(text, conversation_id, sender, client_message_id)
        begun = False
        for attempt in range(1, self._attempts + 1):
            repeated = begun
            try:
                for name, data in self._stream("POST", "/api/messages", json=body):
                    begun = True
                    if name == "turn" or not repeated:
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
            with self._http.stream(method, path, headers=headers, **options) as answer:
                if answer.is_error:
                    answer.read()
                _check(answer)
                yield from _until_turn(events(_lines(answer.iter_text())))
        except httpx.HTTPError as error:
            raise _unreachable(error) from error

    def history(self, conversation_id: str, after: str | int | None = None) -> list[Json]:
        """Return a conversation's messages in order, after a position or a message id."""
        wanted = {} if after is None else {"after": str(after)}
        path = f"/api/conversations/{quote(conversation_id, safe='')}/messages"
        lines: list[Json] = self._json("GET", path, params=wanted)["messages"]
        return lines

    def follow(self, conversation_id: str, after: str | int | None = None) -> Iterator[Json]:
        """Yield a conversation's messages as they come, until the caller stops.

        A connection that breaks is opened again where it broke: no message is missed or repeated.
        """
        path = f"/api/conversations/{quote(conversation_id, safe='')}/messages"
        timeout = httpx.Timeout(_QUIET_SECONDS, connect=5.0)
        failures = 0
        while True:
            headers = {"Accept": "text/event-stream"}
            if after is not None:
                headers["Last-Event-ID"] = str(after)
            try:
                with self._http.stream("GET", path, headers=headers, timeout=timeout) as answer:
                    if answer.is_error:
                        answer.read()
                    _check(answer)
                    for name, line in events(_lines(answer.iter_text())):
                        if name == "message":  # not who has the conversation
                            failures, after = 0, line["position"]
                            yield line
                error = ApiError("the server ended the stream", code="cut_off")
            except httpx.HTTPError as broken:
                error = _unreachable(broken)
            except ApiError as refused:
                error = refused
            failures += 1
            if not error.may_pass or failures >= _FAILURES:
                raise error
            _pause(failures, error)

    def search(self, query: str, k: int = 5) -> list[Json]:
        """Return the passages that fit a query best, the way the chat finds them."""
        found: Any = self._json("POST", "/api/search", json={"query": query, "k": k})
        return list(found)

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
        """Say whether a reply was good: rating is up or down."""
        given = {"rating": rating, "reason": reason, "comment": comment}
        body = {key: value for key, value in given.items() if value is not None}
        self._request("POST", f"/api/messages/{quote(message_id, safe='')}/feedback", json=body)

    def trace(self, message_id: str) -> Json:
        """Return why a message was answered as it was."""
        return self._json("GET", f"/api/messages/{quote(message_id, safe='')}/trace")

    def explain(self, text: str) -> Json | None:
        """Return why a text is understood as it is, None without a model; needs the token."""
        answer = self._json("POST", "/api/explain", json={"text": text})
        found: Json | None = answer["explanation"]
        return found

    def conversations(self, limit: int = 50) -> list[Json]:
        """Return the conversations that moved last; needs the token."""
        answer = self._json("GET", "/api/conversations", params={"limit": str(limit)})
        found: list[Json] = answer["conversations"]
        return found

    def insights(self, period: Json) -> Json:
        """Return the figures of a period, such as `{"days": 30}`; needs the token."""
        return self._json("GET", "/api/insights", params=period)

    def insights_csv(self, period: Json) -> str:
        """Return the figures of a period as a table; needs the token."""
        return self._request("GET", "/api/insights.csv", params=period).text

    def surges(self, period: Json) -> list[Json]:
        """Return the surges of a period with examples and what had changed; needs the token."""
        found: list[Json] = self._json("GET", "/api/insights/surges", params=period)["surges"]
        return found

    def behind(self, period: Json, figure: str, value: str = "") -> Json:
        """Return the conversations behind a figure; needs the token."""
        wanted = {**period, "figure": figure, "value": value}
        return self._json("GET", "/api/insights/conversations", params=wanted)

    def rename_topic(self, topic: str, name: str, *, join: bool = False) -> None:
        """Give a discovered topic a name, or join it to the one of that name; needs the token."""
        self._request("PUT", f"/api/insights/topics/{topic}", json={"name": name, "join": join})

    def gaps(self, period: Json) -> list[Json]:
        """Return the questions nobody could answer, grouped; needs the token."""
        found: list[Json] = self._json("GET", "/api/insights/gaps", params=period)["clusters"]
        return found

    def draft(self, title: str, language: str, questions: Sequence[str]) -> Json:
        """Write a draft of an article that answers questions; needs the token."""
        body = {"title": title, "language": language, "questions": list(questions)}
        answer: Json = self._request("POST", "/api/insights/drafts", json=body).json()
        return answer

    def get(self, path: str, /, **params: str) -> Json:
        """Return what a route answers."""
        return self._json("GET", path, params=params)

    def post(self, path: str, /, **body: object) -> Json:
        """Send a body to a route, once, and return the answer."""
        answer: Json = self._request("POST", path, json=body).json()
        return answer

    def send_file(self, path: str, content: bytes, /, **params: str) -> Json:
        """Send a file to a route, once, and return the answer."""
        answer: Json = self._request("POST", path, content=content, params=params).json()
        return answer

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        _check(answer)
        return answer

    def _json(self, method: str, path: str, **options: Any) -> Json:
        """Return the JSON of an answer; only requests that may be repeated are made here."""
        for attempt in range(1, self._attempts + 1):
            try:
                answer: Json = self._request(method, path, **options).json()
            except ApiError as error:
                if attempt == self._attempts or not error.may_pass:
                    raise
                _pause(attempt, error)
            else:
                return answer
        raise AssertionError  # pragma: no cover — the loop returns or raises


def events(lines: Iterable[str]) -> Iterator[tuple[str, Json]]:
    """Yield the name and data of each server-sent event in a stream of lines."""
    name, data = "message", list[str]()
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield name, json.loads("\n".join(data))
            name, data = "message", []
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)


def _lines(chunks: Iterable[str]) -> Iterator[str]:
    """Yield lines as the event stream format ends them, which is not as `splitlines` does."""
    left = ""
    for chunk in chunks:
        *whole, left = _LINE_END.split(left + chunk)
        yield from whole


def _until_turn(found: Iterable[tuple[str, Json]]) -> Iterator[tuple[str, Json]]:
    for name, data in found:
        if name == "error":
            raise _complaint(data, 200)
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
    """Return a message that is answered once however often it is sent.

    The server knows it again by both ids, so they are made here where the caller has none.
    """
    body = {
        "text": text,
        "conversation_id": conversation_id or secrets.token_hex(16),
        "client_message_id": client_message_id or secrets.token_hex(16),
    }
    return body | {"sender": sender} if sender else body


def _pause(attempt: int, error: ApiError) -> None:
    """Wait before another attempt: as long as the server asked for, or twice as long each time."""
    time.sleep(min(error.wait if error.wait is not None else 0.2 * 2**attempt, _LONGEST_PAUSE))


def _check(answer: httpx.Response) -> None:
    if not answer.is_error:
        return
    try:
        body = answer.json()
    except ValueError:  # a proxy's page, not the server's words
        body = {}
    error = _complaint(body if isinstance(body, dict) else {}, answer.status_code)
    wait = answer.headers.get("Retry-After", "")
    error.wait = float(wait) if wait.isascii() and wait.isdecimal() else None
    raise error


def _complaint(body: Json, status: int) -> ApiError:
    error = body.get("error") or {}
    message = error.get("message") or f"the server answered {status}"
    complaint = ApiError(message, status, error.get("code") or "error")
    complaint.body = body
    return complaint


def _unreachable(error: httpx.HTTPError) -> ApiError:
    return ApiError(f"the server does not answer: {error}")
