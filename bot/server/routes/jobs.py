"""Routes of the workshop's jobs, versions and uploaded files."""

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
from bot.server.dependencies import TheService
from bot.store.accounts import AccessLevel
from bot.store.version_catalog import version_json

FILES: Final = "/api/workshop/files"
router: Final = APIRouter(prefix="/api/workshop")
Reader = Annotated[StaffUser, Depends(at_least(AccessLevel.SUPERVISOR))]
Builder = Annotated[StaffUser, Depends(at_least(AccessLevel.ADMIN))]


class JobRequest(BaseModel):
    """A job to start; `method` is for training: `head` takes minutes, the others hours."""

    task: JobTask
    method: Literal["head", "full", "lora"] = "head"


class UploadedFile(BaseModel):
    """A file of the home."""

    path: str = Field(min_length=1, max_length=300)


@router.get("/status")
def status(staff: Reader, service: TheService) -> dict[str, Any]:
    """Return the versions of the home, the active ones, and the running job."""
    home, served = service.home, service.assistant.served_by()
    jobs = service.jobs.list()
    model, knowledge = home.models.current_id(), home.knowledge_versions.current_id()
    return {
        "role": staff.level.value,
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
    staff: Reader,
    service: TheService,
    kind: Literal["models", "knowledge", "templates", "policy"] | None = None,
) -> dict[str, Any]:
    """List versions, oldest first."""
    del staff
    return {"versions": service.home.catalog.rows(kind)}


@router.get("/versions/{identifier}")
def version(identifier: str, staff: Reader, service: TheService) -> dict[str, Any]:
    """Return a version with its build, training curve and changed articles."""
    del staff
    return service.home.catalog.details(identifier)


@router.post("/versions/{identifier}/activate")
def activate(identifier: str, staff: Builder, service: TheService) -> dict[str, Any]:
    """Activate a version in every process."""
    del staff
    return version_json(service.home.catalog.activate(identifier), active=True)


@router.post("/versions/{kind}/rollback")
def rollback(kind: str, staff: Builder, service: TheService) -> dict[str, Any]:
    """Activate the version before the active one, of `models` or `knowledge`."""
    del staff
    return version_json(service.home.catalog.rollback(kind), active=True)


@router.get("/jobs")
def jobs(staff: Reader, service: TheService) -> dict[str, Any]:
    """List running and recent jobs, latest first."""
    del staff
    return {"jobs": [_job(job) for job in service.jobs.list()]}


@router.post("/jobs", status_code=202)
def begin(body: JobRequest, staff: Builder, service: TheService) -> dict[str, Any]:
    """Start a check of the dialogs, a training or an ingestion; one job runs at a time."""
    options = {"method": body.method} if body.task is JobTask.TRAIN else {}
    return _job(service.jobs.start(body.task, staff.author(), **options))


@router.get("/jobs/{identifier}")
def job(identifier: str, staff: Reader, service: TheService) -> dict[str, Any]:
    """Return the progress or the result of a job."""
    del staff
    return _job(service.jobs.get(identifier))


@router.post("/jobs/{identifier}/stop", status_code=202)
def stop(identifier: str, staff: Builder, service: TheService) -> dict[str, Any]:
    """Stop a job; the active versions keep serving."""
    del staff
    return _job(service.jobs.stop(identifier))


@router.get("/files")
def files(staff: Reader, service: TheService) -> dict[str, Any]:
    """List the source files of the home: articles and dialogs."""
    del staff
    return uploads.list_files(service.home.path)


@router.post("/files", status_code=201)
async def send(
    request: Request,
    staff: Builder,
    service: TheService,
    to: uploads.UploadFolder,
    name: Annotated[str, Query(min_length=1, max_length=100)],
) -> dict[str, Any]:
    """Upload a file, the body of the request, into the home, if all of it is valid."""
    del staff
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="careline-sent-"))
    try:
        source = folder / ("sent" + "".join(PurePosixPath(name).suffixes[-2:]))
        await _receive(request, source)
        return await asyncio.to_thread(uploads.store, service.home.path, to, name, source)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _receive(request: Request, target: Path) -> None:
    """Write a body to a file in pieces; raise 413 if it is too large."""
    size = 0
    with target.open("wb") as file:
        async for piece in request.stream():
            size += len(piece)
            if size > uploads.MAX_BYTES:
                most = uploads.MAX_BYTES // 2**20
                message = f"the file is larger than {most} MiB: split it"
                raise RefusedRequestError(413, message, "file_too_large", most=most)
            await asyncio.to_thread(file.write, piece)
    if not size:
        raise RefusedRequestError(422, "the file is empty: choose another", "empty_file")


@router.post("/files/remove")
def discard(body: UploadedFile, staff: Builder, service: TheService) -> dict[str, Any]:
    """Delete a file of `dialogs/` or `kb/` permanently."""
    del staff
    uploads.remove(service.home.path, body.path)
    return {"path": body.path}


def _job(job: AuthoringJob) -> dict[str, Any]:
    values = asdict(job)
    del values["pid"]
    return values
