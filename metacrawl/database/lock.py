"""One crawl at a time on a SQLite database: two would take each other's records for their own."""

import sqlalchemy as sa
from filelock import FileLock, Timeout

from metacrawl.database import runs
from metacrawl.database.connection import shown
from metacrawl.outcome import LockedError


def lock(engine: sa.Engine) -> FileLock | None:
    """Take the database for this process until it releases it or ends, however it ends.

    None for a database that has no file of its own. Raises `LockedError` that names who has it.
    """
    file = engine.url.database
    if engine.dialect.name != "sqlite" or not file or file == ":memory:":
        return None
    held = FileLock(f"{file}.lock")
    try:
        held.acquire(blocking=False)
    except Timeout:
        with engine.connect() as connection:
            holder = runs.holder(connection)
        raise LockedError(
            f"{shown(engine.url)} is in use by {holder}: "
            "wait for it to end, or set METACRAWL_DATABASE_URL to another database"
        ) from None
    return held
