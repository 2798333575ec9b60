"""Answerability: how likely the best article answers the question, 0 to 1, and why.

Three features rate the retrieved article: the multilingual encoder, the English one and the
words. Each is the article's score, on its own scale, and its lead over the five next articles: a
right article scores clearly higher than the others, while without one several score about the
same. One strong feature counts more than three weak ones, therefore strengths are squared.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from knowledge_base.atomic_files import write_json
from knowledge_base.documents import AnswerEvidence, KnowledgeError, SearchFeature
from knowledge_base.retrieval.search import Candidates, KnowledgeBase, ScoreBreakdown
from knowledge_base.retrieval.search_evaluation import JudgedQuery

FILE: Final = "answerability.json"
ANSWERED: Final = 0.9  # share of the answerable questions that a threshold must accept
_NAMES: Final = ("meaning", "english", "words")
_NEXT: Final = 5  # articles that the best one is compared with
_CONTEXT: Final = 0.7  # weight of a question together with the one before it, as in the search
_MIN_QUERIES: Final = 200  # from which weights are fitted to one knowledge base
_FOLDS: Final = 5
_MIN_GAIN: Final = 0.03  # in the refusal rate over the built-in weights; less may be chance

Strengths = NDArray[np.float64]


@dataclass(frozen=True)
class AnswerabilityModel:
    """A logistic regression on the three squared strengths.

    The built-in weights are equal for all features; they and the bias were fitted on questions
    about the demo's articles, each asked once with its articles and once without.
    """

    weights: tuple[float, float, float] = (1.33, 1.33, 1.33)
    bias: float = -2.66

    def score(self, strengths: Strengths) -> NDArray[np.float64]:
        """Return the chances of rows of three strengths, shape (n, 3), as shape (n,)."""
        z = np.square(strengths) @ np.array(self.weights) + self.bias
        chances: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-z))
        return chances

    def rate(
        self, candidates: Candidates, article: Callable[[int], str], best: str
    ) -> AnswerEvidence:
        """Return how likely the article `best` answers the query of the candidates.

        `article` returns the article of a row.
        """
        features = extract_features(candidates, article, best)
        strengths = np.array([[feature.strength for feature in features]])
        return AnswerEvidence(best, round(float(self.score(strengths)[0]), 6), features)

    def save(self, folder: Path) -> None:
        """Write the weights into the folder of a version."""
        write_json(folder / FILE, asdict(self))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote, or the built-in weights if there is no file."""
        path = folder / FILE
        if not path.exists():
            return cls()
        try:
            row = json.loads(path.read_text(encoding="utf-8"))
            first, second, third = map(float, row["weights"])
            return cls((first, second, third), float(row["bias"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"{path} cannot be read: {error!r}; run `careline ingest` again"
            raise KnowledgeError(message) from error


_BUILT_IN: Final = AnswerabilityModel()


def extract_features(
    candidates: Candidates, article: Callable[[int], str], best: str
) -> tuple[SearchFeature, ...]:
    """Return the features of the article `best`, one per vector field and one for the words.

    `article` returns the article of a row; it is called for few rows. Where the English encoder has
    no vectors, the feature of the multilingual one takes its place.
    """
    articles: dict[int, str] = {}

    def article_at(position: int) -> str:
        if position not in articles:
            articles[position] = article(int(candidates.rows[position]))
        return articles[position]

    features = [
        _feature(name, values, article_at, best)
        for name, values in zip(_NAMES, _scores_by_name(candidates), strict=True)
    ]
    meaning, english, words = (
        feature or SearchFeature(name, 0.0, 0.0)
        for name, feature in zip(_NAMES, features, strict=True)
    )
    if features[1] is None:
        english = replace(meaning, name=english.name)
    return meaning, english, words


def _scores_by_name(candidates: Candidates) -> list[NDArray[np.float64]]:
    """Return the scores of the candidates by each field, shape (n,), with their context."""
    alone, *together = (_scores(breakdown) for breakdown in candidates.breakdowns)
    if not together:
        return alone
    return [
        (1.0 - _CONTEXT) * own + _CONTEXT * whole
        for own, whole in zip(alone, together[0], strict=True)
    ]


def _scores(breakdown: ScoreBreakdown) -> list[NDArray[np.float64]]:
    near = np.asarray(breakdown.near, dtype=np.float64)
    english = near[1] if len(near) > 1 else np.full(near.shape[1], np.nan)
    return [near[0], english, np.asarray(breakdown.covered, dtype=np.float64)]


def _feature(
    name: str, values: NDArray[np.float64], article_at: Callable[[int], str], best: str
) -> SearchFeature | None:
    """Return the feature of an article by its best passage; None if it has no scores."""
    level: float | None = None
    rivals: dict[str, float] = {}
    for position in np.argsort(-values, kind="stable"):  # NaN comes last
        value = float(values[position])
        if np.isnan(value) or (level is not None and len(rivals) >= _NEXT):
            break
        article = article_at(int(position))
        if article == best:
            level = value if level is None else level
        elif len(rivals) < _NEXT:
            rivals.setdefault(article, value)
    if level is None:
        return None
    return SearchFeature(name, level, level - float(np.mean(list(rivals.values()) or [0.0])))


def learn(knowledge: KnowledgeBase, queries: Sequence[JudgedQuery]) -> AnswerabilityModel | None:
    """Fit weights on questions with known articles: once with these, once without.

    Return None for fewer than 200 questions, or if the fitted weights would not refuse clearly more
    of the questions without an answer, out of fold, at the same share of answered questions.
    """
    pairs = [pair for query in queries if (pair := _pair(knowledge, query)) is not None]
    if len(pairs) < _MIN_QUERIES:
        return None
    answerable, unanswerable = (np.array(part) for part in zip(*pairs, strict=True))
    folds = np.random.default_rng(0).permutation(len(pairs)) % _FOLDS
    scores = np.zeros((2, len(pairs)))
    for fold in range(_FOLDS):
        train, test = folds != fold, folds == fold
        model = _fit(answerable[train], unanswerable[train])
        scores[:, test] = model.score(answerable[test]), model.score(unanswerable[test])
    usual = refusal_rate(_BUILT_IN.score(answerable), _BUILT_IN.score(unanswerable))
    return (
        _fit(answerable, unanswerable)
        if refusal_rate(scores[0], scores[1]) >= usual + _MIN_GAIN
        else None
    )


def refusal_rate(answerable: NDArray[np.float64], unanswerable: NDArray[np.float64]) -> float:
    """Return the share of `unanswerable` below the score that nine in ten of `answerable` reach."""
    return float((unanswerable < threshold(answerable)).mean())


def threshold(answerable: NDArray[np.float64]) -> float:
    """Return the highest score that nine in ten of the answerable questions reach."""
    return float(np.sort(answerable)[int((1.0 - ANSWERED) * len(answerable) + 1e-9)])


def _pair(knowledge: KnowledgeBase, query: JudgedQuery) -> tuple[list[float], list[float]] | None:
    """Return the strengths for a question with its articles, and without them."""
    candidates = knowledge.candidates(query.text)
    if candidates is None or not query.relevant:
        return None
    articles = np.array([knowledge.chunks[int(row)].article for row in candidates.rows])
    rest = np.flatnonzero(~np.isin(articles, list(query.relevant)))
    if not len(rest):
        return None
    breakdowns = tuple(breakdown.at(rest) for breakdown in candidates.breakdowns)
    without = Candidates(candidates.rows[rest], breakdowns)
    return _strengths(knowledge, candidates), _strengths(knowledge, without)


def _strengths(knowledge: KnowledgeBase, candidates: Candidates) -> list[float]:
    row = int(candidates.rows[int(np.argmax(candidates.fused(knowledge.weights)))])
    best = knowledge.chunks[row].article
    features = extract_features(candidates, lambda row: knowledge.chunks[row].article, best)
    return [feature.strength for feature in features]


def _fit(answerable: Strengths, unanswerable: Strengths) -> AnswerabilityModel:
    from sklearn.linear_model import LogisticRegression

    rows = np.square(np.concatenate([answerable, unanswerable]))
    labels = np.repeat([1, 0], [len(answerable), len(unanswerable)])
    model = LogisticRegression(C=10.0, max_iter=1000).fit(rows, labels)
    first, second, third = (round(float(weight), 4) for weight in model.coef_[0])
    return AnswerabilityModel((first, second, third), round(float(model.intercept_[0]), 4))
