"""What a screen is given by the server that mounts it."""

from pathlib import Path
from typing import Protocol


class ScreenContext(Protocol):
    """Where the HTTP API is; screens know nothing else, and open it as who signed in."""

    @property
    def base_url(self) -> str:
        """The address of this very server, such as http://127.0.0.1:8000."""

    @property
    def business(self) -> str:
        """The name of the business, or an empty string."""

    @property
    def home(self) -> Path | None:
        """The home's folder, for the files of its own site; None where there is none."""
