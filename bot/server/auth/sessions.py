"""Sessions of signed-in users: signed values with an expiry, valid in every process. Pure.

Nothing is stored. The signature covers the user, the expiry and the password hash, so a session
ends when it expires, when the password changes, and when the user is deleted.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from bot.core.signatures import equal
from bot.store.accounts import User

COOKIE: Final = "careline_session"


@dataclass(frozen=True)
class SessionClaim:
    """The content of a session value, not yet verified."""

    user: str
    until: int  # seconds since 1970
    mark: str


def issue(key: bytes, user: User, until: float) -> str:
    """Return the value of a session that expires at a time, in seconds since 1970."""
    return f"{user.id}|{int(until)}|{_sign(key, user, int(until))}"


def claim(value: str) -> SessionClaim | None:
    """Return the content of a value; None if it is not a session."""
    user, _, rest = value.partition("|")
    until, _, mark = rest.partition("|")
    if not (user and mark and until.isascii() and until.isdecimal()) or len(until) > 12:  # noqa: PLR2004
        return None
    return SessionClaim(user, int(until), mark)


def is_valid(key: bytes, claimed: SessionClaim, user: User, at: float) -> bool:
    """Return whether a claim has a valid signature and has not expired."""
    return claimed.until > at and equal(claimed.mark, _sign(key, user, claimed.until))


def _sign(key: bytes, user: User, until: int) -> str:
    signed = f"{user.id}|{until}|{user.password_hash}".encode()
    return hmac.new(key, signed, hashlib.sha256).hexdigest()
