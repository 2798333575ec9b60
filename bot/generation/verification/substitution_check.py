"""Check of near copies: what differs from the copied sentence. Pure.

Only near copies are compared like this; otherwise, other words may have the same meaning.
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

_MIN_SHARE: Final = 0.5  # of its units that a near copy has in common with its source
_MIN_ADDED: Final = 2  # units that are in no passage
_MAX_TOKENS: Final = 160  # of a sentence; the time grows with their product
_MAX_CHANGED: Final = 6  # tokens of a changed span
_LIMITS: Final = frozenset({"if", "unless", "only", "except", "until", "when", "need+"})
_MAX_DROPPED: Final = 3  # tokens left out between two copied ones


@dataclass(frozen=True)
class ChangedSpan:
    """The differing tokens between the same words of two sentences."""

    here: tuple[ContentToken, ...]
    there: tuple[ContentToken, ...]
    edge: bool = False  # at the start or end of the source, where the copy begins or stops


def find_issues(
    sentence: ParsedSentence, support: Sequence[ParsedSentence], passage_units: frozenset[str]
) -> set[SupportIssue]:
    """Return the issues of a near copy; `passage_units` are the units of all passages."""
    best = support[0]
    if share(sentence.keys, best.keys) < _MIN_SHARE:
        return set()
    spans = list(_changed_spans(sentence.tokens[:_MAX_TOKENS], best.tokens[:_MAX_TOKENS]))
    only = sum(bool(units(span.here)) for span in spans) == 1
    replaced = {issue for span in spans if (issue := _replacement(span, sentence, best, only=only))}
    return replaced | _reversals(sentence, best, spans) | _additions(sentence, spans, passage_units)


def _changed_spans(
    own: Sequence[ContentToken], other: Sequence[ContentToken]
) -> Iterator[ChangedSpan]:
    """Yield the spans in which two sentences differ."""
    keys = [token.key for token in other]
    matcher = SequenceMatcher(None, [token.key for token in own], keys, autojunk=False)
    for code, a, b, c, d in matcher.get_opcodes():
        if code != "equal":
            edge = code == "insert" and (c == 0 or d == len(other))
            yield ChangedSpan(tuple(own[a:b]), tuple(other[c:d]), edge=edge)


def _replacement(
    slot: ChangedSpan, sentence: ParsedSentence, best: ParsedSentence, *, only: bool
) -> SupportIssue | None:
    """Return the issue of a span with another figure or name than the passage has there."""
    if not slot.here or not slot.there or max(len(slot.here), len(slot.there)) > _MAX_CHANGED:
        return None
    mine, theirs = _figures(slot.here, sentence), _figures(slot.there, best)
    if (
        len(mine) == len(theirs) == 1
        and not mine[0].same(theirs[0])
        and not mine[0].edge(theirs[0])
    ):
        return amount_check.classify_mismatch(sentence, mine[0], best, theirs[0])
    here = [token for token in slot.here if not token.empty and token.key[0] != "#"]
    there = [token for token in slot.there if not token.empty and token.key[0] != "#"]
    if not here or not there or _have_common_token(here, there):
        return None
    if all(token.han for token in [*here, *there]):
        words = "".join(token.text for token in slot.there)
        long = len(there) > 1 and only
        missing = best.text.count(words) > sentence.text.count(words)
        reverses = _kinds(sentence, slot.here) or _kinds(best, slot.there)
        return SupportIssue.NAME if long and missing and not reverses else None
    keys = {token.key for token in sentence.tokens}
    if _has_name(here, sentence) and _has_name(there, best):
        return None if any(token.key in keys for token in there) else SupportIssue.NAME
    return None


def _figures(tokens: Sequence[ContentToken], sentence: ParsedSentence) -> list[Amount]:
    starts = {token.start for token in tokens if token.key[0] == "#"}
    return [figure for figure in sentence.figures if figure.start in starts and not figure.weak]


def _have_common_token(here: Sequence[ContentToken], there: Sequence[ContentToken]) -> bool:
    return bool({token.key for token in here} & {token.key for token in there})


def _has_name(tokens: Sequence[ContentToken], sentence: ParsedSentence) -> bool:
    """Return whether tokens have a capital letter, other than at the start of the sentence."""
    return any(
        token.text[0].isupper() and (token.start > 0 or len(sentence.tokens) > len(tokens))
        for token in tokens
    )


def _reversals(
    sentence: ParsedSentence, best: ParsedSentence, spans: Sequence[ChangedSpan]
) -> set[SupportIssue]:
    """Compare the negations and conditions of all spans together, since they may move."""
    issues: set[SupportIssue] = set()
    here = [kind for span in spans for kind in _kinds(sentence, span.here)]
    there = [
        kind
        for span in spans
        if not span.edge and len(span.there) <= (_MAX_CHANGED if span.here else _MAX_DROPPED)
        for kind in _kinds(best, span.there)
    ]
    whole = [kind for span in spans for kind in _kinds(best, span.there)]
    negations = here.count("not") - there.count("not")
    moved = (here.count("not") - whole.count("not")) % 2 == 0
    if negations % 2 and not moved and not _is_compensated(sentence, best):
        issues.add(SupportIssue.NEGATION)
    if not negations and any(_has_opposite(sentence, best, span) for span in spans):
        issues.add(SupportIssue.CONDITION)
    balance = Counter(kind for kind, _ in negation.cue_positions(sentence))
    balance.subtract(kind for kind, _ in negation.cue_positions(best))
    more = any(
        here.count(k) > there.count(k) and balance[k] > 0
        for k in ("unless", "only", "except", "until")
    )
    less = any(
        there.count(k) > here.count(k) and balance[k] < 0 for k in ("unless", "only", "except")
    )
    if (more and not set(whole) & _LIMITS) or (less and not set(here) & _LIMITS):
        issues.add(SupportIssue.CONDITION)
    return issues


def _has_opposite(sentence: ParsedSentence, best: ParsedSentence, slot: ChangedSpan) -> bool:
    """Return whether a span has `after` for `before`, or another pair of opposites."""
    if max(len(slot.here), len(slot.there)) > _MAX_CHANGED:
        return False
    here, there = _kinds(sentence, slot.here), _kinds(best, slot.there)
    pair = {"order+", "inside+", "until"}, {"order-", "inside-"}
    if any(set(here) & first and set(there) & second for first, second in (pair, pair[::-1])):
        return True
    source = {kind for kind, _ in negation.cue_positions(best)}
    new = [kind for kind in here if kind not in source]
    return "not" not in [*here, *there] and _are_opposite(new, there)


def _is_compensated(sentence: ParsedSentence, best: ParsedSentence) -> bool:
    """Return whether an opposite compensates for a negation: not open, closed."""
    here, there = ([kind for kind, _ in negation.cue_positions(text)] for text in (sentence, best))
    return _are_opposite(here, there)


def _are_opposite(here: Sequence[str], there: Sequence[str]) -> bool:
    """Return whether two lists of cues have a pair of opposites."""
    return any(
        f"{kind[:-1]}{'-' if kind[-1] == '+' else '+'}" in there
        for kind in here
        if len(kind) > 3  # noqa: PLR2004
    )


def _kinds(sentence: ParsedSentence, tokens: Sequence[ContentToken]) -> list[str]:
    if not tokens:
        return []
    start, end = tokens[0].start, tokens[-1].end
    return [kind for kind, place in negation.cue_positions(sentence) if start <= place < end]


def _additions(
    sentence: ParsedSentence, slots: Sequence[ChangedSpan], passage_units: frozenset[str]
) -> set[SupportIssue]:
    """Return the issues of inserted words that are in no passage."""
    for slot in slots:
        cues = negation.condition_characters(sentence)
        tokens = tuple(token for token in slot.here if token.start not in cues)
        new = [key for key in units(tokens) if key not in passage_units]
        if not new or share(sentence.keys - set(new), passage_units) < 1 or slot.there:
            continue
        kinds = set(_kinds(sentence, slot.here))
        if kinds & {"if", "unless", "only", "except", "until", "when"}:
            return {SupportIssue.CONDITION}
        if len(new) >= _MIN_ADDED:
            return {SupportIssue.MEANING}
    return set()
