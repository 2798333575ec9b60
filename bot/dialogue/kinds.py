"""What the core needs to know of intents and slots: as `policy.yml` says it, or as 0.1.0 knew it.

A policy of 0.1.0 has no fields for it; `compatibility.yml` then says which names it went by.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final, Literal

import yaml

IntentKind = Literal["small_talk", "about_assistant", "complaint"]
SlotTrait = Literal["identifies", "code", "keep"]
KINDS: Final[tuple[IntentKind, ...]] = ("small_talk", "about_assistant", "complaint")
TRAITS: Final[tuple[SlotTrait, ...]] = ("identifies", "code", "keep")
_FILE: Final = "compatibility.yml"


@cache
def _patterns() -> Mapping[str, Mapping[str, list[str]]]:
    text = (resources.files("bot.dialogue") / _FILE).read_text(encoding="utf-8")
    patterns: Mapping[str, Mapping[str, list[str]]] = yaml.safe_load(text)
    return patterns


def is_of_kind(intent: str, kind: IntentKind) -> bool:
    """Return whether 0.1.0 knew an intent by its name as one of this kind."""
    return _matches(intent, "intents", kind)


def has_trait(slot: str, trait: SlotTrait) -> bool:
    """Return whether 0.1.0 knew a slot by its name as one with this trait."""
    return _matches(slot, "slots", trait)


@cache
def _matches(name: str, group: str, entry: str) -> bool:
    return any(re.fullmatch(pattern, name) for pattern in _patterns()[group].get(entry, ()))
