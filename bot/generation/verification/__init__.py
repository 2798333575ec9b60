"""Verification: whether passages support a sentence of a reply."""

from bot.generation.verification.checker import THRESHOLD, SupportCheck
from bot.generation.verification.claim_detection import has_claim
from bot.generation.verification.scorer import DEFAULT, SupportScorer
from bot.generation.verification.verdicts import SupportIssue, SupportVerdict

__all__ = [
    "DEFAULT",
    "THRESHOLD",
    "SupportCheck",
    "SupportIssue",
    "SupportScorer",
    "SupportVerdict",
    "has_claim",
]
