"""A refusal of the server's own, with a key for those who say it in other words."""

from typing import Any

from fastapi import HTTPException


class Refusal(HTTPException):
    """Says no: `reason` is a stable key, `facts` are what a sentence about it needs."""

    def __init__(
        self, status: int, message: str, reason: str, /, *, wait: int = 0, **facts: Any
    ) -> None:
        """Refuse with a status and words; `wait` says in how many seconds it may work."""
        super().__init__(status, message, {"Retry-After": str(wait)} if wait else None)
        self.reason = reason
        self.facts = facts
