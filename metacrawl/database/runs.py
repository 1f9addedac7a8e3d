"""The record of each run."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from metacrawl.database.schema import RUNS, TABLES
from metacrawl.items import Record


def start(connection: sa.Connection, spider: str, arguments: Mapping[str, Any]) -> int:
    """Note that a run starts; returns its id, higher than those of all runs before."""
    values = {"spider": spider, "arguments": dict(arguments), "started_at": dt.datetime.now(dt.UTC)}
    run: int = connection.execute(sa.insert(RUNS).values(values).returning(RUNS.c.id)).scalar_one()
    return run


def finish(connection: sa.Connection, run: int, outcome: str, message: str) -> None:
    """Note how a run ended."""
    connection.execute(
        sa.update(RUNS)
        .where(RUNS.c.id == run)
        .values(finished_at=dt.datetime.now(dt.UTC), outcome=outcome, message=message)
    )


def counts(connection: sa.Connection, run: int) -> dict[type[Record], int]:
    """Count the records that a run met."""
    return {
        kind: connection.execute(
            sa.select(sa.func.count()).select_from(table).where(table.c.seen_run == run)
        ).scalar_one()
        for kind, table in TABLES.items()
    }
