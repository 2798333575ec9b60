"""Errors that the server itself raises, with a stable reason for pages in other languages."""

from typing import Any

from fastapi import HTTPException

from bot.core.types import CarelineError


class BusyError(CarelineError):
    """Too many messages at once."""


class RefusedRequestError(HTTPException):
    """Says no: `reason` is a stable key, `facts` are what a sentence about it needs."""

    def __init__(
        self, status: int, message: str, reason: str, /, *, wait: int = 0, **facts: Any
    ) -> None:
        """Refuse with a status and words; `wait` says in how many seconds it may work."""
        super().__init__(status, message, {"Retry-After": str(wait)} if wait else None)
        self.reason = reason
        self.facts = facts


def plain(text: str) -> str:
    """Return a text that every database takes; raise ValueError for one that some would not."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        message = "it holds characters that are no text"
        raise ValueError(message)
    return text
