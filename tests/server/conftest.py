"""A client for the running server."""

from collections.abc import Iterator

import httpx
import pytest

from tests.running import Server


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client
