"""Jobs: one at a time, each in a process of its own whose end is always reported."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.authoring.jobs import AuthoringJob, JobRunningError, JobState, JobStore, JobTask
from bot.core.types import NotFoundError


@pytest.fixture
def jobs(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path)


def wait_until(
    jobs: JobStore, identifier: str, condition: Callable[[AuthoringJob], bool]
) -> AuthoringJob:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        job = jobs.get(identifier)
        if condition(job):
            return job
        time.sleep(0.05)
    raise AssertionError(job)


def replace_worker(monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Run jobs by a few lines of code in a process of their own."""
    import subprocess

    popen = subprocess.Popen

    def run(command: list[str], **options: object) -> object:
        code = f"import sys, time, os\nhome, job, lock = sys.argv[1:4]\n{body}"
        return popen([command[0], "-c", code, *command[3:]], **options)  # type: ignore[call-overload]

    monkeypatch.setattr("bot.authoring.jobs.subprocess.Popen", run)


def test_a_new_home_has_no_jobs(jobs: JobStore) -> None:
    assert (jobs.list(), jobs.is_running(), jobs.is_due()) == ([], False, False)
    assert jobs.start_due() is None
    with pytest.raises(NotFoundError):
        jobs.get("j-1")


def test_one_job_runs_at_a_time_in_all_processes(
    jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_worker(monkeypatch, "time.sleep(60)")
    job = jobs.start(JobTask.TRAIN, "ann", method="head")
    other = JobStore(jobs.home)
    with pytest.raises(JobRunningError, match="wait until it ends"):
        other.start(JobTask.INGEST, "bo")
    other.request_ingestion("bo")
    assert (other.start_due(), other.is_due()) == (None, True)
    running = other.get(job.id)
    assert (running.state, running.who) == (JobState.RUNNING, "ann")
    assert running.options == {"method": "head"}
    with pytest.raises(JobRunningError, match="not begun"):
        other.stop(job.id)  # the worker has not written its process id
    (process,) = [p for p in Path("/proc").iterdir() if job.id in _command(p)]
    jobs.write(AuthoringJob(**{**vars(running), "pid": int(process.name)}))
    other.stop(job.id)
    ended = wait_until(jobs, job.id, lambda job: job.state is not JobState.RUNNING)
    assert ended.state is JobState.FAILED  # this worker does not record a stop
    assert "ended unexpectedly" in str(ended.error)


def _command(process: Path) -> str:
    try:
        return (process / "cmdline").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def test_the_failure_of_a_killed_worker_has_the_end_of_its_log(
    jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_worker(monkeypatch, "print('out of memory', flush=True); os.kill(os.getpid(), 9)")
    job = jobs.start(JobTask.INGEST, "ann")
    ended = wait_until(jobs, job.id, lambda job: job.state is not JobState.RUNNING)
    assert (ended.state, jobs.is_running()) == (JobState.FAILED, False)
    assert "out of memory" in str(ended.error)
    assert (ended.reason, ended.facts) == ("died", {"said": "out of memory"})


def test_old_jobs_are_removed(jobs: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        folder = jobs.folder / f"j-20200101-0000{number:02}-aaaa"
        folder.mkdir(parents=True)
    replace_worker(monkeypatch, "")
    job = jobs.start(JobTask.CHECK, "ann")
    assert len(list(jobs.folder.glob("j-*"))) == 20
    wait_until(jobs, job.id, lambda job: job.state is JobState.FAILED)


WORKER = """
from pathlib import Path
from bot.authoring.jobs import JobTask
from bot.server.background import job_worker
from knowledge_base import progress
def work(home, worker):
{body}
job_worker._TASKS[JobTask.CHECK] = work
job_worker.main(Path(home), job, int(lock))
"""


def test_the_next_job_need_not_wait_until_the_process_has_exited(
    jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_worker(monkeypatch, WORKER.format(body="    return {}") + "time.sleep(600)")
    first = jobs.start(JobTask.CHECK, "ann")
    ended = wait_until(jobs, first.id, lambda job: job.state is not JobState.RUNNING)
    assert ended.state is JobState.DONE
    second = jobs.start(JobTask.CHECK, "ann")
    for job in (first, second):
        pid = wait_until(jobs, job.id, lambda job: job.pid is not None).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)


def test_a_stopped_job_records_its_progress(
    jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = "progress.track(range(3), 'encoding', 3, shown=False)"
    steps = f"    for _ in {track}: pass\n    time.sleep(60)"
    replace_worker(monkeypatch, WORKER.format(body=steps))
    job = jobs.start(JobTask.CHECK, "ann")
    running = wait_until(jobs, job.id, lambda job: job.done == 3)
    assert (running.step, running.total, running.state) == ("encoding", 3, JobState.RUNNING)
    jobs.stop(job.id)
    ended = wait_until(jobs, job.id, lambda job: job.state is not JobState.RUNNING)
    assert (ended.state, ended.error) == (JobState.STOPPED, None)
    with pytest.raises(JobRunningError, match="not running"):
        jobs.stop(job.id)


def test_an_unexpected_error_is_recorded_and_logged(
    jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_worker(monkeypatch, WORKER.format(body="    raise ValueError('odd')"))
    job = jobs.start(JobTask.CHECK, "ann")
    ended = wait_until(jobs, job.id, lambda job: job.state is not JobState.RUNNING)
    assert (ended.state, ended.error) == (JobState.FAILED, "ValueError: odd")
    log = (jobs.folder / job.id / "log").read_text(encoding="utf-8")
    assert "Traceback" in log


def test_a_job_that_fails_records_the_reason(jobs: JobStore) -> None:
    job = jobs.start(JobTask.TRAIN, "ann")
    ended = wait_until(jobs, job.id, lambda job: job.state is not JobState.RUNNING)
    assert ended.state is JobState.FAILED
    assert "put labelled texts or transcripts there" in str(ended.error)
    assert ended.reason == "nothing_to_train_on"
    assert ended.ended
