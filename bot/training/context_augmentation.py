"""Intent histories of training examples, and examples with the context of other conversations."""

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

_SHARE: Final = 0.3  # of the examples without a history, which also get a sampled context
_MIN_CONTEXTUAL: Final = 50  # examples with a history from which a model is trained with it


def is_contextual(examples: Iterable[Example]) -> bool:
    """Return whether enough examples have a history to train a model with it."""
    return sum(1 for e in examples if e.customer or e.reply) >= _MIN_CONTEXTUAL


def history_features(examples: Sequence[Example], chances: NDArray[np.float64]) -> Vectors:
    """Return the intent history of each example, from the probabilities of its predecessors.

    Examples of one conversation are consecutive; `chances`, shape (n, classes), are those of a
    model trained without them, as in service. The result has the same shape.
    """
    rows = np.zeros(chances.shape, dtype=np.float32)
    for i, (before, example) in enumerate(pairwise(examples), start=1):
        if example.customer is not None and before.source == example.source:
            rows[i] = SHARE * chances[i - 1] + DECAY * rows[i - 1]
    return rows


def sample_contexts(examples: Sequence[Example], seed: int) -> list[tuple[int, int]]:
    """Return pairs of an example without a history and one of its language that has a history.

    Customers change the subject. Trained on dialogs alone, a model would expect them to continue
    with it, and classify even a clear request as more of the same.
    """
    rng = np.random.default_rng(seed)
    hosts: dict[bool, list[int]] = {True: [], False: []}
    without_history = []
    for i, example in enumerate(examples):
        if example.customer:
            hosts[has_chinese(example.text)].append(i)
        elif not example.reply:
            without_history.append(i)
    count = min(int(_SHARE * len(without_history)), len(hosts[True]) + len(hosts[False]))
    sample = rng.choice(without_history, count, replace=False).tolist() if count else []
    pairs = [(i, hosts[has_chinese(examples[i].text)]) for i in sample]
    return [(i, int(rng.choice(places))) for i, places in pairs if places]
