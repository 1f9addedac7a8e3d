"""The tables of an older metacrawl, brought up to date."""

from collections.abc import Callable, Mapping

import sqlalchemy as sa

from metacrawl.database.schema import METADATA, RUNS, SCHEMA_VERSION, VERSION
from metacrawl.outcome import DatabaseError

# What the first version had, and hardly anybody else.
VERSION_1 = {"runs", "movie_parts", "movies", "critic_reviews", "user_reviews"}
# Any number will do, as long as it is the same in all processes.
LOCK = 2010_2016_2023


def version(connection: sa.Connection) -> int:
    """Tell the version of the tables; 0 where there are none."""
    tables = sa.inspect(connection).get_table_names()
    if SCHEMA_VERSION.name in tables:
        found: int = connection.execute(sa.select(SCHEMA_VERSION.c.version)).scalar_one()
        return found
    return 1 if set(tables) >= VERSION_1 else 0


def migrate(connection: sa.Connection) -> None:
    """Make the tables, or change those that are there. Raises `DatabaseError` for those of a newer metacrawl."""
    if connection.dialect.name == "postgresql":
        # Two workers that start at once; SQLite's transactions are alone anyway.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    found = version(connection)
    if found == VERSION:
        return
    if found > VERSION:
        raise DatabaseError(
            f"the database has tables of version {found}, and this metacrawl knows them up to {VERSION}: "
            "install the newer one"
        )
    for step in range(found, VERSION) if found else ():
        STEPS[step](connection)
    METADATA.create_all(connection)
    connection.execute(sa.delete(SCHEMA_VERSION))
    connection.execute(sa.insert(SCHEMA_VERSION).values(version=VERSION))


def from_1(connection: sa.Connection) -> None:
    """Runs can be resumed, and several processes work on one. Those of version 1 cannot: they are over."""
    for statement in (
        "ALTER TABLE runs ADD COLUMN job TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE runs ADD COLUMN seeded BOOLEAN NOT NULL DEFAULT TRUE",
        "ALTER TABLE runs DROP COLUMN pid",
        "ALTER TABLE runs DROP COLUMN host",
        "UPDATE runs SET finished_at = started_at, outcome = 'interrupted' WHERE finished_at IS NULL",
    ):
        connection.execute(sa.text(statement))
    for index in RUNS.indexes:
        index.create(connection)


def from_2(_: sa.Connection) -> None:
    """Films have a history: a table of its own, which is made with those that are missing."""


def from_3(connection: sa.Connection) -> None:
    """Runs have a record, workers figures, and problems a page."""
    for table, column, kind in (
        ("runs", "record", "JSON"),
        ("workers", "figures", "JSON"),
        ("problems", "page", "BIGINT"),
        ("problems", "film", "TEXT"),
        ("problems", "kind", "TEXT"),
    ):
        # The first version had neither workers nor problems: those come with all their columns.
        if sa.inspect(connection).has_table(table):
            connection.execute(sa.text(f"ALTER TABLE {table} ADD COLUMN {column} {kind}"))


def from_4(connection: sa.Connection) -> None:
    """Hosts are left in peace by all workers."""
    # The first version had no hosts: they come with all their columns.
    if sa.inspect(connection).has_table("hosts"):
        connection.execute(sa.text("ALTER TABLE hosts ADD COLUMN quiet_until DOUBLE PRECISION"))


def from_5(connection: sa.Connection) -> None:
    """Records have a first day and a last; those of before were stored when they were captured, for all we know."""
    time = "TIMESTAMP WITH TIME ZONE" if connection.dialect.name == "postgresql" else "DATETIME"
    for table in ("movies", "critic_reviews", "user_reviews"):
        for column in ("first_seen_at", "vanished_at"):
            connection.execute(sa.text(f"ALTER TABLE {table} ADD COLUMN {column} {time}"))
        connection.execute(sa.text(f"UPDATE {table} SET first_seen_at = captured_at"))  # noqa: S608 - names of ours


def from_6(connection: sa.Connection) -> None:
    """Workers have the id of the job that started them; the schedule is a table of its own."""
    # The first version had no workers: they come with all their columns.
    if sa.inspect(connection).has_table("workers"):
        connection.execute(sa.text("ALTER TABLE workers ADD COLUMN job_id TEXT"))
        connection.execute(sa.text("CREATE INDEX ix_workers_job_id ON workers (job_id)"))


STEPS: Mapping[int, Callable[[sa.Connection], None]] = dict(
    enumerate((from_1, from_2, from_3, from_4, from_5, from_6), start=1)
)
