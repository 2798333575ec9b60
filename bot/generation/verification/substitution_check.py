"""A sentence that is copied but for a word or two: what stands in the changed places. Pure.

Only what is a near copy is compared so; elsewhere, other words may say the same.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from bot.generation.verification import amount_check, negation
from bot.generation.verification.alignment import share
from bot.generation.verification.amounts import Amount
from bot.generation.verification.sentences import ContentToken, ParsedSentence, units
from bot.generation.verification.verdicts import SupportIssue

_NEAR: Final = 0.5  # of a sentence's units that a copy shares
_ADDED: Final = 2  # units that stand nowhere: an addition of its own
_LONGEST: Final = 160  # tokens of a sentence; comparing takes their product
_WIDEST: Final = 6  # tokens of a slot
_LIMITS: Final = frozenset({"if", "unless", "only", "except", "until", "when", "need+"})
_DROPPED: Final = 3  # tokens that are left out between two that stayed


@dataclass(frozen=True)
class ChangedSpan:
    """What stands in one place of two sentences with the same words before and behind."""

    here: tuple[ContentToken, ...]
    there: tuple[ContentToken, ...]
    edge: bool = False  # it is where the copy was cut off


def flaws(
    sentence: ParsedSentence, support: Sequence[ParsedSentence], known: frozenset[str]
) -> set[SupportIssue]:
    """Return the flaws of a near copy; `known` are the units of all passages."""
    best = support[0]
    if share(sentence.keys, best.keys) < _NEAR:
        return set()
    slots = list(_slots(sentence.tokens[:_LONGEST], best.tokens[:_LONGEST]))
    only = sum(bool(units(slot.here)) for slot in slots) == 1
    found = {flaw for slot in slots if (flaw := _replaced(slot, sentence, best, only=only))}
    return found | _turned(sentence, best, slots) | _added(sentence, slots, known)


def _slots(own: Sequence[ContentToken], other: Sequence[ContentToken]) -> Iterator[ChangedSpan]:
    """Yield the places in which two sentences differ."""
    keys = [token.key for token in other]
    matcher = SequenceMatcher(None, [token.key for token in own], keys, autojunk=False)
    for code, a, b, c, d in matcher.get_opcodes():
        if code != "equal":
            edge = code == "insert" and (c == 0 or d == len(other))
            yield ChangedSpan(tuple(own[a:b]), tuple(other[c:d]), edge=edge)


def _replaced(
    slot: ChangedSpan, sentence: ParsedSentence, best: ParsedSentence, *, only: bool
) -> SupportIssue | None:
    """Return the flaw of a place that holds another figure or name than the passage has there."""
    if not slot.here or not slot.there or max(len(slot.here), len(slot.there)) > _WIDEST:
        return None
    mine, theirs = _figures(slot.here, sentence), _figures(slot.there, best)
    if (
        len(mine) == len(theirs) == 1
        and not mine[0].same(theirs[0])
        and not mine[0].edge(theirs[0])
    ):
        return amount_check.against(sentence, mine[0], best, theirs[0])
    here = [token for token in slot.here if not token.empty and token.key[0] != "#"]
    there = [token for token in slot.there if not token.empty and token.key[0] != "#"]
    if not here or not there or _shared(here, there):
        return None
    if all(token.han for token in [*here, *there]):
        words = "".join(token.text for token in slot.there)
        long = len(there) > 1 and only
        missing = best.text.count(words) > sentence.text.count(words)
        turned = _kinds(sentence, slot.here) or _kinds(best, slot.there)
        return SupportIssue.NAME if long and missing and not turned else None
    keys = {token.key for token in sentence.tokens}
    if _named(here, sentence) and _named(there, best):
        return None if any(token.key in keys for token in there) else SupportIssue.NAME
    return None


def _figures(tokens: Sequence[ContentToken], sentence: ParsedSentence) -> list[Amount]:
    starts = {token.start for token in tokens if token.key[0] == "#"}
    return [figure for figure in sentence.figures if figure.start in starts and not figure.weak]


def _shared(here: Sequence[ContentToken], there: Sequence[ContentToken]) -> bool:
    return bool({token.key for token in here} & {token.key for token in there})


def _named(tokens: Sequence[ContentToken], sentence: ParsedSentence) -> bool:
    """Return whether tokens hold a capital or a word that is no English one inside Chinese."""
    return any(
        token.text[0].isupper() and (token.start > 0 or len(sentence.tokens) > len(tokens))
        for token in tokens
    )


def _turned(
    sentence: ParsedSentence, best: ParsedSentence, slots: Sequence[ChangedSpan]
) -> set[SupportIssue]:
    """Compare the negations and conditions in all places that differ: they may have moved."""
    found: set[SupportIssue] = set()
    here = [kind for slot in slots for kind in _kinds(sentence, slot.here)]
    there = [
        kind
        for slot in slots
        if not slot.edge and len(slot.there) <= (_WIDEST if slot.here else _DROPPED)
        for kind in _kinds(best, slot.there)
    ]
    whole = [kind for slot in slots for kind in _kinds(best, slot.there)]
    negations = here.count("not") - there.count("not")
    moved = (here.count("not") - whole.count("not")) % 2 == 0
    if negations % 2 and not moved and not _made_up(sentence, best):
        found.add(SupportIssue.NEGATION)
    if not negations and any(_contrary(sentence, best, slot) for slot in slots):
        found.add(SupportIssue.CONDITION)
    balance = Counter(kind for kind, _ in negation.places(sentence))
    balance.subtract(kind for kind, _ in negation.places(best))
    more = any(
        here.count(k) > there.count(k) and balance[k] > 0
        for k in ("unless", "only", "except", "until")
    )
    less = any(
        there.count(k) > here.count(k) and balance[k] < 0 for k in ("unless", "only", "except")
    )
    if (more and not set(whole) & _LIMITS) or (less and not set(here) & _LIMITS):
        found.add(SupportIssue.CONDITION)
    return found


def _contrary(sentence: ParsedSentence, best: ParsedSentence, slot: ChangedSpan) -> bool:
    """Return whether a place says `after` for `before`, or has another pair of opposites."""
    if max(len(slot.here), len(slot.there)) > _WIDEST:
        return False
    here, there = _kinds(sentence, slot.here), _kinds(best, slot.there)
    first = {"order+", "inside+", "until"}, {"order-", "inside-"}
    if any(set(here) & one and set(there) & two for one, two in (first, first[::-1])):
        return True
    said = {kind for kind, _ in negation.places(best)}
    new = [kind for kind in here if kind not in said]
    return "not" not in [*here, *there] and _opposite(new, there)


def _made_up(sentence: ParsedSentence, best: ParsedSentence) -> bool:
    """Return whether a pair of opposites makes up for a negation: not open, closed."""
    here, there = ([kind for kind, _ in negation.places(text)] for text in (sentence, best))
    return _opposite(here, there)


def _opposite(here: Sequence[str], there: Sequence[str]) -> bool:
    """Return whether a pair of opposites makes up for a negation: not open, closed."""
    return any(
        f"{kind[:-1]}{'-' if kind[-1] == '+' else '+'}" in there
        for kind in here
        if len(kind) > 3  # noqa: PLR2004
    )


def _kinds(sentence: ParsedSentence, tokens: Sequence[ContentToken]) -> list[str]:
    if not tokens:
        return []
    start, end = tokens[0].start, tokens[-1].end
    return [kind for kind, place in negation.places(sentence) if start <= place < end]


def _added(
    sentence: ParsedSentence, slots: Sequence[ChangedSpan], known: frozenset[str]
) -> set[SupportIssue]:
    """Return the flaw of words put in that stand nowhere in the passages."""
    for slot in slots:
        cues = negation.cues(sentence)
        tokens = tuple(token for token in slot.here if token.start not in cues)
        new = [key for key in units(tokens) if key not in known]
        if not new or share(sentence.keys - set(new), known) < 1 or slot.there:
            continue
        kinds = set(_kinds(sentence, slot.here))
        if kinds & {"if", "unless", "only", "except", "until", "when"}:
            return {SupportIssue.CONDITION}
        if len(new) >= _ADDED:
            return {SupportIssue.MEANING}
    return set()
