"""Who may touch a conversation: its visitor, or the business.

A conversation that began with a visitor's session is open to that session alone. One that began
without is open by its id, 128 random bits, unless the setting `visitor_tokens` is `required`.
"""

import asyncio
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, HTTPException, Request
from pydantic import BaseModel, Field

from bot.core.signatures import equal
from bot.core.types import CarelineError, ForbiddenError, Message, new_id, now
from bot.server.auth.access import signed_in
from bot.server.auth.visitor_tokens import LASTS, Visitor, is_session, proves
from bot.server.service import Service

router: Final = APIRouter(prefix="/api")
Authorization = Annotated[str, Header()]
_BEARER: Final = "Bearer "
_NO_SESSION: Final = "this needs a visitor's session: POST /api/sessions gives one"
_UNKNOWN_SESSION: Final = "this session is over, or not from here: ask for a new one"


class Identity(BaseModel):
    """A customer's id, and the proof of your own server that the visitor is that customer."""

    id: str = Field(min_length=1, max_length=256)
    hmac: str = Field(max_length=128)


class NewSession(BaseModel):
    """What a session is asked for with."""

    identity: Identity | None = None


class Caller:
    """Somebody who makes a request: the business, a visitor, or neither."""

    def __init__(self, service: Service, authorization: str) -> None:
        """Read the header; raise 401 for a session that is over or was not made here."""
        token = authorization.removeprefix(_BEARER)
        settings = service.home.settings
        keys = (service.secrets.token, settings.secret("api_key"))
        self._service = service
        self._required = settings.visitor_tokens == "required"
        self.is_business = (
            any(equal(token, key) for key in keys if key) or signed_in(service, token) is not None
        )
        self.visitor: Visitor | None = None
        if is_session(token):
            self.visitor = service.tickets.visitor(token, now())
            if self.visitor is None:
                raise HTTPException(401, _UNKNOWN_SESSION)

    def check(self, conversation_id: str) -> None:
        """Raise ForbiddenError where a conversation is somebody else's.

        One that is not there yet may be begun; with a session only, where that is required.
        """
        if self.is_business:
            return
        holder = self._service.visits.holder(conversation_id)
        if holder is None:
            if self._required and self.visitor is None:
                raise HTTPException(401, _NO_SESSION)
            return
        mine = self.visitor is not None and self.visitor.id == holder
        anybodys = not holder and not self._required
        if not (mine or anybodys):
            message = "this conversation is another visitor's: show its session"
            raise ForbiddenError(message)

    def holds(self, conversation_id: str) -> bool:
        """Return whether a conversation is the caller's own."""
        mine = self.visitor.id if self.visitor else None
        return mine is not None and mine == self._service.visits.holder(conversation_id)

    def check_message(self, message_id: str) -> None:
        """Raise ForbiddenError where a message stands in somebody else's conversation."""
        self.check(self._service.visits.conversation_of(message_id))

    def signed(self, message: Message) -> Message:
        """Return a message as this caller's: with the visitor, and the customer where proven."""
        if self.visitor is None:
            return message
        return replace(message, visitor=self.visitor.id, customer=self.visitor.customer)


async def admitted(request: Request, conversation_id: str, authorization: str) -> Caller:
    """Return the caller who may touch a conversation; raise 401 or ForbiddenError for others."""
    service: Service = request.app.state.service
    caller = Caller(service, authorization)
    await asyncio.to_thread(caller.check, conversation_id)
    return caller


@router.post("/sessions", status_code=201)
def begin_session(
    body: NewSession, request: Request, authorization: Authorization = ""
) -> dict[str, Any]:
    """Make a visitor's session, or renew the one that is shown.

    With an identity the session is that customer's. Where the one shown is another customer's, a
    new visitor begins: nobody takes over what somebody else wrote in the same browser.
    """
    service: Service = request.app.state.service
    at = now()
    shown = authorization.removeprefix(_BEARER)
    visitor = service.tickets.visitor(shown, at) or Visitor(new_id())
    if body.identity:
        _check_identity(service, body.identity)
        other = visitor.customer not in {None, body.identity.id}
        visitor = Visitor(new_id() if other else visitor.id, body.identity.id)
    return {
        "session": service.tickets.session(visitor, at),
        "visitor": visitor.id,
        "customer": visitor.customer,
        "expires_at": (at + LASTS).isoformat(),
        "attachment_bytes": service.home.settings.attachment_bytes,
    }


def _check_identity(service: Service, identity: Identity) -> None:
    secret = service.home.settings.secret("identity_secret")
    if not secret:
        message = "no visitor can be identified: set identity_secret, and sign ids with it"
        raise CarelineError(message)
    if not proves(secret, identity.id, identity.hmac):
        message = "the hmac is not that of this id: sign it with the identity_secret"
        raise ForbiddenError(message)
