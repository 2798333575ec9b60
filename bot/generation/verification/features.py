"""Features of a sentence's support by passages, for the scorer. Pure."""

import re
from collections.abc import Collection, Sequence
from itertools import pairwise
from math import log1p
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.generation.verification import name_check
from bot.generation.verification.alignment import (
    IndexedPassage,
    SentenceIndex,
    SentenceSupport,
    share,
)
from bot.generation.verification.sentences import ContentToken, ParsedSentence
from bot.generation.verification.verdicts import SupportIssue

NAMES: Final = (
    "covered by the best sentence",
    "covered by the support",
    "covered by the passages",
    "covered by beginnings of words and by characters",
    "pairs of words in the passages",
    "longest run in the passages",
    "words nowhere",
    "meaning",
    "speaker",
    "question",
    "figures or names missing",
    "turned round",
    "short",
)
SIGNS: Final = (1, 1, 1, 1, 1, 1, -1, 1, -1, -1, -1, -1, -1)  # of the weights
_SPEAKER: Final = re.compile(
    r"\b(?:i|i'm|i've|me|my|mine|myself)\b(?! ?[.)])|我(?!们)|咱", re.IGNORECASE
)
_ASKS: Final = re.compile(r"[?？]|[吗呢]\s*$|\b(?:do|did) you\b", re.IGNORECASE)
_ADDRESSES: Final = re.compile(
    r"\b(?:wonder|think|thought|believe|guess|probably|maybe)\b|觉得|猜", re.IGNORECASE
)
_FACTS: Final = frozenset(
    {
        SupportIssue.NUMBER,
        SupportIssue.DATE,
        SupportIssue.MONEY,
        SupportIssue.UNIT,
        SupportIssue.NAME,
        SupportIssue.LINK,
    }
)
_MAX_TOKENS: Final = 160  # of a sentence, for runs
_SHORT: Final = 8.0  # units below which a sentence is short
_PREFIX: Final = 5  # letters in which two forms of a word agree: deliver, delivery


class SupportFeatures:
    """Words, pairs and triples of words in the passages."""

    def __init__(self, passages: Sequence[IndexedPassage]) -> None:
        """Collect the keys of all sentences, and their pairs and triples."""
        self.passages = passages
        self.index = SentenceIndex(passages)
        self.links = frozenset().union(
            *(name_check.find_links(passage.text) for passage in passages)
        )
        self.codes = frozenset().union(
            *(name_check.find_codes(passage.text) for passage in passages)
        )
        self.keys = frozenset().union(*(passage.keys for passage in passages))
        self._follows: set[tuple[str, str]] = set()
        self._triples: set[tuple[str, str, str]] = set()
        for passage in passages:
            words = [token.key for sentence in passage.sentences for token in sentence.tokens]
            self._follows.update(pairwise(words))
            self._triples.update(zip(words, words[1:], words[2:], strict=False))

    def pairs(self, sentence: ParsedSentence) -> float:
        """Return the share of pairs of neighbouring words that are in the passages, 0 to 1."""
        words = [token.key for token in sentence.tokens]
        pairs = list(pairwise(words))
        return sum(pair in self._follows for pair in pairs) / len(pairs) if pairs else 0.0

    def run(self, sentence: ParsedSentence) -> float:
        """Return the share of the words in the longest run of known triples, 0 to 1."""
        words = [token.key for token in sentence.tokens][:_MAX_TOKENS]
        best = current = 0
        for triple in zip(words, words[1:], words[2:], strict=False):
            current = current + 1 if triple in self._triples else 0
            best = max(best, current)
        return (best + 2) / len(words) if best else 0.0


def extract(
    sentence: ParsedSentence,
    ground: SupportFeatures,
    support: SentenceSupport | None,
    meaning: float,
    issues: Collection[SupportIssue],
) -> NDArray[np.float64]:
    """Return the features of a sentence, shape (13,); `meaning` is its similarity, 0 to 1."""
    keys = sentence.keys
    supported = support.keys if support else frozenset()
    text = sentence.text
    speaks = bool(_SPEAKER.search(text)) or bool(_ADDRESSES.search(text))
    theirs = support is not None and any(_SPEAKER.search(s.text) for s in support.sentences)
    return np.array(
        [
            share(keys, support.sentences[0].keys) if support else 0.0,
            share(keys, supported),
            share(keys, ground.keys),
            _prefix_overlap(sentence, support),
            ground.pairs(sentence),
            ground.run(sentence),
            log1p(len(keys - ground.keys)),
            meaning,
            float(speaks and not theirs),
            float(bool(_ASKS.search(text))),
            float(len(_FACTS & set(issues))),
            float(len(set(issues) & {SupportIssue.NEGATION, SupportIssue.CONDITION})),
            max(0.0, 1.0 - len(keys) / _SHORT),
        ]
    )


def _prefix_overlap(sentence: ParsedSentence, support: SentenceSupport | None) -> float:
    """Return the share of words whose prefix, or characters that, are in the support."""
    if support is None:
        return 0.0
    own = {_prefix(token) for token in sentence.tokens if not token.empty}
    there = {_prefix(token) for other in support.sentences for token in other.tokens}
    return len(own & there) / len(own) if own else 0.0


def _prefix(token: ContentToken) -> str:
    return token.key if token.key[0] == "#" else token.key[:_PREFIX]
