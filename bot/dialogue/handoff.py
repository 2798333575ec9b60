"""The hand-off as a state machine: who may speak, and which steps lead where. Pure."""

from collections.abc import Mapping
from typing import Final

from bot.dialogue.state import BOT, CLOSED, HUMAN, QUEUED
from bot.types import CarelineError

STEPS: Final[Mapping[str, frozenset[str]]] = {
    BOT: frozenset({QUEUED, CLOSED}),
    QUEUED: frozenset({HUMAN, BOT, CLOSED}),
    HUMAN: frozenset({BOT, QUEUED, CLOSED}),
    CLOSED: frozenset({BOT}),
}


def step(owner: str, to: str) -> str:
    """Return the new owner of a conversation; raise CarelineError for a step that is not one."""
    if to not in STEPS[owner]:
        message = f"a conversation that is with {owner} cannot go to {to}"
        raise CarelineError(message)
    return to


def bot_may_speak(owner: str) -> bool:
    """Tell whether the bot answers: always, except while a person has the conversation."""
    return owner != HUMAN
