"""Sessions of who signed in: a signed value with a time-out, good in every process of a home. Pure.

Nothing is stored: the signature covers the user, the end and the password's hash, so a session
ends with its time, with another password, and with the user.
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
    """What a session's value says, before anybody checked it."""

    user: str
    until: int  # seconds since 1970
    mark: str


def issue(key: bytes, user: User, until: float) -> str:
    """Return the value of a session that lasts until a time, in seconds since 1970."""
    return f"{user.id}|{int(until)}|{_mark(key, user, int(until))}"


def claim(value: str) -> SessionClaim | None:
    """Return what a value claims; None for what is no session."""
    user, _, rest = value.partition("|")
    until, _, mark = rest.partition("|")
    if not (user and mark and until.isascii() and until.isdecimal()) or len(until) > 12:  # noqa: PLR2004
        return None
    return SessionClaim(user, int(until), mark)


def holds(key: bytes, claimed: SessionClaim, user: User, at: float) -> bool:
    """Return whether a claim is ours, and its time not over."""
    return claimed.until > at and equal(claimed.mark, _mark(key, user, claimed.until))


def _mark(key: bytes, user: User, until: int) -> str:
    signed = f"{user.id}|{until}|{user.password_hash}".encode()
    return hmac.new(key, signed, hashlib.sha256).hexdigest()
