"""The verdict of the support check: supported or not, how likely, and what is wrong."""

from dataclasses import dataclass
from enum import StrEnum


class SupportIssue(StrEnum):
    """The reasons why a statement is not supported."""

    NUMBER = "number"
    DATE = "date"
    MONEY = "money"
    UNIT = "unit"
    NAME = "name"
    LINK = "link"
    NEGATION = "negation"
    CONDITION = "condition"
    MEANING = "meaning"


@dataclass(frozen=True)
class SupportVerdict:
    """The verdict on a statement.

    `score` is the calibrated probability of support, 0 to 1. `passage` is the index of the passage
    that supports the statement best, and `start` to `end` the span of the supporting sentences in
    its text; all three are None if nothing is similar. `flaws` are in the order of `SupportIssue`;
    a supported statement has none.
    """

    supported: bool
    score: float
    flaws: tuple[SupportIssue, ...] = ()
    passage: int | None = None
    start: int | None = None
    end: int | None = None
