"""The composition root: settings in, assembled parts out."""

from bot.container.assembly import build_assistant
from bot.container.home import Home

__all__ = ["Home", "build_assistant"]
