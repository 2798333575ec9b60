"""Texts that are written together, on a tiny model with weights of chance."""

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from bot.generation.continuous_batching import ContinuousBatcher, GenerationRequest

ENDS = frozenset({2})
ASKED = [[5, 6, 7], [8, 9, 10, 11, 12, 13, 14], [15], [16, 17, 18, 19], list(range(20, 60))]


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=97,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    return LlamaForCausalLM(config).eval()


@pytest.fixture
def batches(model: Any) -> Iterator[ContinuousBatcher]:
    made = ContinuousBatcher(model, ENDS)
    yield made
    made.close()


def read(text: GenerationRequest) -> list[int]:
    found: list[int] = []
    while (token := text.inbox.get(timeout=300)) is not None:
        if isinstance(token, Exception):
            raise token
        found.append(token)
    return found


def by_the_library(model: Any, asked: list[int], tokens: int) -> list[int]:
    with torch.inference_mode():
        made = model.generate(
            torch.tensor([asked]),
            attention_mask=torch.ones(1, len(asked), dtype=torch.long),
            max_new_tokens=tokens,
            do_sample=False,
        )
    found = [int(token) for token in made[0, len(asked) :]]
    return found[: found.index(2)] if 2 in found else found


def test_a_text_alone_is_what_the_library_writes(batches: ContinuousBatcher, model: Any) -> None:
    for asked in ASKED:
        assert read(batches.submit(asked, 12)) == by_the_library(model, asked, 12)


def test_texts_together_are_those_written_alone(batches: ContinuousBatcher, model: Any) -> None:
    rooms = [30, 4, 17, 9, 23]
    texts = [batches.submit(asked, room) for asked, room in zip(ASKED * 3, rooms * 3, strict=True)]
    for text, asked, room in zip(texts, ASKED * 3, rooms * 3, strict=True):
        assert read(text) == by_the_library(model, asked, room)


def test_a_text_that_joins_later_changes_nothing_for_the_others(
    batches: ContinuousBatcher, model: Any
) -> None:
    first = batches.submit(ASKED[0], 200)
    started = [first.inbox.get(timeout=300) for _ in range(5)]
    second = batches.submit(ASKED[4], 20)
    assert read(second) == by_the_library(model, ASKED[4], 20)
    assert [*started, *read(first)] == by_the_library(model, ASKED[0], 200)


def test_a_cancelled_text_stops_and_the_others_go_on(
    batches: ContinuousBatcher, model: Any
) -> None:
    first = batches.submit(ASKED[0], 100_000)
    second = batches.submit(ASKED[1], 40)
    first.inbox.get(timeout=300)
    first.cancelled.set()
    assert read(second) == by_the_library(model, ASKED[1], 40)
    assert len(read(first)) < 90_000


def test_what_fails_is_told_to_those_it_concerns(batches: ContinuousBatcher, model: Any) -> None:
    with pytest.raises(Exception, match=r"index|range"):
        read(batches.submit([5, 1_000_000], 4))  # no such token
    assert read(batches.submit(ASKED[0], 6)) == by_the_library(model, ASKED[0], 6)


def test_closing_ends_what_is_in_work(model: Any) -> None:
    batches = ContinuousBatcher(model, ENDS)
    text = batches.submit(ASKED[0], 100_000)
    text.inbox.get(timeout=300)
    closing = threading.Thread(target=batches.close)
    closing.start()
    with pytest.raises(RuntimeError, match="closed"):
        read(text)
    closing.join(timeout=300)
    assert not batches.is_running


def test_nothing_to_do_costs_nothing_and_ends_at_once(model: Any) -> None:
    batches = ContinuousBatcher(model, ENDS)
    started = time.monotonic()
    batches.close()
    assert time.monotonic() - started < 60
    with pytest.raises(queue.Empty):
        batches.submit([1], 1).inbox.get(timeout=0.05)
