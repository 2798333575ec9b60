"""The routes of the workshop's texts: open, check, publish, look back, roll back.

Supervisors publish words: articles, drafts, templates, canned replies. The policy, which decides
where messages go, is for admins.
"""

import asyncio
from contextlib import suppress
from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from bot.authoring import draft_checks, editable_files
from bot.authoring.draft_checks import DraftReport
from bot.authoring.editable_files import MOST_CHARACTERS, FileKind
from bot.authoring.publications import Publication, difference
from bot.server.api_errors import RefusedRequestError
from bot.server.auth.access import StaffUser, at_least
from bot.server.service import Service
from bot.store.accounts import AccessLevel

router: Final = APIRouter(prefix="/api/workshop")
TheStaff = Annotated[StaffUser, Depends(at_least(AccessLevel.SUPERVISOR))]
ThePath = Annotated[str, Query(min_length=1, max_length=300)]
_HASH: Final = r"^([0-9a-f]{64})?$"


def service_of(request: Request) -> Service:
    """Return the service."""
    service: Service = request.app.state.service
    return service


TheService = Annotated[Service, Depends(service_of)]


class DraftText(BaseModel):
    """The new words of a text."""

    path: str = Field(min_length=1, max_length=300)
    text: str = Field(max_length=MOST_CHARACTERS)


class FileChange(BaseModel):
    """A change of a text as it was when `base`, its hash, was told; empty for a new one."""

    path: str = Field(min_length=1, max_length=300)
    base: str = Field("", pattern=_HASH)
    note: str = Field("", max_length=500)


class PublishRequest(FileChange):
    """New words to publish; `draft` names the draft they come from, which is then taken away."""

    text: str = Field(max_length=MOST_CHARACTERS)
    draft: str | None = Field(None, max_length=300)


class RollbackRequest(BaseModel):
    """Going back; `base` is the hash of the text as it is shown now."""

    base: str = Field(pattern=_HASH)
    note: str = Field("", max_length=500)


@router.get("/texts")
def texts(who: TheStaff, service: TheService) -> dict[str, Any]:
    """List the texts that may be changed here, and which of them the caller may publish."""
    return {
        "texts": [
            {"path": path, "kind": kind.value, "may_publish": _may(who, kind)}
            for path, kind in editable_files.listed(service.home.path)
        ]
    }


@router.get("/text")
def text(path: ThePath, who: TheStaff, service: TheService) -> dict[str, Any]:
    """Return a text; `sha256` goes back with its new words, empty where it is not there yet."""
    paper = editable_files.read(service.home.path, path)
    return {
        "path": paper.path,
        "kind": paper.kind.value,
        "text": paper.text or "",
        "sha256": paper.sha256,
        "may_publish": _may(who, paper.kind),
    }


@router.post("/check")
def check(body: DraftText, who: TheStaff, service: TheService) -> dict[str, Any]:
    """Say what is wrong with new words, what they change, and how an article would be cut."""
    del who
    home = service.home
    paper = editable_files.read(home.path, body.path)
    found = draft_checks.check(home.path, home.labels(), paper, body.text)
    return {**_checked(found), "difference": difference(paper.text, body.text, paper.path)}


@router.post("/publish", status_code=201)
async def publish(body: PublishRequest, who: TheStaff, service: TheService) -> Response:
    """Publish new words: they are checked, kept with those before them, written and served."""
    return await asyncio.to_thread(_publish, body, who, service)


def _publish(body: PublishRequest, who: StaffUser, service: Service) -> Response:
    home = service.home
    paper = editable_files.read(home.path, body.path)
    _check_may(who, paper.kind)
    service.publications.check_base(paper, body.base)  # said first: the rest may be old news
    found = draft_checks.check(home.path, home.labels(), paper, body.text)
    if not found.is_fit and paper.kind is not FileKind.DRAFT:
        return _unfit(found)
    given = {"base": body.base, "who": who.author(), "note": body.note}
    made = service.publications.publish(body.path, body.text, **given)
    if body.draft and paper.kind is FileKind.ARTICLE:
        draft = editable_files.read(home.path, body.draft)
        if draft.kind is FileKind.DRAFT and draft.text is not None:
            note = f"published as {body.path}"
            service.publications.publish(
                draft.path, None, base=draft.sha256, who=who.author(), note=note
            )
    _make_live(service, paper.kind, who)
    answer = {"publication": asdict(made), **_checked(found)}
    return JSONResponse(answer, status_code=201)


