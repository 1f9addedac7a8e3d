"""Opening the database."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from metacrawl.database.schema import METADATA
from metacrawl.outcome import ConfigError, DatabaseError

BACKENDS = ("sqlite", "postgresql")


def connect(url: str) -> sa.Engine:
    """Open the database at an SQLAlchemy URL for a crawl, and make the tables that are missing.

    Raises `ConfigError` for a URL that is none and `DatabaseError` for a database that cannot be opened or written.
    """
    engine = make_engine(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", make_durable)
    try:
        with engine.begin() as connection:
            METADATA.create_all(connection)
    except SQLAlchemyError as error:
        raise DatabaseError(f"cannot write the database {engine.url}: {first_line(error)}") from None
    return engine


def connect_to_read(url: str) -> sa.Engine:
    """Open a database that a crawl has made, to read it.

    Raises `ConfigError` for a URL that is none and `DatabaseError` for a database that is not there.
    """
    engine = make_engine(url).execution_options(read_only=True)
    if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").is_file():
        raise DatabaseError(f"there is no database {engine.url}: crawl first, or set METACRAWL_DATABASE_URL")
    try:
        missing = set(METADATA.tables) - set(sa.inspect(engine).get_table_names())
    except SQLAlchemyError as error:
        raise DatabaseError(f"cannot read the database {engine.url}: {first_line(error)}") from None
    if missing:
        raise DatabaseError(f"{engine.url} is no database of metacrawl's: it has no table {min(missing)}")
    return engine


def make_engine(url: str) -> sa.Engine:
    try:
        backend = sa.make_url(url).get_backend_name()
        if backend not in BACKENDS:
            raise ConfigError(f"METACRAWL_DATABASE_URL is for {backend}; metacrawl knows {' and '.join(BACKENDS)}")
        engine = sa.create_engine(url, json_serializer=partial(json.dumps, ensure_ascii=False))
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


def leave_transactions(dbapi_connection: Any, _record: object) -> None:
    """Keep the driver from beginning transactions on its own: `begin_sqlite` does."""
    dbapi_connection.isolation_level = None


def make_durable(dbapi_connection: Any, _record: object) -> None:
    """Keep what is committed through a power cut, and let readers read while a crawl writes."""
    cursor = dbapi_connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def begin_sqlite(connection: sa.Connection) -> None:
    """Take the write lock at once: a transaction that starts as a reader cannot wait for it later."""
    reading = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def first_line(error: Exception) -> str:
    """What the database itself said, without the statement around it."""
    return str(getattr(error, "orig", None) or error).strip().split("\n", 1)[0]
