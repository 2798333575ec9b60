"""The context that the server passes to a screen."""

from pathlib import Path
from typing import Protocol


class ScreenContext(Protocol):
    """The server's address, the business and its home."""

    @property
    def base_url(self) -> str:
        """The address of this server, such as http://127.0.0.1:8000."""

    @property
    def business(self) -> str:
        """The name of the business, or an empty string."""

    @property
    def home(self) -> Path | None:
        """The home's folder with the files of its site; None without one."""
