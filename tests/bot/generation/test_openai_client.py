"""An engine over HTTP: one that works, and all the ways in which one may not."""

import time
from collections.abc import Iterator

import pytest

from bot.core.types import Usage
from bot.generation.language_models import EngineError
from bot.generation.openai_client import CircuitBreaker, OpenAIGenerator
from tests.bot.generation.engine import END, Engine, event, usage

CHAT = [{"role": "user", "content": "How long is the warranty?"}]
GOOD: list[str | float | None] = [event("Two "), event("years."), usage(12, 3), END]


@pytest.fixture
def good() -> Iterator[Engine]:
    with Engine(GOOD).running() as engine:
        yield engine


def write(generator: OpenAIGenerator, within: float = 5.0) -> tuple[str, Usage]:
    stream = generator.stream(CHAT, within=within)
    said = ""
    while True:
        try:
            said += next(stream)
        except StopIteration as stop:
            return said, stop.value


def test_words_come_as_they_are_written_and_the_tokens_are_the_engines(good: Engine) -> None:
    generator = OpenAIGenerator(good.url, "llama", key="secret")
    assert write(generator) == ("Two years.", Usage(12, 3, reported=True))
    (asked,) = good.requests
    assert asked["model"] == "llama"
    assert asked["messages"] == CHAT
    assert asked["stream"] is True
    assert good.keys == ["Bearer secret"]


def test_tokens_nobody_reported_are_counted_and_said_to_be() -> None:
    with Engine([event("Two years. "), event("保修两年"), END]).running() as engine:
        said, tokens = write(OpenAIGenerator(engine.url, "llama"))
    assert said == "Two years. 保修两年"
    assert not tokens.reported
    assert tokens.completion_tokens == 4 + 3
    assert tokens.prompt_tokens > 0


@pytest.mark.parametrize("status", [429, 500, 503, 408])
def test_a_busy_engine_is_asked_again(status: int) -> None:
    with Engine((status, {"retry-after": "0"}), GOOD).running() as engine:
        assert write(OpenAIGenerator(engine.url, "llama"))[0] == "Two years."
        assert len(engine.requests) == 2


def test_an_engine_that_asks_for_more_time_than_there_is_is_not_waited_for() -> None:
    with Engine((429, {"retry-after": "60"})).running() as engine:
        started = time.monotonic()
        with pytest.raises(EngineError, match="429"):
            write(OpenAIGenerator(engine.url, "llama"), within=20.0)
    assert time.monotonic() - started < 20  # it asked for a minute


def test_a_refusal_is_not_repeated() -> None:
    with Engine((401, {})).running() as engine:
        with pytest.raises(EngineError, match="401"):
            write(OpenAIGenerator(engine.url, "llama"))
        assert len(engine.requests) == 1


@pytest.mark.parametrize(
    "plan",
    [
        [30.0],
        [event("Two "), 30.0],
        [part for _ in range(600) for part in (": still here\n\n", 0.05)],
    ],
    ids=["silent", "stalls", "drips"],
)
def test_a_slow_engine_is_given_up_in_time(plan: list[str | float | None]) -> None:
    with Engine(plan).running() as engine:
        started = time.monotonic()
        with pytest.raises(EngineError, match="in time"):
            write(OpenAIGenerator(engine.url, "llama"), within=0.4)
        assert time.monotonic() - started < 20  # the engine needs half a minute


@pytest.mark.parametrize(
    "plan",
    [
        [event("Two "), None],
        [END],
        ["data: {broken\n\n"],
        ['data: {"error": {"message": "out of memory"}}\n\n'],
        ["<html>no stream at all</html>"],
        ["data: [1, 2]\n\n"],
        ['data: {"choices": [{"delta": {"content": 5}}]}\n\n', END],
    ],
    ids=["cut", "nothing", "no json", "error", "html", "a list", "numbers"],
)
def test_nonsense_is_an_error_and_nothing_else(plan: list[str | float | None]) -> None:
    with Engine(plan).running() as engine, pytest.raises(EngineError):
        write(OpenAIGenerator(engine.url, "llama"), within=3.0)


def test_what_was_begun_is_not_begun_again() -> None:
    with Engine([event("Two "), None], GOOD).running() as engine:
        with pytest.raises(EngineError):
            write(OpenAIGenerator(engine.url, "llama"))
        assert len(engine.requests) == 1


def test_nobody_at_home_is_an_error_that_keeps_the_key_to_itself() -> None:
    generator = OpenAIGenerator("http://127.0.0.1:9/v1", "llama", key="secret")
    with pytest.raises(EngineError, match="cannot be reached") as raised:
        write(generator, within=1.0)
    assert "secret" not in repr(raised.value)


def test_a_customer_who_leaves_hangs_up(good: Engine) -> None:
    good.plan = [[event(f"{number} ") if number % 2 else 0.02 for number in range(4000)]]
    stream = OpenAIGenerator(good.url, "llama").stream(CHAT, within=30.0)
    next(stream)
    started = time.monotonic()
    stream.close()
    assert time.monotonic() - started < 20  # the engine writes for forty seconds


def test_an_engine_that_keeps_failing_is_left_alone_and_tried_later() -> None:
    breaker = CircuitBreaker(failures=2, seconds=3600)
    with Engine((401, {}), (401, {}), GOOD).running() as engine:
        generator = OpenAIGenerator(engine.url, "llama", breaker=breaker)
        for _ in range(2):
            with pytest.raises(EngineError, match="refuses"):
                write(generator)
        with pytest.raises(EngineError, match="left alone"):
            write(generator)
        assert len(engine.requests) == 2
        breaker._until = 0.0  # an hour later
        assert write(generator)[0] == "Two years."
        assert write(generator)[0] == "Two years."
