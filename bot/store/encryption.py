"""Sealed values: what an open form was told, such as an address, which no log may show.

The key lies in the home, not in the database; whoever has only one of the two reads nothing.
"""

import contextlib
import hashlib
import hmac
import os
import tempfile
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken

from bot.core.types import CarelineError

FILE: Final = ".seal.key"
MARK: Final = "sealed:"


class FieldCipher:
    """Seals texts and opens them again (Fernet: AES-128-CBC with HMAC-SHA256)."""

    def __init__(self, key: str) -> None:
        """Use a key of Fernet; raise CarelineError for what is none."""
        try:
            self._fernet, self._key = Fernet(key), key
        except ValueError as error:
            message = f"the seal's key is none: make one, or delete {FILE} of the home"
            raise CarelineError(message) from error

    def key_for(self, purpose: str) -> bytes:
        """Return a key for something else: 32 bytes that every process with this home shares."""
        return hmac.new(self._key.encode(), purpose.encode(), hashlib.sha256).digest()

    def close_bytes(self, content: bytes) -> bytes:
        """Return bytes sealed, a third longer."""
        return self._fernet.encrypt(content)

    def open_bytes(self, content: bytes) -> bytes | None:
        """Return the bytes that were sealed; None where that was done with another key."""
        try:
            return self._fernet.decrypt(content)
        except InvalidToken:
            return None

    def close(self, text: str) -> str:
        """Return a text sealed."""
        return MARK + self._fernet.encrypt(text.encode()).decode()

    def open(self, text: str) -> str | None:
        """Return what was sealed; None where it was sealed with another key."""
        try:
            return self._fernet.decrypt(text.removeprefix(MARK)).decode()
        except InvalidToken:
            return None


def load_or_make(home: Path, given: str | None = None) -> FieldCipher:
    """Return the seal of the key `given`, else of the home's own, made on the first call."""
    path = home / FILE
    if given is None and not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=home, prefix=FILE, encoding="ascii") as file:
            file.write(Fernet.generate_key().decode())  # the file is born with mode 0600
            file.flush()
            with contextlib.suppress(FileExistsError):
                os.link(file.name, path)  # whole, and only by the first of several workers
    return FieldCipher(given or path.read_text(encoding="ascii").strip())
