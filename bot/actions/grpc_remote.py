"""Client of a remote action server over gRPC, the protocol in which rasa-sdk streams a reply."""

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
    run_to_end,
    run_with_followups,
    stream_from_thread,
)
from bot.actions.failure_log import failure

_MAX_BYTES: Final = 2**20
_MAX_PIECES: Final = 5_000
_REASON_BY_STATUS: Final = {
    grpc.StatusCode.DEADLINE_EXCEEDED: TIMEOUT,
    grpc.StatusCode.UNAVAILABLE: UNREACHABLE,
    grpc.StatusCode.NOT_FOUND: UNKNOWN_ACTION,
    grpc.StatusCode.UNAUTHENTICATED: REJECTED,
    grpc.StatusCode.PERMISSION_DENIED: REJECTED,
}


class GrpcRemoteActions:
    """The actions of a server that supports rasa-sdk's gRPC protocol."""

    def __init__(self, url: str, seconds: float = 8.0, token: str | None = None) -> None:
        """Store the address (`grpc://host:port`, or `grpcs://` with TLS), timeout and token."""
        address = urlsplit(url)
        self._target = address.netloc
        self._tls = address.scheme == "grpcs"
        self._seconds = seconds
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()

    def run(self, call: ActionCall, /) -> ActionResult:
        """Run an action and its follow-up actions."""
        return run_to_end(self.stream(call))

    def stream(self, call: ActionCall, /) -> Steps:
        """Run an action; yield its responses as they come, then return the result.

        The server stops an action whose caller disconnects, so the call is read to its end even if
        nobody reads the responses.
        """
        return (yield from run_with_followups(call, self._once))

    def _once(self, call: ActionCall) -> Steps:
        return (yield from stream_from_thread(lambda say: self._call(call, say), call.name))

    def _call(self, call: ActionCall, say: Callable[[ActionReply], None]) -> ActionResult:
        responses: list[ActionReply] = []

        def speak(reply: ActionReply) -> None:
            responses.append(reply)
            say(reply)

        try:
            result = self._read_stream(call, speak)
        except grpc.RpcError as error:
            result = _failed(call, error)
        except rasa_protocol.InvalidActionResponseError as error:
            result = failure(call, BAD_ANSWER, str(error))
        return replace(result, said=tuple(responses))

    def _read_stream(self, call: ActionCall, speak: Callable[[ActionReply], None]) -> ActionResult:
        """Read an answer event by event; raise for an incomplete answer."""
        request = ParseDict(
            rasa_protocol.body(call, with_domain=True), WebhookRequest(), ignore_unknown_fields=True
        )
        has_started, pieces = False, 0
        with self._channel() as channel:
            stub = action_webhook_pb2_grpc.ActionServiceStub(channel)
            for event in stub.WebhookStream(
                request, timeout=self._seconds, metadata=self._metadata
            ):
                kind = event.WhichOneof("event")
                pieces += 1
                if pieces > _MAX_PIECES:
                    message = f"more than {_MAX_PIECES} pieces"
                    raise rasa_protocol.InvalidActionResponseError(message)
                if kind == "chunk_start":
                    has_started = False
                elif kind == "chunk" and (reply := _reply_of_chunk(event.chunk)):
                    speak(replace(reply, continues=has_started))
                    has_started = True
                elif kind == "final_result":
                    result = rasa_protocol.answer(_to_dict(event.final_result), call)
                    for response in result.said:
                        speak(response)
                    return result
        message = "the answer ends before its result"
        raise rasa_protocol.InvalidActionResponseError(message)

    def _channel(self) -> grpc.Channel:
        options = [("grpc.max_receive_message_length", _MAX_BYTES)]
        if self._tls:
            return grpc.secure_channel(self._target, grpc.ssl_channel_credentials(), options)
        return grpc.insecure_channel(self._target, options)


def _reply_of_chunk(chunk: Any) -> ActionReply | None:
    payload = _to_dict(chunk)
    payload.pop("response_id", None)
    return rasa_protocol.response(payload)


def _to_dict(message: Any) -> dict[str, Any]:
    payload: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    return payload


def _failed(call: ActionCall, error: grpc.RpcError) -> ActionResult:
    """Return the result of an error status; the details of an internal error are a rejection."""
    code, details = error.code(), error.details() or ""
    if code in _REASON_BY_STATUS:
        return failure(call, _REASON_BY_STATUS[code], code.name)
    try:
        payload = json.loads(details)
    except ValueError:
        payload = None
    if isinstance(payload, dict) and isinstance(payload.get("message"), str):
        reason = payload["message"]
        return failure(call, BLOCKED if reason == BLOCKED else REJECTED, reason)
    return failure(call, BAD_ANSWER, code.name)
