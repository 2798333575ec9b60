"""Error responses for clients; no traceback leaves the process."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from bot.authoring.editable_files import EditableFileError
from bot.authoring.jobs import JobRunningError
from bot.authoring.publications import StaleFileError
from bot.core.types import (
    CarelineError,
    ConversationChangedError,
    ForbiddenError,
    InvalidMessageError,
    NotFoundError,
)
from bot.dialogue.handoff import HandoffRefusedError
from bot.server.api_errors import BusyError
from bot.store.topic_store import TopicNameTakenError

_KINDS: Final[tuple[tuple[type[CarelineError], int, str], ...]] = (
    (InvalidMessageError, 422, "bad_message"),
    (NotFoundError, 404, "not_found"),
    (ForbiddenError, 403, "forbidden"),
    (BusyError, 429, "busy"),
    (HandoffRefusedError, 409, "refused"),
    (ConversationChangedError, 409, "moved_on"),
    (StaleFileError, 409, "stale"),
    (JobRunningError, 409, "occupied"),
    (TopicNameTakenError, 409, "taken"),
    (EditableFileError, 422, "unfit"),
    (CarelineError, 400, "bad_request"),
)
BUSY_HEADERS: Final = {"Retry-After": "2"}


def status_and_code(error: CarelineError) -> tuple[int, str]:
    """Return the HTTP status and the code of a CarelineError."""
    return next((status, code) for kind, status, code in _KINDS if isinstance(error, kind))


def fields(error: RequestValidationError) -> str:
    """Return the invalid fields of a request with their errors."""
    return "; ".join(
        f"{'.'.join(map(str, e['loc'][1:])) or 'body'}: {e['msg']}" for e in error.errors()
    )


def answer(
    status: int, code: str, message: str, reason: str = "", facts: Mapping[str, Any] | None = None
) -> JSONResponse:
    """Return an error response in the shape of every route.

    `reason` is finer than the code, and stable: pages translate it, with `facts`.
    """
    error: dict[str, Any] = {"code": code, "message": message}
    if reason:
        error |= {"reason": reason, "facts": dict(facts or {})}
    return JSONResponse({"error": error}, status_code=status)
