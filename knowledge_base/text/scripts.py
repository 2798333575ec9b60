"""Traditional and Simplified Chinese: detection and conversion."""

from collections.abc import Callable
from functools import cache
from typing import Final, Literal, get_args

from knowledge_base.text.han_characters import IN_BOTH, SIMPLIFIED, TRADITIONAL

Script = Literal["hans", "hant"]

_HANT: Final = frozenset(TRADITIONAL)
_HANS: Final = frozenset(SIMPLIFIED) - IN_BOTH - _HANT
_CONFIGURATIONS: Final[dict[str, str]] = {"hans": "t2s", "hant": "s2t"}


def detect_script(text: str) -> Script | None:
    """Return the script of most distinctive characters; None if there is no majority."""
    traditional = sum(character in _HANT for character in text)
    simplified = sum(character in _HANS for character in text)
    if traditional == simplified:
        return None
    return "hant" if traditional > simplified else "hans"


def to_script(text: str, target: Script) -> str:
    """Return a reply converted to a script, phrase by phrase."""
    if target not in get_args(Script):
        message = f"{target!r} is not a script: use hans or hant"
        raise ValueError(message)
    return text if text.isascii() else _converter(_CONFIGURATIONS[target])(text)


@cache
def _converter(configuration: str) -> Callable[[str], str]:
    from opencc import OpenCC  # 2 MB of phrase tables: loaded for the first reply that needs it

    convert: Callable[[str], str] = OpenCC(configuration).convert
    return convert
