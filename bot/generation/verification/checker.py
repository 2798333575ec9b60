"""The support check: whether passages support a statement, on a CPU, without a language model."""

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
from bot.generation.verification.claim_detection import is_claim
from bot.generation.verification.features import SupportFeatures
from bot.generation.verification.scorer import DEFAULT, WORDS, Features, SupportScorer
from bot.generation.verification.sentences import ParsedSentence, parse_sentences
from bot.generation.verification.similarity import Nearness, SentenceSimilarity
from bot.generation.verification.verdicts import SupportIssue, SupportVerdict

THRESHOLD: Final = 0.45  # a higher one refuses too many paraphrases
_ISSUE_FACTOR: Final = 0.5  # of a score with an issue
_MAX_ENCODED: Final = 400  # sentences of the passages; the others are compared by words
_ORDER: Final = tuple(SupportIssue)


@dataclass(frozen=True)
class CheckedText:
    """A checked sentence: its features, issues and support, and whether it is an extract."""

    sentence: ParsedSentence
    features: Features
    flaws: frozenset[SupportIssue]
    support: SentenceSupport | None
    is_extract: bool


class SupportCheck:
    """Checks whether passages support a statement, how likely, and what is wrong with it.

    A statement of several sentences is supported if each of its claims is.
    """

    def __init__(
        self,
        encoder: SentenceEncoder | None,
        scorer: SupportScorer | None = None,
        threshold: float = THRESHOLD,
    ) -> None:
        """Set the encoder that compares meanings; without one, words are compared.

        The scorer is the built-in one by default: `DEFAULT` with an encoder, `WORDS` without.
        `threshold` is the minimum score, 0 to 1, of a supported sentence.
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
        """Return a verdict for each statement; passages are parsed and encoded once."""
        return [self._verdict(checks) for checks in self.check_sentences(statements, passages)]

    def check_sentences(
        self, statements: Sequence[str], passages: Sequence[str], /
    ) -> list[list[CheckedText]]:
        """Return the checked sentences of each statement, without those that claim nothing.

        If none claims anything, all are checked.
        """
        ground = SupportFeatures(
            [IndexedPassage.from_text(place, text) for place, text in enumerate(passages)]
        )
        parts = [_claims(parse_sentences(statement)) for statement in statements]
        near = self._near([sentence for sentences in parts for sentence in sentences], ground)
        checked: list[list[CheckedText]] = []
        at = 0
        for sentences in parts:
            rows = range(at, at + len(sentences))
            at += len(sentences)
            checked.append(
                [
                    self._check(sentence, ground, None if near is None else near[row])
                    for sentence, row in {
                        s.text: (s, n) for s, n in zip(sentences, rows, strict=True)
                    }.values()
                ]
            )
        return checked

    def _check(
        self, sentence: ParsedSentence, ground: SupportFeatures, near: Nearness | None
    ) -> CheckedText:
        support = alignment.align(sentence, ground.index, near)
        meaning = 0.0
        if near is not None and near.size:
            meaning = float(near.max())
        is_extract = any(passage.contains(sentence) for passage in ground.passages)
        issues: set[SupportIssue] = set()
        if support and not is_extract:
            issues = _find_issues(sentence, support, ground)
        values = features.extract(sentence, ground, support, meaning, issues)
        return CheckedText(sentence, values, frozenset(issues), support, is_extract)

    def _near(
        self, sentences: Sequence[ParsedSentence], ground: SupportFeatures
    ) -> Nearness | None:
        """Return the similarity of sentences to those of the passages, 0 to 1."""
        there = [s.text for passage in ground.passages for s in passage.sentences]
        if self._meaning is None or not sentences or not there:
            return None
        near = self._meaning.nearness([s.text for s in sentences], there[:_MAX_ENCODED])
        return np.pad(near, ((0, 0), (0, len(there) - near.shape[1])))

    def _verdict(self, checks: Sequence[CheckedText]) -> SupportVerdict:
        if not checks:
            return SupportVerdict(supported=False, score=0.0, flaws=(SupportIssue.MEANING,))
        scores = [1.0 if c.is_extract else self.scorer.score(c.features) for c in checks]
        issues = frozenset().union(*(check.flaws for check in checks))
        score = min(scores)
        if issues:
            score *= _ISSUE_FACTOR
        elif score < self._threshold:
            issues = frozenset({SupportIssue.MEANING})
        ordered = tuple(issue for issue in _ORDER if issue in issues)
        return SupportVerdict(not issues, score, ordered, *_source_span(checks))


def _source_span(
    checks: Sequence[CheckedText],
) -> tuple[int, int, int] | tuple[None, None, None]:
    """Return the passage that supports most sentences, and the span of its supporting ones."""
    sources = [
        (place, sentence)
        for check in checks
        if check.support
        for place, sentence in zip(check.support.places, check.support.sentences, strict=True)
    ]
    if not sources:
        return None, None, None
    first = Counter(check.support.places[0] for check in checks if check.support)
    best = max(first, key=lambda place: (first[place], -place))
    here = [sentence for place, sentence in sources if place == best]
    return best, min(s.start for s in here), max(s.end for s in here)


def _find_issues(
    sentence: ParsedSentence, support: SentenceSupport, ground: SupportFeatures
) -> set[SupportIssue]:
    return (
        amount_check.find_issues(sentence, support.sentences)
        | name_check.find_issues(sentence, support.sentences, (ground.links, ground.codes))
        | negation_check.find_issues(sentence, support.sentences)
        | substitution_check.find_issues(sentence, support.sentences, ground.keys)
    )


def _claims(sentences: Sequence[ParsedSentence]) -> list[ParsedSentence]:
    claims = [sentence for sentence in sentences if is_claim(sentence)]
    return claims or list(sentences)
