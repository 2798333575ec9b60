"""Whatever becomes of an engine, the customer has an answer in time."""

import time
from pathlib import Path
from typing import Any

import pytest

from bot.generation import prompts
from bot.generation.answerers import ExtractiveAnswerer, LlmAnswerer
from bot.generation.openai_client import OpenAIGenerator
from tests.bot.generation.engine import END, Engine, event
from tests.bot.generation.test_answerers import EXTRACT, HITS, drain

SECONDS = 0.8


@pytest.mark.parametrize(
    ("plan", "composer"),
    [
        ([30.0], "extractive"),
        ([event("You can return boots within 30 days. "), event("And"), 30.0], "generated"),
        ([event("You can ret"), None], "extractive"),
        ([event("You can return boots within 30 days. "), event("And "), None], "generated"),
        (["data: garbage\n\n"], "extractive"),
        ((429, {"retry-after": "30"}), "extractive"),
        ((503, {}), "extractive"),
        ((401, {}), "extractive"),
        ([event("You can return boots within 90 days."), END], "extractive"),
    ],
    ids=["stalls", "stalls late", "dies", "dies late", "garbage", "429", "503", "401", "invents"],
)
def test_the_customer_has_an_answer_within_the_deadline(plan: Any, composer: str) -> None:
    with Engine(plan).running() as engine:
        generator = OpenAIGenerator(engine.url, "llama")
        made = LlmAnswerer(
            generator, ExtractiveAnswerer(None), prompts.load(Path("nowhere")), seconds=SECONDS
        )
        started = time.monotonic()
        said, reply = drain(made.stream("Within how many days return boots?", HITS, "en"))
        took = time.monotonic() - started
    assert took < SECONDS + 20  # an engine that stalls does so for longer
    assert "".join(said) == reply.text
    assert reply.text.startswith(EXTRACT)
    assert reply.composer == composer
    assert reply.written[0].fell_back
