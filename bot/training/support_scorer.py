"""Training of the support scorer on the demo's own articles.

Statements are made from passages by rules: whole and paraphrased sentences, joined and shortened
ones are supported; sentences of other articles, mixtures of two, additions and opinions are not. No
other text is used. `careline bench support --only fit` prints the fitted weights (`scorer.DEFAULT`
with the encoder, `scorer.WORDS` without one).
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
MAX_EXAMPLES: Final = 6_000  # more do not change the weights
_MIN_CHARACTERS: Final = 16  # of a sentence that becomes a statement; half of it in Chinese
PENALTY: Final = 0.036  # on the squared weights, so that no few features decide alone
_CONDITIONAL: Final = re.compile(
    r"\b(?:if|unless|only|except|until|when|not|no)\b|n't|如果|若|除|只|仅|不|没|未|时",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class SupportExample:
    """A statement, the passages it is compared with, and whether they support it."""

    statement: str
    passages: tuple[str, ...]
    supported: bool


@dataclass(frozen=True)
class _Passage:
    text: str
    sentences: tuple[str, ...]
    article: str
    chinese: bool


def examples(
    documents: Sequence[Document], most: int = MAX_EXAMPLES, seed: int = SEED
) -> list[SupportExample]:
    """Return up to `most` statements of documents, about half of them supported; deterministic."""
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    passages = [passage for document in documents for passage in _passages(document)]
    statements: list[SupportExample] = []
    for passage in passages:
        same_language = [o for o in passages if o.chinese == passage.chinese]
        foreign = [o for o in same_language if o.article != passage.article]
        if not foreign:
            continue
        count = min(len(same_language), rng.randint(0, 2))
        sources = (passage.text, *(o.text for o in rng.sample(same_language, count)))
        for sentence in passage.sentences:
            other = rng.choice(rng.choice(foreign).sentences)
            if any(other in text for text in sources):
                continue
            statements += [
                SupportExample(text, sources, supported=True)
                for text in _supported(sentence, passage, rng)
            ]
            statements += [
                SupportExample(text, sources, supported=False)
                for text in _unsupported(sentence, other, passage, rng)
            ]
    return rng.sample(statements, min(most, len(statements)))


def _passages(document: Document) -> list[_Passage]:
    passages = []
    for piece in chunk(document):
        chinese = has_chinese(piece.text)
        texts = tuple(
            piece.text[start:end]
            for start, end in sentences(piece.text)
            if (end - start) * (2 if chinese else 1) >= _MIN_CHARACTERS
        )
        if texts:
            text = f"{piece.heading}\n{piece.text}"
            passages.append(_Passage(text, texts, document.id, chinese))
    return passages


def _supported(sentence: str, passage: _Passage, rng: random.Random) -> list[str]:
    """Return statements that a passage with the sentence supports."""
    rules = support_examples.CHINESE if passage.chinese else support_examples.ENGLISH
    heading = passage.text.partition("\n")[0].rpartition(" › ")[2]
    other = rng.choice(passage.sentences)
    statements = [
        support_examples.reword(sentence, rules, rng, max_changes=2),
        support_examples.reword(sentence, rules, rng, max_changes=6),
        support_examples.add_lead_in(
            support_examples.reword(sentence, rules, rng, max_changes=6),
            rng,
            chinese=passage.chinese,
        ),
    ]
    if rng.random() < 0.5:  # noqa: PLR2004 - half of them
        statements.append(f"{heading}{'：' if passage.chinese else ': '}{sentence}")
    if other != sentence and "|" not in sentence + other:
        joined = support_examples.join(sentence, other, chinese=passage.chinese)
        statements.append(support_examples.reword(joined, rules, rng, max_changes=3))
    if shorter := _shorten(sentence, rng):
        statements.append(support_examples.reword(shorter, rules, rng, max_changes=2))
    return statements


def _shorten(sentence: str, rng: random.Random) -> str | None:
    """Return one clause of a sentence without conditions."""
    if _CONDITIONAL.search(sentence):
        return None
    parts = [part.strip() for part in re.split(r"[,，;；]| and ", sentence)]
    parts = [p for p in parts if len(p) * (2 if has_chinese(p) else 1) >= 2 * _MIN_CHARACTERS]
    return rng.choice(parts) if parts else None


def _unsupported(sentence: str, other: str, passage: _Passage, rng: random.Random) -> list[str]:
    """Return statements that a passage with the sentence does not support."""
    chinese = passage.chinese
    rules = support_examples.CHINESE if chinese else support_examples.ENGLISH
    inventions = support_examples.INVENTED_ZH if chinese else support_examples.INVENTED
    statements = [
        other,
        support_examples.reword(other, rules, rng, max_changes=3),
        _mix(sentence, other, chinese=chinese),
        support_examples.join(sentence, rng.choice(inventions), chinese=chinese),
        support_examples.add_lead_in(rng.choice(inventions), rng, chinese=chinese),
    ]
    subject = passage.text.partition("\n")[0].rpartition(" › ")[2]
    opinions = support_examples.OPINIONS_ZH if chinese else support_examples.OPINIONS
    statements.append(rng.choice(opinions).format(subject))
    return statements


def _mix(first: str, second: str, *, chinese: bool) -> str:
    """Return the first half of one sentence and the second half of another."""
    if chinese:
        return first[: len(first) // 2] + second[len(second) // 2 :]
    start, end = first.split(), second.split()
    return " ".join(start[: (len(start) + 1) // 2] + end[len(end) // 2 :])


def measure_features(
    check: SupportCheck, statements: Sequence[SupportExample]
) -> tuple[Features, list[bool]]:
    """Return the features of examples, shape (n, 13), and whether each is supported.

    Sentences copied from a passage do not need a scorer and are left out. Of an example that is not
    supported, only the sentence with the lowest score is used.
    """
    rows: list[Features] = []
    supported: list[bool] = []
    for example in statements:
        checked = check.check_sentences([example.statement], example.passages)[0]
        features = [sentence.features for sentence in checked if not sentence.is_extract]
        if not example.supported and features:
            features = [min(features, key=check.scorer.score)]
        rows += features
        supported += [example.supported] * len(features)
    return np.array(rows), supported


def fit(features: Features, supported: Sequence[bool], penalty: float = PENALTY) -> SupportScorer:
    """Fit a scorer on features, shape (n, 13), by logistic regression with an L2 penalty.

    Weights cannot have the wrong sign: more words in common never make a statement less supported.
    So a scorer fitted on one kind of text does no harm on another. Both classes have the same
    weight.
    """
    from scipy.optimize import minimize

    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    scaled = np.column_stack([(features - mean) / spread, np.ones(len(features))])
    target = np.asarray(supported, dtype=np.float64)
    rate = float(target.mean())
    importance = np.where(target > 0, 0.5 / rate, 0.5 / (1 - rate)) / len(target)
    penalties = np.append(np.full(len(NAMES), penalty), 0.0)

    def loss(weights: Features) -> tuple[float, Features]:
        margin = scaled @ weights
        residual = 1 / (1 + np.exp(-margin)) - target
        total = importance @ (np.logaddexp(0, margin) - target * margin)
        gradient = scaled.T @ (importance * residual) + penalties * weights
        return float(total + penalties @ weights**2 / 2), gradient

    bounds = [(0.0, None) if sign > 0 else (None, 0.0) for sign in SIGNS]
    start = np.zeros(len(NAMES) + 1)
    all_bounds = [*bounds, (None, None)]
    result = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=all_bounds).x
    fitted: Features = result[:-1] / spread
    return SupportScorer(tuple(fitted.tolist()), float(result[-1] - fitted @ mean))
