"""Client of a remote action server, over Rasa's HTTP protocol.

A call may have acted even if no answer came. It is repeated only if the connection failed, or if
the server asks for the domain (449), which it does before it acts.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Final

import httpx

from bot.actions import rasa_protocol
from bot.actions.calls import (
    BAD_ANSWER,
    BLOCKED,
    REJECTED,
    TIMEOUT,
    UNKNOWN_ACTION,
    UNREACHABLE,
    ActionCall,
    ActionReply,
    ActionResult,
    Steps,
    run_to_end,
    run_with_followups,
)
from bot.actions.failure_log import failure

_CONNECT_SECONDS: Final = 3.0
_MAX_CONNECTS: Final = 2
_MAX_BYTES: Final = 2**20
_OK, _REJECTED, _NOT_FOUND, _NO_DOMAIN = 200, 400, 404, 449
_REFUSED: Final = frozenset({401, 403})


class _BodyError(Exception):
    """The body is too large, or has an encoding that was not requested."""


@dataclass(frozen=True)
class _Response:
    status: int
    content: bytes


class HttpRemoteActions:
    """The actions of a server with Rasa's protocol: Careline's own, or any other."""

    def __init__(self, url: str, seconds: float = 8.0, token: str | None = None) -> None:
        """Store the address (with or without `/webhook`), the timeout of a call and the token.

        The token is sent as a bearer token and is never logged.
        """
        address = httpx.URL(url)
        path = address.path.rstrip("/")
        if not path.endswith("/webhook"):
            path += "/webhook"
        self._url = address.copy_with(path=path)
        self._seconds = seconds
        self._headers = {"Accept-Encoding": "identity"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._tls = httpx.create_ssl_context()

    def run(self, call: ActionCall, /) -> ActionResult:
        """Run an action and its follow-up actions."""
        return run_to_end(self.stream(call))

    def stream(self, call: ActionCall, /) -> Steps:
        """Run an action; in this protocol all responses come at the end."""
        return (yield from run_with_followups(call, self._once))

    def _once(self, call: ActionCall) -> Steps:
        result = asyncio.run(self._call(call))
        yield from result.said
        return result

    async def _call(self, call: ActionCall) -> ActionResult:
        try:
            async with asyncio.timeout(self._seconds):  # for the whole call
                response = await self._post(call, with_domain=False)
                if response.status == _NO_DOMAIN:
                    response = await self._post(call, with_domain=True)
        except (TimeoutError, httpx.TimeoutException):
            return failure(call, TIMEOUT, f"no answer within {self._seconds:g} seconds")
        except httpx.ConnectError as error:
            return failure(call, UNREACHABLE, type(error).__name__)
        except (httpx.HTTPError, httpx.InvalidURL, _BodyError) as error:
            return failure(call, BAD_ANSWER, type(error).__name__)
        return _read(call, response)

    async def _post(self, call: ActionCall, *, with_domain: bool) -> _Response:
        limit = httpx.Timeout(None, connect=min(_CONNECT_SECONDS, self._seconds / 2))
        # Always a new connection: an idle one that the server closed would look like a call
        # that may have acted.
        async with httpx.AsyncClient(
            timeout=limit, headers=self._headers, follow_redirects=False, verify=self._tls
        ) as client:
            sent = rasa_protocol.body(call, with_domain=with_domain)
            for last in (*[False] * (_MAX_CONNECTS - 1), True):
                try:
                    async with client.stream("POST", self._url, json=sent) as response:
                        return _Response(response.status_code, await _content(response))
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    if last:
                        raise
        raise AssertionError  # pragma: no cover — the last try returns or raises


async def _content(response: httpx.Response) -> bytes:
    """Return the body; raise _BodyError if it is too large or compressed."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise _BodyError
    content = b""
    async for piece in response.aiter_raw():
        content += piece
        if len(content) > _MAX_BYTES:
            raise _BodyError
    return content


def _read(call: ActionCall, response: _Response) -> ActionResult:
    status = response.status
    if status == _NOT_FOUND:
        return failure(call, UNKNOWN_ACTION, "the server has no such action or path")
    if status in _REFUSED:
        return failure(call, REJECTED, f"access denied ({status}): check actions_token")
    try:
        payload = json.loads(response.content)
    except (ValueError, RecursionError):
        payload = response  # not JSON: refused below
    if status == _REJECTED:
        reason = _reason(payload)
        return failure(call, BLOCKED if reason == BLOCKED else REJECTED, reason)
    if status != _OK:
        return failure(call, BAD_ANSWER, f"the server answers {status}")
    try:
        return rasa_protocol.answer(payload, call)
    except rasa_protocol.InvalidActionResponseError as error:
        return failure(call, BAD_ANSWER, str(error))


def _reason(payload: Any) -> str:
    reason = payload.get("error") if isinstance(payload, dict) else None
    return reason if isinstance(reason, str) else "no reason given"


class DisabledRemoteActions:
    """A client that calls no server, for replays."""

    def run(self, call: ActionCall, /) -> ActionResult:
        """Return a response that says that nothing was done."""
        return run_to_end(self.stream(call))

    def stream(self, call: ActionCall, /) -> Steps:
        """Yield a response that says that nothing was done."""
        reply = ActionReply(f"[{call.name}: the action server is not called in a replay]", None)
        yield reply
        return ActionResult((reply,))
