"""The record of each run, and of the processes that work on it."""

import datetime as dt
import os
import socket
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from metacrawl.database.rows import insert, now
from metacrawl.database.schema import FRONTIER, MOVIES, OPEN, PROBLEMS, RUNS, TABLES, TOTALS, WORKERS
from metacrawl.figures import Figures
from metacrawl.items import CriticReview, Movie, Record, UserReview, iso_timestamp
from metacrawl.outcome import Outcome, Problem, Problems

NOUNS: Mapping[type[Record], str] = {Movie: "film", CriticReview: "critic review", UserReview: "user review"}

# How many workers' figures are told of as earlier ones.
EARLIER = 20
# How long after a run the same command asks once more for what it could not have: until then the rest is fresh.
RETRY_WITHIN = dt.timedelta(hours=12)
# What can be wrong with a page that could not be had.
NOT_HAD = frozenset({Outcome.PARTIAL, Outcome.SITE_DOWN, Outcome.BLOCKED, Outcome.RATE_LIMITED})


def open_run(connection: sa.Connection, job: str) -> int | None:
    """Find the run of a job that has something left to do."""
    run: int | None = connection.execute(sa.select(RUNS.c.id).where(RUNS.c.job == job, OPEN)).scalar()
    return run


def last_run(connection: sa.Connection, job: str) -> int | None:
    """Find the last run of a job if it first ended not long ago."""
    run = connection.execute(sa.select(RUNS).where(RUNS.c.job == job).order_by(RUNS.c.id.desc()).limit(1)).first()
    if run is None or run.finished_at is None:
        return None
    kept = (run.record or {}).get("first_finished_at")
    first = dt.datetime.fromisoformat(kept) if kept else run.finished_at
    return int(run.id) if first > now() - RETRY_WITHIN else None


def resume(connection: sa.Connection, run: int) -> bool:
    """Take a run for one that is at work; tells whether it was not, for a process of it had said how it ended."""
    ended = sa.update(RUNS).where(RUNS.c.id == run, RUNS.c.outcome.is_not(None))
    return connection.execute(ended.values(finished_at=None, outcome=None, message=None)).rowcount > 0


def enter(connection: sa.Connection, job: str, spider: str, arguments: Mapping[str, str]) -> int:
    """Give the open run of a job, or start one, whose id is higher than those of all before."""
    told = {name: as_text(value) for name, value in arguments.items()}
    values = {"job": job, "spider": spider, "arguments": told, "started_at": now(), "seeded": False}
    statement = insert(connection, RUNS).values(values).on_conflict_do_nothing().returning(RUNS.c.id)
    while True:
        started: int | None = connection.execute(statement).scalar()
        # Another worker may finish the open one between the two statements.
        if (run := started or open_run(connection, job)) is not None:
            return run


def as_text(given: str) -> str:
    """Write what came on a command line so that it can be stored: a file's name need be no text."""
    return given.encode(errors="backslashreplace").decode()


def can_be_joined(connection: sa.Connection, run: str, job: str) -> bool:
    """Tell whether a run is one of a job and open, and no process of it has said that it stopped."""
    query = sa.select(RUNS.c.id).where(RUNS.c.job == job, OPEN, RUNS.c.outcome.is_(None))
    return str(connection.execute(query).scalar()) == run


def enlist(connection: sa.Connection, run: int, job_id: str = "") -> int:
    """Note that this process works on a run, under the id that whoever started it has given; returns its own."""
    about = {"pid": os.getpid(), "host": socket.gethostname(), "job_id": as_text(job_id) or None}
    values = {"run": run, "started_at": now(), **about}
    worker: int = connection.execute(sa.insert(WORKERS).values(values).returning(WORKERS.c.id)).scalar_one()
    return worker


def started_at(connection: sa.Connection, run: int) -> dt.datetime:
    """Tell when a run began."""
    began: dt.datetime = connection.execute(sa.select(RUNS.c.started_at).where(RUNS.c.id == run)).scalar_one()
    return began


def is_fresh(connection: sa.Connection, run: int) -> bool:
    """Tell whether a run was begun with `fresh=1`."""
    given: Mapping[str, str] = connection.execute(sa.select(RUNS.c.arguments).where(RUNS.c.id == run)).scalar_one()
    return given.get("fresh") == "1"


def seeded(connection: sa.Connection, run: int) -> bool:
    """Tell whether all requests that a run starts from are in the frontier."""
    said: bool = connection.execute(sa.select(RUNS.c.seeded).where(RUNS.c.id == run)).scalar_one()
    return said


def hold(connection: sa.Connection, run: int, *, alone: bool = False) -> bool:
    """Keep a run from being finished by another worker in this transaction; tells whether it is open.

    `alone`: keep others from doing anything with it.
    """
    query = sa.select(RUNS.c.id).where(RUNS.c.id == run, OPEN).with_for_update(read=not alone)
    return connection.execute(query).scalar() is not None


def set_seeded(connection: sa.Connection, run: int) -> None:
    """Note that they are."""
    connection.execute(sa.update(RUNS).where(RUNS.c.id == run).values(seeded=True))


def pause(connection: sa.Connection, run: int, outcome: Outcome, message: str) -> None:
    """Note how a process ended that leaves something to do."""
    connection.execute(sa.update(RUNS).where(RUNS.c.id == run, OPEN).values(outcome=outcome.label, message=message))


