"""Limits on failed attempts, counted across all processes."""

import hashlib
import hmac
from datetime import timedelta
from typing import Final

from bot.core.types import now
from bot.server.api_errors import RefusedRequestError
from bot.store import failed_attempts
from bot.store.database import Database

MAX_ATTEMPTS: Final = 10  # failed attempts within `ATTEMPT_WINDOW`
ATTEMPT_WINDOW: Final = timedelta(minutes=5)


class AttemptLimiter:
    """Failed attempts by name; old ones are forgotten."""

    def __init__(self, engine: Database, kind: str, key: bytes, message: str) -> None:
        """Count one kind of attempts; `message` is the error after too many.

        Names are stored as keyed hashes: users sometimes type a password as the name.
        """
        self._engine = engine
        self._kind = kind
        self._key = key
        self._message = message

    def check(self, name: str) -> None:
        """Raise 429 after too many failed attempts."""
        if (
            failed_attempts.count(self._engine, self._hash(name), now() - ATTEMPT_WINDOW)
            >= MAX_ATTEMPTS
        ):
            seconds = round(ATTEMPT_WINDOW.total_seconds())
            minutes = seconds // 60
            raise RefusedRequestError(
                429, self._message, "too_many_tries", wait=seconds, minutes=minutes
            )

    def wrong(self, name: str) -> None:
        """Count a failed attempt."""
        at = now()
        failed_attempts.add(self._engine, self._hash(name), at, forget=at - ATTEMPT_WINDOW)

    def right(self, name: str) -> None:
        """Reset the failed attempts after a success."""
        failed_attempts.clear(self._engine, self._hash(name))

    def _hash(self, name: str) -> str:
        text = f"{self._kind} {name}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()
