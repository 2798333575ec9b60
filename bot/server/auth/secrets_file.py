"""The home's generated secrets: made once, readable by the owner alone."""

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
    """The login of the Gradio app and the token of the console's routes."""

    password: str
    token: str


def load_or_make(home: Path) -> Secrets:
    """Return the secrets of a home, making them on the first call."""
    path = home / FILE
    if not path.exists():
        made = Secrets(secrets.token_urlsafe(9), secrets.token_urlsafe(32))
        with tempfile.NamedTemporaryFile("w", dir=home, prefix=FILE, encoding="utf-8") as file:
            json.dump(asdict(made), file)  # the file is born with mode 0600
            file.flush()
            with contextlib.suppress(FileExistsError):
                os.link(file.name, path)  # whole, and only by the first of several workers
    return Secrets(**json.loads(path.read_text(encoding="utf-8")))
