"""Routes for operators: health, readiness, metrics, the list of conversations."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field

from bot.server.auth.access import at_least
from bot.server.dependencies import TheService
from bot.store.accounts import AccessLevel

router: Final = APIRouter()
_STAFF: Final = [Depends(at_least(AccessLevel.AGENT))]


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """Return that the process is alive."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(service: TheService) -> Response:
    """Return whether the process serves the active versions on a migrated database."""
    problems = service.serving.problems()
    served = service.assistant.served_by()
    body = {
        "status": "not ready" if problems else "ready",
        "problems": problems,
        "versions": {"model": served.model, "knowledge": served.knowledge},
    }
    return JSONResponse(body, status_code=503 if problems else 200)


@router.get("/metrics")
def metrics() -> Response:
    """Return the metrics in Prometheus's text format."""
    return PlainTextResponse(generate_latest(), media_type=CONTENT_TYPE_LATEST)


class ExplainRequest(BaseModel):
    """A text to explain."""

    text: str = Field(min_length=1, max_length=4000)


@router.post("/api/explain", dependencies=_STAFF)
def explain(body: ExplainRequest, service: TheService) -> dict[str, Any]:
    """Explain the classification of a text; for staff.

    It shows training examples, which customers must not see.
    """
    explanation = service.assistant.components.understander.explain(body.text)
    return {"explanation": explanation.as_json() if explanation else None}


@router.get("/api/conversations", dependencies=_STAFF)
def conversations(
    service: TheService,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """List the most recent conversations; for staff."""
    return {"conversations": service.reader.conversations(limit)}
