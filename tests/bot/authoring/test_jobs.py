"""Long work: one piece at a time, in a process whose end is always told."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.authoring.jobs import AuthoringJob, JobRunningError, JobState, JobStore, JobTask
from bot.core.types import NotFoundError


@pytest.fixture
def jobs(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path)


def until(jobs: JobStore, identifier: str, holds: Callable[[AuthoringJob], bool]) -> AuthoringJob:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        job = jobs.get(identifier)
        if holds(job):
            return job
        time.sleep(0.05)
    raise AssertionError(job)


def works_as(monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Let jobs be done by a few lines in a process of their own."""
    import subprocess

    started = subprocess.Popen

    def run(command: list[str], **options: object) -> object:
        code = f"import sys, time, os\nhome, job = sys.argv[1:3]\n{body}"
        return started([command[0], "-c", code, *command[3:]], **options)  # type: ignore[call-overload]

    monkeypatch.setattr("bot.authoring.jobs.subprocess.Popen", run)


def test_nothing_is_done_in_a_new_home(jobs: JobStore) -> None:
    assert (jobs.list(), jobs.is_running(), jobs.is_due()) == ([], False, False)
    assert jobs.start_due() is None
    with pytest.raises(NotFoundError):
        jobs.get("j-1")


def test_one_thing_is_done_at_a_time_by_whatever_process(
    jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    works_as(monkeypatch, "time.sleep(60)")
    job = jobs.start(JobTask.TRAIN, "ann", method="head")
    other = JobStore(jobs.home)
    with pytest.raises(JobRunningError, match="wait for its end"):
        other.start(JobTask.INGEST, "bo")
    other.demand("bo")
    assert (other.start_due(), other.is_due()) == (None, True)
    found = other.get(job.id)
    assert (found.state, found.who, found.options) == (JobState.RUNNING, "ann", {"method": "head"})
    with pytest.raises(JobRunningError, match="not begun"):
        other.stop(job.id)  # the worker has not said which process it is
    (process,) = [p for p in Path("/proc").iterdir() if job.id in _command(p)]
    jobs.write(AuthoringJob(**{**vars(found), "pid": int(process.name)}))
    other.stop(job.id)
    ended = until(jobs, job.id, lambda one: one.state is not JobState.RUNNING)
    assert ended.state is JobState.FAILED  # this worker noted nothing
    assert "ended without a word" in str(ended.error)


def _command(process: Path) -> str:
    try:
        return (process / "cmdline").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def test_a_worker_that_dies_is_told_with_its_last_words(
    jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    works_as(monkeypatch, "print('out of memory', flush=True); os.kill(os.getpid(), 9)")
    job = jobs.start(JobTask.INGEST, "ann")
    ended = until(jobs, job.id, lambda one: one.state is not JobState.RUNNING)
    assert (ended.state, jobs.is_running()) == (JobState.FAILED, False)
    assert "out of memory" in str(ended.error)
    assert (ended.reason, ended.facts) == ("died", {"said": "out of memory"})


def test_old_jobs_are_forgotten(jobs: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        folder = jobs.folder / f"j-20200101-0000{number:02}-aaaa"
        folder.mkdir(parents=True)
    works_as(monkeypatch, "")
    job = jobs.start(JobTask.CHECK, "ann")
    assert len(list(jobs.folder.glob("j-*"))) == 20
    until(jobs, job.id, lambda one: one.state is JobState.FAILED)


OURS = """
from pathlib import Path
from bot.authoring.jobs import JobTask
from bot.server.background import job_worker
from knowledge_base import progress
def work(home, us):
{body}
job_worker._TASKS[JobTask.CHECK] = work
job_worker.main(Path(home), job)
"""


def test_a_job_that_is_stopped_says_so_and_how_far_it_was(
    jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = "progress.track(range(3), 'encoding', 3, shown=False)"
    steps = f"    for _ in {track}: pass\n    time.sleep(60)"
    works_as(monkeypatch, OURS.format(body=steps))
    job = jobs.start(JobTask.CHECK, "ann")
    found = until(jobs, job.id, lambda one: one.done == 3)
    assert (found.step, found.total, found.state) == ("encoding", 3, JobState.RUNNING)
    jobs.stop(job.id)
    ended = until(jobs, job.id, lambda one: one.state is not JobState.RUNNING)
    assert (ended.state, ended.error) == (JobState.STOPPED, None)
    with pytest.raises(JobRunningError, match="not in work"):
        jobs.stop(job.id)


def test_a_fault_of_ours_is_told_and_logged(
    jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    works_as(monkeypatch, OURS.format(body="    raise ValueError('odd')"))
    job = jobs.start(JobTask.CHECK, "ann")
    ended = until(jobs, job.id, lambda one: one.state is not JobState.RUNNING)
    assert (ended.state, ended.error) == (JobState.FAILED, "ValueError: odd")
    log = (jobs.folder / job.id / "log").read_text(encoding="utf-8")
    assert "Traceback" in log


def test_a_job_that_cannot_be_done_says_why(jobs: JobStore) -> None:
    job = jobs.start(JobTask.TRAIN, "ann")
    ended = until(jobs, job.id, lambda one: one.state is not JobState.RUNNING)
    assert ended.state is JobState.FAILED
    assert "put labelled texts or transcripts there" in str(ended.error)
    assert ended.reason == "nothing_to_train_on"
    assert ended.ended
