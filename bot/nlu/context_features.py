"""What the linear heads read of a message in its conversation, side by side.

The message with what was said before it, the message alone (what was said before may drown it),
and what the conversation has been about: the chances of each intent in the turns before.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from bot.core.intent_history import IntentHistory
from bot.nlu.context import message_of
from knowledge_base.encoders.base_models import Vectors

SHARE: Final = 0.5  # what a sure intent counts beside an embedding of length 1


def encode(queries: Callable[[Sequence[str]], Vectors], texts: Sequence[str]) -> Vectors:
    """Return what `context.in_context` made, and its messages alone, as vectors (n, 2 d)."""
    alone = [message_of(text) for text in texts]
    longer = [i for i, text in enumerate(texts) if alone[i] != text]
    found = queries([*texts, *(alone[i] for i in longer)])
    own = found[: len(texts)].copy()
    own[longer] = found[len(texts) :]
    return np.hstack([found[: len(texts)], own])


def history_matrix(found: Sequence[IntentHistory], labels: Sequence[str]) -> Vectors:
    """Return what conversations were about, one row each, shape (n, labels)."""
    number = {label: i for i, label in enumerate(labels)}
    rows = np.zeros((len(found), len(labels)), dtype=np.float32)
    for row, leaning in zip(rows, found, strict=True):
        for intent, count in leaning:
            if intent in number:
                row[number[intent]] = SHARE * count
    return rows
