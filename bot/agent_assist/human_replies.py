"""Prediction of agents' next answers from their answers in similar moments of conversations.

Kernel ridge regression on the similarity of moments (Saunders, Gammerman and Vovk, "Ridge
regression learning algorithm in dual variables", ICML 1998) predicts two things at once: the next
template, and the meaning of the next text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from bot.agent_assist.reply_features import (
    DialogueLine,
    Encode,
    Floats,
    MomentEncoder,
    MomentFeatures,
    Situation,
    similarity,
)

_RIDGE: Final = 0.068
MAX_CASES: Final = 4000  # answers to learn from: memory and time grow with their square


@dataclass(frozen=True)
class ReplyCase:
    """An answer, the lines before it, and its conversation."""

    situation: tuple[DialogueLine, ...]
    answer: DialogueLine
    conversation: str


@dataclass(frozen=True)
class PastReply:
    """A past answer: its fit to the present moment, 0 to 1, and the similarity of the moments."""

    case: ReplyCase
    fit: float
    alike: float


@dataclass(frozen=True)
class HumanReplies:
    """A model of past moments with their answers."""

    cases: tuple[ReplyCase, ...]
    encoder: MomentEncoder
    features: MomentFeatures
    names: tuple[str, ...]  # templates
    weights: Floats  # (cases, templates + dimension)
    answers: Floats  # meanings of the answers, one a case, unit vectors

    @classmethod
    def fit(cls, cases: Sequence[ReplyCase], encode: Encode) -> Self:
        """Learn from answers, the last of them where there are too many; needs at least one."""
        from scipy.linalg import cho_factor, cho_solve

        recent = tuple(cases[-MAX_CASES:])
        encoder = MomentEncoder.fit([case.situation for case in recent], encode)
        features = encoder.encode_moments([case.situation for case in recent])
        names = tuple(sorted({c.answer.template for c in recent if c.answer.template}))
        places = {name: n for n, name in enumerate(names)}
        targets = np.zeros((len(recent), len(names)), dtype=np.float32)
        for row, case in enumerate(recent):
            if case.answer.template:
                targets[row, places[case.answer.template]] = 1.0
        meanings = np.asarray(encode([case.answer.text for case in recent]), dtype=np.float32)
        kernel = similarity(features, features)
        kernel[np.diag_indices(len(recent))] += np.float32(_RIDGE)
        factor = cho_factor(kernel, overwrite_a=True)
        weights = cho_solve(factor, np.hstack([targets, meanings]))
        return cls(recent, encoder, features, names, np.asarray(weights, np.float32), meanings)

    def predict(self, situations: Sequence[Situation]) -> tuple[Floats, Floats, Floats]:
        """Return scores of templates, meanings of the answers, and the similarity to each case."""
        alike = similarity(self.encoder.encode_moments(situations), self.features)
        predicted = alike @ self.weights
        meanings = predicted[:, len(self.names) :]
        lengths = np.maximum(np.linalg.norm(meanings, axis=1, keepdims=True), 1e-9)
        return predicted[:, : len(self.names)], meanings / lengths, alike

    def templates(self, situation: Situation, k: int = 3) -> list[tuple[str, float]]:
        """Return the k likeliest templates, best first, with scores up to about 1."""
        if not self.names:
            return []
        scores = self.predict([situation])[0][0]
        return [(self.names[n], float(scores[n])) for n in np.argsort(-scores)[:k]]

    def past(self, situation: Situation, k: int = 3) -> list[PastReply]:
        """Return the k past answers that fit best and differ from each other, best first."""
        _, meanings, alike = self.predict([situation])
        fits = self.answers @ meanings[0]
        replies: list[PastReply] = []
        names: set[str] = set()
        for place in np.argsort(-fits):
            case = self.cases[place]
            if case.answer.name in names:
                continue
            names.add(case.answer.name)
            replies.append(PastReply(case, float(fits[place]), float(alike[0, place])))
            if len(replies) == k:
                break
        return replies

    def best(self, situations: Sequence[Situation]) -> NDArray[np.intp]:
        """Return for each moment the index of the case whose answer fits best."""
        _, meanings, _ = self.predict(situations)
        return np.asarray((meanings @ self.answers.T).argmax(axis=1))
