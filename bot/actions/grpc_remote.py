"""Somebody else's action server over gRPC: the one way in which rasa-sdk streams a reply."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

import grpc  # type: ignore[import-untyped]
from google.protobuf.json_format import (  # type: ignore[import-untyped]
    MessageToDict,
    ParseDict,
)
from rasa_sdk.grpc_py import action_webhook_pb2_grpc
from rasa_sdk.grpc_py.action_webhook_pb2 import WebhookRequest

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
    finished,
    followed,
    overheard,
)
from bot.actions.failure_log import failure

_MOST_BYTES: Final = 2**20
_MOST_PIECES: Final = 5_000
_FAILED: Final = {
    grpc.StatusCode.DEADLINE_EXCEEDED: TIMEOUT,
    grpc.StatusCode.UNAVAILABLE: UNREACHABLE,
    grpc.StatusCode.NOT_FOUND: UNKNOWN_ACTION,
    grpc.StatusCode.UNAUTHENTICATED: REJECTED,
    grpc.StatusCode.PERMISSION_DENIED: REJECTED,
}


class GrpcRemoteActions:
    """The actions of a server that speaks rasa-sdk's gRPC."""

    def __init__(self, url: str, seconds: float = 8.0, token: str | None = None) -> None:
        """Take the address (`grpc://host:port`, or `grpcs://` with TLS), the time and the token."""
        address = urlsplit(url)
        self._target = address.netloc
        self._tls = address.scheme == "grpcs"
        self._seconds = seconds
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()

    def run(self, call: ActionCall, /) -> ActionResult:
        """Run an action and those that follow it."""
        return finished(self.stream(call))

    def stream(self, call: ActionCall, /) -> Steps:
        """Run an action; yield what it says as it says it, then return what came of it.

        The server stops an action whose caller hangs up, so one nobody listens to any more is
        heard to its end all the same.
        """
        return (yield from followed(call, self._once))

    def _once(self, call: ActionCall) -> Steps:
        return (yield from overheard(lambda say: self._done(call, say), call.name))

    def _done(self, call: ActionCall, say: Callable[[ActionReply], None]) -> ActionResult:
        said: list[ActionReply] = []

        def speak(one: ActionReply) -> None:
            said.append(one)
            say(one)

        try:
            result = self._heard(call, speak)
        except grpc.RpcError as error:
            result = _failed(call, error)
        except rasa_protocol.InvalidActionResponseError as error:
            result = failure(call, BAD_ANSWER, str(error))
        return replace(result, said=tuple(said))

    def _heard(self, call: ActionCall, speak: Callable[[ActionReply], None]) -> ActionResult:
        """Hear an answer event by event; what is no whole answer raises."""
        request = ParseDict(
            rasa_protocol.body(call, with_domain=True), WebhookRequest(), ignore_unknown_fields=True
        )
        begun, pieces = False, 0
        with self._channel() as channel:
            stub = action_webhook_pb2_grpc.ActionServiceStub(channel)
            for event in stub.WebhookStream(
                request, timeout=self._seconds, metadata=self._metadata
            ):
                kind = event.WhichOneof("event")
                pieces += 1
                if pieces > _MOST_PIECES:
                    message = f"more than {_MOST_PIECES} pieces"
                    raise rasa_protocol.InvalidActionResponseError(message)
                if kind == "chunk_start":
                    begun = False
                elif kind == "chunk" and (one := _piece(event.chunk)):
                    speak(replace(one, continues=begun))
                    begun = True
                elif kind == "final_result":
                    result = rasa_protocol.answer(_plain(event.final_result), call)
                    for one in result.said:
                        speak(one)
                    return result
        message = "the answer ends before its result"
        raise rasa_protocol.InvalidActionResponseError(message)

    def _channel(self) -> grpc.Channel:
        options = [("grpc.max_receive_message_length", _MOST_BYTES)]
        if self._tls:
            return grpc.secure_channel(self._target, grpc.ssl_channel_credentials(), options)
        return grpc.insecure_channel(self._target, options)


def _piece(chunk: Any) -> ActionReply | None:
    found = _plain(chunk)
    found.pop("response_id", None)
    return rasa_protocol.response(found)


def _plain(message: Any) -> dict[str, Any]:
    found: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    return found


def _failed(call: ActionCall, error: grpc.RpcError) -> ActionResult:
    """Return what a status means; a rejection comes as an internal error whose details tell it."""
    code, details = error.code(), error.details() or ""
    if code in _FAILED:
        return failure(call, _FAILED[code], code.name)
    try:
        found = json.loads(details)
    except ValueError:
        found = None
    if isinstance(found, dict) and isinstance(found.get("message"), str):
        reason = found["message"]
        return failure(call, BLOCKED if reason == BLOCKED else REJECTED, reason)
    return failure(call, BAD_ANSWER, code.name)
