"""What is known of the jobs of the schedule: when each is due, and how it ended last."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from metacrawl.database.rows import insert, now
from metacrawl.database.schema import SCHEDULE
from metacrawl.items import iso_timestamp
from metacrawl.outcome import Outcome

# By how much a job may be late before nobody seems to keep the schedule: a scheduler notes every minute what is due.
LATE = dt.timedelta(minutes=5)


def rows(connection: sa.Connection) -> dict[str, Mapping[str, Any]]:
    """Read all jobs, by name."""
    found = connection.execute(sa.select(SCHEDULE).order_by(SCHEDULE.c.name)).mappings()
    return {row["name"]: dict(row) for row in found}


def plan(connection: sa.Connection, name: str, when: str, next_at: dt.datetime) -> None:
    """Note when a job is due next."""
    save(connection, name, {"cron": when, "next_at": next_at})


def save(connection: sa.Connection, name: str, known: Mapping[str, Any]) -> None:
    """Note what is known of a job, new or not, and leave the rest."""
    statement = insert(connection, SCHEDULE).values(name=name, **known)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=known))


def keep_only(connection: sa.Connection, names: Collection[str]) -> None:
    """Forget the jobs that there are no more."""
    connection.execute(sa.delete(SCHEDULE).where(SCHEDULE.c.name.not_in(names)))


def begin(connection: sa.Connection, name: str, when: str, due_at: dt.datetime) -> None:
    """Note that a job is being done, for the time that it was due at."""
    begun = {"due_at": due_at, "started_at": now(), "finished_at": None, "outcome": None, "message": None}
    save(connection, name, {"cron": when, **begun})


def finish(connection: sa.Connection, name: str, outcome: Outcome, message: str) -> None:
    """Note how it ended."""
    ended = {"finished_at": now(), "outcome": outcome.label, "message": message}
    connection.execute(sa.update(SCHEDULE).where(SCHEDULE.c.name == name).values(ended))


def is_unfinished(row: Mapping[str, Any]) -> bool:
    """Tell whether a job was begun and has not ended: it is being done, or whoever did it is gone."""
    return row["started_at"] is not None and row["finished_at"] is None


def accounts(connection: sa.Connection) -> list[dict[str, Any]]:
    """Tell of all jobs, for people and programs."""
    return [account(**row) for row in rows(connection).values()]


def account(name: str, cron: str, next_at: dt.datetime | None, **last: Any) -> dict[str, Any]:
    """Tell of a job: when it is due, and what is known of the last time."""
    return {
        "job": name,
        "when": cron,
        "next_at": iso_timestamp(next_at),
        "late": next_at is not None and next_at < now() - LATE,
        **{which: iso_timestamp(last.get(which)) for which in ("due_at", "started_at", "finished_at")},
        **{what: last.get(what) for what in ("outcome", "message")},
    }
