"""Detection of sentences that reverse their source: a negation, an opposite, a condition. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

from bot.generation.verification import negation
from bot.generation.verification.negation import (
    ConditionCue,
    NegationCue,
    OppositeCue,
    PolarityCues,
)
from bot.generation.verification.sentences import ContentToken, ParsedSentence
from bot.generation.verification.verdicts import SupportIssue

_HALF: Final = 0.5
_SAME_CLAUSE: Final = 0.6
_CLOSER: Final = 0.34
# Which conditions of the passage may be said in another way, and how.
_ALSO: Final = {
    "if": {"if", "when", "only", "need", "unless", "until"},
    "when": {"when", "if", "order", "only", "until", "need"},
    "unless": {"unless", "except", "if-not"},
    "only": {"only", "if", "need", "except", "denied"},
    "except": {"except", "unless", "only", "denied", "same"},
    "until": {"until", "order", "inside", "when"},
}
_PREFIXES: Final = ("un", "in", "im", "ir", "il", "non", "dis")
_LONG: Final = 4
_FIRST_HAN: Final = "\u3400"


def flaws(sentence: ParsedSentence, support: Sequence[ParsedSentence]) -> set[SupportIssue]:
    """Return the flaws of a sentence against the sentences it leans on, the best one first."""
    own = negation.find(sentence)
    there = [(other, negation.find(other)) for other in support]
    found = _opposed(own, there)
    if _denials_differ(sentence, own, there) or _prefixed(sentence, support):
        found.add(SupportIssue.NEGATION)
    if _condition_differs(sentence, own, there):
        found.add(SupportIssue.CONDITION)
    return found


def _opposed(
    own: PolarityCues, there: Sequence[tuple[ParsedSentence, PolarityCues]]
) -> set[SupportIssue]:
    """Compare the words that have an opposite; of several, those in the most alike words count."""
    found: set[SupportIssue] = set()
    for mark in own.opposites:
        others = [other for _, m in there for other in m.opposites if other.axis == mark.axis]
        same = [_alike(mark, other) for other in others if other.sign == mark.sign]
        contrary = [_alike(mark, other) for other in others if other.sign != mark.sign]
        if contrary and max(contrary) > max(same, default=-_CLOSER) + _CLOSER:
            found.add(SupportIssue.CONDITION if mark.limits else SupportIssue.NEGATION)
    return found


def _alike(one: OppositeCue, other: OppositeCue) -> float:
    if not one.near or not other.near:
        return 0.3
    return len(one.near & other.near) / min(len(one.near), len(other.near))


def _denials_differ(
    sentence: ParsedSentence,
    own: PolarityCues,
    there: Sequence[tuple[ParsedSentence, PolarityCues]],
) -> bool:
    """Return whether one side denies what the other affirms."""
    theirs = [denial for _, m in there for denial in m.denials]
    every = frozenset().union(*(other.keys for other, _ in there))
    negative = any(o.sign < 0 for _, m in there for o in m.opposites)
    for denial in own.denials:
        if not set(denial.scope) & every and not (denial.clause & every):
            continue  # denies what the passage does not speak of: a matter of meaning
        if not _answered(denial, theirs) and not (negative and not theirs and not denial.scope):
            return True
    mine = any(o.sign < 0 for o in own.opposites)
    return any(
        _used(denial, sentence) and not _answered(denial, own.denials) and not mine
        for denial in theirs
    )


def _spread(keys: Iterable[str]) -> set[str]:
    """Return keys with the characters of Chinese ones: other words for the same share some."""
    found = set(keys)
    return found | {c for key in found if key[0] > _FIRST_HAN for c in key}


def _known(keys: frozenset[str], every: set[str]) -> int:
    """Return how many keys are known, Chinese ones also by their characters."""
    return sum(k in every or (k[0] > _FIRST_HAN and set(k) <= every) for k in keys)


def _answered(denial: NegationCue, others: Sequence[NegationCue]) -> bool:
    """Return whether a denial of the other side bears on the same words."""
    scope, clause = _spread(denial.scope), _spread(denial.clause)
    for other in others:
        around = _spread(other.clause)
        if scope & _spread(other.scope):
            return True
        if len(clause & around) >= _HALF * min(len(clause), len(around)):
            return True
    return False


def _used(denial: NegationCue, sentence: ParsedSentence) -> bool:
    """Return whether a sentence speaks of what a passage denies."""
    nearest = denial.scope[:3]
    said = sum(key in sentence.keys for key in nearest)
    around = len(denial.clause & sentence.keys)
    return bool(nearest) and said >= _HALF * len(nearest) and around >= _HALF * len(denial.clause)


def _prefixed(sentence: ParsedSentence, support: Sequence[ParsedSentence]) -> bool:
    """Return whether one side says `used` where the other says `unused`."""
    own = {token.text.lower() for token in sentence.tokens if _whole(token)}
    theirs = {token.text.lower() for other in support for token in other.tokens if _whole(token)}
    return any(
        (f"{prefix}{word}" in theirs and word not in theirs)
        or (word.startswith(prefix) and word[len(prefix) :] in theirs and word not in theirs)
        for word in own
        for prefix in _PREFIXES
    )


def _whole(token: ContentToken) -> bool:
    return not token.han and len(token.text) >= _LONG and token.text.isalpha()


def _condition_differs(
    sentence: ParsedSentence,
    own: PolarityCues,
    there: Sequence[tuple[ParsedSentence, PolarityCues]],
) -> bool:
    """Return whether a condition is turned round, invented or dropped."""
    mine = _kinds(own)
    if any(m.denials for _, m in there):
        mine.discard("denied")  # it says no to what the passage does, and so limits nothing
    theirs = set().union(*(_kinds(m) for _, m in there)) if there else set()
    every = frozenset().union(*(other.keys for other, _ in there))
    conditions = [condition for _, m in there for condition in m.conditions]
    for condition in own.conditions:
        alike = [c for c in conditions if _same_clause(condition, c)]
        if alike and not any(_agree(condition, c) for c in alike):
            return True
        if not alike and _invented(condition, theirs, every):
            return True
    return any(
        _dropped(condition, mine, sentence, other)
        for other, m in there
        for condition in m.conditions
    )


def _same_clause(one: ConditionCue, other: ConditionCue) -> bool:
    """Return whether two conditions are about one thing, be it turned round."""
    turning = {"if", "unless", "when"}
    if (one.kind in turning) != (other.kind in turning):
        return False
    here, there = _spread(one.inside), _spread(other.inside)
    smaller = min(len(here), len(there))
    return bool(smaller) and len(here & there) >= _SAME_CLAUSE * smaller


def _agree(one: ConditionCue, other: ConditionCue) -> bool:
    """Return whether two conditions about one thing say the same: unless it is, if it is not."""
    if (one.kind == "unless") == (other.kind == "unless"):
        return one.kind in {other.kind, *_ALSO[other.kind]} or other.kind in _ALSO[one.kind]
    return one.denied != other.denied


def _kinds(found: PolarityCues) -> set[str]:
    kinds = {condition.kind for condition in found.conditions}
    kinds |= {opposite.axis for opposite in found.opposites}
    if found.denials:
        kinds.add("denied")
        if kinds & {"if", "when"}:
            kinds.add("if-not")
    return kinds


def _invented(condition: ConditionCue, theirs: set[str], every: frozenset[str]) -> bool:
    """Return whether a condition of the statement stands in nothing it leans on."""
    inside = condition.inside
    known = _known(inside, _spread(every))
    if inside and known < _HALF * len(inside):
        return True
    if condition.kind in theirs or _ALSO[condition.kind] & theirs:
        return False
    return condition.kind not in {"if", "when"} or not inside


def _dropped(
    condition: ConditionCue, mine: set[str], sentence: ParsedSentence, other: ParsedSentence
) -> bool:
    """Return whether a sentence repeats another one without its condition."""
    if condition.kind in mine or _ALSO[condition.kind] & mine:
        return False
    rest = condition.rest or other.keys
    if condition.kind in {"only", "except"}:
        return len(other.keys & sentence.keys) >= _HALF * len(other.keys)
    said = len(rest & sentence.keys)
    if said < _HALF * len(rest):
        return False
    own = condition.inside - condition.rest or condition.inside
    return not own or _known(own, _spread(sentence.keys)) <= _HALF * len(own)
