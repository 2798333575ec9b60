"""Routes of corrections: agents correct messages, and training reads the corrections."""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from bot.core.types import OUT_OF_SCOPE, Correction
from bot.server.api_errors import RefusedRequestError, plain
from bot.server.auth.access import at_least
from bot.server.dependencies import TheService
from bot.server.routes.console import TheStaff
from bot.server.service import Service
from bot.store.accounts import AccessLevel

router: Final = APIRouter(prefix="/api/desk")
_Words = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(plain)]
_TITLES: Final = {"en": "Out of scope", "zh": "超出范围"}


class CorrectionRequest(BaseModel):
    """The correct values: at least one of the three."""

    intent: _Words | None = Field(None, min_length=1, max_length=128)
    article: _Words | None = Field(None, min_length=1, max_length=512)
    answer: _Words | None = Field(None, min_length=1, max_length=20_000)

    @model_validator(mode="after")
    def _is_something(self) -> Self:
        if not self.values():
            message = "the correction is empty: give the right intent, article or answer"
            raise ValueError(message)
        return self

    def values(self) -> dict[Correction, str]:
        """Return the given values by kind."""
        pairs = ((kind, getattr(self, kind.value)) for kind in Correction)
        return {kind: value for kind, value in pairs if value}


@router.get("/intents")
def intents(staff: TheStaff, service: TheService) -> dict[str, Any]:
    """List the intents with their titles in both languages."""
    del staff
    return {"intents": [{"intent": name, **_titles(service, name)} for name in _labels(service)]}


def _labels(service: Service) -> list[str]:
    """Return the intents of the model and of the policy, which may route new intents."""
    parts = service.assistant.components
    version = parts.model_version
    trained = service.home.models.open(version).details["labels"] if version else ()
    names = {*map(str, trained), *parts.policy.content.routes} - {OUT_OF_SCOPE}
    return [*sorted(names), OUT_OF_SCOPE]


def _titles(service: Service, intent: str) -> dict[str, str]:
    if intent == OUT_OF_SCOPE:
        return dict(_TITLES)
    templates = service.assistant.components.templates
    return {language: templates.title(intent, language) for language in ("en", "zh")}


@router.get("/messages/{message}/corrections")
def known(message: str, staff: TheStaff, service: TheService) -> dict[str, Any]:
    """Return the corrections of a message, by its id or that of its reply."""
    del staff
    return service.corrections.of_message(message)


@router.post("/messages/{message}/corrections", status_code=201)
def correct(
    message: str, body: CorrectionRequest, staff: TheStaff, service: TheService
) -> dict[str, Any]:
    """Store the correct values; the last one of a kind counts."""
    if body.intent and body.intent not in _labels(service):
        message = f"there is no intent {body.intent}: choose one from the list"
        raise RefusedRequestError(422, message, "no_such_intent", intent=body.intent)
    if body.article:
        service.serving.article(body.article)
    return service.corrections.correct(message, staff.author(), body.values())


@router.get("/corrections.jsonl", dependencies=[Depends(at_least(AccessLevel.SUPERVISOR))])
def export(service: TheService) -> StreamingResponse:
    """Return the corrected conversations as transcripts for training, one per line."""

    def lines() -> Iterator[str]:
        for row in service.corrections.transcripts():
            yield json.dumps(row, ensure_ascii=False) + "\n"

    headers = {"Content-Disposition": 'attachment; filename="corrections.jsonl"'}
    return StreamingResponse(lines(), media_type="application/x-ndjson", headers=headers)
