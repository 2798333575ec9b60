"""The feature matrix of the linear heads for messages in their conversation.

It has the message with its context, the message alone (which the context may outweigh), and the
history of intents: the probabilities of each intent in the turns before.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from bot.core.intent_history import IntentHistory
from bot.nlu.context import message_of
from knowledge_base.encoders.base_models import Vectors

SHARE: Final = 0.5  # weight of a certain intent relative to an embedding of length 1


def encode(queries: Callable[[Sequence[str]], Vectors], texts: Sequence[str]) -> Vectors:
    """Return the vectors of texts with context, and of the messages alone, shape (n, 2 d)."""
    alone = [message_of(text) for text in texts]
    longer = [i for i, text in enumerate(texts) if alone[i] != text]
    vectors = queries([*texts, *(alone[i] for i in longer)])
    own = vectors[: len(texts)].copy()
    own[longer] = vectors[len(texts) :]
    return np.hstack([vectors[: len(texts)], own])


def history_matrix(histories: Sequence[IntentHistory], labels: Sequence[str]) -> Vectors:
    """Return the intent histories of conversations, one row each, shape (n, labels)."""
    number = {label: i for i, label in enumerate(labels)}
    rows = np.zeros((len(histories), len(labels)), dtype=np.float32)
    for row, history in zip(rows, histories, strict=True):
        for intent, count in history:
            if intent in number:
                row[number[intent]] = SHARE * count
    return rows
