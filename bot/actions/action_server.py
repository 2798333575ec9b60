"""A standard Rasa action server for the actions of a home."""

import asyncio
import hmac
import ipaddress
import os
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bot.actions import loader
from bot.actions.runner import ActionRunner
from bot.core.types import CarelineError

if TYPE_CHECKING:
    from sanic import Request, Sanic
    from sanic.response import HTTPResponse

_HEALTH: Final = "/health"
_DRAIN_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.05


def serve(runner: ActionRunner, host: str, port: int, token: str | None) -> None:
    """Serve until a signal.

    A caller states the identity of the customer, so without a token only this machine may call.

    Raises:
        CarelineError: the server cannot listen.
    """
    if not token and not _is_local(host):
        message = (
            f"an action server on {host} is open to others: set CARELINE_ACTIONS_TOKEN, "
            "or listen on 127.0.0.1"
        )
        raise CarelineError(message)
    with listener(host, port) as sock:
        asyncio.run(_serve_until_signal(application(runner, token), sock))


async def _serve_until_signal(app: "Sanic[Any, Any]", sock: socket.socket) -> None:
    """Serve in this process until a signal; running calls get at most 10 seconds to finish.

    Sanic's own runner can crash if a signal arrives while it starts or stops.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server: Any = await app.create_server(sock=sock, access_log=False, return_asyncio_server=True)
    await server.startup()
    await server.start_serving()
    await stop.wait()
    server.close()
    deadline = loop.time() + _DRAIN_SECONDS
    busy = set(server.connections)
    while busy and loop.time() < deadline:
        busy = {connection for connection in busy if not connection.close_if_idle()}
        await asyncio.sleep(_POLL_SECONDS)


def listener(host: str, port: int) -> socket.socket:
    """Return a listening socket; raise CarelineError if the address is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen()
    except OSError as error:
        sock.close()
        message = f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}"
        raise CarelineError(message) from error
    return sock


def application(runner: ActionRunner, token: str | None) -> "Sanic[Any, Any]":
    """Return the SDK's application, which requires the token everywhere except at `/health`."""
    from rasa_sdk.endpoint import create_app
    from sanic import response

    app: Sanic[Any, Any] = create_app(runner.executor, cors_origins=None)

    async def guard(request: "Request") -> "HTTPResponse | None":
        if not token or request.path == _HEALTH or _has_token(request, token):
            return None
        return response.json({"error": "the token is missing or wrong"}, status=401)

    app.register_middleware(guard, "request", priority=1)
    return app


def _has_token(request: "Request", token: str) -> bool:
    """Return whether the token is in the bearer header, or in the query as Rasa sends it."""
    header = request.headers.get("authorization", "")
    candidates = (header.removeprefix("Bearer "), str(request.args.get("token", "")))
    return any(hmac.compare_digest(value.encode(), token.encode()) for value in candidates)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def runner_of(home: Path) -> ActionRunner:
    """Return the runner of a home's actions; raise CarelineError if it has none."""
    if not loader.has_actions(home):
        message = f"{home} has no actions to serve: put them into {home / loader.FOLDER}"
        raise CarelineError(message)
    return ActionRunner(home)
