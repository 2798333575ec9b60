"""The routes of files: a visitor sends one, who may see the conversation fetches it."""

import asyncio
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from bot.core.types import ForbiddenError, Message, NotFoundError, new_id, now
from bot.server import file_types
from bot.server.auth.access import at_least
from bot.server.routes.messages import CONVERSATION, service_of
from bot.server.routes.visitors import Authorization, Caller, admitted
from bot.store.accounts import AccessLevel
from bot.store.attachments import Attachment

router: Final = APIRouter(prefix="/api")
# Whatever a file holds, nothing in it runs, and it is taken for nothing else.
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
    name: Annotated[str, Query(max_length=1000)] = "file",
    authorization: Authorization = "",
) -> dict[str, Any]:
    """Keep a file, the body of the request, for a message that names its id in `attachments`."""
    caller = await admitted(request, conversation_id, authorization)
    service = service_of(request)
    content = await _content(request, service.home.settings.attachment_bytes)
    media_type = file_types.kind(content)
    if media_type is None:
        raise HTTPException(415, f"files of this kind are not taken: send {_KINDS}")
    file = Attachment(new_id(), conversation_id, file_types.safe_name(name), media_type, content)
    opening = caller.signed(Message("", conversation_id, channel="widget"))
    await asyncio.to_thread(service.attachments.add, opening, file)
    return {
        "id": file.id,
        "name": file.name,
        "media_type": media_type,
        "size": len(content),
        "url": service.tickets.address(file.id, now()),
    }


async def _content(request: Request, most: int) -> bytes:
    """Read a body that is not larger than allowed."""
    if most == 0:
        raise HTTPException(403, "files are not taken here: describe it in words")
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > most:
            raise HTTPException(413, f"the file is too large: at most {most} bytes are taken")
    if not content:
        raise HTTPException(422, "the file is empty: choose another")
    return bytes(content)


@router.get("/attachments/{identifier}")
def fetch(
    identifier: str,
    request: Request,
    until: Annotated[int, Query(ge=0)] = 0,
    key: Annotated[str, Query(max_length=128)] = "",
    authorization: Authorization = "",
) -> Response:
    """Return a file to who has its signed address, or may see its conversation."""
    service = service_of(request)
    opened = service.tickets.opens(identifier, until, key, now())
    caller = Caller(service, authorization)
    if not (opened or caller.is_business or caller.visitor):
        message = "this address of the file is over: load the conversation again"
        raise ForbiddenError(message)
    file = service.attachments.get(identifier)
    if not (opened or caller.is_business) and not caller.holds(file.conversation_id):
        message = f"there is no file {identifier[:64]}"
        raise NotFoundError(message)
    return _served(file, embedded=True)


@router.get("/desk/attachments/{identifier}", dependencies=[Depends(at_least(AccessLevel.AGENT))])
def show(identifier: str, request: Request) -> Response:
    """Return a file to who signed in; its address says nothing to anybody else."""
    return _served(service_of(request).attachments.get(identifier), embedded=False)


def _served(file: Attachment, *, embedded: bool) -> Response:
    """Return a file: images to look at, others to keep; `embedded` where other sites show it."""
    way = "inline" if file.media_type in file_types.IMAGES else "attachment"
    charset = "; charset=utf-8" if file.media_type == file_types.TEXT else ""
    headers = {**_SAFE, "Content-Disposition": f"{way}; filename*=UTF-8''{quote(file.name)}"}
    if not embedded:
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return Response(file.content, media_type=file.media_type + charset, headers=headers)
