"""Kinds of intents and traits of slots, for policies of version 0.1.0.

Such a policy has no fields for them; `compatibility.yml` lists the names they had instead.
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
    """Return whether version 0.1.0 treats an intent with this name as one of this kind."""
    return _matches(intent, "intents", kind)


def has_trait(slot: str, trait: SlotTrait) -> bool:
    """Return whether version 0.1.0 treats a slot with this name as one with this trait."""
    return _matches(slot, "slots", trait)


@cache
def _matches(name: str, group: str, entry: str) -> bool:
    return any(re.fullmatch(pattern, name) for pattern in _patterns()[group].get(entry, ()))