@router.post("/remove", status_code=201)
def remove(body: FileChange, who: TheStaff, service: TheService) -> dict[str, Any]:
    """Take an article or a draft away; its words are kept with the publication."""
    kind = editable_files.kind_of(body.path)
    _check_may(who, kind)
    if kind not in {FileKind.ARTICLE, FileKind.DRAFT}:
        message = f"{body.path} belongs to every home: empty it instead"
        raise RefusedRequestError(409, message, "belongs_to_home", path=body.path)
    made = service.publications.publish(
        body.path, None, base=body.base, who=who.author(), note=body.note
    )
    _make_live(service, kind, who)
    return {"publication": asdict(made)}


@router.get("/publications")
def publications(
    who: TheStaff,
    service: TheService,
    path: Annotated[str | None, Query(max_length=300)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> dict[str, Any]:
    """List what was published, the latest first."""
    del who
    return {"publications": [asdict(one) for one in service.publications.list(path, limit)]}


@router.get("/publications/{identifier}")
def publication(identifier: str, who: TheStaff, service: TheService) -> dict[str, Any]:
    """Return a publication with what it changed."""
    del who
    found = service.publications.get(identifier)
    before, after = service.publications.texts(identifier)
    return {
        "publication": asdict(found),
        "difference": difference(before, after, found.path),
        "before": before,
        "after": after,
    }


@router.post("/publications/{identifier}/rollback", status_code=201)
async def rollback(
    identifier: str, body: RollbackRequest, who: TheStaff, service: TheService
) -> Response:
    """Bring a text back to how it was before a publication; that is checked and kept as well."""
    return await asyncio.to_thread(_rollback, identifier, body, who, service)


def _rollback(identifier: str, body: RollbackRequest, who: StaffUser, service: Service) -> Response:
    home = service.home
    found = service.publications.get(identifier)
    paper = editable_files.read(home.path, found.path)
    _check_may(who, paper.kind)
    before = service.publications.texts(identifier)[0]
    if before is not None:
        checked = draft_checks.check(home.path, home.labels(), paper, before)
        if not checked.is_fit and paper.kind is not FileKind.DRAFT:
            return _unfit(checked)
    given = {"base": body.base, "who": who.author(), "note": body.note}
    made: Publication = service.publications.rollback(identifier, **given)
    _make_live(service, paper.kind, who)
    return JSONResponse({"publication": asdict(made)}, status_code=201)


def _make_live(service: Service, kind: FileKind, who: StaffUser) -> None:
    """See to it that what was published is served; texts and rules are found by themselves."""
    if kind is FileKind.ARTICLE:
        service.jobs.demand(who.author())
        with suppress(OSError):  # no process to be had: the clock tries again
            service.jobs.start_due()


def _may(who: StaffUser, kind: FileKind) -> bool:
    return who.level.covers(
        AccessLevel.ADMIN if kind is FileKind.POLICY else AccessLevel.SUPERVISOR
    )


def _check_may(who: StaffUser, kind: FileKind) -> None:
    if not _may(who, kind):
        raise RefusedRequestError(403, "the policy is published by the role admin", "policy_role")


def _checked(found: DraftReport) -> dict[str, Any]:
    return {
        "fit": found.is_fit,
        "problems": [
            {
                "message": one.message,
                "line": one.line,
                "severity": "error" if one.is_error else "warning",
                "reason": one.reason,
                "facts": dict(one.facts),
            }
            for one in found.problems
        ],
        "passages": [
            {"heading": one.heading, "text": one.text, "start": one.start, "end": one.end}
            for one in found.passages
        ],
    }


def _unfit(found: DraftReport) -> Response:
    """Refuse a draft, and say in one line and one by one what is to be mended."""
    errors = [one for one in found.problems if one.is_error]
    lines = [f"line {one.line}: {one.message}" if one.line else one.message for one in errors]
    told = {"code": "unfit", "message": "; ".join(lines[:5])}
    return JSONResponse({"error": told, **_checked(found)}, status_code=422)
