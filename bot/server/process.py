"""Runners of the application in this process or in workers."""

from types import FrameType
from typing import Final

import uvicorn
from fastapi import FastAPI

DRAIN_SECONDS: Final = 20


class _Server(uvicorn.Server):
    """A server that signals the stop to open streams before it waits for them."""

    def __init__(self, config: uvicorn.Config, application: FastAPI) -> None:
        super().__init__(config)
        self._application = application

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._application.state.stopping.set()
        super().handle_exit(sig, frame)


def run(application: FastAPI, host: str, port: int) -> None:
    """Serve until a signal; messages in flight get at most 20 seconds."""
    config = uvicorn.Config(
        application, host=host, port=port, log_config=None, timeout_graceful_shutdown=DRAIN_SECONDS
    )
    _Server(config, application).run()


def run_workers(host: str, port: int, workers: int) -> None:
    """Serve from several processes, which read their home from the environment."""
    uvicorn.run(
        "bot.server.app:from_environment",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        log_config=None,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
