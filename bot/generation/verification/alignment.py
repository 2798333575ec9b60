"""Alignment of a sentence with the sentences of the passages that support it. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.generation.verification.sentences import ParsedSentence, parse_sentences

_MARKS: Final = re.compile(r"(?:(?![0-9])|(?<![0-9]))[.,:-](?![0-9])|[^\w.,:%$€£¥°/+-]")
_MAX_ROWS: Final = 60  # sentences that are indexed for one unit
_MAX_SENTENCES: Final = 3  # that support one sentence
_MIN_GAIN: Final = 0.12  # share of the words that a further sentence must add
_ELSEWHERE: Final = 0.1  # additional gain for a sentence of another passage
_LENGTH_WEIGHT: Final = 0.15  # penalty for further words in a supporting sentence


@dataclass(frozen=True)
class IndexedPassage:
    """A passage, its index among the passages, and its sentences."""

    place: int
    text: str
    sentences: tuple[ParsedSentence, ...]
    keys: frozenset[str]
    bare: str  # its sentences without blanks and marks
    edges: frozenset[int]  # the ends of sentences in `bare`

    @classmethod
    def from_text(cls, place: int, text: str) -> "IndexedPassage":
        """Parse a passage."""
        sentences = parse_sentences(text)
        bare = [strip_marks(sentence.text) for sentence in sentences]
        edges = frozenset(accumulate(map(len, bare), initial=0))
        return cls(
            place,
            text,
            sentences,
            frozenset().union(*(s.keys for s in sentences)),
            "".join(bare),
            edges,
        )

    def contains(self, sentence: ParsedSentence) -> bool:
        """Return whether a sentence is one of the passage, or several consecutive ones."""
        bare = strip_marks(sentence.text)
        at = self.bare.find(bare) if bare else -1
        while at >= 0:
            if at in self.edges and at + len(bare) in self.edges:
                return True
            at = self.bare.find(bare, at + 1)
        return False


@dataclass(frozen=True)
class SentenceSupport:
    """The supporting sentences, the best one first, each with the index of its passage."""

    sentences: tuple[ParsedSentence, ...]
    places: tuple[int, ...]

    @property
    def keys(self) -> frozenset[str]:
        """All their units."""
        return frozenset().union(*(sentence.keys for sentence in self.sentences))


class SentenceIndex:
    """The sentences of all passages, each with the index of its passage, searchable by units."""

    def __init__(self, passages: Sequence[IndexedPassage]) -> None:
        """Index the sentences of each unit, up to a maximum for common ones."""
        self.sentences = [(p.place, sentence) for p in passages for sentence in p.sentences]
        self._rows: dict[str, list[int]] = {}
        for row, (_, sentence) in enumerate(self.sentences):
            for key in sentence.keys:
                rows = self._rows.setdefault(key, [])
                if len(rows) < _MAX_ROWS:
                    rows.append(row)

    def search(self, sentence: ParsedSentence, near: NDArray[np.float32] | None) -> list[int]:
        """Return the rows of the sentences that share a unit with one, and of the nearest."""
        rows = {row for key in sentence.keys for row in self._rows.get(key, ())}
        if near is not None and near.size:
            rows.add(int(near.argmax()))
        return sorted(rows) or list(range(min(1, len(self.sentences))))


def strip_marks(text: str) -> str:
    """Return the letters, digits and currency signs of a text in lower case."""
    return _MARKS.sub("", text).lower()


def share(keys: frozenset[str], other_keys: frozenset[str]) -> float:
    """Return the share of keys among others, 0 to 1; 0 if there are none."""
    return len(keys & other_keys) / len(keys) if keys else 0.0


def align(
    sentence: ParsedSentence, index: SentenceIndex, near: NDArray[np.float32] | None
) -> SentenceSupport | None:
    """Return the sentences that support one: the one that covers it best, and those that add to it.

    `near` has the similarities to the index's sentences, 0 to 1, shape (sentences,); they decide
    where words do not.
    """
    rows = index.search(sentence, near)
    candidates = [
        (
            share(sentence.keys, other.keys) * (1 - _LENGTH_WEIGHT)
            + _LENGTH_WEIGHT * share(other.keys, sentence.keys)
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
    aligned, places = [best], [-place]
    remaining = sentence.keys - best.keys
    pool = [(-p, other) for _, p, _, other in candidates if other.keys & remaining]
    while remaining and len(aligned) < _MAX_SENTENCES:
        gains = [
            (_gain(remaining, other, sentence) - (_ELSEWHERE if p != places[0] else 0.0), n)
            for n, (p, other) in enumerate(pool)
        ]
        gain, number = max(gains, default=(0.0, 0), key=lambda g: (g[0], -g[1]))
        if gain < _MIN_GAIN:
            break
        p, other = pool[number]
        aligned.append(other)
        places.append(p)
        remaining = remaining - other.keys
    return SentenceSupport(tuple(aligned), tuple(places))


def _gain(remaining: frozenset[str], other: ParsedSentence, sentence: ParsedSentence) -> float:
    """Return the share of a sentence's units that another one adds."""
    return len(remaining & other.keys) / len(sentence.keys)
