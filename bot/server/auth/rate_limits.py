"""How often somebody may guess wrong before having to wait, counted by all processes together."""

import hashlib
import hmac
from datetime import timedelta
from typing import Final

from bot.core.types import now
from bot.server.api_errors import RefusedRequestError
from bot.store import failed_attempts
from bot.store.database import Database

MOST: Final = 10  # wrong guesses within the time below
SPAN: Final = timedelta(minutes=5)


class AttemptLimiter:
    """Wrong guesses by who made them; what is long ago is forgotten."""

    def __init__(self, engine: Database, kind: str, key: bytes, complaint: str) -> None:
        """Count one kind of guesses; `complaint` is for who has to wait.

        Names are kept under the key: people type passwords where a name belongs.
        """
        self._engine = engine
        self._kind = kind
        self._key = key
        self._complaint = complaint

    def check(self, name: str) -> None:
        """Raise 429 where somebody guesses."""
        if failed_attempts.count(self._engine, self._who(name), now() - SPAN) >= MOST:
            seconds = round(SPAN.total_seconds())
            minutes = seconds // 60
            raise RefusedRequestError(
                429, self._complaint, "too_many_tries", wait=seconds, minutes=minutes
            )

    def wrong(self, name: str) -> None:
        """Count a wrong guess."""
        at = now()
        failed_attempts.add(self._engine, self._who(name), at, forget=at - SPAN)

    def right(self, name: str) -> None:
        """Forget the wrong guesses before a right one."""
        failed_attempts.clear(self._engine, self._who(name))

    def _who(self, name: str) -> str:
        told = f"{self._kind} {name}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, told, hashlib.sha256).hexdigest()
