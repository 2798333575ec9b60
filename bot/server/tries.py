"""How often somebody may guess wrong before having to wait, counted in this process."""

import time
from collections import deque
from typing import Final

from bot.server.refusing import Refusal

MOST: Final = 10  # wrong guesses within the time below
SECONDS: Final = 300


class Tries:
    """Wrong guesses by who made them; what is long ago is forgotten."""

    def __init__(self, complaint: str) -> None:
        """Take the words for who has to wait."""
        self._complaint = complaint
        self._wrong: dict[str, deque[float]] = {}  # in seconds of a clock that never goes back

    def check(self, name: str) -> None:
        """Raise 429 where somebody guesses."""
        since = time.monotonic() - SECONDS
        for other in [key for key, times in list(self._wrong.items()) if times[-1] < since]:
            self._wrong.pop(other, None)
        times = self._wrong.get(name, deque())
        if len(times) == MOST and times[0] > since:
            minutes = SECONDS // 60
            raise Refusal(429, self._complaint, "too_many_tries", wait=SECONDS, minutes=minutes)

    def wrong(self, name: str) -> None:
        """Count a wrong guess."""
        self._wrong.setdefault(name, deque(maxlen=MOST)).append(time.monotonic())

    def right(self, name: str) -> None:
        """Forget the wrong guesses before a right one."""
        self._wrong.pop(name, None)
