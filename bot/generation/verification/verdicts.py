"""What a check of support says: supported or not, how surely, and what is wrong."""

from dataclasses import dataclass
from enum import StrEnum


class SupportIssue(StrEnum):
    """What keeps a statement from being supported."""

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
    """Return whether passages support a statement.

    `score` is the calibrated probability of support, 0 to 1. `passage` is the index of the passage
    that supports the statement best, and `start` to `end` the span within that passage's text of
    the sentences it stands on; all three are None where nothing comes near. `flaws` are in the
    order of `SupportIssue`; a supported statement has none.
    """

    supported: bool
    score: float
    flaws: tuple[SupportIssue, ...] = ()
    passage: int | None = None
    start: int | None = None
    end: int | None = None
