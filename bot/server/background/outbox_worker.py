"""Takes what is owed to other systems there: in order, again where it failed, once."""

import logging
import random
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from bot.core.types import now
from bot.integrations.delivery import (
    TIMEOUT,
    DeliveryChannel,
    DeliveryPostponedError,
    DeliveryRejectedError,
)
from bot.server import metrics
from bot.store.outbox import Delivery, Outbox

_logger = logging.getLogger(__name__)
_POLL_SECONDS: Final = 1.0
_LEASE_SECONDS: Final = 90.0  # longer than a delivery takes with all its time-outs
_THREADS: Final = 2  # a system that hangs leaves one for the others
_ATTEMPTS: Final = 13  # about an hour and a half, then it is given up
_LONGEST_PAUSE: Final = 1800.0
_REMEMBERED: Final = timedelta(days=7)
_TOO_EARLY: Final = frozenset({408, 425, 429})
_WORST: Final = 500


class OutboxWorker:
    """Delivers what lies in the outbox, in threads of this process."""

    def __init__(self, outbox: Outbox, carriers: Mapping[str, DeliveryChannel]) -> None:
        """Deliver the channels that have a carrier; without any, nothing runs."""
        self.outbox = outbox
        self._carriers = carriers
        self._stopped = threading.Event()
        self._due = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, daemon=True, name=f"courier-{number}")
            for number in range(_THREADS if carriers else 0)
        ]

    def carrier(self, channel: str) -> DeliveryChannel | None:
        """Return who delivers a channel, None where it is not set up."""
        return self._carriers.get(channel)

    def start(self) -> None:
        """Start delivering: also what an earlier process left behind."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop after the deliveries in work; what is left stays in the outbox."""
        self._stopped.set()
        self._due.set()
        for thread in self._threads:
            thread.join(TIMEOUT.read)

    def wake(self) -> None:
        """Say that something is due now."""
        self._due.set()

    def _run(self) -> None:
        cleaned = 0.0
        while not self._stopped.is_set():
            try:
                if time.monotonic() - cleaned > _LONGEST_PAUSE:
                    cleaned = time.monotonic()
                    self.outbox.forget(now() - _REMEMBERED)
                busy = self.step()
            except Exception:  # a database that is away for a while; nothing is lost
                _logger.exception("the outbox cannot be read or written")
                busy = False
            if not busy:
                self._due.wait(_POLL_SECONDS)
                self._due.clear()

    def step(self) -> bool:
        """Deliver one parcel; return whether there was one."""
        parcel = self.outbox.claim(tuple(self._carriers), _LEASE_SECONDS)
        if parcel is None:
            return False
        try:
            following = self._carriers[parcel.channel].carry(parcel)
        except DeliveryRejectedError as error:
            self._give_up(parcel, str(error))
        except DeliveryPostponedError as error:
            self._postpone(parcel, error)
        except Exception as error:  # a fault of ours must not stop what is behind it for ever
            _logger.exception("delivery %s failed", parcel.key)
            self._postpone(parcel, DeliveryPostponedError(type(error).__name__))
        else:
            self.outbox.settle(parcel, following)
            metrics.DELIVERIES.labels(parcel.channel, "delivered").inc()
        return True

    def _postpone(self, parcel: Delivery, error: DeliveryPostponedError) -> None:
        if parcel.attempts >= _ATTEMPTS:
            self._give_up(parcel, f"after {parcel.attempts} attempts: {error}")
            return
        seconds = pause(parcel.attempts) if error.seconds is None else error.seconds
        self.outbox.postpone(parcel, min(seconds, _LONGEST_PAUSE))
        metrics.DELIVERIES.labels(parcel.channel, "postponed").inc()

    def _give_up(self, parcel: Delivery, reason: str) -> None:
        _logger.error("delivery %s is given up: %s", parcel.key, reason)
        self.outbox.give_up(parcel, reason)
        metrics.DELIVERIES.labels(parcel.channel, "given_up").inc()


def pause(attempts: int) -> float:
    """Return how long to wait after so many attempts: twice as long each time, never in step."""
    longest = min(2.0 ** (attempts - 1), _LONGEST_PAUSE)
    return random.uniform(longest / 2, longest)  # noqa: S311 — spreads load, guards nothing
