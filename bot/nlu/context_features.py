"""What the linear heads read of a message in its conversation, side by side.

The message with what was said before it, the message alone (what was said before may drown it),
and what the conversation has been about: the chances of each intent in the turns before.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.core.intent_history import FADES, Leaning
from bot.nlu.context import message_of
from bot.training.datasets import Example
from knowledge_base.encoders.base_models import Vectors
from knowledge_base.text.chinese import has_chinese

_SHARE: Final = 0.5  # what a sure intent counts beside an embedding of length 1
_MOVED: Final = 0.5  # of the examples without a history, how many are put into a conversation too


def encode(queries: Callable[[Sequence[str]], Vectors], texts: Sequence[str]) -> Vectors:
    """Return what `context.in_context` made, and its messages alone, as vectors (n, 2 d)."""
    alone = [message_of(text) for text in texts]
    longer = [i for i, text in enumerate(texts) if alone[i] != text]
    found = queries([*texts, *(alone[i] for i in longer)])
    own = found[: len(texts)].copy()
    own[longer] = found[len(texts) :]
    return np.hstack([found[: len(texts)], own])


def leanings(found: Sequence[Leaning], labels: Sequence[str]) -> Vectors:
    """Return what conversations were about, one row each, shape (n, labels)."""
    number = {label: i for i, label in enumerate(labels)}
    rows = np.zeros((len(found), len(labels)), dtype=np.float32)
    for row, leaning in zip(rows, found, strict=True):
        for intent, count in leaning:
            if intent in number:
                row[number[intent]] = _SHARE * count
    return rows


def earlier(examples: Sequence[Example], chances: NDArray[np.float64]) -> Vectors:
    """Return what was wanted before each example, by the chances of its predecessors.

    Examples of one conversation stand in its order; `chances`, shape (n, classes), are those of a
    model that has not seen them, as it will be in service. The same shape is returned.
    """
    rows = np.zeros(chances.shape, dtype=np.float32)
    for i, (before, example) in enumerate(pairwise(examples), start=1):
        if example.customer is not None and before.source == example.source:
            rows[i] = _SHARE * chances[i - 1] + FADES * rows[i - 1]
    return rows


def elsewhere(examples: Sequence[Example], seed: int) -> list[tuple[int, int]]:
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
