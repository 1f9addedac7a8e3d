"""How a run begins: anew, or where the last process of the same job has left it."""

import logging

import sqlalchemy as sa
from scrapy.settings import BaseSettings

from metacrawl.database import runs
from metacrawl.frontier import queue
from metacrawl.frontier.memory import read_for
from metacrawl.frontier.update import update_of
from metacrawl.outcome import Outcome, Problem
from metacrawl.spiders.base import FilmSpider

logger = logging.getLogger(__name__)

# Requests that are leased beside those that can be at work, so that the next one need not be waited for.
AHEAD = 1
# How many requests at a time where the settings set no limit.
UNLIMITED = 16
GIVEN_UP = Problem(Outcome.INTERRUPTED, "given up for a fresh run")


class NothingToJoinError(Exception):
    """Nobody works any more on the run that a process was to help with."""


def begin(connection: sa.Connection, spider: FilmSpider) -> int:
    """Give the run that a spider is to work on: one that has something left to do, or a new one.

    Raises `NothingToJoinError`.
    """
    job = spider.job
    if spider.joins and not runs.can_be_joined(connection, spider.joins, job):
        raise NothingToJoinError(f"run {spider.joins} is over, or not of this crawl: there is nothing to join")
    if spider.arguments.fresh:
        give_up(connection, job)
    elif run := to_go_on_with(connection, job, spider.arguments.source):
        resume(connection, run)
        return run
    runs.forget(connection, job)
    return runs.enter(connection, job, spider.name, spider.given)


def enlist(connection: sa.Connection, run: int, spider: FilmSpider, settings: BaseSettings) -> queue.Worker:
    """Make this process a worker of a run. Raises `ConfigError`."""
    lease, update = settings.getfloat("METACRAWL_LEASE_SECONDS"), update_of(connection, run, spider, settings)
    return queue.Worker(runs.enlist(connection, run, spider.job_id), run, lease, read_for(spider), update)


def capacity(settings: BaseSettings) -> int:
    """Tell how many requests a process may have at a time."""
    limits = settings.getint("CONCURRENT_REQUESTS"), settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")
    return min((limit for limit in limits if limit > 0), default=UNLIMITED) + AHEAD


def to_go_on_with(connection: sa.Connection, job: str, source: str) -> int | None:
    """Find the open run of a job, or else its last one if there is something that it could not have."""
    if run := runs.open_run(connection, job):
        return run
    run = runs.last_run(connection, job)
    # A saved page that could not be read is mended by whoever saved it, and others with it.
    return run if run and source != "files" and queue.failed(connection, run) else None


def give_up(connection: sa.Connection, job: str) -> None:
    """End the open run of a job; whoever is still at work on it learns it from there."""
    if run := runs.open_run(connection, job):
        runs.note(connection, run, [GIVEN_UP])
        runs.finish(connection, run, GIVEN_UP.outcome, GIVEN_UP.message)


def resume(connection: sa.Connection, run: int) -> None:
    """Go on with a run, and once more with what it could not have if a process of it has come to its end."""
    if runs.resume(connection, run) and (number := queue.retry(connection, run)):
        logger.info("Run %d: trying again %d pages that could not be had", run, number)
