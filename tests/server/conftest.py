"""One running server for the tests that only talk to it."""

import shutil
from collections.abc import Iterator

import httpx
import pytest

from bot.bootstrap import Home
from tests.server.running import Server, free_port


@pytest.fixture(scope="session")
def server(trained: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(trained.path, folder, ignore=shutil.ignore_patterns("*.db*"))
    running = Server(folder, free_port(), {})
    running.start()
    yield running
    running.stop()


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client
