"""Who may see and change an order. Pure.

A customer proves that an order is theirs by its number and the e-mail address it was placed with,
by being logged in as its customer, or by having proven it earlier in the conversation.
"""

import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

MAX_TRIES: Final = 3  # wrong pairs of number and address in one conversation


class Verdict(StrEnum):
    """What follows from a claim."""

    PROVEN = "proven"
    UNPROVEN = "unproven"  # nothing was claimed yet: ask for the address
    MISMATCH = "mismatch"  # a failed try; says nothing about whether the order exists
    BLOCKED = "blocked"  # too many of those


@dataclass(frozen=True)
class Claim:
    """What stands for the customer: what they wrote, and what was found out about them."""

    number: str
    email: str | None = field(repr=False)
    customer: str | None  # who the visitor was proven to be
    identified: frozenset[str]  # orders proven earlier in this conversation


@dataclass(frozen=True)
class Owner:
    """Whose an order is."""

    number: str
    email: str = field(repr=False)
    customer: str


def judge(claim: Claim, owner: Owner | None, tries: int) -> Verdict:
    """Return whether an order may be shown; `tries` are those that failed, `owner` None if none.

    What follows a wrong claim is the same whether the order is somebody else's or nobody's.
    """
    if owner is not None:
        if owner.number in claim.identified:
            return Verdict.PROVEN
        if claim.customer and claim.customer == owner.customer:
            return Verdict.PROVEN
    if tries >= MAX_TRIES:
        return Verdict.BLOCKED
    email = normal(claim.email or "")
    if not email:
        return Verdict.UNPROVEN
    if owner is not None and email == normal(owner.email):
        return Verdict.PROVEN
    return Verdict.BLOCKED if tries + 1 >= MAX_TRIES else Verdict.MISMATCH


def normal(email: str) -> str:
    """Return an address as it is compared: trimmed, half-width, in small letters."""
    return unicodedata.normalize("NFKC", email).strip().casefold()
