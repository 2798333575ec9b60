"""Which sentences of the passages a sentence leans on. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.generation.verification.sentences import ParsedSentence, read

_MARKS: Final = re.compile(r"(?:(?![0-9])|(?<![0-9]))[.,:-](?![0-9])|[^\w.,:%$€£¥°/+-]")
_OFTEN: Final = 60  # sentences a unit is looked up in
_MOST: Final = 3  # sentences one may lean on
_GAIN: Final = 0.12  # share of the words a further sentence must add
_ELSEWHERE: Final = 0.1  # what a sentence of another passage must add more
_LONG: Final = 0.15  # how much of its own a supporting sentence's further words cost


@dataclass(frozen=True)
class IndexedPassage:
    """A passage, its place among the passages, and its sentences."""

    place: int
    text: str
    sentences: tuple[ParsedSentence, ...]
    keys: frozenset[str]
    said: str  # its sentences without blanks and marks
    edges: frozenset[int]  # where in that one ends and the next begins

    @classmethod
    def of(cls, place: int, text: str) -> "IndexedPassage":
        """Read a passage."""
        sentences = read(text)
        bare = [bare_of(sentence.text) for sentence in sentences]
        edges = frozenset(accumulate(map(len, bare), initial=0))
        return cls(
            place,
            text,
            sentences,
            frozenset().union(*(s.keys for s in sentences)),
            "".join(bare),
            edges,
        )

    def says(self, sentence: ParsedSentence) -> bool:
        """Return whether a sentence is one of the passage, or several that follow one another."""
        bare = bare_of(sentence.text)
        at = self.said.find(bare) if bare else -1
        while at >= 0:
            if at in self.edges and at + len(bare) in self.edges:
                return True
            at = self.said.find(bare, at + 1)
        return False


@dataclass(frozen=True)
class SentenceSupport:
    """The sentences a sentence leans on, the best one first, each with its passage's place."""

    sentences: tuple[ParsedSentence, ...]
    places: tuple[int, ...]

    @property
    def keys(self) -> frozenset[str]:
        """All their units."""
        return frozenset().union(*(sentence.keys for sentence in self.sentences))


class SentenceIndex:
    """The sentences of all passages, each with its passage's place, and which words they hold."""

    def __init__(self, passages: Sequence[IndexedPassage]) -> None:
        """Note where each unit stands; one that stands everywhere only as often as is needed."""
        self.sentences = [(p.place, sentence) for p in passages for sentence in p.sentences]
        self._rows: dict[str, list[int]] = {}
        for row, (_, sentence) in enumerate(self.sentences):
            for key in sentence.keys:
                rows = self._rows.setdefault(key, [])
                if len(rows) < _OFTEN:
                    rows.append(row)

    def about(self, sentence: ParsedSentence, near: NDArray[np.float32] | None) -> list[int]:
        """Return the rows of sentences that share a unit with one, and the nearest."""
        found = {row for key in sentence.keys for row in self._rows.get(key, ())}
        if near is not None and near.size:
            found.add(int(near.argmax()))
        return sorted(found) or list(range(min(1, len(self.sentences))))


def bare_of(text: str) -> str:
    """Return a text's letters, digits and signs of money in lower case, without the rest."""
    return _MARKS.sub("", text).lower()


def share(keys: frozenset[str], others: frozenset[str]) -> float:
    """Return the share of keys that others hold, 0 to 1; 0 where there are none."""
    return len(keys & others) / len(keys) if keys else 0.0


def lean(
    sentence: ParsedSentence, index: SentenceIndex, near: NDArray[np.float32] | None
) -> SentenceSupport | None:
    """Return what a sentence leans on: the sentence that covers it best, and what adds to it.

    `near` says how close the index's sentences are in meaning, 0 to 1, shape (sentences,); it
    decides where words do not.
    """
    rows = index.about(sentence, near)
    candidates = [
        (
            share(sentence.keys, other.keys) * (1 - _LONG)
            + _LONG * share(other.keys, sentence.keys)
            + (0.5 * float(near[row]) if near is not None else 0.0)
            + (1.0 if other.text == sentence.text else 0.0),
            -place,
            -row,
            other,
        )
        for row, (place, other) in ((row, index.sentences[row]) for row in rows)
    ]
    if not candidates:
        return None
    _, place, _, best = max(candidates, key=lambda c: c[:3])
    chosen, places = [best], [-place]
    left = sentence.keys - best.keys
    pool = [(-p, other) for _, p, _, other in candidates if other.keys & left]
    while left and len(chosen) < _MOST:
        gains = [
            (share_of(left, other, sentence) - (_ELSEWHERE if p != places[0] else 0.0), n)
            for n, (p, other) in enumerate(pool)
        ]
        gain, number = max(gains, default=(0.0, 0), key=lambda g: (g[0], -g[1]))
        if gain < _GAIN:
            break
        p, other = pool[number]
        chosen.append(other)
        places.append(p)
        left = left - other.keys
    return SentenceSupport(tuple(chosen), tuple(places))


def share_of(left: frozenset[str], other: ParsedSentence, sentence: ParsedSentence) -> float:
    """Return which share of a sentence's units another one adds."""
    return len(left & other.keys) / len(sentence.keys)
