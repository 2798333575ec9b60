"""Assignment of examples to folds, with equal texts and whole conversations in one fold."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bot.training.datasets import Example


def assign(examples: Sequence[Example], folds: int, seed: int = 0) -> NDArray[np.int64]:
    """Return the fold of each example, 0 … folds − 1, with each intent spread evenly over them.

    Equal texts stay together, and so do the messages of one conversation, which share their
    context. An intent with fewer groups than folds is missing from some.
    """
    groups: dict[str, list[int]] = {}
    for number, example in enumerate(examples):
        groups.setdefault(_group(example), []).append(number)
    if len(groups) == 1 and len({example.text.casefold() for example in examples}) > 1:
        # A single conversation is split, since otherwise it could not be used at all.
        groups = {str(number): [number] for number in range(len(examples))}
    by_intent: dict[str, list[list[int]]] = {}
    for rows in groups.values():
        by_intent.setdefault(examples[rows[0]].intent, []).append(rows)
    rng = np.random.default_rng(seed)
    parts = np.zeros(len(examples), dtype=np.int64)
    next_fold = 0  # continues from intent to intent, so that small ones are not all in fold 0
    for _, members in sorted(by_intent.items()):
        for i in rng.permutation(len(members)):
            parts[members[i]] = next_fold % folds
            next_fold += 1
    return parts


def _group(example: Example) -> str:
    in_dialog = example.customer is not None or example.reply is not None
    return example.source if in_dialog else example.text.casefold()
