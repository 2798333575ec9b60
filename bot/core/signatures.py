"""Signatures of webhooks in both directions, and ids that only this server can compute. Pure."""

import hashlib
import hmac
from typing import Final

PATIENCE_SECONDS: Final = 300  # maximum age of a signed request
_DIGITS: Final = 32


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return `sha256=` and the HMAC-SHA256 of `timestamp.body`, in hexadecimal digits."""
    signed = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def is_signed(secret: str, timestamp: str, body: bytes, claimed: str, *, now: float) -> bool:
    """Return whether a signature is valid and at most five minutes older or newer than now."""
    if not secret or not timestamp.isdecimal() or not timestamp.isascii():
        return False
    if len(timestamp) > 12 or abs(now - int(timestamp)) > PATIENCE_SECONDS:  # noqa: PLR2004
        return False
    return equal(claimed, signature(secret, timestamp, body))


def equal(claimed: str, expected: str) -> bool:
    """Compare secrets in constant time."""
    return hmac.compare_digest(claimed.encode(errors="replace"), expected.encode())


def conversation_id(secret: str, channel: str, external: str) -> str:
    """Return the id in Careline of a conversation in another system.

    It cannot be computed from the other system's id, since ids give access to the conversation.
    """
    key = hmac.new(secret.encode(), b"conversation ids", hashlib.sha256).digest()
    external_id = f"{channel}\n{external}".encode(errors="surrogatepass")
    return hmac.new(key, external_id, hashlib.sha256).hexdigest()[:_DIGITS]
