"""A small client of the HTTP API: all that the screens know of the server."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, Self
from urllib.parse import quote

import httpx

Json = dict[str, Any]
_TIMEOUT: Final = httpx.Timeout(120.0, connect=5.0)  # a reply may be long in coming

_LINE_END: Final = re.compile(r"\r\n|\n|\r(?=.)", re.DOTALL)  # a last \r may get its \n yet


class ApiError(Exception):
    """The server refused or did not answer; `status` is 0 where there was no answer."""

    def __init__(self, message: str, status: int = 0, code: str = "unreachable") -> None:
        """Keep the server's words and its code."""
        super().__init__(message)
        self.status = status
        self.code = code


class Client:
    """Speaks to a Careline server; may be used by many threads at once."""

    def __init__(self, base_url: str, token: str | None = None) -> None:
        """Use the server at `base_url`; the token opens the console's routes."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # The server is a neighbour: a proxy from the environment would only be in the way.
        self._http = httpx.Client(
            base_url=base_url, headers=headers, timeout=_TIMEOUT, trust_env=False
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

    def send(self, text: str, conversation_id: str | None = None) -> Json:
        """Send a message and return its turn."""
        return self._json("POST", "/api/messages", json=_message(text, conversation_id))

    def stream(self, text: str, conversation_id: str | None = None) -> Iterator[tuple[str, Json]]:
        """Send a message and yield each event and its data; the last one is the turn.

        Raises ApiError for an error event, and where the stream ends before the turn.
        """
        body = _message(text, conversation_id)
        headers = {"Accept": "text/event-stream"}
        try:
            with self._http.stream("POST", "/api/messages", json=body, headers=headers) as answer:
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

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        _check(answer)
        return answer

    def _json(self, method: str, path: str, **options: Any) -> Json:
        answer: Json = self._request(method, path, **options).json()
        return answer


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


def _message(text: str, conversation_id: str | None) -> Json:
    body = {"text": text}
    return body | {"conversation_id": conversation_id} if conversation_id else body


def _check(answer: httpx.Response) -> None:
    if not answer.is_error:
        return
    try:
        body = answer.json()
    except ValueError:  # a proxy's page, not the server's words
        body = {}
    raise _complaint(body if isinstance(body, dict) else {}, answer.status_code)


def _complaint(body: Json, status: int) -> ApiError:
    error = body.get("error") or {}
    message = error.get("message") or f"the server answered {status}"
    return ApiError(message, status, error.get("code") or "error")


def _unreachable(error: httpx.HTTPError) -> ApiError:
    return ApiError(f"the server does not answer: {error}")
