"""Does jobs, and keeps in the database what has become of them."""

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import sqlalchemy as sa
from scrapy.settings import BaseSettings
from sqlalchemy.exc import DBAPIError

from metacrawl.database import schedule
from metacrawl.database.connection import first_line
from metacrawl.database.lock import alone
from metacrawl.outcome import DatabaseError, Outcome
from metacrawl.schedule.alert import alert, outcome_of
from metacrawl.schedule.model import Job, Result, StoppedError
from metacrawl.schedule.steps import Steps

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Seconds between two tries to reach the database.
PAUSE = 2.0


class Jobs:
    """Does jobs until it is stopped; one that is cut short stays unfinished, to be done again."""

    def __init__(self, settings: BaseSettings, engine: sa.Engine, given: Sequence[str] = ()) -> None:
        self.settings = settings
        self.engine = engine
        self.steps = Steps(settings, given)

    def stop(self) -> None:
        """Begin nothing more, and have what is being done end in its orderly way."""
        self.steps.stop()

    @contextmanager
    def begun(self, job: Job, due_at: dt.datetime, next_at: dt.datetime | None = None) -> Iterator[None]:
        """Note that a job is being done, and keep other processes from doing it.

        Raises `LockedError` where one does, and `StoppedError`.
        """

        def note() -> None:
            with self.engine.begin() as connection:
                schedule.begin(connection, job.name, job.when, due_at)
                if next_at:
                    schedule.plan(connection, job.name, job.when, next_at)

        held = self.patiently(job, due_at, lambda: alone(self.engine.url, f"job-{job.name}"))
        try:
            self.patiently(job, due_at, note)
            yield
        finally:
            if held:
                held.release()

    def do(self, job: Job, due_at: dt.datetime) -> Outcome:
        """Do the steps of a job that has begun, and tell whoever is set if it does not end well.

        Raises `StoppedError`.
        """
        logger.info("Job %s begins, which was due at %s", job.name, due_at)
        results = [(step.command, result) for step, result in self.steps.of(job, due_at)]
        outcome, message = outcome_of(results)
        logger.info("Job %s ended as %s", job.name, outcome.label)
        if outcome is not Outcome.COMPLETE:
            alert(self.settings, job.name, due_at, results)

        def note() -> None:
            with self.engine.begin() as connection:
                schedule.finish(connection, job.name, outcome, message)

        self.patiently(job, due_at, note)
        return outcome

    def patiently(self, job: Job, due_at: dt.datetime, action: Callable[[], T]) -> T:
        """Do something with the database as soon as that can be reached; if it is away for long, that is told once.

        Raises `StoppedError`.
        """
        end: float | None = time.monotonic() + self.settings.getfloat("METACRAWL_DATABASE_TIMEOUT")
        said = ""
        while True:
            try:
                return action()
            except (DatabaseError, DBAPIError) as error:
                why = first_line(error)
                if why != said:
                    logger.warning("Job %s waits for the database: %s", job.name, why)
                said = why
                if end and time.monotonic() > end:
                    end = None
                    waits = Result(Outcome.DATABASE, f"the job waits for the database: {why}")
                    alert(self.settings, job.name, due_at, [("scrapy schedule", waits)])
            if self.steps.stopping.wait(PAUSE):
                raise StoppedError
