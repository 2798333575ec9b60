"""Access to routes: signed-in users, the console's token, and channels."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from fastapi import HTTPException, Request

from bot.core.settings import Secret
from bot.core.signatures import equal
from bot.server.api_errors import RefusedRequestError
from bot.server.auth import sessions
from bot.server.service import Service
from bot.store.accounts import AccessLevel, User

_BEARER: Final = "Bearer "
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class StaffUser:
    """A signed-in user, or the holder of the console's token with full access."""

    level: AccessLevel
    user: User | None = None

    def check_is(self, agent: str, *, unless: AccessLevel | None = None) -> None:
        """Raise 403 if a user acts for somebody else, unless their level is high enough."""
        if self.user is None or self.user.id == agent:
            return
        if unless is None or not self.level.covers(unless):
            message = f"you are {self.user.id}: you cannot act for {agent[:64]}"
            raise RefusedRequestError(403, message, "somebody_else", user=self.user.id)

    def author(self) -> str:
        """Return the name shown with notes and labels."""
        return self.user.name if self.user else "console"


def signed_in(service: Service, value: str) -> User | None:
    """Return the user of a session value; None if it has expired or is not valid."""
    claimed = sessions.claim(value)
    user = service.users.find(claimed.user) if claimed else None
    if claimed and user and sessions.is_valid(service.session_key, claimed, user, time.time()):
        return user
    return None


def staff(request: Request) -> StaffUser:
    """Return the calling staff user, by the console's token or a session; raise 401 otherwise.

    Browsers send the session as a cookie, programs as a bearer token.
    """
    service: Service = request.app.state.service
    token = request.headers.get("authorization", "").removeprefix(_BEARER)
    if equal(token, service.secrets.token):
        return StaffUser(AccessLevel.ADMIN)
    user = signed_in(service, token or request.cookies.get(sessions.COOKIE, ""))
    if user is None:
        message = "sign in at /login, or send the console's token"
        raise RefusedRequestError(401, message, "signed_out")
    if not token:
        _check_origin(request)
    return StaffUser(user.level, user)


def at_least(level: AccessLevel) -> Callable[[Request], StaffUser]:
    """Return a route dependency that requires a level: 401 if not signed in, 403 if too low."""

    def allowed(request: Request) -> StaffUser:
        caller = staff(request)
        if not caller.level.covers(level):
            message = f"this needs the role {level.value} or above"
            raise RefusedRequestError(403, message, "role", role=level.value)
        return caller

    return allowed


def _check_origin(request: Request) -> None:
    """Raise 403 if a page of another site makes a signed-in browser change something."""
    origin = request.headers.get("origin")
    if request.method in _READING or origin is None:
        return
    own = {request.headers.get("host", ""), request.headers.get("x-forwarded-host", "")}
    if urlsplit(origin).netloc not in own:
        message = "a page of another site cannot act for a user signed in here"
        raise RefusedRequestError(403, message, "other_site")


def check_channel(service: Service, name: Secret, credential: str) -> None:
    """Raise 401 if a channel has a secret and the header or token does not match it."""
    secret = service.home.settings.secret(name)
    if secret and not equal(credential.removeprefix(_BEARER), secret):
        raise HTTPException(401, f"this needs the {name}: Authorization: Bearer …")


def check_either(service: Service, name: Secret, authorization: str, token: str) -> None:
    """Raise 401 unless the header or the query has the console's token or the channel's."""
    secrets = filter(None, (service.secrets.token, service.home.settings.secret(name)))
    credentials = [authorization.removeprefix(_BEARER), token]
    if not any(equal(credential, secret) for secret in secrets for credential in credentials):
        raise HTTPException(401, f"this needs the console's token or the {name}")