def finish(connection: sa.Connection, run: int, outcome: Outcome, message: str) -> None:
    """Note how a run ended; the first to say so is right.

    What could not be had is kept for the same command, and what it was not due to ask for.
    """
    ended = {"finished_at": now(), "outcome": outcome.label, "message": message}
    connection.execute(sa.update(RUNS).where(RUNS.c.id == run, OPEN).values(ended))
    connection.execute(sa.delete(FRONTIER).where(FRONTIER.c.run == run, FRONTIER.c.state.not_in(("dead", "not due"))))


def forget(connection: sa.Connection, job: str) -> None:
    """Forget what earlier runs of a job were at, for it begins anew, and all that nobody goes on with any more."""
    over = sa.or_(RUNS.c.job == job, RUNS.c.finished_at < now() - RETRY_WITHIN)
    runs = sa.select(RUNS.c.id).where(sa.not_(OPEN), over)
    for table in (FRONTIER, TOTALS):
        connection.execute(sa.delete(table).where(table.c.run.in_(runs)))


def holder(connection: sa.Connection, job: str = "") -> str:
    """Tell of the process that started last: on what run, who, since when; of a job, the last that had an id."""
    query = sa.select(WORKERS, RUNS.c.spider).join(RUNS, RUNS.c.id == WORKERS.c.run)
    if job:
        query = query.where(RUNS.c.job == job, OPEN, WORKERS.c.job_id.is_not(None))
    worker = connection.execute(query.order_by(WORKERS.c.id.desc()).limit(1)).mappings().first()
    if worker is None:
        return "a run that is just starting"
    since = iso_timestamp(worker["started_at"])
    return f"run {worker['run']} ({worker['spider']}, process {worker['pid']} on {worker['host']}, since {since})"


def count_met(connection: sa.Connection, worker: int, counts: Mapping[str, int]) -> None:
    """Add to what a worker has met: `met/<table>` of what `metacrawl.database.records.save` counts."""
    more = {table.name: WORKERS.c[table.name] + counts[f"met/{table.name}"] for table in TABLES.values()}
    connection.execute(sa.update(WORKERS).where(WORKERS.c.id == worker).values(more))


def set_figures(connection: sa.Connection, worker: int, figures: Mapping[str, Mapping[str, int]]) -> None:
    """Keep what a worker has counted so far."""
    connection.execute(sa.update(WORKERS).where(WORKERS.c.id == worker).values(figures=figures))


def figures(connection: sa.Connection, run: int) -> Figures:
    """Sum up what the workers of a run have counted."""
    return Figures.summed(connection.execute(sa.select(WORKERS.c.figures).where(WORKERS.c.run == run)).scalars())


def earlier_figures(connection: sa.Connection, worker: int) -> Figures:
    """Sum up what the last workers before one have counted, of whatever run."""
    earlier = sa.select(WORKERS.c.figures).where(WORKERS.c.id < worker).order_by(WORKERS.c.id.desc())
    return Figures.summed(connection.execute(earlier.limit(EARLIER)).scalars())


def met(connection: sa.Connection, run: int) -> dict[str, int]:
    """Count the records that a run met, by their nouns.

    On its own account, for another run may meet them, too. Where it does so before this one meets them again, this one
    counts them twice.
    """
    sums = [sa.func.coalesce(sa.func.sum(WORKERS.c[table.name]), 0) for table in TABLES.values()]
    numbers = connection.execute(sa.select(*sums).where(WORKERS.c.run == run)).one()
    return {NOUNS[kind]: int(number) for kind, number in zip(TABLES, numbers, strict=True)}


def oldest_open(connection: sa.Connection, run: int) -> int:
    """Give the oldest run that is at work beside a run, or this one."""
    oldest: int | None = connection.execute(sa.select(sa.func.min(RUNS.c.id)).where(OPEN)).scalar()
    return min(run, oldest or run)


def films(connection: sa.Connection, run: int) -> set[str]:
    """Name the films that a run met, by their slugs."""
    return set(connection.execute(sa.select(MOVIES.c.slug).where(MOVIES.c.seen_run == run)).scalars())


def note(
    connection: sa.Connection,
    run: int,
    problems: Iterable[Problem],
    *,
    page: int | None = None,
    about: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Keep what went wrong in a run: with the request `page`, `about` whose `film` and which `kind` of page."""
    whose = {"page": page, "film": about.get("film"), "kind": about.get("kind")}
    rows = [{"run": run, "outcome": problem.outcome.name, "message": problem.message} | whose for problem in problems]
    if rows:
        connection.execute(sa.insert(PROBLEMS), rows)


def films_with_problems(
    connection: sa.Connection, run: int, explained: Callable[[str | None, str | None], bool]
) -> set[str]:
    """Name the films of pages with which something went wrong in a run, but for those that are `explained`."""
    query = sa.select(PROBLEMS.c.film, PROBLEMS.c.kind).where(PROBLEMS.c.run == run, PROBLEMS.c.film.is_not(None))
    return {film for film, kind in connection.execute(query) if not explained(film, kind)}


def problems(
    connection: sa.Connection, run: int, explained: Callable[[str | None, str | None], bool] = lambda *_: False
) -> Problems:
    """Read what went wrong in a run, but for pages that could not be had and are `explained`, by film and kind."""
    found = Problems()
    columns = PROBLEMS.c.outcome, PROBLEMS.c.message, PROBLEMS.c.film, PROBLEMS.c.kind
    for outcome, message, film, kind in connection.execute(
        sa.select(*columns).where(PROBLEMS.c.run == run).order_by(PROBLEMS.c.id)
    ):
        if not (Outcome[outcome] in NOT_HAD and explained(film, kind)):
            found.add(Problem(Outcome[outcome], message))
    return found
