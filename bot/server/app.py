"""The FastAPI application: routes, errors, screens, start and stop."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import Response
from fastapi_swagger import patch_fastapi
from starlette.exceptions import HTTPException

from bot.authoring import uploads
from bot.container import Home
from bot.core.settings import Settings
from bot.core.types import CarelineError
from bot.server import error_handlers, metrics
from bot.server.api_errors import BusyError, RefusedRequestError
from bot.server.routes import (
    attachments,
    chatwoot,
    console,
    content,
    conversations,
    corrections,
    desk,
    insights,
    jobs,
    knowledge,
    logins,
    messages,
    openai,
    operations,
    playground,
    rasa,
    records,
    visitors,
)
from bot.server.service import Service

_logger = logging.getLogger(__name__)
_SCREENS: Final = "careline.screens"
_MAX_BODY: Final = 2 * 2**20


@dataclass(frozen=True)
class MountedScreen:
    """The context of a mounted screen: the address of the API and the home."""

    base_url: str
    business: str = ""
    home: Path | None = None


def create(home: Home, base_url: str, service: Service | None = None) -> FastAPI:
    """Build the application of a home; without a service, loading happens when it starts."""
    settings = home.settings

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.service = service or await asyncio.to_thread(Service.start, home)
        yield
        app.state.stopping.set()
        await asyncio.to_thread(app.state.service.stop)

    app = FastAPI(
        title="Careline",
        description="A customer-service assistant.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
    )
    app.state.stopping = threading.Event()  # set on a stop signal, before the shutdown
    visiting = (visitors, messages, conversations, attachments)
    own = (knowledge, operations, logins, insights, content, jobs)
    answering = (desk, console, corrections, records, playground)
    for part in (*visiting, *own, *answering, rasa, openai, chatwoot):
        app.include_router(part.router)
    _add_middleware(app, settings)
    _add_errors(app)
    # The API page uses files of a package, so that it works without the internet.
    patch_fastapi(app, redirect_from_root_to_docs=False)
    if settings.screens:
        _mount_screens(app, home, base_url)
    return app


def from_environment() -> FastAPI:
    """Build the application in a worker process; the environment names the home."""
    from bot.core.json_logging import configure

    settings = Settings.load()
    configure(settings.log_level)
    return create(Home(settings), settings.public_url or "http://127.0.0.1:8000")


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    @app.middleware("http")
    async def observe(
        request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        size = request.headers.get("content-length", "0")
        is_file = request.scope["path"].endswith("/attachments")
        most = max(_MAX_BODY, settings.attachment_bytes if is_file else 0)
        if request.scope["path"] == jobs.FILES:
            most = uploads.MAX_BYTES
        if size.isdecimal() and int(size) > most:
            message = f"the request is too large: the limit is {most} bytes"
            facts = {"most": most}
            return error_handlers.answer(413, "too_large", message, "request_too_large", facts)
        if "\x00" in request.scope["path"] or b"%00" in request.scope["query_string"]:
            return error_handlers.answer(
                400, "bad_request", "the address contains characters that are not text"
            )
        response = await call_next(request)
        route = request.scope.get("route")
        path = getattr(route, "path", "other")
        metrics.REQUESTS.labels(request.method, path, str(response.status_code)).inc()
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response

    if settings.allowed_origins:  # added last, so that it is outermost and also applies to errors
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.allowed_origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=["Retry-After"],
        )


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(CarelineError)
    async def ours(_request: Request, error: CarelineError) -> Response:
        status, code = error_handlers.status_and_code(error)
        response = error_handlers.answer(status, code, str(error), error.reason, error.facts)
        if isinstance(error, BusyError):
            response.headers.update(error_handlers.BUSY_HEADERS)
        return response

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        return error_handlers.answer(422, "invalid", error_handlers.fields(error))

    @app.exception_handler(HTTPException)
    async def http(_request: Request, error: HTTPException) -> Response:
        reason_and_facts = (
            (error.reason, error.facts) if isinstance(error, RefusedRequestError) else ()
        )
        response = error_handlers.answer(
            error.status_code, "http", str(error.detail), *reason_and_facts
        )
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(Exception)
    async def unexpected(_request: Request, error: Exception) -> Response:
        _logger.error("a request failed", exc_info=error)
        return error_handlers.answer(500, "internal", "something went wrong here: try again")


def _mount_screens(app: FastAPI, home: Home, base_url: str) -> None:
    """Let every installed screen add its pages; the server finds them by entry point."""
    screen = MountedScreen(base_url, home.settings.business, home.path)
    for entry in sorted(entry_points(group=_SCREENS), key=lambda e: e.name):
        entry.load()(app, screen)
