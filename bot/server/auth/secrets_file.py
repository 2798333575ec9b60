"""The generated secrets of a home: created once, readable only by the owner."""

import contextlib
import json
import os
import secrets
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

FILE: Final = ".secrets.json"


@dataclass(frozen=True)
class Secrets:
    """The password of the first user and the token of the console's routes."""

    password: str
    token: str


def load_or_create(home: Path) -> Secrets:
    """Return the secrets of a home; create them on the first call."""
    path = home / FILE
    if not path.exists():
        created = Secrets(secrets.token_urlsafe(9), secrets.token_urlsafe(32))
        with tempfile.NamedTemporaryFile("w", dir=home, prefix=FILE, encoding="utf-8") as file:
            json.dump(asdict(created), file)  # created with mode 0600
            file.flush()
            with contextlib.suppress(FileExistsError):
                os.link(file.name, path)  # complete, and only by the first of several workers
    return Secrets(**json.loads(path.read_text(encoding="utf-8")))
