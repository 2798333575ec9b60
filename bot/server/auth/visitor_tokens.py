"""Signed tokens of visitors: sessions and addresses of files. Pure.

A session contains the visitor's id and, if verified, the customer's id. It is signed, not stored:
every process with the home's seal key can read it, and nobody else can create one.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.core.signatures import equal

LIFETIME: Final = timedelta(days=90)  # of a session, since it was created or renewed
_FILE_LIFETIME: Final = timedelta(days=1)
_MARK: Final = "cs1"
_DOT: Final = "."


@dataclass(frozen=True)
class Visitor:
    """A visitor of this site: a random id and, if verified, the customer's id."""

    id: str
    customer: str | None = None


class VisitorTokens:
    """Creates and verifies the tokens of visitors."""

    def __init__(self, key: bytes) -> None:
        """Sign with a key that only this home's processes have."""
        self._key = key

    def session(self, visitor: Visitor, at: datetime) -> str:
        """Return a visitor's session."""
        content = {"v": visitor.id, "c": visitor.customer, "t": int(at.timestamp())}
        body = _encoded(json.dumps(content, separators=(",", ":")).encode())
        return _DOT.join((_MARK, body, self._signature("session", body)))

    def visitor(self, session: str, at: datetime) -> Visitor | None:
        """Return the visitor of a session; None if it has expired or is not valid."""
        mark, _, rest = session.partition(_DOT)
        body, _, signature = rest.partition(_DOT)
        if mark != _MARK or not equal(signature, self._signature("session", body)):
            return None
        content = json.loads(_decoded(body))
        if at.timestamp() - content["t"] > LIFETIME.total_seconds():
            return None
        return Visitor(content["v"], content["c"])

    def key_of(self, file: str, until: int) -> str:
        """Return the key of a file until a time, in seconds since 1970."""
        return self._signature("file", f"{file}{_DOT}{until}")

    def opens(self, file: str, until: int, key: str, at: datetime) -> bool:
        """Return whether a key is valid for a file at a time."""
        return at.timestamp() <= until and equal(key, self.key_of(file, until))

    def address(self, file: str, at: datetime) -> str:
        """Return the path that serves a file for one day without a session."""
        until = int((at + _FILE_LIFETIME).timestamp())
        return f"/api/attachments/{file}?until={until}&key={self.key_of(file, until)}"

    def _signature(self, purpose: str, body: str) -> str:
        signed = f"{purpose}{_DOT}{body}".encode(errors="replace")
        return _encoded(hmac.new(self._key, signed, hashlib.sha256).digest())


def is_session(text: str) -> bool:
    """Return whether a text looks like a session, valid or not."""
    return text.startswith(_MARK + _DOT)


def proves(secret: str, customer: str, signature: str) -> bool:
    """Return whether `signature` is the HMAC-SHA256 of a customer's id, in hexadecimal digits."""
    expected = hmac.new(secret.encode(), customer.encode(errors="replace"), hashlib.sha256)
    return equal(signature.lower(), expected.hexdigest())


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
