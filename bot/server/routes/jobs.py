"""The routes of the workshop's long work: versions, files that are brought in, jobs."""

import asyncio
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from bot.authoring import uploads
from bot.authoring.jobs import AuthoringJob, JobTask
from bot.server.api_errors import RefusedRequestError
from bot.server.auth.access import StaffUser, at_least
from bot.server.routes.content import service_of
from bot.server.service import Service
from bot.store.accounts import AccessLevel
from bot.store.version_catalog import version_json

FILES: Final = "/api/workshop/files"
router: Final = APIRouter(prefix="/api/workshop")
TheService = Annotated[Service, Depends(service_of)]
Reader = Annotated[StaffUser, Depends(at_least(AccessLevel.SUPERVISOR))]
Builder = Annotated[StaffUser, Depends(at_least(AccessLevel.ADMIN))]


class JobRequest(BaseModel):
    """What shall be done; `method` is for training: `head` takes minutes, the others hours."""

    task: JobTask
    method: Literal["head", "full", "lora"] = "head"


class UploadedFile(BaseModel):
    """A file of the home."""

    path: str = Field(min_length=1, max_length=300)


@router.get("/status")
def status(who: Reader, service: TheService) -> dict[str, Any]:
    """Tell what the home has, what is served of it, and what is being done."""
    home, served = service.home, service.assistant.served_by()
    jobs = service.jobs.list()
    model, knowledge = home.models.current_id(), home.knowledge_versions.current_id()
    return {
        "role": who.level.value,
        "active": {"model": model, "knowledge": knowledge},
        "served": {
            "model": served.model,
            "knowledge": served.knowledge,
            "templates": served.templates,
            "policy": served.policy,
        },
        "first_run": model is None and knowledge is None,
        "job": _job(jobs[0]) if jobs else None,
        "due": service.jobs.is_due(),
    }


@router.get("/versions")
def versions(
    who: Reader,
    service: TheService,
    kind: Literal["models", "knowledge", "templates", "policy"] | None = None,
) -> dict[str, Any]:
    """List versions, oldest first."""
    del who
    return {"versions": service.home.catalog.rows(kind)}


@router.get("/versions/{identifier}")
def version(identifier: str, who: Reader, service: TheService) -> dict[str, Any]:
    """Return a version: how it was built, its training curve, the articles it changed."""
    del who
    return service.home.catalog.details(identifier)


@router.post("/versions/{identifier}/activate")
def activate(identifier: str, who: Builder, service: TheService) -> dict[str, Any]:
    """Make a version the one that serves, in a moment and in every process."""
    del who
    return version_json(service.home.catalog.activate(identifier), active=True)


@router.post("/versions/{kind}/rollback")
def rollback(kind: str, who: Builder, service: TheService) -> dict[str, Any]:
    """Go back to the version before the active one, of `models` or `knowledge`."""
    del who
    return version_json(service.home.catalog.rollback(kind), active=True)


@router.get("/jobs")
def jobs(who: Reader, service: TheService) -> dict[str, Any]:
    """List what is being done and what was done lately, the latest first."""
    del who
    return {"jobs": [_job(job) for job in service.jobs.list()]}


@router.post("/jobs", status_code=202)
def begin(body: JobRequest, who: Builder, service: TheService) -> dict[str, Any]:
    """Begin to check the dialogs, to train, or to ingest; one thing is done at a time."""
    options = {"method": body.method} if body.task is JobTask.TRAIN else {}
    return _job(service.jobs.start(body.task, who.author(), **options))


@router.get("/jobs/{identifier}")
def job(identifier: str, who: Reader, service: TheService) -> dict[str, Any]:
    """Tell how far a job is, or how it ended."""
    del who
    return _job(service.jobs.get(identifier))


@router.post("/jobs/{identifier}/stop", status_code=202)
def stop(identifier: str, who: Builder, service: TheService) -> dict[str, Any]:
    """End a job before its time; what serves goes on serving."""
    del who
    return _job(service.jobs.stop(identifier))


@router.get("/files")
def files(who: Reader, service: TheService) -> dict[str, Any]:
    """List the files that the home is built from: articles and dialogs."""
    del who
    return uploads.listed(service.home.path)


@router.post("/files", status_code=201)
async def send(
    request: Request,
    who: Builder,
    service: TheService,
    to: uploads.UploadFolder,
    name: Annotated[str, Query(min_length=1, max_length=100)],
) -> dict[str, Any]:
    """Bring a file, the body of the request, into the home, if all of it can be used."""
    del who
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="careline-sent-"))
    try:
        source = folder / ("sent" + "".join(PurePosixPath(name).suffixes[-2:]))
        await _receive(request, source)
        return await asyncio.to_thread(uploads.keep, service.home.path, to, name, source)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _receive(request: Request, target: Path) -> None:
    """Write a body into a file, piece by piece; raise 413 for one that is too large."""
    size = 0
    with target.open("wb") as file:
        async for piece in request.stream():
            size += len(piece)
            if size > uploads.MOST_BYTES:
                most = uploads.MOST_BYTES // 2**20
                message = f"the file is larger than {most} MiB: split it"
                raise RefusedRequestError(413, message, "file_too_large", most=most)
            await asyncio.to_thread(file.write, piece)
    if not size:
        raise RefusedRequestError(422, "the file is empty: choose another", "empty_file")


@router.post("/files/remove")
def discard(body: UploadedFile, who: Builder, service: TheService) -> dict[str, Any]:
    """Delete a file of `dialogs/` or `kb/` for good."""
    del who
    uploads.remove(service.home.path, body.path)
    return {"path": body.path}


def _job(job: AuthoringJob) -> dict[str, Any]:
    told = asdict(job)
    del told["pid"]
    return told
