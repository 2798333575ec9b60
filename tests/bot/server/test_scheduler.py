"""The scheduler of the server's background jobs."""

import logging
import threading

import pytest

from bot.server.background.scheduler import ScheduledJob, Scheduler

LONG = 60.0  # seconds that no job here should need


def test_a_job_runs_again_and_again_until_the_scheduler_stops() -> None:
    runs = threading.Semaphore(0)
    scheduler = Scheduler([ScheduledJob("count", runs.release, 0.02)])
    scheduler.start()
    assert all(runs.acquire(timeout=LONG) for _ in range(3))
    scheduler.stop()
    scheduler.stop()  # twice is no error


def test_a_job_waits_for_its_first_time() -> None:
    often, once = threading.Semaphore(0), threading.Semaphore(0)
    scheduler = Scheduler(
        [ScheduledJob("often", often.release, 0.02), ScheduledJob("late", once.release, 0.02, 3600)]
    )
    scheduler.start()
    assert all(often.acquire(timeout=LONG) for _ in range(3))
    scheduler.stop()
    assert not once.acquire(blocking=False)


def test_a_job_that_fails_is_logged_and_runs_again(caplog: pytest.LogCaptureFixture) -> None:
    runs = threading.Semaphore(0)

    def fail() -> None:
        runs.release()
        message = "the disk is full"
        raise OSError(message)

    scheduler = Scheduler([ScheduledJob("fragile", fail, 0.02)])
    with caplog.at_level(logging.ERROR):
        scheduler.start()
        assert all(runs.acquire(timeout=LONG) for _ in range(2))
        scheduler.stop()
    assert "fragile" in caplog.text
    assert "the disk is full" in caplog.text


def test_a_job_never_runs_twice_at_once() -> None:
    entered, leave, others = threading.Event(), threading.Event(), threading.Semaphore(0)
    running = []

    def slow() -> None:
        running.append(1)
        assert len(running) == 1
        entered.set()
        leave.wait(LONG)
        running.pop()

    jobs = [ScheduledJob("slow", slow, 0.02), ScheduledJob("other", others.release, 0.02)]
    scheduler = Scheduler(jobs)
    scheduler.start()
    assert entered.wait(LONG)
    assert all(others.acquire(timeout=LONG) for _ in range(5))
    assert running == [1]
    leave.set()
    scheduler.stop()
