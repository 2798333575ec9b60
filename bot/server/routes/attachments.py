"""Routes for files: upload by a visitor, download with access to the conversation."""

import asyncio
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from bot.core.types import ForbiddenError, Message, NotFoundError, new_id, now
from bot.server import file_types
from bot.server.auth.access import at_least
from bot.server.dependencies import TheService
from bot.server.routes.messages import CONVERSATION
from bot.server.routes.visitors import Authorization, Caller, check_access
from bot.store.accounts import AccessLevel
from bot.store.attachments import Attachment

router: Final = APIRouter(prefix="/api")
# No content of a file is executed or interpreted as another type.
_SAFE: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",  # the widget shows images on other sites
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, max-age=3600",
}
_KINDS: Final = "PNG, JPEG, GIF, WebP, PDF or plain text"


@router.post("/conversations/{conversation_id}/attachments", status_code=201)
async def attach(
    conversation_id: CONVERSATION,
    request: Request,
    service: TheService,
    name: Annotated[str, Query(max_length=1000)] = "file",
    authorization: Authorization = "",
) -> dict[str, Any]:
    """Store a file, the body of the request, for a message that lists its id in `attachments`."""
    caller = await check_access(service, conversation_id, authorization)
    content = await _content(request, service.home.settings.attachment_bytes)
    media_type = file_types.kind(content)
    if media_type is None:
        raise HTTPException(415, f"this type of file is not supported: send {_KINDS}")
    file = Attachment(new_id(), conversation_id, file_types.safe_name(name), media_type, content)
    opening = caller.signed(Message("", conversation_id, channel="widget"))
    await asyncio.to_thread(service.attachments.add, opening, file)
    return {
        "id": file.id,
        "name": file.name,
        "media_type": media_type,
        "size": len(content),
        "url": service.visitor_tokens.address(file.id, now()),
    }


async def _content(request: Request, most: int) -> bytes:
    """Read a body up to the maximum size."""
    if most == 0:
        raise HTTPException(403, "files are not accepted here: describe it in words")
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > most:
            raise HTTPException(413, f"the file is too large: the limit is {most} bytes")
    if not content:
        raise HTTPException(422, "the file is empty: choose another")
    return bytes(content)


@router.get("/attachments/{identifier}")
def fetch(
    identifier: str,
    service: TheService,
    until: Annotated[int, Query(ge=0)] = 0,
    key: Annotated[str, Query(max_length=128)] = "",
    authorization: Authorization = "",
) -> Response:
    """Return a file, by its signed address or with access to its conversation."""
    is_signed = service.visitor_tokens.opens(identifier, until, key, now())
    caller = Caller(service, authorization)
    if not (is_signed or caller.is_business or caller.visitor):
        message = "the address of the file has expired: load the conversation again"
        raise ForbiddenError(message)
    file = service.attachments.get(identifier)
    if not (is_signed or caller.is_business) and not caller.holds(file.conversation_id):
        message = f"there is no file {identifier[:64]}"
        raise NotFoundError(message)
    return _file_response(file, embedded=True)


@router.get("/desk/attachments/{identifier}", dependencies=[Depends(at_least(AccessLevel.AGENT))])
def show(identifier: str, service: TheService) -> Response:
    """Return a file to a signed-in user."""
    return _file_response(service.attachments.get(identifier), embedded=False)


def _file_response(file: Attachment, *, embedded: bool) -> Response:
    """Return a file: images inline, others as a download; `embedded` for other sites."""
    disposition = "inline" if file.media_type in file_types.IMAGES else "attachment"
    charset = "; charset=utf-8" if file.media_type == file_types.TEXT else ""
    headers = {
        **_SAFE,
        "Content-Disposition": f"{disposition}; filename*=UTF-8''{quote(file.name)}",
    }
    if not embedded:
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return Response(file.content, media_type=file.media_type + charset, headers=headers)
