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
    """It could not be delivered now."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        """Keep how long the other side asked us to wait."""
        super().__init__(message)
        self.seconds = seconds


class DeliveryRejectedError(CarelineError):
    """It will never be delivered: the other side understood it and said no."""


class DeliveryChannel(Protocol):
    """Knows how to deliver the parcels of one channel."""

    def carry(self, parcel: Delivery, /) -> Sequence[Delivery]:
        """Deliver a parcel and return what follows from it.

        Raises LaterError where it may work later, RefusedError where it never will.
        """


def post(http: httpx.Client, url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Send JSON; raise LaterError or RefusedError where it did not arrive."""
    try:
        answer = http.post(
            url, content=body, headers={"Content-Type": "application/json", **headers}
        )
    except httpx.HTTPError as error:  # its words may hold the address, which may hold a key
        message = f"no answer ({type(error).__name__})"
        raise DeliveryPostponedError(message) from error
    message = f"the other side answered {answer.status_code}"
    if answer.status_code in _TOO_EARLY or answer.status_code >= _SERVER_ERROR:
        raise DeliveryPostponedError(message, _wait(answer.headers.get("Retry-After", "")))
    if not answer.is_success:
        raise DeliveryRejectedError(message)


def _wait(header: str) -> float | None:
    return float(header) if header.isascii() and header.isdecimal() else None


def encode_body(body: Mapping[str, Any]) -> bytes:
    """Return a body as the bytes that are signed and sent."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def sign_headers(secret: str, body: bytes, key: str) -> dict[str, str]:
    """Return the headers of a signed request that its receiver can tell from a repetition."""
    timestamp = str(int(time.time()))
    return {
        "X-Careline-Timestamp": timestamp,
        "X-Careline-Signature": signature(secret, timestamp, body),
        "Idempotency-Key": key,
    }
