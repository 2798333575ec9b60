"""The routes of signing in and out."""

import time
from collections import deque
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, Field

from bot.server import sessions
from bot.server.access import Staff, at_least
from bot.server.service import Service
from bot.store.users import LONGEST, Level

_TRIES: Final = 10  # wrong passwords of one user within the time below, in this process
_SECONDS: Final = 300

router: Final = APIRouter(prefix="/api/session")


class Login(BaseModel):
    """Who signs in."""

    user: str = Field(max_length=64)
    password: str = Field(max_length=LONGEST)


@router.post("")
def sign_in(body: Login, request: Request, response: Response) -> dict[str, Any]:
    """Begin a session: a cookie that scripts of the page cannot read."""
    service: Service = request.app.state.service
    _check_tries(service.wrong_logins, body.user)
    user = service.users.check(body.user, body.password)
    if user is None:
        service.wrong_logins.setdefault(body.user, deque(maxlen=_TRIES)).append(time.monotonic())
        raise HTTPException(401, "user or password is wrong")
    service.wrong_logins.pop(body.user, None)
    seconds = round(service.home.settings.session_minutes * 60)
    value = sessions.issue(service.session_key, user, time.time() + seconds)
    response.set_cookie(
        sessions.COOKIE,
        value,
        max_age=seconds,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return {"user": user.id, "name": user.name, "role": user.level.value}


def _check_tries(wrong: dict[str, deque[float]], user: str) -> None:
    """Raise 429 where somebody tries passwords; what is long ago is forgotten."""
    since = time.monotonic() - _SECONDS
    for name in [name for name, times in wrong.items() if times[-1] < since]:
        del wrong[name]
    tries = wrong.get(user, deque())
    if len(tries) == _TRIES and tries[0] > since:
        headers = {"Retry-After": str(_SECONDS)}
        raise HTTPException(429, "too many wrong passwords: try again later", headers)


@router.get("")
def session(who: Annotated[Staff, Depends(at_least(Level.AGENT))]) -> dict[str, Any]:
    """Tell who is signed in; the console's token is nobody."""
    user = who.user
    return {
        "user": user.id if user else None,
        "name": user.name if user else None,
        "role": who.level.value,
    }


@router.delete("")
def sign_out(response: Response) -> dict[str, Any]:
    """End the session in this browser."""
    response.delete_cookie(sessions.COOKIE, httponly=True, samesite="lax")
    return {"user": None}
