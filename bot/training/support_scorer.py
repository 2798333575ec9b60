"""Fits the scorer on the demo's own articles: what they say, in other words, and what they do not.

Statements are made by rule from passages: whole and reworded sentences, joined and shortened ones
are supported; sentences of other articles, of two articles mixed, additions and opinions are not.
Nothing of any other text goes in. `careline bench support --only fit` prints the weights anew
(`scoring.DEFAULT` with the served encoder, `scoring.WORDS` without one).
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bot.generation.verification.checker import SupportCheck
from bot.generation.verification.features import NAMES, SIGNS
from bot.generation.verification.scorer import Features, SupportScorer
from bot.training import support_examples
from knowledge_base.chunking import chunk, sentences
from knowledge_base.documents import Document
from knowledge_base.text.chinese import has_chinese

SEED: Final = 0
MOST: Final = 6_000  # statements; more move the weights no further
_SHORTEST: Final = 16  # characters of a sentence that is worth a statement; half of it in Chinese
PENALTY: Final = 0.036  # of the squared weights: no few features may decide alone
_CONDITIONAL: Final = re.compile(
    r"\b(?:if|unless|only|except|until|when|not|no)\b|n't|如果|若|除|只|仅|不|没|未|时",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class SupportExample:
    """A statement, the passages it is held against, and whether they support it."""

    statement: str
    passages: tuple[str, ...]
    supported: bool


@dataclass(frozen=True)
class _Passage:
    text: str
    said: tuple[str, ...]
    article: str
    chinese: bool


def examples(
    documents: Sequence[Document], most: int = MOST, seed: int = SEED
) -> list[SupportExample]:
    """Return up to `most` statements of documents, about half of them supported; deterministic."""
    rng = random.Random(seed)  # noqa: S311 - a draw of examples, no secret
    passages = [passage for document in documents for passage in _passages(document)]
    found: list[SupportExample] = []
    for passage in passages:
        others = [o for o in passages if o.chinese == passage.chinese]
        strange = [o for o in others if o.article != passage.article]
        if not strange:
            continue
        beside = tuple(o.text for o in rng.sample(others, min(len(others), rng.randint(0, 2))))
        held = (passage.text, *beside)
        for sentence in passage.said:
            other = rng.choice(rng.choice(strange).said)
            if any(other in text for text in held):
                continue
            found += [
                SupportExample(text, held, supported=True) for text in _true(sentence, passage, rng)
            ]
            found += [
                SupportExample(text, held, supported=False)
                for text in _false(sentence, other, passage, rng)
            ]
    return rng.sample(found, min(most, len(found)))


def _passages(document: Document) -> list[_Passage]:
    found = []
    for piece in chunk(document):
        chinese = has_chinese(piece.text)
        said = tuple(
            piece.text[start:end]
            for start, end in sentences(piece.text)
            if (end - start) * (2 if chinese else 1) >= _SHORTEST
        )
        if said:
            text = f"{piece.heading}\n{piece.text}"
            found.append(_Passage(text, said, document.id, chinese))
    return found


def _true(sentence: str, passage: _Passage, rng: random.Random) -> list[str]:
    """Return statements that a passage with the sentence supports."""
    reword = support_examples.CHINESE if passage.chinese else support_examples.ENGLISH
    heading = passage.text.partition("\n")[0].rpartition(" › ")[2]
    other = rng.choice(passage.said)
    made = [
        support_examples.reword(sentence, reword, rng, most=2),
        support_examples.reword(sentence, reword, rng, most=6),
        support_examples.lead(
            support_examples.reword(sentence, reword, rng, most=6), rng, chinese=passage.chinese
        ),
    ]
    if rng.random() < 0.5:  # noqa: PLR2004 - half of them
        made.append(f"{heading}{'：' if passage.chinese else ': '}{sentence}")
    if other != sentence and "|" not in sentence + other:
        joined = support_examples.join(sentence, other, chinese=passage.chinese)
        made.append(support_examples.reword(joined, reword, rng, most=3))
    if shorter := _shortened(sentence, rng):
        made.append(support_examples.reword(shorter, reword, rng, most=2))
    return made


def _shortened(sentence: str, rng: random.Random) -> str | None:
    """Return one clause of a sentence that limits nothing."""
    if _CONDITIONAL.search(sentence):
        return None
    parts = [part.strip() for part in re.split(r"[,，;；]| and ", sentence)]
    parts = [p for p in parts if len(p) * (2 if has_chinese(p) else 1) >= 2 * _SHORTEST]
    return rng.choice(parts) if parts else None


def _false(sentence: str, other: str, passage: _Passage, rng: random.Random) -> list[str]:
    """Return statements that a passage with the sentence does not support."""
    chinese = passage.chinese
    reword = support_examples.CHINESE if chinese else support_examples.ENGLISH
    inventions = support_examples.INVENTED_ZH if chinese else support_examples.INVENTED
    made = [
        other,
        support_examples.reword(other, reword, rng, most=3),
        _mixed(sentence, other, chinese=chinese),
        support_examples.join(sentence, rng.choice(inventions), chinese=chinese),
        support_examples.lead(rng.choice(inventions), rng, chinese=chinese),
    ]
    subject = passage.text.partition("\n")[0].rpartition(" › ")[2]
    made.append(
        rng.choice(support_examples.OPINIONS_ZH if chinese else support_examples.OPINIONS).format(
            subject
        )
    )
    return made


def _mixed(first: str, second: str, *, chinese: bool) -> str:
    """Begin as one sentence and end as another."""
    if chinese:
        return first[: len(first) // 2] + second[len(second) // 2 :]
    one, two = first.split(), second.split()
    return " ".join(one[: (len(one) + 1) // 2] + two[len(two) // 2 :])


def measured(check: SupportCheck, made: Sequence[SupportExample]) -> tuple[Features, list[bool]]:
    """Return the features of examples, shape (n, 13), and whether each is supported.

    Sentences that stand in a passage as they are need no scorer and are left out. Of an example
    that is not supported, the sentence that fares worst is the one that is not.
    """
    rows: list[Features] = []
    supported: list[bool] = []
    for example in made:
        readings = check.readings([example.statement], example.passages)[0]
        left = [reading.features for reading in readings if not reading.whole]
        if not example.supported and left:
            left = [min(left, key=check.scorer.score)]
        rows += left
        supported += [example.supported] * len(left)
    return np.array(rows), supported


def fit(features: Features, supported: Sequence[bool], penalty: float = PENALTY) -> SupportScorer:
    """Fit a scorer on features, shape (n, 13), by logistic regression with an L2 penalty.

    No weight may have the wrong sign: more words in common never make a statement less supported.
    So a scorer fitted on one kind of text does no harm on another. Both classes count the same.
    """
    from scipy.optimize import minimize

    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    scaled = np.column_stack([(features - mean) / spread, np.ones(len(features))])
    target = np.asarray(supported, dtype=np.float64)
    rate = float(target.mean())
    importance = np.where(target > 0, 0.5 / rate, 0.5 / (1 - rate)) / len(target)
    held = np.append(np.full(len(NAMES), penalty), 0.0)

    def loss(weights: Features) -> tuple[float, Features]:
        margin = scaled @ weights
        missed = 1 / (1 + np.exp(-margin)) - target
        total = importance @ (np.logaddexp(0, margin) - target * margin)
        return float(total + held @ weights**2 / 2), scaled.T @ (
            importance * missed
        ) + held * weights

    bounds = [(0.0, None) if sign > 0 else (None, 0.0) for sign in SIGNS]
    start = np.zeros(len(NAMES) + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[*bounds, (None, None)]).x
    fitted: Features = found[:-1] / spread
    return SupportScorer(tuple(fitted.tolist()), float(found[-1] - fitted @ mean))
