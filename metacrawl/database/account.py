"""The account that a run gives of itself: what was asked for, what came of it, and what is missing, as JSON."""

import platform
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields
from importlib.metadata import version
from typing import Any, NamedTuple

import sqlalchemy as sa

from metacrawl import __version__
from metacrawl.database import runs, visits
from metacrawl.database.connection import shown
from metacrawl.database.rows import PROVENANCE
from metacrawl.database.schema import COMPLETENESS, FRONTIER, RUNS, TABLES, WORKERS
from metacrawl.figures import Figures
from metacrawl.items import RECORDS, iso_timestamp
from metacrawl.outcome import Outcome, Problems

LIBRARIES = ("Scrapy", "parsel", "lxml", "SQLAlchemy")
# How many lists that are not complete are named, and with how many runs one is compared.
NAMED, COMPARED = 1000, 5
# The fields of each record that a page can say something in.
FIELDS = {kind.__name__: {field.name for field in fields(kind)} - PROVENANCE - {"key"} for kind in RECORDS}

Account = dict[str, Any]


class Leaving(NamedTuple):
    """How a process leaves a run."""

    outcome: Outcome
    message: str
    problems: Problems
    unfinished: bool
    """Something is left to do."""


class Closed(NamedTuple):
    """How a run has ended."""

    account: Account
    earlier: list[Account]
    """Those of the complete runs of the same job before it, the last first."""

    first: bool
    """Whether it was this process that ended the run, and not another one before."""


class Ended(NamedTuple):
    """What is known of the run that a process has worked on."""

    job: str
    outcome: Outcome | None
    """None while it goes on, and where nobody could say how it ended."""

    message: str


def close(connection: sa.Connection, run: int, leaving: Leaving) -> Closed:
    """End a run, or leave it open, and keep the account of it."""
    row = connection.execute(sa.select(RUNS).where(RUNS.c.id == run)).one()
    # Before its requests are forgotten.
    account = give(connection, run)
    (runs.pause if leaving.unfinished else runs.finish)(connection, run, leaving.outcome, leaving.message)
    first = row.finished_at is None
    if first:
        finished_at: Any = connection.execute(sa.select(RUNS.c.finished_at).where(RUNS.c.id == run)).scalar()
        account |= {
            "finished_at": iso_timestamp(finished_at),
            # The same command tries again for what could not be had, which makes the rest no fresher.
            "first_finished_at": account["first_finished_at"] or iso_timestamp(finished_at),
            "outcome": leaving.outcome.label,
            "exit_code": leaving.outcome.value,
            "message": leaving.message,
            "versions": versions(connection),
            "problems": told(leaving.problems),
        }
    connection.execute(sa.update(RUNS).where(RUNS.c.id == run).values(record=account))
    return Closed(account, earlier(connection, row.job, run), first)


def give(connection: sa.Connection, run: int) -> Account:
    """Make the account of a run as it stands. Raises `LookupError` where there is no such run."""
    row = connection.execute(sa.select(RUNS).where(RUNS.c.id == run)).one_or_none()
    if row is None:
        raise LookupError(run)
    kept = row.record or {}
    ended = {
        "finished_at": iso_timestamp(row.finished_at),
        "outcome": row.outcome,
        "exit_code": exit_code(row.outcome, kept),
        "message": row.message,
    }
    if row.finished_at and kept:
        # Its requests are forgotten; what other processes had still to count is all that can be new.
        return {**kept, **ended, **counted(runs.figures(connection, run))}
    return {
        "run": run,
        "job": row.job,
        "spider": row.spider,
        "arguments": row.arguments,
        "versions": kept.get("versions", {}),
        "database": shown(connection.engine.url),
        "started_at": iso_timestamp(row.started_at),
        "first_finished_at": kept.get("first_finished_at"),
        **ended,
        "processes": processes(connection, run),
        "requests": requests(connection, run),
        "records": met(connection, run),
        "left_out": left_out(connection, run),
        **counted(runs.figures(connection, run)),
        "completeness": completeness(connection, run),
        "problems": told(runs.problems(connection, run)),
    }


def exit_code(label: str | None, kept: Mapping[str, Any]) -> int | None:
    """Tell the exit code of an outcome, by the account that was kept if it is of that one: a label may have two."""
    if label == kept.get("outcome"):
        return kept.get("exit_code")
    return next((outcome.value for outcome in Outcome if outcome.label == label), None)


