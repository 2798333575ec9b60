"""What the heads read of a message in its conversation."""

from collections.abc import Sequence

import numpy as np
import pytest

from bot.core.intent_history import DECAY
from bot.nlu import context_features
from bot.nlu.context import in_context
from bot.training import context_augmentation
from bot.training.datasets import Example
from knowledge_base.encoders.base_models import Vectors


def lengths(texts: Sequence[str]) -> Vectors:
    return np.array([[len(text), 1.0] for text in texts], dtype=np.float32)


def test_messages_are_read_in_their_conversation_and_alone() -> None:
    texts = ["alone", in_context("and to Norway?", "how long does it take", "Five days.")]
    found = context_features.encode(lengths, texts)
    assert found.shape == (2, 4)
    assert found[0].tolist() == [5, 1, 5, 1]
    assert found[1].tolist() == [len(texts[1]), 1, len("and to Norway?"), 1]


def test_what_a_conversation_was_about_stands_in_the_order_of_the_labels() -> None:
    rows = context_features.history_matrix([(("b", 1.0), ("unknown", 1.0)), ()], ["a", "b"])
    assert rows[0, 0] == 0
    assert rows[0, 1] > 0
    assert not rows[1].any()


def said(text: str, source: str, customer: str | None = None) -> Example:
    return Example(text, "a", source, customer, "A reply." if customer else None)


def test_the_turns_before_count_within_one_conversation_only() -> None:
    examples = [said("1", "x"), said("2", "x", "1"), said("3", "x", "2"), said("4", "y")]
    chances = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [1.0, 0.0]])
    rows = context_augmentation.history_features(examples, chances)
    unit = rows[1, 0]
    assert rows.tolist() == [
        [0.0, 0.0],
        [unit, 0.0],
        [pytest.approx(DECAY * unit), unit],
        [0.0, 0.0],
    ]


def test_training_and_service_read_the_same() -> None:
    """Two turns, guessed as in training and carried on as the state does."""
    from bot.core import intent_history
    from bot.core.types import IntentScore

    chances = np.array([[0.75, 0.25], [0.25, 0.75], [1.0, 0.0]])
    examples = [said("1", "x"), said("2", "x", "1"), said("3", "x", "2")]
    about: intent_history.IntentHistory = ()
    for row in chances[:2]:
        about = intent_history.update_history(
            about, [IntentScore("a", row[0]), IntentScore("b", row[1])]
        )
    served = context_features.history_matrix([about], ["a", "b"])
    assert served[0] == pytest.approx(context_augmentation.history_features(examples, chances)[2])


def test_clear_requests_are_put_into_conversations_of_their_language() -> None:
    lonely = [Example(f"message {i}", "a", f"f:{i}") for i in range(20)]
    lonely += [Example(f"第{i}条消息", "a", f"f:{i}") for i in range(20, 40)]
    hosts = [said(f"later {i}", f"c{i}", "before") for i in range(30)]
    hosts += [said(f"后面{i}", f"z{i}", "前面") for i in range(30)]
    examples = [*lonely, *hosts]
    pairs = context_augmentation.sample_contexts(examples, 0)
    assert len(pairs) == 12
    assert len({i for i, _ in pairs}) == 12
    for i, j in pairs:
        assert i < 40 <= j
        assert (i < 20) == (j < 70)
    assert context_augmentation.sample_contexts(examples, 0) == pairs
    assert context_augmentation.sample_contexts(lonely, 0) == []
