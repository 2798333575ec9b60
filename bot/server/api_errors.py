"""Errors that the server raises itself, with a stable reason that pages can translate."""

from typing import Any

from fastapi import HTTPException

from bot.core.types import CarelineError


class BusyError(CarelineError):
    """Too many messages at once."""


class RefusedRequestError(HTTPException):
    """A refused request: `reason` is a stable key, `facts` are values for its sentence."""

    def __init__(
        self, status: int, message: str, reason: str, /, *, wait: int = 0, **facts: Any
    ) -> None:
        """Store status and message; `wait` is the number of seconds until a retry can succeed."""
        super().__init__(status, message, {"Retry-After": str(wait)} if wait else None)
        self.reason = reason
        self.facts = facts


def plain(text: str) -> str:
    """Return a text that every database accepts; raise ValueError for any other."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        message = "it contains characters that are not text"
        raise ValueError(message)
    return text
