"""Opening the database."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from metacrawl.database.migrations import migrate, version
from metacrawl.database.schema import METADATA, VERSION
from metacrawl.outcome import ConfigError, DatabaseError, DiskFullError

BACKENDS = ("sqlite", "postgresql")

READ_ONLY = sa.text("SHOW transaction_read_only")
# What the databases say when their disk takes no more: a write that fails is over a quota, or a limit of file size.
SQLITE_FULL = frozenset({"SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE"})
POSTGRESQL_FULL = "53100"
# How long several that open a new SQLite file at once wait for each other.
SWITCH_SECONDS = 5
# A server that is gone is noticed within some 20 seconds, and a worker that hangs in a transaction loses it: what it
# has locked must not stop the others.
POSTGRESQL_OPTIONS = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "options": "-c idle_in_transaction_session_timeout=20s -c lock_timeout=10s",
}


def connect(url: str) -> sa.Engine:
    """Open the database at an SQLAlchemy URL for a crawl, and bring its tables up to date.

    Raises `ConfigError` for a URL that is none and `DatabaseError` for a database that cannot be opened or written, or
    that a newer metacrawl has made.
    """
    engine = make_engine(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", make_durable)
    with disposed_on_error(engine), told_of(engine, "write"), engine.begin() as connection:
        if engine.dialect.name == "postgresql" and connection.execute(READ_ONLY).scalar() == "on":
            raise DatabaseError(f"cannot write the database {shown(engine.url)}: it is read-only")
        migrate(connection)
    return engine


def connect_to_read(url: str) -> sa.Engine:
    """Open a database that a crawl has made, to read it: in each transaction as it was at the start of that.

    Raises `ConfigError` for a URL that is none and `DatabaseError` for a database that is not there.
    """
    engine = only_to_read(make_engine(url))
    if engine.dialect.name != "postgresql" and not Path(engine.url.database or "").is_file():
        raise DatabaseError(f"there is no database {shown(engine.url)}: crawl first, or set METACRAWL_DATABASE_URL")
    with disposed_on_error(engine), told_of(engine, "read"), engine.connect() as connection:
        found = version(connection)
        missing = METADATA.tables.keys() - set(sa.inspect(connection).get_table_names())
        if 0 < found < VERSION:
            raise DatabaseError(
                f"{shown(engine.url)} was made by an older metacrawl: the next crawl brings it up to date"
            )
        if missing:
            raise DatabaseError(f"{shown(engine.url)} is no database of metacrawl's: it has no table {min(missing)}")
    return engine


def only_to_read(engine: sa.Engine) -> sa.Engine:
    """Have an engine show in each transaction the database as it was at the start of that, and change nothing."""
    engine = engine.execution_options(read_only=True)
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine


@contextmanager
def disposed_on_error(engine: sa.Engine) -> Iterator[None]:
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


@contextmanager
def told_of(engine: sa.Engine, action: str) -> Iterator[None]:
    """Tell in a line what the database says when something cannot be done with it."""
    try:
        yield
    except SQLAlchemyError as error:
        if is_full(error):
            raise DiskFullError(full(engine.url, error)) from None
        raise DatabaseError(f"cannot {action} the database {shown(engine.url)}: {first_line(error)}") from None


def is_full(error: Exception) -> bool:
    """Tell whether the disk of a database takes no more."""
    said = getattr(error, "orig", None)
    return getattr(said, "sqlite_errorname", "") in SQLITE_FULL or getattr(said, "sqlstate", "") == POSTGRESQL_FULL


def full(url: sa.URL, error: Exception) -> str:
    """Say so, and what to do."""
    return f"{shown(url)}: {first_line(error)}: make room on the disk that it is on"


def shown(url: sa.URL) -> str:
    """Write the URL of a database for people: passwords stand before the host, or in the options behind it."""
    return str(url.set(query={}))


def make_engine(url: str | sa.URL) -> sa.Engine:
    try:
        backend = sa.make_url(url).get_backend_name()
        if backend not in BACKENDS:
            raise ConfigError(f"METACRAWL_DATABASE_URL is for {backend}; metacrawl knows {' and '.join(BACKENDS)}")
        engine = sa.create_engine(
            url,
            json_serializer=partial(json.dumps, ensure_ascii=False),
            # What its errors say is logged, and values are texts and names of people.
            hide_parameters=True,
            **options(sa.make_url(url)),
        )
    except ModuleNotFoundError as error:
        raise ConfigError(f"METACRAWL_DATABASE_URL needs a driver that is not installed: {error.name}") from None
    except ArgumentError as error:
        raise ConfigError(f"METACRAWL_DATABASE_URL is no database URL: {first_line(error)}") from None
    except ValueError:
        # Neither the URL nor the error is told: a password stands in them where the URL was written wrong.
        raise ConfigError("METACRAWL_DATABASE_URL is no database URL: a number in it is none") from None
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", leave_transactions)
        sa.event.listen(engine, "begin", begin_sqlite)
    return engine


def options(url: sa.URL) -> dict[str, Any]:
    """Give what the engine of a database needs, but for what its URL says itself."""
    if url.get_backend_name() == "postgresql":
        return {"connect_args": {name: value for name, value in POSTGRESQL_OPTIONS.items() if name not in url.query}}
    # A database in memory is one connection's; a crawl uses it from two threads.
    in_memory = url.database in {None, "", ":memory:"}
    return {"poolclass": sa.StaticPool, "connect_args": {"check_same_thread": False}} if in_memory else {}


def leave_transactions(dbapi_connection: Any, _record: object) -> None:
    """Keep the driver from beginning transactions on its own: `begin_sqlite` does."""
    dbapi_connection.isolation_level = None


def make_durable(dbapi_connection: Any, _record: object) -> None:
    """Keep what is committed through a power cut, and let readers read while a crawl writes."""
    cursor = dbapi_connection.cursor()
    end = time.monotonic() + SWITCH_SECONDS
    while not switched(cursor, last_try=time.monotonic() > end):
        time.sleep(0.01)
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def switched(cursor: sqlite3.Cursor, *, last_try: bool) -> bool:
    """Switch to a journal beside the file; false where another one is at it, for which SQLite does not wait here."""
    try:
        cursor.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        if last_try or error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def begin_sqlite(connection: sa.Connection) -> None:
    """Take the write lock at once: a transaction that starts as a reader cannot wait for it later."""
    reading = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def first_line(error: Exception) -> str:
    """What the database itself said, without the statement around it."""
    return str(getattr(error, "orig", None) or error).strip().split("\n", 1)[0]
