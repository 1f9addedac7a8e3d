"""The record of each run."""

import datetime as dt
import os
import socket
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from metacrawl.database.reading import count
from metacrawl.database.schema import RUNS, TABLES
from metacrawl.items import Record, iso_timestamp


def start(connection: sa.Connection, spider: str, arguments: Mapping[str, Any]) -> int:
    """Note that a run starts; returns its id, higher than those of all runs before."""
    values = {
        "spider": spider,
        "arguments": dict(arguments),
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "started_at": dt.datetime.now(dt.UTC),
    }
    run: int = connection.execute(sa.insert(RUNS).values(values).returning(RUNS.c.id)).scalar_one()
    return run


def finish(connection: sa.Connection, run: int, outcome: str, message: str) -> None:
    """Note how a run ended."""
    connection.execute(
        sa.update(RUNS)
        .where(RUNS.c.id == run)
        .values(finished_at=dt.datetime.now(dt.UTC), outcome=outcome, message=message)
    )


def latest(connection: sa.Connection) -> str:
    """Tell of the run that started last: what, who, since when."""
    run = connection.execute(sa.select(RUNS).order_by(RUNS.c.id.desc()).limit(1)).mappings().first()
    if run is None:
        return "a run that is just starting"
    since = iso_timestamp(run["started_at"])
    return f"run {run['id']} ({run['spider']}, process {run['pid']} on {run['host']}, since {since})"


def counts(connection: sa.Connection, run: int) -> dict[type[Record], int]:
    """Count the records that a run met."""
    return {kind: count(connection, kind, table.c.seen_run == run) for kind, table in TABLES.items()}
