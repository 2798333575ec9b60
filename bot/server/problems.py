"""What went wrong, in words and numbers for clients; no traceback leaves the process."""

from typing import Final

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from bot.dialogue.handoff import RefusedError
from bot.server.service import BusyError
from bot.types import (
    BadMessageError,
    CarelineError,
    ForbiddenError,
    MovedOnError,
    NotFoundError,
)
from bot.workshop.jobs import OccupiedError
from bot.workshop.papers import PaperError
from bot.workshop.publications import StaleError

_KINDS: Final[tuple[tuple[type[CarelineError], int, str], ...]] = (
    (BadMessageError, 422, "bad_message"),
    (NotFoundError, 404, "not_found"),
    (ForbiddenError, 403, "forbidden"),
    (BusyError, 429, "busy"),
    (RefusedError, 409, "refused"),
    (MovedOnError, 409, "moved_on"),
    (StaleError, 409, "stale"),
    (OccupiedError, 409, "occupied"),
    (PaperError, 422, "unfit"),
    (CarelineError, 400, "bad_request"),
)
BUSY_HEADERS: Final = {"Retry-After": "2"}


def plain(text: str) -> str:
    """Return a text that every database takes; raise ValueError for one that some would not."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        message = "it holds characters that are no text"
        raise ValueError(message)
    return text


def status_and_code(error: CarelineError) -> tuple[int, str]:
    """Return the HTTP status and the code of an error of ours."""
    return next((status, code) for kind, status, code in _KINDS if isinstance(error, kind))


def fields(error: RequestValidationError) -> str:
    """Return what is wrong with a request, field by field."""
    return "; ".join(
        f"{'.'.join(map(str, e['loc'][1:])) or 'body'}: {e['msg']}" for e in error.errors()
    )


def answer(status: int, code: str, message: str) -> JSONResponse:
    """Return an error in the shape that every route promises."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)
