"""The home's generated secrets: made once, readable by the owner alone."""

import json
import os
import secrets
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
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return Secrets(**json.loads(path.read_text(encoding="utf-8")))
    made = Secrets(secrets.token_urlsafe(9), secrets.token_urlsafe(32))
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(made), file)
    return made
