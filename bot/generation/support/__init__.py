"""The support check: what decides whether passages support a sentence of a reply."""

from bot.generation.support.check import THRESHOLD, SupportCheck
from bot.generation.support.scoring import DEFAULT, Scorer
from bot.generation.support.talk import states_something
from bot.generation.support.verdicts import Flaw, Verdict

__all__ = [
    "DEFAULT",
    "THRESHOLD",
    "Flaw",
    "Scorer",
    "SupportCheck",
    "Verdict",
    "states_something",
]
