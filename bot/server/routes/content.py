"""Routes of the workshop's texts: open, check, publish, list, roll back.

Supervisors publish articles, drafts, templates and canned replies. Only admins publish the policy,
which decides where messages go.
"""

import asyncio
from contextlib import suppress
from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from bot.authoring import draft_checks, editable_files
from bot.authoring.draft_checks import DraftReport
from bot.authoring.editable_files import MAX_CHARACTERS, FileKind
from bot.authoring.publications import Publication, difference
from bot.server.api_errors import RefusedRequestError
from bot.server.auth.access import StaffUser, at_least
from bot.server.dependencies import TheService
from bot.server.service import Service
from bot.store.accounts import AccessLevel

router: Final = APIRouter(prefix="/api/workshop")
TheStaff = Annotated[StaffUser, Depends(at_least(AccessLevel.SUPERVISOR))]
ThePath = Annotated[str, Query(min_length=1, max_length=300)]
_HASH: Final = r"^([0-9a-f]{64})?$"


class DraftText(BaseModel):
    """The new content of a text."""

    path: str = Field(min_length=1, max_length=300)
    text: str = Field(max_length=MAX_CHARACTERS)


class FileChange(BaseModel):
    """A change of a text; `base` is the hash of its known state, empty for a new text."""

    path: str = Field(min_length=1, max_length=300)
    base: str = Field("", pattern=_HASH)
    note: str = Field("", max_length=500)


class PublishRequest(FileChange):
    """New content to publish; `draft` names the draft it comes from, which is removed."""

    text: str = Field(max_length=MAX_CHARACTERS)
    draft: str | None = Field(None, max_length=300)


class RollbackRequest(BaseModel):
    """A rollback; `base` is the hash of the text as displayed now."""

    base: str = Field(pattern=_HASH)
    note: str = Field("", max_length=500)


@router.get("/texts")
def texts(staff: TheStaff, service: TheService) -> dict[str, Any]:
    """List the editable texts, and which of them the caller may publish."""
    return {
        "texts": [
            {"path": path, "kind": kind.value, "may_publish": _may(staff, kind)}
            for path, kind in editable_files.list_files(service.home.path)
        ]
    }


@router.get("/text")
def text(path: ThePath, staff: TheStaff, service: TheService) -> dict[str, Any]:
    """Return a text; send `sha256` back with the new content. It is empty for a new text."""
    file = editable_files.read(service.home.path, path)
    return {
        "path": file.path,
        "kind": file.kind.value,
        "text": file.text or "",
        "sha256": file.sha256,
        "may_publish": _may(staff, file.kind),
    }


@router.post("/check")
def check(body: DraftText, staff: TheStaff, service: TheService) -> dict[str, Any]:
    """Return the issues of new content, its difference, and an article's passages."""
    del staff
    home = service.home
    file = editable_files.read(home.path, body.path)
    report = draft_checks.check(home.path, home.labels(), file, body.text)
    return {**_report_json(report), "difference": difference(file.text, body.text, file.path)}


@router.post("/publish", status_code=201)
async def publish(body: PublishRequest, staff: TheStaff, service: TheService) -> Response:
    """Check and publish new content; the old content is stored with the publication."""
    return await asyncio.to_thread(_publish, body, staff, service)


def _publish(body: PublishRequest, staff: StaffUser, service: Service) -> Response:
    home = service.home
    file = editable_files.read(home.path, body.path)
    _check_may(staff, file.kind)
    service.publications.check_base(file, body.base)  # first, because other issues may be outdated
    report = draft_checks.check(home.path, home.labels(), file, body.text)
    if not report.is_fit and file.kind is not FileKind.DRAFT:
        return _refuse(report)
    details = {"base": body.base, "author": staff.author(), "note": body.note}
    publication = service.publications.publish(body.path, body.text, **details)
    if body.draft and file.kind is FileKind.ARTICLE:
        draft = editable_files.read(home.path, body.draft)
        if draft.kind is FileKind.DRAFT and draft.text is not None:
            note = f"published as {body.path}"
            service.publications.publish(
                draft.path, None, base=draft.sha256, author=staff.author(), note=note
            )
    _make_live(service, file.kind, staff)
    answer = {"publication": asdict(publication), **_report_json(report)}
    return JSONResponse(answer, status_code=201)


