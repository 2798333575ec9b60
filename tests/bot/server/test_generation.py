"""A server whose answers an engine over HTTP writes, and one that does not."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bot.container import Home
from tests.bot.generation.engine import END, Engine, event, usage
from tests.running import Server, free_port

QUESTION = "How do I wash my rain jacket?"
WRITTEN = "Wash the jacket at 30 °C"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine([event(WRITTEN), event("."), usage(120, 9), END], (500, {})).running() as running:
        yield running


@pytest.fixture(scope="module")
def api(
    trained: Home, engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    folder: Path = tmp_path_factory.mktemp("generating") / "home"
    shutil.copytree(trained.path, folder, ignore=shutil.ignore_patterns("*.db*"))
    settings = {
        "CARELINE_COMPOSER": "openai",
        "CARELINE_GENERATOR_URL": engine.url,
        "CARELINE_GENERATOR_KEY": "a-secret-key",
        "CARELINE_COMPLETION_PRICE": "10",
        "CARELINE_SCREENS": "false",
    }
    running = Server(folder, free_port(), settings)
    running.start()
    with httpx.Client(base_url=running.url, timeout=300) as client:
        yield client
    running.stop()


def test_what_the_engine_writes_is_checked_cited_traced_and_counted(
    api: httpx.Client, engine: Engine
) -> None:
    turn = api.post("/api/messages", json={"text": QUESTION}).json()
    assert turn["route"] == "retrieve"
    assert engine.keys == ["Bearer a-secret-key"]
    trace = api.get(f"/api/messages/{turn['message_id']}/trace").json()
    (written,) = trace["generated"]
    assert written["tokens"] == {"prompt": 120, "completion": 9, "reported": True}
    assert written["cost"] == pytest.approx(9e-5)
    assert len(written["prompt_sha256"]) == 64
    assert (trace["composer"] == "generated") == (written["fell_back"] is None)
    assert turn["reply"]["citations"]
    metrics = api.get("/metrics").text
    assert 'careline_generated_tokens_total{kind="prompt",source="reported"} 120.0' in metrics


def test_when_the_engine_is_down_the_extract_is_said(api: httpx.Client) -> None:
    turn = api.post("/api/messages", json={"text": QUESTION}).json()
    trace = api.get(f"/api/messages/{turn['message_id']}/trace").json()
    assert trace["composer"] == "extractive"
    assert trace["generated"][0]["fell_back"] == "engine"
    assert turn["reply"]["text"]
    metrics = api.get("/metrics").text
    assert 'careline_generation_fallbacks_total{reason="engine"} 1.0' in metrics
