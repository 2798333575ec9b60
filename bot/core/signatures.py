"""Signatures of webhooks, in and out, and ids that only this server can work out. Pure."""

import hashlib
import hmac
from typing import Final

PATIENCE_SECONDS: Final = 300  # how old a signed request may be
_DIGITS: Final = 32


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return `sha256=` and the HMAC-SHA256 of `timestamp.body`, in hexadecimal digits."""
    signed = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def is_signed(secret: str, timestamp: str, body: bytes, given: str, *, now: float) -> bool:
    """Return whether a signature is right and not older, or newer, than five minutes."""
    if not secret or not timestamp.isdecimal() or not timestamp.isascii():
        return False
    if len(timestamp) > 12 or abs(now - int(timestamp)) > PATIENCE_SECONDS:  # noqa: PLR2004
        return False
    return equal(given, signature(secret, timestamp, body))


def equal(given: str, wanted: str) -> bool:
    """Compare secrets in a time that tells nothing about them."""
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode())


def conversation_id(secret: str, channel: str, external: str) -> str:
    """Return the id a conversation of another system has here.

    Whoever knows the other system's id cannot work it out: ids open the history of a conversation.
    """
    key = hmac.new(secret.encode(), b"conversation ids", hashlib.sha256).digest()
    named = f"{channel}\n{external}".encode(errors="surrogatepass")
    return hmac.new(key, named, hashlib.sha256).hexdigest()[:_DIGITS]
