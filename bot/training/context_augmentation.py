"""Context features of training examples, and examples moved into other conversations."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.core.intent_history import DECAY
from bot.nlu.context_features import SHARE
from bot.training.datasets import Example
from knowledge_base.encoders.base_models import Vectors
from knowledge_base.text.chinese import has_chinese

_MOVED: Final = 0.5  # share of the examples without a history that are put into a conversation too
_MIN_CONTEXTUAL: Final = 50  # examples with a history from which a model learns to read one


def is_contextual(examples: Iterable[Example]) -> bool:
    """Return whether enough examples have a history to learn to read messages with theirs."""
    return sum(1 for e in examples if e.customer or e.reply) >= _MIN_CONTEXTUAL


def history_features(examples: Sequence[Example], chances: NDArray[np.float64]) -> Vectors:
    """Return what was wanted before each example, by the chances of its predecessors.

    Examples of one conversation stand in its order; `chances`, shape (n, classes), are those of a
    model that has not seen them, as it will be in service. The same shape is returned.
    """
    rows = np.zeros(chances.shape, dtype=np.float32)
    for i, (before, example) in enumerate(pairwise(examples), start=1):
        if example.customer is not None and before.source == example.source:
            rows[i] = SHARE * chances[i - 1] + DECAY * rows[i - 1]
    return rows


def sample_contexts(examples: Sequence[Example], seed: int) -> list[tuple[int, int]]:
    """Return examples without a history, each with one of its language whose history it could have.

    People change the subject. Dialogs alone teach that they go on with it, and a request as clear
    as any would be taken for more of what came before.
    """
    rng = np.random.default_rng(seed)
    hosts: dict[bool, list[int]] = {True: [], False: []}
    lonely = []
    for i, example in enumerate(examples):
        if example.customer:
            hosts[has_chinese(example.text)].append(i)
        elif not example.reply:
            lonely.append(i)
    count = min(int(_MOVED * len(lonely)), len(hosts[True]) + len(hosts[False]))
    moved = rng.choice(lonely, count, replace=False).tolist() if count else []
    pairs = [(i, hosts[has_chinese(examples[i].text)]) for i in moved]
    return [(i, int(rng.choice(places))) for i, places in pairs if places]
