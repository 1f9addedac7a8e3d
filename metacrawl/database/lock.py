"""One at a time: crawls of a SQLite file, which would take each other's records for their own, and scheduled ones."""

import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError

from metacrawl.database import runs
from metacrawl.database.connection import make_engine, only_to_read, shown, told_of
from metacrawl.outcome import LockedError

# Beside those of `metacrawl.database.records`: any number will do, as long as it is the same in all processes.
LOCKS, NUMBER = 2023, 2**31
# The server drops a machine that is gone within half a minute, and with it what that has locked.
KEEPALIVES = sa.text(
    "SELECT set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false), "
    "set_config('tcp_keepalives_count', '3', false)"
)
TAKEN = sa.text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = :locks AND objid = :number "
    "AND objsubid = 2 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class Held(Protocol):
    """What this process has for itself until it releases it or ends, however it ends."""

    def release(self) -> None:
        """Let others have it."""


class Session:
    """A lock of PostgreSQL's, which holds as long as the connection.

    A server that restarts forgets it, and then a second one may come in: two that share a run do no harm.
    """

    def __init__(self, kept: ExitStack) -> None:
        self.kept = kept

    def release(self) -> None:
        """Close the connection."""
        self.kept.close()


def take(url: sa.URL, job: str) -> Held | None:
    """Take what a crawl must have for itself: a SQLite file; on PostgreSQL its job, if it is to be `job`'s only one.

    Raises `LockedError` that names who has it.
    """
    if url.get_backend_name() == "sqlite":
        return lock(url)
    try:
        return alone(url, job) if job else None
    except LockedError:
        raise LockedError(
            f"the same crawl is at work already, as {holder(url, job)}: wait for it to end, or stop it"
        ) from None


def lock(url: sa.URL) -> Held | None:
    """Take the database for this process until it releases it or ends, however it ends.

    None for a database that has no file of its own, or none that can be made. Raises `LockedError` that names who has
    it.
    """
    try:
        return lock_file(url, "lock")
    except Timeout:
        raise LockedError(
            f"{shown(url)} is in use by {holder(url)}: "
            "wait for it to end, or set METACRAWL_DATABASE_URL to another database"
        ) from None


def alone(url: sa.URL, what: str) -> Held | None:
    """Be the only process that does something with a database, such as `schedule`.

    None for a SQLite database that has no file of its own. Raises `LockedError` where another one does it.
    """
    try:
        return lock_file(url, f"{what}.lock") if url.get_backend_name() == "sqlite" else lock_name(url, what)
    except Timeout:
        raise LockedError(f"{shown(url)}: another process does {what} already") from None


def lock_file(url: sa.URL, suffix: str) -> Held | None:
    """Lock a file beside that of a database. Raises `Timeout` where it is."""
    file = url.database
    if url.get_backend_name() != "sqlite" or not file or file == ":memory:" or not Path(file).parent.is_dir():
        return None
    # Whichever thread of this process releases it.
    held = FileLock(f"{file}.{suffix}", thread_local=False)
    try:
        held.acquire(blocking=False)
    except Timeout:
        # It is an OSError, too.
        raise
    except OSError:
        # The database says the same, in better words.
        return None
    return held


def lock_name(url: sa.URL, what: str) -> Session:
    """Lock a name on the server, by a connection for nothing else. Raises `Timeout` where it is."""
    engine = make_engine(url)
    with ExitStack() as kept:
        kept.callback(engine.dispose)
        with told_of(engine, "lock"):
            connection = kept.enter_context(engine.connect()).execution_options(isolation_level="AUTOCOMMIT")
            # Not put in order: it may be broken by then.
            kept.callback(connection.invalidate)
            connection.execute(KEEPALIVES)
            got = connection.execute(sa.select(sa.func.pg_try_advisory_lock(LOCKS, number_of(what)))).scalar_one()
        if not got:
            raise Timeout(what)
        return Session(kept.pop_all())


def is_taken(connection: sa.Connection, what: str) -> bool:
    """Tell whether a process on PostgreSQL is the only one that does something."""
    if connection.dialect.name != "postgresql":
        return False
    return bool(connection.execute(TAKEN, {"locks": LOCKS, "number": number_of(what)}).scalar_one())


def number_of(what: str) -> int:
    """Give the number that PostgreSQL locks instead of a name."""
    return zlib.crc32(what.encode()) % NUMBER


def holder(url: sa.URL, job: str = "") -> str:
    """Tell who works on a database, or on a job, as far as it can be read."""
    engine = only_to_read(make_engine(url))
    try:
        with engine.connect() as connection:
            return runs.holder(connection, job)
    except SQLAlchemyError:
        return "a run of another version of metacrawl"
    finally:
        engine.dispose()
