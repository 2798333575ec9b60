"""Access of visitors to conversations, and the route for their sessions.

A conversation that began with a visitor's session is open only to that session. One that began
without is open by its id, 128 random bits, unless the setting `visitor_tokens` is `required`.
"""

import asyncio
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, HTTPException
from pydantic import BaseModel, Field

from bot.core.signatures import equal
from bot.core.types import CarelineError, ForbiddenError, Message, new_id, now
from bot.server.auth.access import signed_in
from bot.server.auth.visitor_tokens import LIFETIME, Visitor, is_session, proves
from bot.server.dependencies import TheService
from bot.server.service import Service

router: Final = APIRouter(prefix="/api")
Authorization = Annotated[str, Header()]
_BEARER: Final = "Bearer "
_NO_SESSION: Final = "this needs a visitor's session: get one with POST /api/sessions"
_UNKNOWN_SESSION: Final = "this session is invalid or has expired: get a new one"


class Identity(BaseModel):
    """A customer's id, with the proof of your own server."""

    id: str = Field(min_length=1, max_length=256)
    hmac: str = Field(max_length=128)


class NewSession(BaseModel):
    """The request for a session."""

    identity: Identity | None = None


class Caller:
    """The caller of a request: the business, a visitor, or neither."""

    def __init__(self, service: Service, authorization: str) -> None:
        """Read the header; raise 401 for an invalid or expired session."""
        token = authorization.removeprefix(_BEARER)
        settings = service.home.settings
        keys = (service.secrets.token, settings.secret("api_key"))
        self._conversations = service.visitor_conversations
        self._required = settings.visitor_tokens == "required"
        self.is_business = (
            any(equal(token, key) for key in keys if key) or signed_in(service, token) is not None
        )
        self.visitor: Visitor | None = None
        if is_session(token):
            self.visitor = service.visitor_tokens.visitor(token, now())
            if self.visitor is None:
                raise HTTPException(401, _UNKNOWN_SESSION)

    def check(self, conversation_id: str) -> None:
        """Raise ForbiddenError if a conversation belongs to another visitor.

        A new conversation may be started; only with a session if sessions are required.
        """
        if self.is_business:
            return
        holder = self._conversations.holder(conversation_id)
        if holder is None:
            if self._required and self.visitor is None:
                raise HTTPException(401, _NO_SESSION)
            return
        is_own = self.visitor is not None and self.visitor.id == holder
        is_open = not holder and not self._required
        if not (is_own or is_open):
            message = "this conversation belongs to another visitor: send its session"
            raise ForbiddenError(message)

    def holds(self, conversation_id: str) -> bool:
        """Return whether a conversation belongs to the caller."""
        visitor_id = self.visitor.id if self.visitor else None
        return visitor_id is not None and visitor_id == self._conversations.holder(conversation_id)

    def check_message(self, message_id: str) -> None:
        """Raise ForbiddenError if a message is in another visitor's conversation."""
        self.check(self._conversations.conversation_of(message_id))

    def signed(self, message: Message) -> Message:
        """Return a message with the visitor and, if verified, the customer."""
        if self.visitor is None:
            return message
        return replace(message, visitor=self.visitor.id, customer=self.visitor.customer)


async def check_access(service: Service, conversation_id: str, authorization: str) -> Caller:
    """Return the caller with access to a conversation; raise 401 or ForbiddenError otherwise."""
    caller = Caller(service, authorization)
    await asyncio.to_thread(caller.check, conversation_id)
    return caller


@router.post("/sessions", status_code=201)
def begin_session(
    body: NewSession, service: TheService, authorization: Authorization = ""
) -> dict[str, Any]:
    """Create a visitor's session, or renew the one in the header.

    With an identity, the session is that customer's. If the present session is another customer's,
    a new visitor starts, so that nobody takes over what somebody else wrote in the same browser.
    """
    at = now()
    token = authorization.removeprefix(_BEARER)
    visitor = service.visitor_tokens.visitor(token, at) or Visitor(new_id())
    if body.identity:
        _check_identity(service, body.identity)
        is_other_customer = visitor.customer not in {None, body.identity.id}
        visitor = Visitor(new_id() if is_other_customer else visitor.id, body.identity.id)
    return {
        "session": service.visitor_tokens.session(visitor, at),
        "visitor": visitor.id,
        "customer": visitor.customer,
        "expires_at": (at + LIFETIME).isoformat(),
        "attachment_bytes": service.home.settings.attachment_bytes,
    }


def _check_identity(service: Service, identity: Identity) -> None:
    secret = service.home.settings.secret("identity_secret")
    if not secret:
        message = "visitors cannot be identified: set identity_secret and sign ids with it"
        raise CarelineError(message)
    if not proves(secret, identity.id, identity.hmac):
        message = "the hmac does not match the id: sign it with the identity_secret"
        raise ForbiddenError(message)
