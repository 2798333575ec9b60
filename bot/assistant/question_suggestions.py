"""Likely next questions, learnt from the order of questions in the log and from content.

Items are intents or ids of articles. After the last item of a session, each other item is scored
by how often it followed it, smoothed by how often it followed the other items of this session,
by its popularity, and by how close its content is.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np

from bot.core.types import OUT_OF_SCOPE
from knowledge_base.encoders.base_models import Vectors

_FEW: Final = 20.0  # questions before what is popular says much


@dataclass(frozen=True)
class EvidenceWeights:
    """Weights of each kind of evidence, in sessions.

    `popular` and `earlier` are the weights of the popularity and of what followed earlier items
    before the transition from the last item; `content` is what the closest content is worth.
    """

    earlier: float = 0.3
    popular: float = 3.0
    content: float = 0.5
    recent: float = 0.5  # what an item loses to the one after it


@dataclass(frozen=True)
class QuestionSuggester:
    """Transitions between items, how popular each is, and vectors of their content."""

    after: Mapping[str, Mapping[str, float]]
    within: Mapping[str, Mapping[str, float]]
    popular: Mapping[str, float]
    items: tuple[str, ...] = ()
    vectors: Vectors | None = None
    strength: EvidenceWeights = field(default_factory=EvidenceWeights)
    never: frozenset[str] = frozenset({OUT_OF_SCOPE})

    @classmethod
    def fit(
        cls,
        sessions: Sequence[Sequence[str]],
        *,
        content: Mapping[str, Vectors] | None = None,
        strength: EvidenceWeights | None = None,
        never: Collection[str] = (OUT_OF_SCOPE,),
    ) -> Self:
        """Learn from sessions, each the items of one conversation in order.

        `content` gives items unit vectors, shape (d,): with an empty log they alone decide.
        Items in `never` (small talk, say) are neither suggested nor learnt from.
        """
        after: defaultdict[str, Counter[str]] = defaultdict(Counter)
        within: defaultdict[str, Counter[str]] = defaultdict(Counter)
        popular: Counter[str] = Counter()
        for session in sessions:
            steps = distinct([item for item in session if item not in never])
            popular.update(set(steps))
            for at, item in enumerate(steps[:-1]):
                after[item][steps[at + 1]] += 1
                for other in set(steps[at + 1 :]) - {item}:
                    within[item][other] += 1
                    within[other][item] += 1  # what goes together does so in either order
        known = {name: vector for name, vector in (content or {}).items() if name not in never}
        return cls(
            after={name: dict(counts) for name, counts in after.items()},
            within={name: dict(counts) for name, counts in within.items()},
            popular=dict(popular),
            items=tuple(sorted(known)),
            vectors=np.stack([known[name] for name in sorted(known)]) if known else None,
            strength=strength or EvidenceWeights(),
            never=frozenset(never),
        )

    def suggest(
        self, history: Sequence[str], k: int = 3, *, seen: Collection[str] = ()
    ) -> tuple[str, ...]:
        """Return the k likeliest next items, best first; fewer where fewer are known.

        `history` is what this visitor asked or opened, oldest first, earlier visits included;
        nothing of it and nothing in `seen` is offered again. The last items weigh most.
        """
        scores = self.scores(history)
        done = set(history) | set(seen) | self.never
        ranked = sorted(scores, key=lambda item: (-scores[item], item))
        return tuple(item for item in ranked if item not in done and scores[item] > 0)[:k]

    def scores(self, history: Sequence[str]) -> dict[str, float]:
        """Return a score for every known item, higher for likelier; the scale is arbitrary."""
        steps = [item for item in history if item not in self.never]
        names = sorted({*self.popular, *self.items})
        total = sum(self.popular.values()) + _FEW
        strength = self.strength
        scores = {n: strength.popular * self.popular.get(n, 0.0) / total for n in names}
        weight = 1.0
        for age, item in enumerate(reversed(distinct(steps))):
            if age == 0:
                _add(scores, self.after.get(item, {}), weight)
            _add(scores, self.within.get(item, {}), weight * strength.earlier)
            weight *= strength.recent
        for name, value in self._content(steps).items():
            scores[name] += strength.content * value
        return scores

    def _content(self, steps: Sequence[str]) -> dict[str, float]:
        """Return how close each item's content is to that of the last items, 0 to 1."""
        if self.vectors is None:
            return {}
        place = {name: row for row, name in enumerate(self.items)}
        asked = [place[item] for item in distinct(steps) if item in place]
        if not asked:
            return {}
        recent = np.array([self.strength.recent**age for age in range(len(asked))][::-1])
        centre = (recent[:, None] * self.vectors[asked]).sum(axis=0)
        near = self.vectors @ (centre / max(float(np.linalg.norm(centre)), 1e-9))
        near = (near - near.mean()) / max(float(near.max() - near.mean()), 1e-9)
        return {name: max(0.0, float(near[row])) for name, row in place.items()}


def distinct(items: Sequence[str]) -> list[str]:
    """Return items without those that merely repeat the one before."""
    return [item for at, item in enumerate(items) if at == 0 or item != items[at - 1]]


def _add(scores: dict[str, float], counts: Mapping[str, float], weight: float) -> None:
    for name, count in counts.items():
        scores[name] += weight * count
