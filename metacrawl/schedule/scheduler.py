"""Has jobs done: when they are due, or at once."""

import datetime as dt
import logging
import signal
import threading
from collections.abc import Mapping, Sequence
from concurrent import futures
from typing import Any

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.exc import DBAPIError

from metacrawl.database import schedule
from metacrawl.database.connection import first_line, told_of
from metacrawl.database.lock import alone
from metacrawl.database.rows import now
from metacrawl.outcome import LockedError, Outcome
from metacrawl.schedule.jobs import Jobs
from metacrawl.schedule.model import Job, StoppedError

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGINT, signal.SIGTERM)
# The library's own job, which is none of the file's: those have no capital letters.
KEEPING = "KEEPING"


class Scheduler:
    """Keeps the schedule until it is stopped by a signal."""

    def __init__(self, jobs: Sequence[Job], doing: Jobs) -> None:
        self.jobs = {job.name: job for job in jobs}
        self.doing = doing
        self.engine = doing.engine
        self.due: dict[str, dt.datetime] = {}
        self.scheduler = BackgroundScheduler(
            timezone=dt.UTC,
            executors={"default": ThreadPoolExecutor(len(jobs) + 1)},
            # However late, once: a machine may have slept.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def run(self) -> None:
        """Have jobs done until SIGINT or SIGTERM. Raises `DatabaseError`."""
        listen()
        try:
            self.start()
            threading.Event().wait()
        except KeyboardInterrupt:
            logger.info("Stopping; what is not finished is done again at the next start")
        finally:
            self.doing.stop()
            if self.scheduler.running:
                self.scheduler.shutdown()

    def start(self) -> None:
        """Plan all jobs; those that were missed, or were not finished, for now."""
        with told_of(self.engine, "write"), self.engine.begin() as connection:
            known = schedule.rows(connection)
            schedule.keep_only(connection, list(self.jobs))
        for job in self.jobs.values():
            due_at = left_over(job, known.get(job.name))
            self.due[job.name] = due_at or job.due_after(now())
            logger.info("Job %s (%s): due next at %s", job.name, job.when, job.due_after(now()))
            at_once = {"next_run_time": now()} if due_at else {}
            self.scheduler.add_job(self.fire, job.trigger, [job], id=job.name, **at_once)
        self.scheduler.add_job(self.keep, "interval", id=KEEPING, minutes=1, next_run_time=now())
        self.scheduler.add_listener(self.refused, EVENT_JOB_MAX_INSTANCES)
        self.scheduler.start()

    def fire(self, job: Job) -> None:
        """Do a job that is due."""
        due_at = self.due[job.name]
        # A clock may have been set back since.
        next_at = job.due_after(max(now(), due_at))
        try:
            with self.doing.begun(job, due_at, next_at):
                # That may have taken long.
                self.due[job.name] = job.due_after(max(now(), due_at))
                self.doing.do(job, due_at)
        except LockedError as error:
            self.leave_out(job, str(error))
        except StoppedError:
            logger.info("Job %s is not finished", job.name)

    def refused(self, event: JobSubmissionEvent) -> None:
        """Learn that a job is due that is still being done."""
        if event.job_id in self.jobs:
            self.leave_out(self.jobs[event.job_id], "it is still being done since it was due last")

    def leave_out(self, job: Job, why: str) -> None:
        self.due[job.name] = job.due_after(now())
        logger.warning("Job %s is left out this time, next at %s: %s", job.name, self.due[job.name], why)

    def keep(self) -> None:
        """Note when each job is due next, every minute: it may be a while since the database was there to be told."""
        try:
            with self.engine.begin() as connection:
                for name, due in self.due.items():
                    schedule.plan(connection, name, self.jobs[name].when, due)
        except DBAPIError as error:
            logger.warning("The schedule cannot be noted: %s", first_line(error))


def left_over(job: Job, row: Mapping[str, Any] | None) -> dt.datetime | None:
    """Tell for which time a job is still to be done, by what the scheduler before this one has noted."""
    if row and schedule.is_unfinished(row):
        logger.warning("Job %s was not finished, and is done again", job.name)
        unfinished: dt.datetime = row["due_at"]
        return unfinished
    if row and row["cron"] == job.when and row["next_at"] and row["next_at"] <= now():
        logger.warning("Job %s was missed, and is done now", job.name)
        missed: dt.datetime = row["next_at"]
        return missed
    return None


def listen() -> None:
    """Have the first SIGINT or SIGTERM raise `KeyboardInterrupt`; no other breaks into the orderly end."""

    def end(*_: object) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in SIGNALS:
        signal.signal(number, end)


def keep(jobs: Sequence[Job], doing: Jobs) -> Outcome:
    """Keep the schedule, as the only one. Raises `RefusedError`."""
    held = alone(doing.engine.url, "schedule")
    try:
        Scheduler(jobs, doing).run()
    finally:
        if held:
            held.release()
    return Outcome.COMPLETE


def once(job: Job, doing: Jobs) -> Outcome:
    """Do a job now; one that was not finished as that. Raises `RefusedError`."""
    with told_of(doing.engine, "read"), doing.engine.connect() as connection:
        row = schedule.rows(connection).get(job.name)
    due_at = row["due_at"] if row and schedule.is_unfinished(row) else now()

    def do() -> Outcome:
        with doing.begun(job, due_at):
            return doing.do(job, due_at)

    listen()
    with futures.ThreadPoolExecutor() as thread:
        result = thread.submit(do)
        try:
            return result.result()
        except KeyboardInterrupt:
            doing.stop()
        except StoppedError:
            pass
    return Outcome.TERMINATED
