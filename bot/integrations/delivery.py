"""Delivery of one event or message to another system over HTTP, signed and idempotent."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import httpx

from bot.core.signatures import signature
from bot.core.types import CarelineError
from bot.store.outbox import Delivery

_TOO_EARLY: Final = frozenset({408, 425, 429})
_SERVER_ERROR: Final = 500

TIMEOUT: Final = httpx.Timeout(15.0, connect=5.0)


class DeliveryPostponedError(CarelineError):
    """A delivery failed and is tried again later."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        """Store the seconds that the receiver asked to wait."""
        super().__init__(message)
        self.seconds = seconds


class DeliveryRejectedError(CarelineError):
    """The receiver refused a delivery; it is not tried again."""


class DeliveryChannel(Protocol):
    """A channel that delivers to another system."""

    def deliver(self, delivery: Delivery, /) -> Sequence[Delivery]:
        """Make a delivery and return the deliveries that follow from it.

        Raises DeliveryPostponedError if it may work later, DeliveryRejectedError if it never will.
        """


def post(http: httpx.Client, url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Send JSON; raise DeliveryPostponedError or DeliveryRejectedError if it did not arrive."""
    try:
        response = http.post(
            url, content=body, headers={"Content-Type": "application/json", **headers}
        )
    except httpx.HTTPError as error:  # its message may contain the address, and that a key
        message = f"no answer ({type(error).__name__})"
        raise DeliveryPostponedError(message) from error
    message = f"the receiver answered {response.status_code}"
    if response.status_code in _TOO_EARLY or response.status_code >= _SERVER_ERROR:
        seconds = _retry_after(response.headers.get("Retry-After", ""))
        raise DeliveryPostponedError(message, seconds)
    if not response.is_success:
        raise DeliveryRejectedError(message)


def _retry_after(header: str) -> float | None:
    return float(header) if header.isascii() and header.isdecimal() else None


def encode_body(body: Mapping[str, Any]) -> bytes:
    """Return the bytes of a body, which are signed and sent."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def sign_headers(secret: str, body: bytes, key: str) -> dict[str, str]:
    """Return the headers of a signed request, with a key by which receivers see repetitions."""
    timestamp = str(int(time.time()))
    return {
        "X-Careline-Timestamp": timestamp,
        "X-Careline-Signature": signature(secret, timestamp, body),
        "Idempotency-Key": key,
    }
