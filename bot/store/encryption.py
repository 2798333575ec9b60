"""Encryption of single values, such as an address in an open form, which no log may show.

The key is stored in the home, not in the database: both are needed to read a value.
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
    """Encrypts and decrypts values (Fernet: AES-128-CBC with HMAC-SHA256)."""

    def __init__(self, key: str) -> None:
        """Use a Fernet key; raise CarelineError for an invalid one."""
        try:
            self._fernet, self._key = Fernet(key), key
        except ValueError as error:
            message = f"the seal's key is none: make one, or delete {FILE} of the home"
            raise CarelineError(message) from error

    def key_for(self, purpose: str) -> bytes:
        """Return a key for another purpose: 32 bytes that all processes of this home share."""
        return hmac.new(self._key.encode(), purpose.encode(), hashlib.sha256).digest()

    def close_bytes(self, content: bytes) -> bytes:
        """Return encrypted bytes, a third longer."""
        return self._fernet.encrypt(content)

    def open_bytes(self, content: bytes) -> bytes | None:
        """Return the decrypted bytes; None where another key encrypted them."""
        try:
            return self._fernet.decrypt(content)
        except InvalidToken:
            return None

    def close(self, text: str) -> str:
        """Return an encrypted text."""
        return MARK + self._fernet.encrypt(text.encode()).decode()

    def open(self, text: str) -> str | None:
        """Return the decrypted text; None where another key encrypted it."""
        try:
            return self._fernet.decrypt(text.removeprefix(MARK)).decode()
        except InvalidToken:
            return None


def load_or_make(home: Path, key: str | None = None) -> FieldCipher:
    """Return the cipher for the given key, else for the home's own, created on the first call."""
    path = home / FILE
    if key is None and not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=home, prefix=FILE, encoding="ascii") as file:
            file.write(Fernet.generate_key().decode())  # the file has mode 0600 from the start
            file.flush()
            with contextlib.suppress(FileExistsError):
                os.link(file.name, path)  # atomic: only the first of several workers succeeds
    return FieldCipher(key or path.read_text(encoding="ascii").strip())