@router.post("/remove", status_code=201)
def remove(body: FileChange, staff: TheStaff, service: TheService) -> dict[str, Any]:
    """Remove an article or a draft; its content is stored with the publication."""
    kind = editable_files.kind_of(body.path)
    _check_may(staff, kind)
    if kind not in {FileKind.ARTICLE, FileKind.DRAFT}:
        message = f"{body.path} cannot be removed: publish it empty instead"
        raise RefusedRequestError(409, message, "belongs_to_home", path=body.path)
    publication = service.publications.publish(
        body.path, None, base=body.base, author=staff.author(), note=body.note
    )
    _make_live(service, kind, staff)
    return {"publication": asdict(publication)}


@router.get("/publications")
def publications(
    staff: TheStaff,
    service: TheService,
    path: Annotated[str | None, Query(max_length=300)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """List the publications, latest first."""
    del staff
    return {"publications": [asdict(item) for item in service.publications.list(path, limit)]}


@router.get("/publications/{identifier}")
def publication(identifier: str, staff: TheStaff, service: TheService) -> dict[str, Any]:
    """Return a publication with its difference."""
    del staff
    item = service.publications.get(identifier)
    before, after = service.publications.texts(identifier)
    return {
        "publication": asdict(item),
        "difference": difference(before, after, item.path),
        "before": before,
        "after": after,
    }


@router.post("/publications/{identifier}/rollback", status_code=201)
async def rollback(
    identifier: str, body: RollbackRequest, staff: TheStaff, service: TheService
) -> Response:
    """Restore a text to its state before a publication; this is checked and stored, too."""
    return await asyncio.to_thread(_rollback, identifier, body, staff, service)


def _rollback(
    identifier: str, body: RollbackRequest, staff: StaffUser, service: Service
) -> Response:
    home = service.home
    target = service.publications.get(identifier)
    file = editable_files.read(home.path, target.path)
    _check_may(staff, file.kind)
    before = service.publications.texts(identifier)[0]
    if before is not None:
        checked = draft_checks.check(home.path, home.labels(), file, before)
        if not checked.is_fit and file.kind is not FileKind.DRAFT:
            return _refuse(checked)
    details = {"base": body.base, "author": staff.author(), "note": body.note}
    publication: Publication = service.publications.rollback(identifier, **details)
    _make_live(service, file.kind, staff)
    return JSONResponse({"publication": asdict(publication)}, status_code=201)


def _make_live(service: Service, kind: FileKind, staff: StaffUser) -> None:
    """Trigger the ingestion for articles; texts and rules are reloaded automatically."""
    if kind is FileKind.ARTICLE:
        service.jobs.request_ingestion(staff.author())
        with suppress(OSError):  # no process could start: the scheduler tries again
            service.jobs.start_due()


def _may(staff: StaffUser, kind: FileKind) -> bool:
    return staff.level.covers(
        AccessLevel.ADMIN if kind is FileKind.POLICY else AccessLevel.SUPERVISOR
    )


def _check_may(staff: StaffUser, kind: FileKind) -> None:
    if not _may(staff, kind):
        raise RefusedRequestError(403, "only the role admin may publish the policy", "policy_role")


def _report_json(report: DraftReport) -> dict[str, Any]:
    return {
        "fit": report.is_fit,
        "problems": [
            {
                "message": issue.message,
                "line": issue.line,
                "severity": "error" if issue.is_error else "warning",
                "reason": issue.reason,
                "facts": dict(issue.facts),
            }
            for issue in report.problems
        ],
        "passages": [
            {"heading": p.heading, "text": p.text, "start": p.start, "end": p.end}
            for p in report.passages
        ],
    }


def _refuse(report: DraftReport) -> Response:
    """Return the refusal of a draft, with its errors in one line and as a list."""
    errors = [issue for issue in report.problems if issue.is_error]
    lines = [f"line {e.line}: {e.message}" if e.line else e.message for e in errors]
    error = {"code": "unfit", "message": "; ".join(lines[:5])}
    return JSONResponse({"error": error, **_report_json(report)}, status_code=422)
