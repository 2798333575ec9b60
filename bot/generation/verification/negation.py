"""Detection of negations, opposites and conditions, with the words they apply to. Pure.

Two texts about the same subjects may still contradict each other. The deciding words are found here
as cues, each with the words it applies to.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bot.generation.verification.antonyms import OPPOSITES
from bot.generation.verification.sentences import ParsedSentence, units
from knowledge_base.text.negation import NEGATION

_ABOUT_WHEN: Final = frozenset({"order", "inside", "bound", "more", "need", "all"})
_SIGNS: Final = [
    (axis, sign, pattern)
    for axis, both in OPPOSITES.items()
    for sign, pattern in zip((1, -1), both, strict=True)
]
_OPPOSITE: Final = re.compile(
    "|".join(
        f"(?P<o{n}>" + re.sub(r"(^|\|)(?=[a-z])", r"\1\\b", pattern) + ")"
        for n, (_, _, pattern) in enumerate(_SIGNS)
    ),
    re.IGNORECASE,
)
_NEGATION: Final = re.compile(NEGATION, re.IGNORECASE)


def _any(*patterns: str) -> str:
    return "|".join(patterns)


_CONDITION: Final = {
    "unless": r"\bunless\b|\bexcept (?:if|when)\b|\bif not\b|除非|要不是",
    "if": _any(
        r"\bif\b|\bprovided(?: that)?\b|\bproviding\b|\bas long as\b|\bin case\b|\bso long as\b",
        r"\bon condition\b|\bassuming\b|如果|若(?![干是])|只要|假如|要是|倘若|的话",
        r"凡是?(?=[\u3400-\u9fff])",
    ),
    "when": _any(
        r"\bwhen(?:ever)?\b|\bonce\b(?= (?:you|we|it|the|your|they)\b)|\bas soon as\b",
        r"(?<=[\u3400-\u9fff])(?:的?(?<![小临及届同暂准随按平实即定何历限学课])时(?![间区期代尚长段候常刻光速])|时候|的情况下)",
        "一旦",
    ),
    "only": _any(
        r"\bonly\b|\bsolely\b|\bexclusively\b|\bnothing but\b|只(?![要好不])|仅(?!次)|唯一",
        "限(?=[于时量]|购)|才(?=[能可会])",
    ),
    "except": _any(
        r"\bexcept(?! (?:if|when)\b)|\bapart from\b|\bother than\b|\bexcluding\b|\bbut not\b",
        r"\bwith the exception\b|\bsave for\b|\bnot including\b|\baside from\b|除了|除外",
        "除(?=.{1,16}外)|之外|以外(?=[，的都均])|不含|不包括",
    ),
    "until": r"\buntil\b|\btill\b|\bup until\b|\bas late as\b|直到|为止|截至|截止",
}
_CONDITIONS: Final = {name: re.compile(p, re.IGNORECASE) for name, p in _CONDITION.items()}
_SCOPE: Final = 5  # units after a negation that it denies
_AROUND: Final = 4
_SAME_CUE: Final = 12  # characters within which two words are one condition


@dataclass(frozen=True)
class OppositeCue:
    """A word of a pair of opposites: `sign` is +1 or -1, with negations; `near` are its words."""

    axis: str
    sign: int
    near: frozenset[str]

    @property
    def limits(self) -> bool:
        """Return whether it limits a statement rather than reversing it."""
        return self.axis in _ABOUT_WHEN


@dataclass(frozen=True)
class NegationCue:
    """A negation with the units it denies, the nearest first, and those of its clause."""

    scope: tuple[str, ...]
    clause: frozenset[str]


@dataclass(frozen=True)
class ConditionCue:
    """A condition: its kind, and the units of the clause it introduces and of the rest."""

    kind: str
    inside: frozenset[str]
    rest: frozenset[str]
    denied: bool


@dataclass(frozen=True)
class PolarityCues:
    """All cues of one sentence."""

    opposites: tuple[OppositeCue, ...]
    denials: tuple[NegationCue, ...]
    conditions: tuple[ConditionCue, ...]


@lru_cache(maxsize=2_000)
def find_cues(sentence: ParsedSentence) -> PolarityCues:
    """Return the cues of a sentence."""
    text = sentence.text[:1200]
    denied = [(match.start(), match.end()) for match in _NEGATION.finditer(text)]
    used: set[int] = set()
    opposites = tuple(_opposites(sentence, text, denied, used))
    denials = tuple(_denial(sentence, start, end) for start, end in denied if start not in used)
    return PolarityCues(opposites, denials, tuple(_conditions(sentence, text)))


def _opposites(
    sentence: ParsedSentence, text: str, denied: list[tuple[int, int]], used: set[int]
) -> Iterator[OppositeCue]:
    for match in _OPPOSITE.finditer(text):
        axis, sign, _ = _SIGNS[int((match.lastgroup or "o0")[1:])]
        begin, stop = sentence.clause(match.start())
        before = next(
            (
                (start, end)
                for start, end in reversed(denied)
                if begin <= start < match.start() and _is_adjacent(sentence, end, match.start())
            ),
            None,
        )
        inside = any(match.start() <= start < match.end() for start, _ in denied)
        if inside:
            used.update(start for start, _ in denied if match.start() <= start < match.end())
        elif before and axis not in _ABOUT_WHEN - {"need"}:
            used.add(before[0])
            sign = -sign
        near = units(sentence.around(begin, match.start()))[-_AROUND:]
        near += units(sentence.around(match.end(), stop))[:_AROUND]
        yield OppositeCue(axis, sign, frozenset(near))


def _is_adjacent(sentence: ParsedSentence, end: int, start: int) -> bool:
    """Return whether a negation directly precedes a word: no content word is between them."""
    between = sentence.around(end, start)
    return len(between) <= 3 and all(token.empty for token in between)  # noqa: PLR2004


def _denial(sentence: ParsedSentence, start: int, end: int) -> NegationCue:
    begin, stop = sentence.clause(start)
    scope = units(sentence.around(end, stop))[:_SCOPE]
    clause = frozenset(units(sentence.around(begin, stop)))
    return NegationCue(scope or tuple(units(sentence.around(begin, start))[-_SCOPE:]), clause)


def _conditions(sentence: ParsedSentence, text: str) -> Iterator[ConditionCue]:
    within = condition_characters(sentence)
    for kind, pattern in _CONDITIONS.items():
        for match in pattern.finditer(text):
            begin, stop = sentence.clause(match.start())
            tokens = sentence.around(begin, stop)
            inside = frozenset(
                units(tuple(t for t in tokens if t.start not in within and t.text != "外"))
            )
            rest = units(sentence.around(0, begin)) + units(sentence.around(stop, len(text)))
            denied = _NEGATION.search(text, match.end(), stop) is not None
            yield ConditionCue(kind, inside, frozenset(rest), denied)


@lru_cache(maxsize=2_000)
def condition_characters(sentence: ParsedSentence) -> frozenset[int]:
    """Return the positions of all characters of words that introduce a condition."""
    return frozenset(
        place
        for pattern in _CONDITIONS.values()
        for match in pattern.finditer(sentence.text[:1200])
        for place in range(match.start(), match.end())
    )


@lru_cache(maxsize=2_000)
def cue_positions(sentence: ParsedSentence) -> tuple[tuple[str, int], ...]:
    """Return the cues of a sentence and their positions: `not`, `open+`, `open-`, `if`."""
    text = sentence.text[:1200]
    positions = [("not", match.start()) for match in _NEGATION.finditer(text)]
    for match in _OPPOSITE.finditer(text):
        axis, sign, _ = _SIGNS[int((match.lastgroup or "o0")[1:])]
        positions.append((f"{axis}{'+' if sign > 0 else '-'}", match.start()))
    for kind, pattern in _CONDITIONS.items():
        last = -_SAME_CUE
        for match in pattern.finditer(text):
            if match.start() - last >= _SAME_CUE:  # 除了 … 以外 is a single cue
                positions.append((kind, match.start()))
            last = match.start()
    return tuple(positions)
