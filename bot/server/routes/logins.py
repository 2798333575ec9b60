"""Routes for sign-in and sign-out."""

import time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from bot.server.api_errors import RefusedRequestError
from bot.server.auth import sessions
from bot.server.auth.access import StaffUser, at_least
from bot.server.dependencies import TheService
from bot.store.accounts import MAX_PASSWORD_LENGTH, AccessLevel

router: Final = APIRouter(prefix="/api/session")


class Login(BaseModel):
    """The credentials of a user."""

    user: str = Field(max_length=64)
    password: str = Field(max_length=MAX_PASSWORD_LENGTH)


@router.post("")
def sign_in(
    body: Login, request: Request, response: Response, service: TheService
) -> dict[str, Any]:
    """Start a session, in a cookie that scripts cannot read."""
    service.login_limiter.check(body.user)
    user = service.users.check(body.user, body.password)
    if user is None:
        service.login_limiter.wrong(body.user)
        raise RefusedRequestError(401, "wrong user or password", "wrong_password")
    service.login_limiter.right(body.user)
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


@router.get("")
def session(staff: Annotated[StaffUser, Depends(at_least(AccessLevel.AGENT))]) -> dict[str, Any]:
    """Return the signed-in user; with the console's token there is none."""
    user = staff.user
    return {
        "user": user.id if user else None,
        "name": user.name if user else None,
        "role": staff.level.value,
    }


@router.delete("")
def sign_out(response: Response) -> dict[str, Any]:
    """End the session in this browser."""
    response.delete_cookie(sessions.COOKIE, httponly=True, samesite="lax")
    return {"user": None}
