"""The support check: what decides whether passages support a sentence of a reply."""

from bot.generation.verification.checker import THRESHOLD, SupportCheck
from bot.generation.verification.claim_detection import states_something
from bot.generation.verification.scorer import DEFAULT, SupportScorer
from bot.generation.verification.verdicts import SupportIssue, SupportVerdict

__all__ = [
    "DEFAULT",
    "THRESHOLD",
    "SupportCheck",
    "SupportIssue",
    "SupportScorer",
    "SupportVerdict",
    "states_something",
]
