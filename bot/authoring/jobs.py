"""Long work on a home, one piece at a time: started here, done in a process of its own.

What became of it stands in files of the home, so that every process that serves it knows, also
after a restart. A lock that the working process holds tells whether work goes on: it is let go of
however that process ends.
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
_WORKER: Final = "bot.server.background.job_worker"  # a program of its own, not an import
_KEPT: Final = 20
_TAIL: Final = 1500  # characters of a log that are shown
_PATIENCE_SECONDS: Final = 1.0  # for readers, who hold the lock for a moment


class JobTask(StrEnum):
    """What can be done."""

    CHECK = "check"
    TRAIN = "train"
    INGEST = "ingest"


class JobState(StrEnum):
    """How far a job is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


class JobRunningError(CarelineError):
    """Something is being done already."""


@dataclass(frozen=True)
class AuthoringJob:
    """One piece of work; `done` of `total` counts the steps of what is named by `step`.

    `reason` and `facts` say its error once more, for pages in another language.
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
        """Look at a home; nothing is written before the first job."""
        self.home = home
        self.folder = home / content_snapshots.FOLDER / _FOLDER

    def start(self, task: JobTask, who: str, **options: str) -> AuthoringJob:
        """Begin a job; raise OccupiedError while another one is in work."""
        with self._lock() as lock:
            now = datetime.now(UTC)
            identifier = f"j-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
            job = AuthoringJob(
                identifier, task, who, now.isoformat(timespec="seconds"), options=options
            )
            self._sweep()
            (self.folder / identifier).mkdir()
            self.write(job)
            command = [sys.executable, "-m", _WORKER, str(self.home), identifier]
            with (self.folder / identifier / _LOG).open("wb") as log:
                process = subprocess.Popen(  # noqa: S603 — our own program
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(lock,),  # the lock is the worker's from here on
                    start_new_session=True,  # a stop of the server does not stop it
                )
        threading.Thread(target=process.wait, daemon=True, name="job").start()
        return job

    def is_running(self) -> bool:
        """Return whether something is being done."""
        try:
            with (self.folder / _LOCK).open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def list(self) -> list[AuthoringJob]:
        """Return the last jobs, the latest first."""
        running = self.is_running()  # first: what ends meanwhile is not taken for dead
        names = sorted((f.name for f in self.folder.glob("j-*")), reverse=True)
        found = [job for name in names if (job := self._read(name)) is not None]
        return [self._checked(job, running=running) for job in found]

    def get(self, identifier: str) -> AuthoringJob:
        """Return a job; raise NotFoundError for an id that is none."""
        for job in self.list():
            if job.id == identifier:
                return job
        message = f"there is no job {identifier[:64]}"
        raise NotFoundError(message)

    def stop(self, identifier: str) -> AuthoringJob:
        """End a job before its time; what was active stays active."""
        job = self.get(identifier)
        if job.state is not JobState.RUNNING or job.pid is None:
            if job.pid:
                message = f"{identifier} is not in work"
                raise JobRunningError(message, "not_in_work", job=identifier)
            message = "it has not begun: try again"
            raise JobRunningError(message, "not_begun")
        with suppress(ProcessLookupError):
            os.kill(job.pid, signal.SIGTERM)
        return job

    def write(self, job: AuthoringJob) -> None:
        """Keep how far a job is."""
        write_json(self.folder / job.id / _STATE, asdict(job))

    def demand(self, who: str) -> None:
        """Note that articles were changed: they are ingested as soon as nothing else is done."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / _DUE, {"who": who})

    def is_due(self) -> bool:
        """Return whether articles were changed that no ingestion has begun with."""
        return (self.folder / _DUE).exists()

    def settle(self) -> None:
        """Forget the demand: an ingestion begins, which reads what lies there now."""
        (self.folder / _DUE).unlink(missing_ok=True)

    def start_due(self) -> AuthoringJob | None:
        """Begin the ingestion that is due, where one is and nothing else is being done."""
        if self.is_running():
            return None
        try:
            who = json.loads((self.folder / _DUE).read_text(encoding="utf-8"))["who"]
            return self.start(JobTask.INGEST, who)
        except (FileNotFoundError, JobRunningError):
            return None

    def _read(self, identifier: str) -> AuthoringJob | None:
        try:
            raw = json.loads((self.folder / identifier / _STATE).read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return AuthoringJob(
            **{**raw, "task": JobTask(raw["task"]), "state": JobState(raw["state"])}
        )

    def _checked(self, job: AuthoringJob, *, running: bool) -> AuthoringJob:
        """Return a job as it is; one whose process is gone has failed."""
        if job.state is not JobState.RUNNING or running:
            return job
        again = self._read(job.id)  # it may have ended since it was read
        if again is None or again.state is not JobState.RUNNING:
            return again or job
        log = self.folder / job.id / _LOG
        said = log.read_text(encoding="utf-8", errors="replace").strip() if log.exists() else ""
        error = f"its process ended without a word: perhaps the memory ran out\n{said[-_TAIL:]}"
        facts: dict[str, str | int] = {"said": said[-_TAIL:]}
        return replace(job, state=JobState.FAILED, error=error.strip(), reason="died", facts=facts)

    def _sweep(self) -> None:
        for name in sorted(f.name for f in self.folder.glob("j-*"))[: -_KEPT + 1]:
            shutil.rmtree(self.folder / name, ignore_errors=True)

    @contextmanager
    def _lock(self) -> Iterator[int]:
        """Hold the lock of who works; raise OccupiedError where somebody does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with (self.folder / _LOCK).open("wb") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if self.is_running() and time.monotonic() > deadline:
                        message = "something is being done already: wait for its end, or stop it"
                        raise JobRunningError(message, "occupied") from error
                    time.sleep(0.02)
            yield lock.fileno()
