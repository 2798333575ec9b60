"""The process that runs one job of a home, started as a module with HOME and JOB."""

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
from knowledge_base import progress
from knowledge_base.documents import KnowledgeError

_EVERY_SECONDS: Final = 0.4  # between two notes of the progress
_POLITENESS: Final = 5  # replies come before building
_SHOWN: Final = 50  # findings, and files that could not be read


class _StopError(BaseException):
    """The job is to end; no library shall take it for a failure of its own."""


class Worker:
    """Does one job and notes how far it is."""

    def __init__(self, jobs: JobStore, job: AuthoringJob) -> None:
        """Take a job over."""
        self._jobs = jobs
        self._job = job
        self._noted = 0.0

    def run(self) -> None:
        """Do the job; whatever happens, how it ended is noted."""
        try:
            self._note(pid=os.getpid())
            with progress.report_to(self._progress):
                home = Home(Settings.load(self._jobs.home))
                result = _TASKS[self._job.task](home, self)
            self._end(JobState.DONE, result=result)
        except _StopError:
            self._end(JobState.STOPPED)
        except (CarelineError, KnowledgeError) as error:
            told = {"error": str(error), "reason": error.reason, "facts": dict(error.facts)}
            self._end(JobState.FAILED, **told)
        except OSError as error:
            self._end(JobState.FAILED, error=str(error))
        except Exception as error:  # noqa: BLE001 — told to who began it, and to the log
            traceback.print_exc()
            self._end(JobState.FAILED, error=f"{type(error).__name__}: {error}")

    def step(self, name: str) -> None:
        """Begin a step that cannot be counted."""
        self._note(step=name, done=0, total=0)

    @property
    def options(self) -> dict[str, str]:
        """What the job was told."""
        return self._job.options

    def settle(self) -> None:
        """Forget that articles wait to be ingested: what lies there is read after this."""
        self._jobs.settle()

    def _progress(self, name: str, done: int, total: int) -> None:
        if done < total and time.monotonic() < self._noted + _EVERY_SECONDS:
            return
        self._noted = time.monotonic()
        self._note(step=name, done=done, total=total)

    def _note(self, **changes: Any) -> None:
        self._job = replace(self._job, **changes)
        self._jobs.write(self._job)

    def _end(self, state: JobState, **changes: Any) -> None:
        ended = datetime.now(UTC).isoformat(timespec="seconds")
        self._note(state=state, ended=ended, **changes)


def _ingest(home: Home, worker: Worker) -> dict[str, Any]:
    from bot.container import build

    worker.settle()
    worker.step("reading")
    done = build.ingest_again(home)
    return {
        "version": done.version.id,
        "documents": done.documents,
        "passages": done.chunks,
        "added": done.added,
        "changed": done.changed,
        "removed": done.removed,
        "failed": [asdict(failure) for failure in done.failed[:_SHOWN]],
        "seconds": done.seconds,
    }


def _train(home: Home, worker: Worker) -> dict[str, Any]:
    from bot.container import build

    worker.step("reading")
    method = worker.options.get("method", "head")
    done = build.train(home, method=method)  # type: ignore[arg-type]
    return {
        "version": done.version.id,
        "method": method,
        "examples": done.examples,
        "intents": done.intents,
        "accuracy": done.validation["accuracy"],
        "promise": done.calibration.missing,
        "seconds": done.seconds,
    }


def _check(home: Home, worker: Worker) -> dict[str, Any]:
    from bot.training import data_lint, data_lint_report, data_lint_rows, datasets

    worker.step("reading")
    files = datasets.training_files(home.path / "dialogs")
    rows = data_lint_rows.read(files)
    chosen = data_lint.usable_rows(rows)
    judged = None
    if chosen:
        examples = [rows[i].example for i in chosen]
        vectors = home.encoder().queries([example.input for example in examples])
        worker.step("judging")
        judged = data_lint.predict_out_of_fold(examples, vectors)
    findings = data_lint.examine(rows, judged, chosen or ())
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


def main(home: Path, identifier: str) -> None:
    """Do a job that was started."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    signal.signal(signal.SIGTERM, _stop)
    os.nice(_POLITENESS)
    jobs = JobStore(home)
    Worker(jobs, jobs.get(identifier)).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
