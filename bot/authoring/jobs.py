"""Long jobs on a home, one at a time, each in a process of its own.

The state of each job is in files of the home, so that every process that serves it can read them,
also after a restart. The job's process holds a file lock, which is released however it ends.
"""

import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from bot.core.types import CarelineError, NotFoundError
from bot.store import content_snapshots
from knowledge_base.atomic_files import write_json

_FOLDER: Final = "jobs"
_STATE, _LOG, _LOCK, _DUE = "state.json", "log", ".lock", ".due.json"
_WORKER: Final = "bot.server.background.job_worker"  # run as a program, not imported
_MAX_STORED: Final = 20
_LOG_TAIL: Final = 1500  # characters of a log that are shown
_PATIENCE_SECONDS: Final = 1.0  # for readers, which hold the lock for a moment


class JobTask(StrEnum):
    """The task of a job."""

    CHECK = "check"
    TRAIN = "train"
    INGEST = "ingest"


class JobState(StrEnum):
    """The state of a job."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


class JobRunningError(CarelineError):
    """Another job is running, or the job to stop is not."""


@dataclass(frozen=True)
class AuthoringJob:
    """A job; `done` of `total` is the progress of the current `step`.

    Pages translate its error by `reason` and `facts`.
    """

    id: str
    task: JobTask
    who: str
    started: str
    state: JobState = JobState.RUNNING
    step: str = "start"
    done: int = 0
    total: int = 0
    ended: str | None = None
    result: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    reason: str = ""
    facts: dict[str, str | int] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    pid: int | None = None


class JobStore:
    """The jobs of a home."""

    def __init__(self, home: Path) -> None:
        """Set the home; nothing is written before the first job."""
        self.home = home
        self.folder = home / content_snapshots.FOLDER / _FOLDER

    def start(self, task: JobTask, author: str, **options: str) -> AuthoringJob:
        """Start a job; raise JobRunningError while another one is running."""
        with self._lock() as lock:
            now = datetime.now(UTC)
            identifier = f"j-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
            started = now.isoformat(timespec="seconds")
            job = AuthoringJob(identifier, task, author, started, options=options)
            self._remove_old()
            (self.folder / identifier).mkdir()
            self.write(job)
            command = [sys.executable, "-m", _WORKER, str(self.home), identifier, str(lock)]
            with (self.folder / identifier / _LOG).open("wb") as log:
                process = subprocess.Popen(  # noqa: S603 — our own program
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(lock,),  # from here on, the worker holds the lock
                    start_new_session=True,  # it continues when the server is stopped
                )
        threading.Thread(target=process.wait, daemon=True, name="job").start()
        return job

    def is_running(self) -> bool:
        """Return whether a job is running."""
        try:
            with (self.folder / _LOCK).open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def list(self) -> list[AuthoringJob]:
        """Return the last jobs, latest first."""
        running = self.is_running()  # first, so that a job that ends now is not taken for dead
        names = sorted((f.name for f in self.folder.glob("j-*")), reverse=True)
        jobs = [job for name in names if (job := self._read(name)) is not None]
        return [self._checked(job, running=running) for job in jobs]

    def get(self, identifier: str) -> AuthoringJob:
        """Return a job; raise NotFoundError for an unknown id."""
        for job in self.list():
            if job.id == identifier:
                return job
        message = f"there is no job {identifier[:64]}"
        raise NotFoundError(message)

    def stop(self, identifier: str) -> AuthoringJob:
        """Stop a job; the active versions stay active."""
        job = self.get(identifier)
        if job.state is not JobState.RUNNING or job.pid is None:
            if job.pid:
                message = f"{identifier} is not running"
                raise JobRunningError(message, "not_in_work", job=identifier)
            message = "the job has not begun: try again"
            raise JobRunningError(message, "not_begun")
        with suppress(ProcessLookupError):
            os.kill(job.pid, signal.SIGTERM)
        return job

    def write(self, job: AuthoringJob) -> None:
        """Store the state of a job."""
        write_json(self.folder / job.id / _STATE, asdict(job))

    def request_ingestion(self, author: str) -> None:
        """Request an ingestion of changed articles, to start when no job is running."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / _DUE, {"who": author})

    def is_due(self) -> bool:
        """Return whether an ingestion is requested that has not begun."""
        return (self.folder / _DUE).exists()

    def clear_request(self) -> None:
        """Remove the request: the ingestion that begins reads the present articles."""
        (self.folder / _DUE).unlink(missing_ok=True)

    def start_due(self) -> AuthoringJob | None:
        """Start the requested ingestion, if there is one and no job is running."""
        if self.is_running():
            return None
        try:
            author = json.loads((self.folder / _DUE).read_text(encoding="utf-8"))["who"]
            return self.start(JobTask.INGEST, author)
        except (FileNotFoundError, JobRunningError):
            return None

    def _read(self, identifier: str) -> AuthoringJob | None:
        try:
            values = json.loads((self.folder / identifier / _STATE).read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        task, state = JobTask(values["task"]), JobState(values["state"])
        return AuthoringJob(**{**values, "task": task, "state": state})

    def _checked(self, job: AuthoringJob, *, running: bool) -> AuthoringJob:
        """Return a job, as failed if its process is gone."""
        if job.state is not JobState.RUNNING or running:
            return job
        current = self._read(job.id)  # it may have ended since it was read
        if current is None or current.state is not JobState.RUNNING:
            return current or job
        file = self.folder / job.id / _LOG
        log = file.read_text(encoding="utf-8", errors="replace").strip() if file.exists() else ""
        tail = log[-_LOG_TAIL:]
        error = f"its process ended unexpectedly: perhaps it ran out of memory\n{tail}"
        facts: dict[str, str | int] = {"said": tail}
        return replace(job, state=JobState.FAILED, error=error.strip(), reason="died", facts=facts)

    def _remove_old(self) -> None:
        for name in sorted(f.name for f in self.folder.glob("j-*"))[: -_MAX_STORED + 1]:
            shutil.rmtree(self.folder / name, ignore_errors=True)

    @contextmanager
    def _lock(self) -> Iterator[int]:
        """Hold the lock of the running job; raise JobRunningError if another process holds it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with (self.folder / _LOCK).open("wb") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if self.is_running() and time.monotonic() > deadline:
                        message = "another job is running: wait until it ends, or stop it"
                        raise JobRunningError(message, "occupied") from error
                    time.sleep(0.02)
            yield lock.fileno()
