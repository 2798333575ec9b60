"""What agents answer next, learnt from what they answered in similar moments of conversations.

Kernel ridge regression on the likeness of moments (Saunders, Gammerman and Vovk, "Ridge regression
learning algorithm in dual variables", ICML 1998) foretells two things at once: which template comes
next, and the meaning of the words that will be written.
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
MOST: Final = 4000  # answers that are learnt from: memory and time grow with their square


@dataclass(frozen=True)
class ReplyCase:
    """An answer, what had been said before it, and the conversation it stands in."""

    situation: tuple[DialogueLine, ...]
    answer: DialogueLine
    conversation: str


@dataclass(frozen=True)
class PastReply:
    """A past answer: how well it would fit now, 0 to 1, and how alike the moments are."""

    case: ReplyCase
    fit: float
    alike: float


@dataclass(frozen=True)
class HumanReplies:
    """Past moments with their answers, and what to make of a new moment."""

    cases: tuple[ReplyCase, ...]
    eye: MomentEncoder
    seen: MomentFeatures
    names: tuple[str, ...]  # templates
    weights: Floats  # (cases, templates + dimension)
    answers: Floats  # meanings of the answers, one a case, unit vectors

    @classmethod
    def fit(cls, cases: Sequence[ReplyCase], encode: Encode) -> Self:
        """Learn from answers, the last of them where there are too many; needs one at least."""
        from scipy.linalg import cho_factor, cho_solve

        kept = tuple(cases[-MOST:])
        eye = MomentEncoder.fit([case.situation for case in kept], encode)
        seen = eye.see([case.situation for case in kept])
        names = tuple(sorted({c.answer.template for c in kept if c.answer.template}))
        places = {name: n for n, name in enumerate(names)}
        chosen = np.zeros((len(kept), len(names)), dtype=np.float32)
        for row, case in enumerate(kept):
            if case.answer.template:
                chosen[row, places[case.answer.template]] = 1.0
        meanings = np.asarray(encode([case.answer.text for case in kept]), dtype=np.float32)
        kernel = similarity(seen, seen)
        kernel[np.diag_indices(len(kept))] += np.float32(_RIDGE)
        factor = cho_factor(kernel, overwrite_a=True)
        weights = cho_solve(factor, np.hstack([chosen, meanings]))
        return cls(kept, eye, seen, names, np.asarray(weights, np.float32), meanings)

    def foretell(self, situations: Sequence[Situation]) -> tuple[Floats, Floats, Floats]:
        """Return scores of templates, meanings of the answers, and the likeness to each case."""
        alike = similarity(self.eye.see(situations), self.seen)
        told = alike @ self.weights
        meanings = told[:, len(self.names) :]
        lengths = np.maximum(np.linalg.norm(meanings, axis=1, keepdims=True), 1e-9)
        return told[:, : len(self.names)], meanings / lengths, alike

    def templates(self, situation: Situation, k: int = 3) -> list[tuple[str, float]]:
        """Return the k likeliest templates, best first, with scores up to about 1."""
        if not self.names:
            return []
        scores = self.foretell([situation])[0][0]
        return [(self.names[n], float(scores[n])) for n in np.argsort(-scores)[:k]]

    def past(self, situation: Situation, k: int = 3) -> list[PastReply]:
        """Return the k past answers that fit best and do not say the same, best first."""
        _, meanings, alike = self.foretell([situation])
        fits = self.answers @ meanings[0]
        found: list[PastReply] = []
        said: set[str] = set()
        for place in np.argsort(-fits):
            case = self.cases[place]
            if case.answer.name in said:
                continue
            said.add(case.answer.name)
            found.append(PastReply(case, float(fits[place]), float(alike[0, place])))
            if len(found) == k:
                break
        return found

    def best(self, situations: Sequence[Situation]) -> NDArray[np.intp]:
        """Return for each moment the place of the case whose answer fits best."""
        _, meanings, _ = self.foretell(situations)
        return np.asarray((meanings @ self.answers.T).argmax(axis=1))