def ending_of(connection: sa.Connection, job_id: str) -> Ended | None:
    """Tell how the run ended that the process with an id worked on; None where there was no such process."""
    columns = RUNS.c.job, RUNS.c.outcome, RUNS.c.message, RUNS.c.record
    query = sa.select(*columns).join(WORKERS, WORKERS.c.run == RUNS.c.id).where(WORKERS.c.job_id == job_id)
    row = connection.execute(query.order_by(WORKERS.c.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    code = exit_code(row.outcome, row.record or {})
    return Ended(row.job, None if code is None else Outcome(code), row.message or "")


def earlier(connection: sa.Connection, job: str, run: int) -> list[Account]:
    """Read the accounts of the last complete runs of a job before one."""
    complete = (RUNS.c.job == job, RUNS.c.id < run, RUNS.c.outcome == Outcome.COMPLETE.label)
    query = sa.select(RUNS.c.record).where(*complete).order_by(RUNS.c.id.desc()).limit(COMPARED)
    return [account for account in connection.execute(query).scalars() if account]


def versions(connection: sa.Connection) -> dict[str, str]:
    """Tell the versions of all that has a say in what is stored."""
    database = ".".join(map(str, connection.dialect.server_version_info or ()))
    return {
        "metacrawl": __version__,
        "Python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
        connection.dialect.name: database,
    }


def processes(connection: sa.Connection, run: int) -> list[dict[str, Any]]:
    """Name the processes that have worked on a run."""
    query = sa.select(WORKERS.c.pid, WORKERS.c.host, WORKERS.c.job_id, WORKERS.c.started_at)
    rows = connection.execute(query.where(WORKERS.c.run == run).order_by(WORKERS.c.id)).mappings()
    return [{**row, "started_at": iso_timestamp(row["started_at"])} for row in rows]


def requests(connection: sa.Connection, run: int) -> dict[str, int]:
    """Count what a run has still to ask for, and what it could not have."""
    query = sa.select(FRONTIER.c.state, sa.func.count()).where(FRONTIER.c.run == run).group_by(FRONTIER.c.state)
    found: dict[str, int] = dict(connection.execute(query).all())
    return {"failed": found.get("dead", 0), "queued": found.get("queued", 0), "at_work": found.get("leased", 0)}


def met(connection: sa.Connection, run: int) -> dict[str, int]:
    """Count the records that a run met, by their tables."""
    return dict(zip((table.name for table in TABLES.values()), runs.met(connection, run).values(), strict=True))


def left_out(connection: sa.Connection, run: int) -> dict[str, int]:
    """Count the films that a run was not due to ask for, and those of which it has not read all pages."""
    query = sa.select(sa.func.count()).where(FRONTIER.c.run == run, FRONTIER.c.state == "not due")
    return {"not_due": connection.execute(query).scalar_one(), "spared": visits.count_spared(connection, run)}


def counted(figures: Figures) -> Account:
    """Tell what the processes of a run have counted."""
    return {
        **{group: dict(sorted(figures.of(group).items())) for group in ("pages", "stored", "responses", "retries")},
        "fields": coverage(figures),
        "invalid": dict(sorted(figures.of("invalid").items())),
    }


def coverage(figures: Figures) -> dict[str, dict[str, Any]]:
    """Tell by `<layout>/<kind of page>/<record>` `of` how many records how many have each field of those it can have.

    It can have a field that an expression was tried for.
    """
    found: dict[str, dict[str, Any]] = {
        name: {"of": number, "filled": {}} for name, number in sorted(figures.of("records").items())
    }
    names = {*figures.of("filled"), *("/".join(name.split("/", 4)[:4]) for name in figures.of("tried"))}
    for name in sorted(names):
        of, _, field = name.rpartition("/")
        if of in found and field in FIELDS.get(of.rpartition("/")[2], ()):
            found[of]["filled"][field] = figures.of("filled")[name]
    return found


def completeness(connection: sa.Connection, run: int) -> Account:
    """Tell which lists of reviews that a run has read are all there, and name those that are not."""
    query = sa.select(COMPLETENESS).where(COMPLETENESS.c.run == run)
    lists = [dict(row) for row in connection.execute(query.order_by(COMPLETENESS.c.film)).mappings()]
    wanting = [row for row in lists if row["verdict"] != "complete"]
    return {**sums(lists), "wanting": [list_of(row) for row in wanting[:NAMED]]}


def sums(lists: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Sum up lists of reviews."""
    lists = list(lists)
    verdicts = Counter(row["verdict"] for row in lists)
    return {
        "films": len({row["film"] for row in lists}),
        "lists_read": len(lists),
        **{verdict: verdicts[verdict] for verdict in ("complete", "short", "unknown")},
        "stored": sum(row["stored"] for row in lists),
        "missing": sum(row["missing"] for row in lists),
    }


def list_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Tell of one list of reviews what a person asks first."""
    return {name: row[name] for name in ("film", "reviews", "verdict", "stored", "total", "missing", "why")}


def told(problems: Problems) -> dict[str, dict[str, Any]]:
    """Count what went wrong, and tell the first of each kind."""
    return {
        outcome.label: {"number": number, "first": problems.told.get(outcome, [])}
        for outcome, number in problems.count.items()
    }
