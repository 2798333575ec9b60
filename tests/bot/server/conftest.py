"""Clients for the running server, and a server that other systems are connected to."""

import shutil
from collections.abc import Iterator

import httpx
import pytest

from bot.container import Home
from tests.bot.server.neighbour import Neighbour
from tests.running import Server, free_port


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=300) as client:
        yield client


@pytest.fixture(scope="session")
def neighbour() -> Iterator[Neighbour]:
    """Start what stands for Chatwoot and for the business's own system."""
    with Neighbour().running() as running:
        yield running


@pytest.fixture(scope="session")
def connected(
    trained: Home, neighbour: Neighbour, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Start a server whose channels are closed by secrets and that speaks to the neighbour."""
    folder = tmp_path_factory.mktemp("connected") / "home"
    shutil.copytree(trained.path, folder, ignore=shutil.ignore_patterns("*.db*"))
    (folder / "api-key.txt").write_text("sk-careline\n", encoding="utf-8")
    settings = {
        "CARELINE_SCREENS": "false",
        "CARELINE_API_KEY_FILE": str(folder / "api-key.txt"),
        "CARELINE_RASA_TOKEN": "rasa-token",
        "CARELINE_CHATWOOT_URL": neighbour.url,
        "CARELINE_CHATWOOT_TOKEN": "bot-token",
        "CARELINE_CHATWOOT_SECRET": "chatwoot-secret",
        "CARELINE_WEBHOOK_URL": f"{neighbour.url}/events",
        "CARELINE_WEBHOOK_SECRET": "webhook-secret",
        "CARELINE_WEBHOOK_EVENTS": '["handoff", "message"]',
    }
    running = Server(folder, free_port(), settings)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def guarded(trained: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a server where an id alone opens nothing, and pages can prove who a visitor is."""
    folder = tmp_path_factory.mktemp("guarded") / "home"
    shutil.copytree(trained.path, folder, ignore=shutil.ignore_patterns("*.db*"))
    settings = {
        "CARELINE_SCREENS": "false",
        "CARELINE_VISITOR_TOKENS": "required",
        "CARELINE_IDENTITY_SECRET": "identity-secret",
        "CARELINE_API_KEY": "sk-careline",
        "CARELINE_ALLOWED_ORIGINS": '["https://shop.example"]',
        "CARELINE_ATTACHMENT_BYTES": "2000",
    }
    running = Server(folder, free_port(), settings)
    running.start()
    yield running
    running.stop()
