"""Rules for access to an order. Pure.

A customer proves ownership of an order by its number and e-mail address, by being signed in as
its customer, or by an earlier proof in the conversation.
"""

import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

MAX_TRIES: Final = 3  # failed attempts in one conversation


class Verdict(StrEnum):
    """The result of an identity check."""

    PROVEN = "proven"
    UNPROVEN = "unproven"  # no address yet: ask for it
    MISMATCH = "mismatch"  # a failed attempt; does not reveal whether the order exists
    BLOCKED = "blocked"  # too many failed attempts


@dataclass(frozen=True)
class Claim:
    """The customer's claim: what they wrote, and their verified identity."""

    number: str
    email: str | None = field(repr=False)
    customer: str | None  # verified identity of the visitor
    identified: frozenset[str]  # orders proven earlier in this conversation


@dataclass(frozen=True)
class Owner:
    """The owner of an order."""

    number: str
    email: str = field(repr=False)
    customer: str


def judge(claim: Claim, owner: Owner | None, tries: int) -> Verdict:
    """Return whether an order may be shown.

    The result of a wrong claim does not depend on whether the order exists.

    Args:
        claim: The number, address and identity of the customer.
        owner: The owner of the order; None if there is no such order.
        tries: The failed attempts so far.
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
    """Return an address in comparable form: trimmed, half-width, lower case."""
    return unicodedata.normalize("NFKC", email).strip().casefold()
