"""The worker that delivers the outbox to other systems: in order, with retries, once."""

import logging
import random
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from bot.core.failures import log_failure
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
_LEASE_SECONDS: Final = 90.0  # longer than a delivery with all its time-outs
_THREADS: Final = 2  # if one system hangs, the others still have a thread
_ATTEMPTS: Final = 13  # about an hour in total
_MAX_PAUSE_SECONDS: Final = 1800.0
_RETENTION: Final = timedelta(days=7)


class OutboxWorker:
    """Delivers the entries of the outbox, in threads of this process."""

    def __init__(self, outbox: Outbox, channels: Mapping[str, DeliveryChannel]) -> None:
        """Deliver for these channels; without any, no thread runs."""
        self.outbox = outbox
        self._channels = channels
        self._stopped = threading.Event()
        self._due = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, daemon=True, name=f"outbox-{number}")
            for number in range(_THREADS if channels else 0)
        ]

    def channel(self, name: str) -> DeliveryChannel | None:
        """Return the delivery channel of a name; None if it is not set up."""
        return self._channels.get(name)

    def start(self) -> None:
        """Start delivering, including what an earlier process left."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop after the running deliveries; the rest stays in the outbox."""
        self._stopped.set()
        self._due.set()
        for thread in self._threads:
            thread.join(TIMEOUT.read)

    def wake(self) -> None:
        """Wake the threads: a delivery is due now."""
        self._due.set()

    def _run(self) -> None:
        cleaned = 0.0
        while not self._stopped.is_set():
            busy = False
            # The database may be unavailable for a while; nothing is lost.
            with log_failure(_logger, "the outbox cannot be read or written"):
                if time.monotonic() - cleaned > _MAX_PAUSE_SECONDS:
                    cleaned = time.monotonic()
                    self.outbox.forget(now() - _RETENTION)
                busy = self.step()
            if not busy:
                self._due.wait(_POLL_SECONDS)
                self._due.clear()

    def step(self) -> bool:
        """Deliver one entry; return whether there was one."""
        delivery = self.outbox.claim(tuple(self._channels), _LEASE_SECONDS)
        if delivery is None:
            return False
        try:
            following = self._channels[delivery.channel].deliver(delivery)
        except DeliveryRejectedError as error:
            self._give_up(delivery, str(error))
        except DeliveryPostponedError as error:
            self._postpone(delivery, error)
        except Exception as error:  # our own error must not block the following entries
            _logger.exception("delivery %s failed", delivery.key)
            self._postpone(delivery, DeliveryPostponedError(type(error).__name__))
        else:
            self.outbox.settle(delivery, following)
            metrics.DELIVERIES.labels(delivery.channel, "delivered").inc()
        return True

    def _postpone(self, delivery: Delivery, error: DeliveryPostponedError) -> None:
        if delivery.attempts >= _ATTEMPTS:
            self._give_up(delivery, f"after {delivery.attempts} attempts: {error}")
            return
        seconds = pause(delivery.attempts) if error.seconds is None else error.seconds
        self.outbox.postpone(delivery, min(seconds, _MAX_PAUSE_SECONDS))
        metrics.DELIVERIES.labels(delivery.channel, "postponed").inc()

    def _give_up(self, delivery: Delivery, reason: str) -> None:
        _logger.error("delivery %s failed for good: %s", delivery.key, reason)
        self.outbox.give_up(delivery, reason)
        metrics.DELIVERIES.labels(delivery.channel, "given_up").inc()


def pause(attempts: int) -> float:
    """Return the seconds to wait after a number of attempts: exponential backoff with jitter."""
    upper = min(2.0 ** (attempts - 1), _MAX_PAUSE_SECONDS)
    return random.uniform(upper / 2, upper)  # noqa: S311 — spreads load, guards nothing
