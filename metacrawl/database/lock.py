"""One crawl at a time on a SQLite database: two would take each other's records for their own."""

from pathlib import Path

import sqlalchemy as sa
from filelock import BaseFileLock, FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError

from metacrawl.database import runs
from metacrawl.database.connection import shown
from metacrawl.outcome import LockedError


def lock(url: sa.URL) -> BaseFileLock | None:
    """Take the database for this process until it releases it or ends, however it ends.

    None for a database that has no file of its own, or none that can be made. Raises `LockedError` that names who has
    it.
    """
    file = url.database
    if url.get_backend_name() != "sqlite" or not file or file == ":memory:" or not Path(file).parent.is_dir():
        return None
    held = FileLock(f"{file}.lock")
    try:
        held.acquire(blocking=False)
    except Timeout:
        raise LockedError(
            f"{shown(url)} is in use by {holder(url)}: "
            "wait for it to end, or set METACRAWL_DATABASE_URL to another database"
        ) from None
    except OSError:
        # The database says the same, in better words.
        return None
    return held


def holder(url: sa.URL) -> str:
    """Tell who works on a database, as far as it can be read."""
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            return runs.holder(connection)
    except SQLAlchemyError:
        return "a run of another version of metacrawl"
    finally:
        engine.dispose()
