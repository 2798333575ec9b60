"""The process that runs one job of a home, started as a module with HOME and JOB."""

import fcntl
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final

from bot.authoring.jobs import AuthoringJob, JobState, JobStore, JobTask
from bot.container import Home
from bot.core.settings import Settings
from bot.core.types import CarelineError
from bot.training.job import TrainingOptions
from knowledge_base import progress
from knowledge_base.documents import KnowledgeError

_EVERY_SECONDS: Final = 0.4  # between two progress updates
_NICENESS: Final = 5  # replies have priority over jobs
_MAX_FAILED: Final = 50  # reported files that could not be read


class _StopError(BaseException):
    """A request to stop; not an Exception, so that libraries do not catch it."""


class Worker:
    """Runs one job and records its progress."""

    def __init__(self, jobs: JobStore, job: AuthoringJob) -> None:
        """Store the job to run."""
        self._jobs = jobs
        self._job = job
        self._updated_at = 0.0

    def run(self) -> None:
        """Run the job and record how it ended."""
        try:
            self._update(pid=os.getpid())
            with progress.report_to(self._progress):
                home = Home(Settings.load(self._jobs.home))
                result = _TASKS[self._job.task](home, self)
            self._end(JobState.DONE, result=result)
        except _StopError:
            self._end(JobState.STOPPED)
        except (CarelineError, KnowledgeError) as error:
            details = {"error": str(error), "reason": error.reason, "facts": dict(error.facts)}
            self._end(JobState.FAILED, **details)
        except OSError as error:
            self._end(JobState.FAILED, error=str(error))
        except Exception as error:  # noqa: BLE001 — recorded in the job and printed
            traceback.print_exc()
            self._end(JobState.FAILED, error=f"{type(error).__name__}: {error}")

    def step(self, name: str) -> None:
        """Begin a step without a count."""
        self._update(step=name, done=0, total=0)

    @property
    def options(self) -> dict[str, str]:
        """The options of the job."""
        return self._job.options

    def settle(self) -> None:
        """Reset the mark of changed articles: the ingestion reads the present ones."""
        self._jobs.clear_request()

    def _progress(self, name: str, done: int, total: int) -> None:
        if done < total and time.monotonic() < self._updated_at + _EVERY_SECONDS:
            return
        self._updated_at = time.monotonic()
        self._update(step=name, done=done, total=total)

    def _update(self, **changes: Any) -> None:
        self._job = replace(self._job, **changes)
        self._jobs.write(self._job)

    def _end(self, state: JobState, **changes: Any) -> None:
        ended = datetime.now(UTC).isoformat(timespec="seconds")
        self._update(state=state, ended=ended, **changes)


def _ingest(home: Home, worker: Worker) -> dict[str, Any]:
    from bot.container import build

    worker.settle()
    worker.step("reading")
    report = build.ingest_again(home)
    return {
        "version": report.version.id,
        "documents": report.documents,
        "passages": report.chunks,
        "added": report.added,
        "changed": report.changed,
        "removed": report.removed,
        "failed": [asdict(failure) for failure in report.failed[:_MAX_FAILED]],
        "seconds": report.seconds,
    }


def _train(home: Home, worker: Worker) -> dict[str, Any]:
    from bot.container import build

    worker.step("reading")
    method = worker.options.get("method", "head")
    report = build.train(home, TrainingOptions(method))  # type: ignore[arg-type]
    return {
        "version": report.version.id,
        "method": method,
        "examples": report.examples,
        "intents": report.intents,
        "accuracy": report.validation["accuracy"],
        "promise": report.calibration.missing,
        "seconds": report.seconds,
    }


def _check(home: Home, worker: Worker) -> dict[str, Any]:
    from bot.training import data_lint, data_lint_report, data_lint_rows, datasets

    worker.step("reading")
    files = datasets.training_files(home.path / "dialogs")
    rows = data_lint_rows.read(files)
    judged_rows = data_lint.usable_rows(rows)
    judged = None
    if judged_rows:
        examples = [rows[i].example for i in judged_rows]
        vectors = home.encoder().queries([example.input for example in examples])
        worker.step("judging")
        judged = data_lint.predict_out_of_fold(examples, vectors)
    findings = data_lint.examine(rows, judged, judged_rows or ())
    counts = {kind.value: 0 for kind in data_lint.LintSeverity}
    for finding in findings:
        counts[finding.severity.value] += 1
    return {
        "examples": len(rows),
        "intents": len({row.intent for row in rows if row.intent}),
        "files": [path.name for path in files],
        "counts": counts,
        "report": data_lint_report.report(findings, rows, len(files)),
        "groups": data_lint_report.group_findings(findings, rows),
    }


_TASKS: Final[dict[JobTask, Callable[[Home, Worker], dict[str, Any]]]] = {
    JobTask.CHECK: _check,
    JobTask.TRAIN: _train,
    JobTask.INGEST: _ingest,
}


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise _StopError


def main(home: Path, identifier: str, lock: int) -> None:
    """Run a job that was started, and release its lock (a file descriptor)."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    signal.signal(signal.SIGTERM, _stop)
    os.nice(_NICENESS)
    jobs = JobStore(home)
    Worker(jobs, jobs.get(identifier)).run()
    fcntl.flock(lock, fcntl.LOCK_UN)  # the next job need not wait until this process has exited


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
