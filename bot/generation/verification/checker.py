"""The support check: whether passages support a statement, on a plain CPU, without a model."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bot.generation.answer_extraction import SentenceEncoder
from bot.generation.verification import (
    alignment,
    amount_check,
    features,
    name_check,
    negation_check,
    substitution_check,
)
from bot.generation.verification.alignment import IndexedPassage, SentenceSupport
from bot.generation.verification.claim_detection import sentence_states
from bot.generation.verification.features import SupportFeatures
from bot.generation.verification.scorer import DEFAULT, WORDS, Features, SupportScorer
from bot.generation.verification.sentences import ParsedSentence, read
from bot.generation.verification.similarity import Nearness, SentenceSimilarity
from bot.generation.verification.verdicts import SupportIssue, SupportVerdict

THRESHOLD: Final = 0.45  # below, too much of what is said in other words is refused
_FLAWED: Final = 0.5  # what a flaw leaves of a score
_SENTENCES: Final = 400  # of the passages, that are encoded; the rest is compared by words
_ORDER: Final = tuple(SupportIssue)


@dataclass(frozen=True)
class CheckedText:
    """How one sentence fares: its features, flaws, what it leans on, whether it is an extract."""

    sentence: ParsedSentence
    features: Features
    flaws: frozenset[SupportIssue]
    support: SentenceSupport | None
    whole: bool


class SupportCheck:
    """Says whether passages support a statement, how surely, and what is wrong with it.

    A statement of several sentences is supported when each that states something is.
    """

    def __init__(
        self,
        encoder: SentenceEncoder | None,
        scorer: SupportScorer | None = None,
        threshold: float = THRESHOLD,
    ) -> None:
        """Take the encoder that compares meanings; without one, words decide.

        The scorer is the shipped one by default: `DEFAULT` with an encoder, `WORDS` without.
        `threshold` is the least score, 0 to 1, of a supported sentence.
        """
        self._meaning = None if encoder is None else SentenceSimilarity(encoder)
        self.scorer = scorer or (WORDS if encoder is None else DEFAULT)
        self._threshold = threshold

    def check(self, statement: str, passages: Sequence[str], /) -> SupportVerdict:
        """Return the verdict on a statement, in English or Chinese."""
        return self.check_all([statement], passages)[0]

    def check_all(
        self, statements: Sequence[str], passages: Sequence[str], /
    ) -> list[SupportVerdict]:
        """Return a verdict for each statement; passages are read and encoded once."""
        return [self._verdict(readings) for readings in self.readings(statements, passages)]

    def readings(
        self, statements: Sequence[str], passages: Sequence[str], /
    ) -> list[list[CheckedText]]:
        """Return how the sentences of each statement fare; those that state nothing are left out.

        Where none states anything, all are read.
        """
        ground = SupportFeatures(
            [IndexedPassage.of(place, text) for place, text in enumerate(passages)]
        )
        parts = [_stating(read(statement)) for statement in statements]
        near = self._near([sentence for sentences in parts for sentence in sentences], ground)
        found: list[list[CheckedText]] = []
        at = 0
        for sentences in parts:
            rows = range(at, at + len(sentences))
            at += len(sentences)
            found.append(
                [
                    self._read(sentence, ground, None if near is None else near[row])
                    for sentence, row in {
                        s.text: (s, n) for s, n in zip(sentences, rows, strict=True)
                    }.values()
                ]
            )
        return found

    def _read(
        self, sentence: ParsedSentence, ground: SupportFeatures, near: Nearness | None
    ) -> CheckedText:
        support = alignment.lean(sentence, ground.index, near)
        meaning = 0.0
        if near is not None and near.size:
            meaning = float(near.max())
        whole = any(passage.says(sentence) for passage in ground.passages)
        flaws: set[SupportIssue] = set()
        if support and not whole:
            flaws = _flaws(sentence, support, ground)
        found = features.of(sentence, ground, support, meaning, flaws)
        return CheckedText(sentence, found, frozenset(flaws), support, whole)

    def _near(
        self, sentences: Sequence[ParsedSentence], ground: SupportFeatures
    ) -> Nearness | None:
        """Return how near sentences are to those of the passages, 0 (unrelated) to 1 (the same)."""
        there = [s.text for passage in ground.passages for s in passage.sentences]
        if self._meaning is None or not sentences or not there:
            return None
        near = self._meaning.nearness([s.text for s in sentences], there[:_SENTENCES])
        return np.pad(near, ((0, 0), (0, len(there) - near.shape[1])))

    def _verdict(self, readings: Sequence[CheckedText]) -> SupportVerdict:
        if not readings:
            return SupportVerdict(supported=False, score=0.0, flaws=(SupportIssue.MEANING,))
        scores = [1.0 if r.whole else self.scorer.score(r.features) for r in readings]
        flaws = frozenset().union(*(reading.flaws for reading in readings))
        score = min(scores)
        if flaws:
            score *= _FLAWED
        elif score < self._threshold:
            flaws = frozenset({SupportIssue.MEANING})
        ordered = tuple(flaw for flaw in _ORDER if flaw in flaws)
        return SupportVerdict(not flaws, score, ordered, *_span(readings))


def _span(readings: Sequence[CheckedText]) -> tuple[int, int, int] | tuple[None, None, None]:
    """Return the passage most sentences lean on, and from where to where they do."""
    leant = [
        (place, sentence)
        for reading in readings
        if reading.support
        for place, sentence in zip(reading.support.places, reading.support.sentences, strict=True)
    ]
    if not leant:
        return None, None, None
    first = Counter(reading.support.places[0] for reading in readings if reading.support)
    best = max(first, key=lambda place: (first[place], -place))
    here = [sentence for place, sentence in leant if place == best]
    return best, min(s.start for s in here), max(s.end for s in here)


def _flaws(
    sentence: ParsedSentence, support: SentenceSupport, ground: SupportFeatures
) -> set[SupportIssue]:
    return (
        amount_check.flaws(sentence, support.sentences)
        | name_check.flaws(sentence, support.sentences, (ground.links, ground.codes))
        | negation_check.flaws(sentence, support.sentences)
        | substitution_check.flaws(sentence, support.sentences, ground.keys)
    )


def _stating(sentences: Sequence[ParsedSentence]) -> list[ParsedSentence]:
    stating = [sentence for sentence in sentences if sentence_states(sentence)]
    return stating or list(sentences)
