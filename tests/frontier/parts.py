"""What the tests of the frontier work with: a database with a run in it, workers, rows, and pages."""

import datetime as dt
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa
from scrapy import Request
from sqlalchemy import create_engine

from metacrawl.database import reading, runs
from metacrawl.database.schema import FRONTIER
from metacrawl.frontier import queue
from metacrawl.frontier.page import Page
from metacrawl.frontier.payload import encode
from metacrawl.frontier.queue import Leased, Row, Worker
from metacrawl.frontier.turn import Order, Turn, take_turn
from metacrawl.items import UserReview

SITE = "http://127.0.0.1:8000/movie/"
WHEN = dt.datetime(2017, 7, 16, tzinfo=dt.UTC)
# Seconds of a lease that is over before long.
SHORT = 0.2


def until(condition: Callable[[], Any], seconds: float = 10) -> Any:
    """Ask again and again until something is true, and give it; fails when that takes too long."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)
    return found


@dataclass
class Database:
    """A database of the test's, and a run in it."""

    engine: sa.Engine
    run: int

    def do(self, action: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Do something in a transaction of its own."""
        with self.engine.begin() as connection:
            return action(connection, *given, **named)

    def worker(self, lease: float = 60) -> Worker:
        """Enlist one more worker."""
        return Worker(self.do(runs.enlist, self.run), self.run, lease)

    def add(self, *names: str, priority: int = 0) -> set[str]:
        """Queue requests for pages of these names; gives those that are new."""
        return self.do(queue.add, self.run, [row(name, priority) for name in names])

    def lease(self, worker: Worker, number: int = 10, *, alone: bool = False) -> list[Leased]:
        """Lease up to so many."""
        return self.do(queue.lease, worker, number, alone=alone)

    def pages(self, worker: Worker, number: int = 10) -> list[Page]:
        """Lease up to so many as pages that nothing has come of yet."""
        return self.turn(worker, room=number).leased

    def turn(self, worker: Worker, *pages: Page, unsure: bool = False, **order: Any) -> Turn:
        """Take a turn for a worker that has done these pages."""
        return self.do(take_turn, worker, Order(pages, **order), unsure=unsure)

    def reclaim(self, worker: Worker, *, everything: bool = True) -> list[str]:
        """Take back what the dead have left; gives the names of those set aside."""
        return [name_of(url) for url in self.do(queue.reclaim, worker, everything=everything)]

    def crash(self, times: int = 1, number: int = 10) -> list[str]:
        """Have workers die that hold whatever they can get; gives the names of those set aside."""
        aside: list[str] = []
        for _ in range(times):
            self.lease(self.worker(), number, alone=True)
            aside += self.reclaim(self.worker())
        return aside

    def states(self) -> dict[str, str]:
        """What became of each request, by the names."""
        query = sa.select(FRONTIER.c.key, FRONTIER.c.state).where(FRONTIER.c.run == self.run)
        return dict(self.do(lambda connection: connection.execute(query).all()))

    def authors(self) -> list[str | None]:
        """Whose reviews are stored."""
        return self.do(lambda connection: [found.author for found in reading.read(connection, UserReview)])

    def problems(self) -> dict[str, list[str]]:
        """What went wrong."""
        found = self.do(runs.problems, self.run)
        return {outcome.name: found.told[outcome] for outcome in found.told}

    def empty(self) -> bool:
        """Whether the run has brought nothing at all, and each of its requests is where it was."""
        return not (self.authors() or self.problems() or set(self.states().values()) - {"leased"})


def row(name: str, priority: int = 0, **meta: Any) -> Row:
    """Make a request to come."""
    url = SITE + name
    return Row(name, url, f"{SITE}asked-for", priority, encode(Request(url, priority=priority, meta=meta)))


def name_of(url: str) -> str:
    """Tell the name of a request by its URL."""
    return url.removeprefix(SITE)


def names(leased: Collection[Leased]) -> list[str]:
    """Tell the names of leased requests, in their order."""
    return [name_of(one.url) for one in leased]


def review(author: str, **fields: Any) -> UserReview:
    """Make a review by somebody."""
    return UserReview(key=f"her/{author}", movie_slug="her", author=author, captured_at=WHEN, **fields)


@contextmanager
def away(engine: sa.Engine) -> Iterator[None]:
    """Have the database give no answer but an error until the `with` ends."""
    if engine.dialect.name == "sqlite":
        other = create_engine(engine.url)
        with other.connect() as connection:
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
            yield
        other.dispose()
        return
    name = engine.url.database
    server = engine.url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            yield
        finally:
            connection.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
