from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.training import folds
from bot.training.datasets import Example


def row(text: str, intent: str = "refund", number: int = 0) -> Example:
    return Example(text, intent, f"a.csv:{number}")


def turn(text: str, dialog: str, intent: str = "refund") -> Example:
    return Example(text, intent, f"a.jsonl:{dialog}", customer="hello", reply="How can I help?")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["Hi", "hi", "refund", "size", "退款"]), st.sampled_from("abc")),
        max_size=40,
    ),
    st.integers(1, 6),
)
def test_texts_that_occur_twice_stay_together(rows: list[tuple[str, str]], count: int) -> None:
    examples = [row(text, intent, n) for n, (text, intent) in enumerate(rows)]
    parts = folds.assign(examples, count)
    assert len(parts) == len(examples)
    assert all(0 <= part < count for part in parts)
    of_text: dict[str, set[int]] = {}
    for example, part in zip(examples, parts.tolist(), strict=True):
        of_text.setdefault(example.text.casefold(), set()).add(part)
    assert all(len(found) == 1 for found in of_text.values())


def test_messages_of_one_conversation_stay_together() -> None:
    examples = [turn(f"text {n}", f"d{n % 7}", "ab"[n % 2]) for n in range(70)]
    parts = folds.assign(examples, 5)
    for dialog in range(7):
        assert len(set(parts[dialog::7].tolist())) == 1
    assert len(set(parts.tolist())) == 5


def test_each_intent_is_spread_evenly() -> None:
    examples = [row(f"{intent} {n}", intent, n) for intent in "abc" for n in range(52)]
    parts = folds.assign(examples, 5)
    for start in (0, 52, 104):
        counts = Counter(parts[start : start + 52].tolist())
        assert sorted(counts) == [0, 1, 2, 3, 4]
        assert max(counts.values()) - min(counts.values()) <= 1


def test_intents_with_one_example_do_not_all_lie_in_one_fold() -> None:
    examples = [row(f"text {n}", f"intent {n:02}", n) for n in range(20)]
    assert Counter(folds.assign(examples, 4).tolist()) == dict.fromkeys(range(4), 5)


def test_the_seed_decides() -> None:
    examples = [row(f"text {n}", "ab"[n % 2], n) for n in range(60)]
    assert np.array_equal(folds.assign(examples, 5, 3), folds.assign(examples, 5, 3))
    assert not np.array_equal(folds.assign(examples, 5, 3), folds.assign(examples, 5, 4))
