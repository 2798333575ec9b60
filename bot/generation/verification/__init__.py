"""The support check: what decides whether passages support a sentence of a reply."""

from bot.generation.verification.checker import THRESHOLD, SupportCheck
from bot.generation.verification.claim_detection import states_something
from bot.generation.verification.scorer import DEFAULT, Scorer
from bot.generation.verification.verdicts import Flaw, Verdict

__all__ = [
    "DEFAULT",
    "THRESHOLD",
    "Flaw",
    "Scorer",
    "SupportCheck",
    "Verdict",
    "states_something",
]
