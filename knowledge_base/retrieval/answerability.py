"""Whether what was found answers the question: a chance between 0 and 1, and what it rests on.

Three lists look at the article that was found: the multilingual encoder, the English one and the
words. Each says how near it is, on its own scale, and how far it is ahead of the five next
articles: the right article stands out, where it is missing several fit about as well. One list
that is sure weighs more than three that are not, therefore strengths enter squared.
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
ANSWERED: Final = 0.9  # share of the questions with an answer that a threshold must let pass
_NAMES: Final = ("meaning", "english", "words")
_NEXT: Final = 5  # articles that the best one is compared with
_CONTEXT: Final = 0.7  # what a question counts together with the one before it, as in the search
_ENOUGH: Final = 200  # questions from which weights of a knowledge's own are tried
_FOLDS: Final = 5
_BETTER: Final = 0.03  # share refused, beyond what the built-in weights refuse, that is no chance

Strengths = NDArray[np.float64]


@dataclass(frozen=True)
class AnswerabilityModel:
    """A logistic regression on the three squared strengths.

    The built-in weights are one for all lists; that and the bias were fitted on questions about the
    demo's articles, each asked once with its articles and once without.
    """

    weights: tuple[float, float, float] = (1.33, 1.33, 1.33)
    bias: float = -2.66

    def score(self, strengths: Strengths) -> NDArray[np.float64]:
        """Return the chances of rows of three strengths, shape (n, 3), as shape (n,)."""
        z = np.square(strengths) @ np.array(self.weights) + self.bias
        chances: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-z))
        return chances

    def judge(self, found: Candidates, article: Callable[[int], str], best: str) -> AnswerEvidence:
        """Return how likely the article `best` answers what `found` was found for.

        `article` returns the article of a row.
        """
        signs = signs_of(found, article, best)
        strengths = np.array([[sign.strength for sign in signs]])
        return AnswerEvidence(best, round(float(self.score(strengths)[0]), 6), signs)

    def save(self, folder: Path) -> None:
        """Write the weights beside a version of the knowledge."""
        write_json(folder / FILE, asdict(self))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote, or the built-in weights where nothing was learnt."""
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


def signs_of(
    found: Candidates, article: Callable[[int], str], best: str
) -> tuple[SearchFeature, ...]:
    """Return what each list says of the article `best`.

    `article` returns the article of a row; it is asked for few of them. Where the English encoder
    cannot look, the multilingual one speaks for it.
    """
    known: dict[int, str] = {}

    def article_at(place: int) -> str:
        if place not in known:
            known[place] = article(int(found.rows[place]))
        return known[place]

    seen = [
        _sign(name, values, article_at, best)
        for name, values in zip(_NAMES, _lists(found), strict=True)
    ]
    meaning, english, words = (
        sign or SearchFeature(name, 0.0, 0.0) for name, sign in zip(_NAMES, seen, strict=True)
    )
    if seen[1] is None:
        english = replace(meaning, name=english.name)
    return meaning, english, words


def _lists(found: Candidates) -> list[NDArray[np.float64]]:
    """Return how each list sees the candidates, shape (n,), alone and in context together."""
    alone, *together = (_seen(look) for look in found.looks)
    if not together:
        return alone
    return [
        (1.0 - _CONTEXT) * one + _CONTEXT * whole
        for one, whole in zip(alone, together[0], strict=True)
    ]


def _seen(look: ScoreBreakdown) -> list[NDArray[np.float64]]:
    near = np.asarray(look.near, dtype=np.float64)
    english = near[1] if len(near) > 1 else np.full(near.shape[1], np.nan)
    return [near[0], english, np.asarray(look.covered, dtype=np.float64)]


def _sign(
    name: str, values: NDArray[np.float64], article_at: Callable[[int], str], best: str
) -> SearchFeature | None:
    """Return how one list sees an article, by its best passage; None where it sees nothing."""
    level: float | None = None
    others: dict[str, float] = {}
    for place in np.argsort(-values, kind="stable"):  # NaN comes last
        value = float(values[place])
        if np.isnan(value) or (level is not None and len(others) >= _NEXT):
            break
        found = article_at(int(place))
        if found == best:
            level = value if level is None else level
        elif len(others) < _NEXT:
            others.setdefault(found, value)
    if level is None:
        return None
    return SearchFeature(name, level, level - float(np.mean(list(others.values()) or [0.0])))


def learn(knowledge: KnowledgeBase, queries: Sequence[JudgedQuery]) -> AnswerabilityModel | None:
    """Fit weights on questions whose articles are known: once with those, once without.

    Return None for fewer than 200 questions, or where weights of its own would not refuse clearly
    more of the questions without an answer, out of fold, at the same share answered.
    """
    pairs = [pair for query in queries if (pair := _pair(knowledge, query)) is not None]
    if len(pairs) < _ENOUGH:
        return None
    there, gone = (np.array(part) for part in zip(*pairs, strict=True))
    folds = np.random.default_rng(0).permutation(len(pairs)) % _FOLDS
    scores = np.zeros((2, len(pairs)))
    for fold in range(_FOLDS):
        seen, unseen = folds != fold, folds == fold
        judge = _fitted(there[seen], gone[seen])
        scores[:, unseen] = judge.score(there[unseen]), judge.score(gone[unseen])
    usual = refused(_BUILT_IN.score(there), _BUILT_IN.score(gone))
    return _fitted(there, gone) if refused(scores[0], scores[1]) >= usual + _BETTER else None


def refused(there: NDArray[np.float64], gone: NDArray[np.float64]) -> float:
    """Return the share of `gone` below the score that nine in ten of `there` reach."""
    return float((gone < threshold(there)).mean())


def threshold(there: NDArray[np.float64]) -> float:
    """Return the highest score that nine in ten of the questions with an answer reach."""
    return float(np.sort(there)[int((1.0 - ANSWERED) * len(there) + 1e-9)])


def _pair(knowledge: KnowledgeBase, query: JudgedQuery) -> tuple[list[float], list[float]] | None:
    """Return the strengths for a question with its articles and, they dropped, without."""
    found = knowledge.candidates(query.text)
    if found is None or not query.relevant:
        return None
    articles = np.array([knowledge.chunks[int(row)].article for row in found.rows])
    rest = np.flatnonzero(~np.isin(articles, list(query.relevant)))
    if not len(rest):
        return None
    others = Candidates(found.rows[rest], tuple(look.at(rest) for look in found.looks))
    there, gone = (_strengths(knowledge, candidates) for candidates in (found, others))
    return there, gone


def _strengths(knowledge: KnowledgeBase, found: Candidates) -> list[float]:
    row = int(found.rows[int(np.argmax(found.fused(knowledge.weights)))])
    best = knowledge.chunks[row].article
    signs = signs_of(found, lambda row: knowledge.chunks[row].article, best)
    return [sign.strength for sign in signs]


def _fitted(there: Strengths, gone: Strengths) -> AnswerabilityModel:
    from sklearn.linear_model import LogisticRegression

    rows = np.square(np.concatenate([there, gone]))
    labels = np.repeat([1, 0], [len(there), len(gone)])
    model = LogisticRegression(C=10.0, max_iter=1000).fit(rows, labels)
    first, second, third = (round(float(weight), 4) for weight in model.coef_[0])
    return AnswerabilityModel((first, second, third), round(float(model.intercept_[0]), 4))
