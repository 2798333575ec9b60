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
_MARGIN: Final = 0.34
# The other cues in a statement that can express a condition of the passage.
_EQUIVALENTS: Final = {
    "if": {"if", "when", "only", "need", "unless", "until"},
    "when": {"when", "if", "order", "only", "until", "need"},
    "unless": {"unless", "except", "if-not"},
    "only": {"only", "if", "need", "except", "denied"},
    "except": {"except", "unless", "only", "denied", "same"},
    "until": {"until", "order", "inside", "when"},
}
_PREFIXES: Final = ("un", "in", "im", "ir", "il", "non", "dis")
_MIN_LETTERS: Final = 4
_FIRST_HAN: Final = "\u3400"


def find_issues(sentence: ParsedSentence, support: Sequence[ParsedSentence]) -> set[SupportIssue]:
    """Return the issues of a sentence against its supporting sentences, the best one first."""
    own = negation.find_cues(sentence)
    there = [(other, negation.find_cues(other)) for other in support]
    issues = _compare_opposites(own, there)
    if _denials_differ(sentence, own, there) or _prefixes_differ(sentence, support):
        issues.add(SupportIssue.NEGATION)
    if _conditions_differ(sentence, own, there):
        issues.add(SupportIssue.CONDITION)
    return issues


def _compare_opposites(
    own: PolarityCues, there: Sequence[tuple[ParsedSentence, PolarityCues]]
) -> set[SupportIssue]:
    """Compare the words that have an opposite; of several, those in similar contexts count."""
    issues: set[SupportIssue] = set()
    for cue in own.opposites:
        rivals = [other for _, m in there for other in m.opposites if other.axis == cue.axis]
        same = [_similarity(cue, other) for other in rivals if other.sign == cue.sign]
        contrary = [_similarity(cue, other) for other in rivals if other.sign != cue.sign]
        if contrary and max(contrary) > max(same, default=-_MARGIN) + _MARGIN:
            issues.add(SupportIssue.CONDITION if cue.limits else SupportIssue.NEGATION)
    return issues


def _similarity(first: OppositeCue, second: OppositeCue) -> float:
    if not first.near or not second.near:
        return 0.3
    return len(first.near & second.near) / min(len(first.near), len(second.near))


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
            continue  # denies what the passage is not about: a matter of meaning
        if not _has_match(denial, theirs) and not (negative and not theirs and not denial.scope):
            return True
    mine = any(o.sign < 0 for o in own.opposites)
    return any(
        _mentions(denial, sentence) and not _has_match(denial, own.denials) and not mine
        for denial in theirs
    )


def _with_characters(keys: Iterable[str]) -> set[str]:
    """Return keys and the characters of Chinese ones, which synonyms often share."""
    expanded = set(keys)
    return expanded | {c for key in expanded if key[0] > _FIRST_HAN for c in key}


def _count_known(keys: frozenset[str], every: set[str]) -> int:
    """Return how many keys are known; Chinese ones also if all their characters are."""
    return sum(k in every or (k[0] > _FIRST_HAN and set(k) <= every) for k in keys)


def _has_match(denial: NegationCue, candidates: Sequence[NegationCue]) -> bool:
    """Return whether a denial of the other side applies to the same words."""
    scope, clause = _with_characters(denial.scope), _with_characters(denial.clause)
    for other in candidates:
        around = _with_characters(other.clause)
        if scope & _with_characters(other.scope):
            return True
        if len(clause & around) >= _HALF * min(len(clause), len(around)):
            return True
    return False


def _mentions(denial: NegationCue, sentence: ParsedSentence) -> bool:
    """Return whether a sentence is about what a passage denies."""
    nearest = denial.scope[:3]
    count = sum(key in sentence.keys for key in nearest)
    around = len(denial.clause & sentence.keys)
    return bool(nearest) and count >= _HALF * len(nearest) and around >= _HALF * len(denial.clause)


def _prefixes_differ(sentence: ParsedSentence, support: Sequence[ParsedSentence]) -> bool:
    """Return whether one side has `used` where the other has `unused`."""
    own = {token.text.lower() for token in sentence.tokens if _is_word(token)}
    theirs = {token.text.lower() for other in support for token in other.tokens if _is_word(token)}
    return any(
        (f"{prefix}{word}" in theirs and word not in theirs)
        or (word.startswith(prefix) and word[len(prefix) :] in theirs and word not in theirs)
        for word in own
        for prefix in _PREFIXES
    )


def _is_word(token: ContentToken) -> bool:
    return not token.han and len(token.text) >= _MIN_LETTERS and token.text.isalpha()


def _conditions_differ(
    sentence: ParsedSentence,
    own: PolarityCues,
    there: Sequence[tuple[ParsedSentence, PolarityCues]],
) -> bool:
    """Return whether a condition is reversed, invented or dropped."""
    mine = _kinds(own)
    if any(m.denials for _, m in there):
        mine.discard("denied")  # it denies something affirmed by the passage, so it is not a limit
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


def _same_clause(first: ConditionCue, second: ConditionCue) -> bool:
    """Return whether two conditions are about the same thing, even if one is reversed."""
    reversible = {"if", "unless", "when"}
    if (first.kind in reversible) != (second.kind in reversible):
        return False
    here, there = _with_characters(first.inside), _with_characters(second.inside)
    smaller = min(len(here), len(there))
    return bool(smaller) and len(here & there) >= _SAME_CLAUSE * smaller


def _agree(first: ConditionCue, second: ConditionCue) -> bool:
    """Return whether two conditions have the same meaning: unless it is, if it is not."""
    if (first.kind == "unless") == (second.kind == "unless"):
        if first.kind in {second.kind, *_EQUIVALENTS[second.kind]}:
            return True
        return second.kind in _EQUIVALENTS[first.kind]
    return first.denied != second.denied


def _kinds(cues: PolarityCues) -> set[str]:
    kinds = {condition.kind for condition in cues.conditions}
    kinds |= {opposite.axis for opposite in cues.opposites}
    if cues.denials:
        kinds.add("denied")
        if kinds & {"if", "when"}:
            kinds.add("if-not")
    return kinds


def _invented(condition: ConditionCue, theirs: set[str], every: frozenset[str]) -> bool:
    """Return whether a condition of the statement is not in its support."""
    inside = condition.inside
    known = _count_known(inside, _with_characters(every))
    if inside and known < _HALF * len(inside):
        return True
    if condition.kind in theirs or _EQUIVALENTS[condition.kind] & theirs:
        return False
    return condition.kind not in {"if", "when"} or not inside


def _dropped(
    condition: ConditionCue, mine: set[str], sentence: ParsedSentence, other: ParsedSentence
) -> bool:
    """Return whether a sentence repeats another one without its condition."""
    if condition.kind in mine or _EQUIVALENTS[condition.kind] & mine:
        return False
    rest = condition.rest or other.keys
    if condition.kind in {"only", "except"}:
        return len(other.keys & sentence.keys) >= _HALF * len(other.keys)
    if len(rest & sentence.keys) < _HALF * len(rest):
        return False
    own = condition.inside - condition.rest or condition.inside
    known = _count_known(own, _with_characters(sentence.keys))
    return not own or known <= _HALF * len(own)
