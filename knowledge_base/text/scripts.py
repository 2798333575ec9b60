"""Traditional or Simplified Chinese: telling them apart and turning one into the other."""

from collections.abc import Callable
from functools import cache
from typing import Final, Literal, get_args

from knowledge_base.text.han_characters import IN_BOTH, SIMPLIFIED, TRADITIONAL

Script = Literal["hans", "hant"]

_HANT: Final = frozenset(TRADITIONAL)
_HANS: Final = frozenset(SIMPLIFIED) - IN_BOTH - _HANT
_CONFIGURATIONS: Final[dict[str, str]] = {"hans": "t2s", "hant": "s2t"}


def script(text: str) -> Script | None:
    """Return the script most of the telling characters belong to; None where nothing tells."""
    traditional = sum(character in _HANT for character in text)
    simplified = sum(character in _HANS for character in text)
    if traditional == simplified:
        return None
    return "hant" if traditional > simplified else "hans"


def to_script(text: str, wanted: Script) -> str:
    """Return a reply in the script wanted, converted by phrases."""
    if wanted not in get_args(Script):
        message = f"{wanted!r} is no script: hans or hant"
        raise ValueError(message)
    return text if text.isascii() else _converter(_CONFIGURATIONS[wanted])(text)


@cache
def _converter(configuration: str) -> Callable[[str], str]:
    from opencc import OpenCC  # 2 MB of phrase tables: loaded for the first reply that needs it

    convert: Callable[[str], str] = OpenCC(configuration).convert
    return convert
