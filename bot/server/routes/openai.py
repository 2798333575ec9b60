"""Routes of OpenAI's chat completions and models, for programs written for that API."""

import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi.routing import APIRoute
from fastapi.sse import format_sse_event

from bot.core.types import CarelineError, Message, Turn, new_id
from bot.integrations.openai import schemas as shapes
from bot.server import error_handlers
from bot.server.api_errors import BusyError
from bot.server.auth.access import check_channel
from bot.server.dependencies import TheService
from bot.server.message_service import STREAM_HEADERS, UNFINISHED, ReplyStream, end_with_error
from bot.server.routes.visitors import check_access

_TYPES: Final = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
CHANNEL: Final = "openai"


class _Route(APIRoute):
    """A route with errors in OpenAI's format."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await answer(request)
            except RequestValidationError as error:
                return _error_response(400, "invalid", error_handlers.fields(error))
            except HTTPException as error:
                return _error_response(error.status_code, "http", str(error.detail))
            except CarelineError as error:
                status, code = error_handlers.status_and_code(error)
                response = _error_response(400 if status == 422 else status, code, str(error))  # noqa: PLR2004
                if isinstance(error, BusyError):
                    response.headers.update(error_handlers.BUSY_HEADERS)
                return response

        return handle


router: Final = APIRouter(prefix="/v1", route_class=_Route)
Authorization = Annotated[str, Header()]


@router.post("/chat/completions")
async def complete(
    body: shapes.ChatCompletionRequest,
    service: TheService,
    authorization: Authorization = "",
    x_conversation_id: Annotated[str | None, Header(pattern=shapes.ID)] = None,
    idempotency_key: Annotated[str | None, Header(max_length=128)] = None,
) -> Response:
    """Answer the last message of the user; the server stores the history by conversation.

    A conversation is continued by its id in `metadata.conversation_id`, or in the header
    `X-Conversation-Id`; without one a new conversation starts.
    """
    check_channel(service, "api_key", authorization)
    continued = (body.metadata or shapes.RequestMetadata()).conversation_id or x_conversation_id
    message = Message(
        text=body.question(),
        conversation_id=continued or new_id(),
        sender=body.user,
        channel=CHANNEL,
        client_message_id=idempotency_key if continued else None,
    )
    if continued:
        await check_access(service, continued, authorization)
    stream = await service.messages.begin(message)
    if body.stream:
        chunks = end_with_error(_chunks(stream, usage=body.wants_usage), _error_chunk)
        return StreamingResponse(chunks, media_type="text/event-stream", headers=STREAM_HEADERS)
    return JSONResponse(shapes.completion(await stream.turn()))


async def _chunks(stream: ReplyStream, *, usage: bool) -> AsyncGenerator[bytes, None]:
    head = shapes.head(stream.message, shapes.CHUNK)
    yield _data({**head, **shapes.delta({"role": "assistant", "content": ""})})
    async for event in stream.events():
        if event is None:
            yield format_sse_event(comment="still thinking")
        elif isinstance(event, str):
            yield _data({**head, **shapes.delta({"content": event})})
        elif isinstance(event, Turn):
            end = shapes.delta({}, finish_reason="stop")
            yield _data({**head, **end, "careline": shapes.careline(event)})
            if usage:
                yield _data({**head, "choices": [], "usage": shapes.usage(event)})
    yield format_sse_event(data_str="[DONE]")


def _error_chunk() -> bytes:
    return _data({"error": _error(500, "internal", UNFINISHED)})


@router.get("/models")
def models(service: TheService, authorization: Authorization = "") -> dict[str, Any]:
    """List the only model: the business's assistant."""
    check_channel(service, "api_key", authorization)
    return {"object": "list", "data": [_model(shapes.MODEL)]}


@router.get("/models/{name:path}")
def model(name: str, service: TheService, authorization: Authorization = "") -> dict[str, Any]:
    """Return a model; the business's assistant answers under any name."""
    check_channel(service, "api_key", authorization)
    return _model(name)


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _STARTED, "owned_by": "careline"}


_STARTED: Final = int(time.time())


def _data(value: dict[str, Any]) -> bytes:
    return format_sse_event(data_str=json.dumps(value, ensure_ascii=False))


def _error(status: int, code: str, message: str) -> dict[str, Any]:
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")  # noqa: PLR2004
    return {"message": message, "type": kind, "param": None, "code": code}


def _error_response(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": _error(status, code, message)}, status_code=status)
