"""Who may use a route: users who signed in, holders of the console's token, channels."""

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
    """Who works here: a user, or whoever holds the console's token, who may do everything."""

    level: AccessLevel
    user: User | None = None

    def check_is(self, agent: str, *, unless: AccessLevel | None = None) -> None:
        """Raise 403 where a user acts as somebody else, unless of this level or above."""
        if self.user is None or self.user.id == agent:
            return
        if unless is None or not self.level.covers(unless):
            message = f"you are {self.user.id}: nobody acts for {agent[:64]}"
            raise RefusedRequestError(403, message, "somebody_else", user=self.user.id)

    def author(self) -> str:
        """Return the name that notes and labels bear."""
        return self.user.name if self.user else "console"


def signed_in(service: Service, value: str) -> User | None:
    """Return the user a session's value belongs to, None for one that is over or not ours."""
    claimed = sessions.claim(value)
    user = service.users.find(claimed.user) if claimed else None
    if claimed and user and sessions.holds(service.session_key, claimed, user, time.time()):
        return user
    return None


def staff(request: Request) -> StaffUser:
    """Return who calls, by the console's token or a session; raise 401 for nobody we know.

    A session is shown as the cookie by browsers, and by programs like a token.
    """
    service: Service = request.app.state.service
    shown = request.headers.get("authorization", "").removeprefix(_BEARER)
    if equal(shown, service.secrets.token):
        return StaffUser(AccessLevel.ADMIN)
    user = signed_in(service, shown or request.cookies.get(sessions.COOKIE, ""))
    if user is None:
        message = "this needs the console's token, or a login at /login"
        raise RefusedRequestError(401, message, "signed_out")
    if not shown:
        _check_origin(request)
    return StaffUser(user.level, user)


def at_least(level: AccessLevel) -> Callable[[Request], StaffUser]:
    """Return the dependency of a route that needs this level: 401 for nobody, 403 for too low."""

    def allowed(request: Request) -> StaffUser:
        who = staff(request)
        if not who.level.covers(level):
            message = f"this is for the role {level.value} and above"
            raise RefusedRequestError(403, message, "role", role=level.value)
        return who

    return allowed


def _check_origin(request: Request) -> None:
    """Raise 403 where another site's page makes a signed-in browser change something."""
    origin = request.headers.get("origin")
    if request.method in _READING or origin is None:
        return
    own = {request.headers.get("host", ""), request.headers.get("x-forwarded-host", "")}
    if urlsplit(origin).netloc not in own:
        message = "a page of another site may not act for who is signed in here"
        raise RefusedRequestError(403, message, "other_site")


def check_channel(service: Service, name: Secret, given: str) -> None:
    """Raise 401 where a channel has a secret and `given`, a header or a bare token, is not it."""
    wanted = service.home.settings.secret(name)
    if wanted and not equal(given.removeprefix(_BEARER), wanted):
        raise HTTPException(401, f"this needs the {name}: Authorization: Bearer …")


def check_either(service: Service, name: Secret, authorization: str, token: str) -> None:
    """Raise 401 unless the console's token or the channel's is given, in header or address."""
    wanted = filter(None, (service.secrets.token, service.home.settings.secret(name)))
    given = [authorization.removeprefix(_BEARER), token]
    if not any(equal(one, secret) for secret in wanted for one in given):
        raise HTTPException(401, f"this needs the console's token or the {name}")
