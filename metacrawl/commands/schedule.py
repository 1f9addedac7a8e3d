"""`scrapy schedule`: keeps the schedule, does a job of it, or tells whether it is kept."""

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from scrapy.commands import ScrapyCommand
from scrapy.utils.log import configure_logging

from metacrawl.commands import show, stop
from metacrawl.commands.crawl import check_settings
from metacrawl.database import schedule
from metacrawl.database.connection import connect, told_of
from metacrawl.database.rows import now
from metacrawl.log import make_safe
from metacrawl.outcome import ConfigError, Outcome, RefusedError, StalledError
from metacrawl.status import show_schedule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metacrawl.schedule.model import Job


class Command(ScrapyCommand):
    requires_project = True
    requires_crawler_process = False

    def syntax(self) -> str:
        """Say how the command is called."""
        return "[--run JOB | --check]"

    def short_desc(self) -> str:
        """Say in a line what the command does."""
        return "Do the jobs of the schedule file (METACRAWL_SCHEDULE) when they are due, until it is stopped"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Take what to do instead."""
        super().add_options(parser)
        parser.add_argument("--run", metavar="JOB", help="do a job now, once")
        parser.add_argument("--check", action="store_true", help="show the jobs; fails if no scheduler keeps them")

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Do it."""
        try:
            self.exitcode = self.go(args, opts).value
        except RefusedError as error:
            stop(error)

    def go(self, args: list[str], opts: argparse.Namespace) -> Outcome:
        """Check what was given, and do what is asked for. Raises `RefusedError`."""
        # Not above: every command of Scrapy's imports all the others.
        from metacrawl.schedule.file import read_schedule  # noqa: PLC0415
        from metacrawl.schedule.jobs import Jobs  # noqa: PLC0415
        from metacrawl.schedule.scheduler import keep, once  # noqa: PLC0415
        from metacrawl.schedule.scrapyd import Scrapyd  # noqa: PLC0415

        assert self.settings is not None
        if args:
            raise ConfigError(f"schedule takes no {args[0]}")
        if opts.check and opts.run is not None:
            raise ConfigError("--run does a job, --check does none: give one of them")
        check_settings(self.settings)
        if self.settings["METACRAWL_SCRAPYD_URL"]:
            Scrapyd.of(self.settings)
        jobs = read_schedule(Path(self.settings["METACRAWL_SCHEDULE"]), self.settings)
        engine = connect(self.settings["METACRAWL_DATABASE_URL"])
        try:
            if opts.check:
                return check(jobs, engine)
            configure_logging(self.settings)
            make_safe()
            logging.getLogger("apscheduler").setLevel(logging.ERROR)
            doing = Jobs(self.settings, engine, opts.set)
            if opts.run is not None:
                return once(named(opts.run, jobs), doing)
            return keep(jobs, doing)
        finally:
            engine.dispose()


def named(name: str, jobs: "Sequence[Job]") -> "Job":
    """Give the job of a name. Raises `ConfigError`."""
    for job in jobs:
        if job.name == name:
            return job
    raise ConfigError(f"there is no job {name}; there are {', '.join(job.name for job in jobs)}")


def check(jobs: "Sequence[Job]", engine: sa.Engine) -> Outcome:
    """Show the jobs. Raises `StalledError` where one should have begun."""
    with told_of(engine, "read"), engine.connect() as connection:
        known = {row["job"]: row for row in schedule.accounts(connection)}
    found = [known.get(job.name) or schedule.account(job.name, job.when, job.due_after(now())) for job in jobs]
    show(show_schedule(found))
    late = [f"{row['job']} was due at {row['next_at']}" for row in found if row["late"]]
    if late:
        raise StalledError(f"no scheduler is running: {'; '.join(late)}")
    return Outcome.COMPLETE
