"""Whatever moment the server dies at: what it received is answered, once."""

import random
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bot.container import Home
from bot.core.types import new_id
from tests.bot.server.test_api import events
from tests.running import Server, free_port

TEXTS = (
    "how long does shipping to canada take?",
    "where is my order A10234",
    "我想退货，怎么操作？",
    "礼品卡可以用多久",
    "I want to talk to a human",
)


@pytest.fixture
def server(trained: Home, tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "home"
    shutil.copytree(trained.path, folder, ignore=shutil.ignore_patterns("*.db*"))
    running = Server(folder, free_port(), {"CARELINE_SCREENS": "false"})
    running.start()
    yield running
    running.kill()


def send_until_it_dies(server: Server, conversation: str, received: list[str]) -> None:
    """Send messages one after another and note the ids that were confirmed."""
    with httpx.Client(base_url=server.url, timeout=300) as api:
        for number in range(1000):
            body = {
                "text": TEXTS[number % len(TEXTS)],
                "conversation_id": conversation,
                "client_message_id": new_id(),
            }
            headers = {"Accept": "text/event-stream"}
            try:
                with api.stream("POST", "/api/messages", json=body, headers=headers) as response:
                    for _, name, data in events(response):
                        if name == "received":
                            received.append(data["message_id"])
            except httpx.TransportError:
                return


def kill_and_check(server: Server, times: int) -> None:
    rng = random.Random(7)
    conversation = new_id()
    received: list[str] = []
    for _ in range(times):
        sender = threading.Thread(target=send_until_it_dies, args=(server, conversation, received))
        sender.start()
        time.sleep(rng.uniform(0.05, 1.5))
        server.kill()
        sender.join()
        server.start()
        path = f"{server.url}/api/conversations/{conversation}/messages"
        lines = httpx.get(path, timeout=300).json()["messages"] if received else []
        said = [line["message_id"] for line in lines if line["role"] == "customer"]
        replied = [line["in_reply_to"] for line in lines if line["role"] == "bot"]
        assert len(said) == len(set(said))
        assert set(received) <= set(said)
        assert sorted(replied) == sorted(said)
        assert all(line["status"] == "answered" for line in lines)
    assert len(received) >= times
    body = {"text": "hello again", "conversation_id": conversation}
    turn = httpx.post(f"{server.url}/api/messages", json=body, timeout=300).json()
    assert turn["conversation_id"] == conversation


def test_killed_three_times_nothing_is_lost_or_said_twice(server: Server) -> None:
    kill_and_check(server, 3)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_twenty_times_nothing_is_lost_or_said_twice(server: Server) -> None:
    kill_and_check(server, 20)


def test_a_stop_lets_the_message_in_work_finish(server: Server) -> None:
    conversation = new_id()
    received: list[str] = []
    sender = threading.Thread(target=send_until_it_dies, args=(server, conversation, received))
    sender.start()
    while not received:
        time.sleep(0.01)
    assert server.stop() in {0, -signal.SIGTERM}  # uvicorn ends with the signal it was sent
    sender.join()
    server.start()
    path = f"{server.url}/api/conversations/{conversation}/messages"
    lines = httpx.get(path, timeout=300).json()["messages"]
    assert sorted(line["in_reply_to"] for line in lines if line["role"] == "bot") == sorted(
        line["message_id"] for line in lines if line["role"] == "customer"
    )
