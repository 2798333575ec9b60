"""The prompt: a file of the home with placeholders for passages and a question."""

import hashlib
import json
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from bot.core.types import CarelineError
from bot.generation.language_models import Chat

FILE: Final = "prompt.yml"
_BUILT_IN: Final = Path(__file__).with_name(FILE)
_NEEDED: Final = frozenset({"passages", "question"})
_KNOWN: Final = _NEEDED | {"language", "business"}
_LANGUAGES: Final = {"zh": "Chinese", "en": "English"}
_DELIMITERS: Final = ("<<<", ">>>")


@dataclass(frozen=True)
class Prompt:
    """The two messages for a language model, with placeholders."""

    system: str
    user: str
    business: str = ""

    def fill(self, question: str, passages: str, language: str) -> Chat:
        """Return the chat; delimiters inside the texts are removed."""
        values = {
            "question": _remove_delimiters(question),
            "passages": _remove_delimiters(passages),
            "language": _LANGUAGES.get(language, "English"),
            "business": self.business or "a shop",
        }
        return [
            {"role": "system", "content": self.system.format_map(values)},
            {"role": "user", "content": self.user.format_map(values)},
        ]


def load(home: Path, business: str = "") -> Prompt:
    """Read the home's prompt, else the built-in one; raise CarelineError if it is invalid."""
    own = home / FILE
    path = own if own.exists() else _BUILT_IN
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        message = f"{path} cannot be read: {error}"
        raise CarelineError(message) from error
    if not isinstance(raw, dict) or {"system", "user"} != set(raw):
        message = f"{path} must hold two texts: system and user"
        raise CarelineError(message)
    prompt = Prompt(str(raw["system"]), str(raw["user"]), business)
    try:
        names = {
            name
            for text in (prompt.system, prompt.user)
            for _, name, _, _ in string.Formatter().parse(text)
            if name is not None
        }
    except ValueError as error:
        message = f"{path}: a brace stands alone ({error}); write {{{{ for one"
        raise CarelineError(message) from error
    if names - _KNOWN or _NEEDED - names:
        wrong = ", ".join(sorted(names - _KNOWN)) or "none"
        missing = ", ".join(sorted(_NEEDED - names)) or "none"
        message = f"{path}: unknown places: {wrong}; missing ones: {missing}"
        raise CarelineError(message)
    return prompt


def digest(chat: Chat) -> str:
    """Return the SHA-256 of a chat in hexadecimal digits, for the trace."""
    return hashlib.sha256(json.dumps(list(chat), ensure_ascii=False).encode()).hexdigest()


def _remove_delimiters(text: str) -> str:
    for delimiter in _DELIMITERS:
        text = text.replace(delimiter, delimiter[0])
    return text
