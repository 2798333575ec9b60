"""The scheduler of the server's background jobs."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

# It warns when a job takes longer than its interval, which is fine here.
logging.getLogger("apscheduler").setLevel(logging.ERROR)


@dataclass(frozen=True)
class ScheduledJob:
    """A function that runs every so many seconds, for the first time after `first` seconds.

    A job never runs twice at once. An exception is logged with the job's name, and the job runs
    again at its time.
    """

    name: str
    run: Callable[[], object]
    seconds: float
    first: float | None = None


class Scheduler:
    """Runs jobs in threads of this process until it is stopped."""

    def __init__(self, jobs: Iterable[ScheduledJob]) -> None:
        """Take the jobs; nothing runs before `start`."""
        self._jobs = tuple(jobs)
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            daemon=True,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    @property
    def names(self) -> list[str]:
        """The names of the jobs."""
        return [job.name for job in self._jobs]

    def start(self) -> None:
        """Start running the jobs."""
        for job in self._jobs:
            first = timedelta(seconds=job.seconds if job.first is None else job.first)
            self._scheduler.add_job(
                job.run,
                "interval",
                seconds=job.seconds,
                id=job.name,
                name=job.name,
                next_run_time=datetime.now(self._scheduler.timezone) + first,
            )
        self._scheduler.start()

    def stop(self) -> None:
        """Start no further job; one that is running is not waited for."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
