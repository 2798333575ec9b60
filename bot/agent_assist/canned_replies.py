"""Canned replies: frequent texts by shortcut, with variables that a conversation fills."""

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from bot.core.types import CarelineError

FILE: Final = "canned.yml"
_BUILT_IN: Final = Path(__file__).with_name(FILE)
_VARIABLE: Final = re.compile(r"\{(\w+)\}")
_Text = Annotated[str, Field(max_length=5000)]


class CannedReply(BaseModel):
    """A reply in one or two languages; the shortcut is typed after a slash."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shortcut: str = Field(pattern=r"^[a-z0-9_\-]{1,32}$")
    en: _Text = ""
    zh: _Text = ""

    def text(self, language: str) -> str:
        """Return the text in a language, or in the other one where it has none."""
        first, second = (self.zh, self.en) if language == "zh" else (self.en, self.zh)
        return first or second


def load(home: Path) -> tuple[CannedReply, ...]:
    """Return the canned replies of a home, or the built-in ones.

    Raises CarelineError for a file that is not a list of such replies.
    """
    path = home / FILE
    if not path.exists():
        path = _BUILT_IN
    return _read(path, path.stat().st_mtime_ns)


def parse(text: str) -> tuple[CannedReply, ...]:
    """Return the replies that a text lists; raise an error of YAML or pydantic if it is invalid."""
    return tuple(TypeAdapter(list[CannedReply]).validate_python(yaml.safe_load(text) or []))


@cache
def _read(path: Path, _changed: int) -> tuple[CannedReply, ...]:
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:  # not UTF-8, not a list, an invalid date
        message = f"{path} cannot be used: {error}"
        raise CarelineError(message) from error


def fill_variables(text: str, values: dict[str, Any]) -> str:
    """Return a text with its known variables filled; the others stay for the agent."""
    return _VARIABLE.sub(lambda match: str(values.get(match[1]) or match[0]), text)
