"""Transactions in a database that may be away for a while."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from metacrawl.database.connection import first_line, is_full, shown

logger = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0


# By their SQLSTATE or its class: connection lost, transaction to be done anew, out of resources, shut down, lock not to
# be had, idle for too long. No SQLSTATE at all is a server that is not there.
AWAY = ("08", "40", "53", "57", "55P03", "25P03")


def is_away(error: Exception) -> bool:
    """Tell whether the database is at fault (gone, locked, full, wanting all anew), not what is to be stored."""
    if not isinstance(error, OperationalError | InterfaceError):
        return isinstance(error, DBAPIError) and error.connection_invalidated
    if isinstance(error.orig, sqlite3.Error):
        # That is what SQLite calls whatever is wrong with a statement.
        return getattr(error.orig, "sqlite_errorname", "") != "SQLITE_ERROR"
    return (getattr(error.orig, "sqlstate", None) or "08").startswith(AWAY)


class PatientDatabase:
    """Does things in transactions; waits up to `seconds` for a database that is away, then no more."""

    def __init__(self, engine: sa.Engine, seconds: float) -> None:
        self.engine = engine
        self.seconds = seconds
        self.hurried = threading.Event()
        self.unsure = False
        """Whether the last transaction failed so that it may be done all the same."""

    def hurry(self) -> None:
        """Wait no more, now and later."""
        self.hurried.set()

    def write(self, action: Callable[[sa.Connection], T]) -> T:
        """Do something in one transaction, from the start again when the database was away.

        That includes a commit whose answer was lost: the action must see for itself what is done already. Raises what
        the database raised last.
        """
        deadline = time.monotonic() + self.seconds
        pause = FIRST_PAUSE
        while True:
            try:
                with self.engine.begin() as connection:
                    result = action(connection)
            except DBAPIError as error:
                if not is_away(error):
                    raise
                self.unsure = True
                # A full disk is not waited for: somebody must make room.
                if is_full(error) or time.monotonic() > deadline or self.hurried.is_set():
                    self.hurry()
                    raise
                if pause == FIRST_PAUSE:
                    logger.warning("%s: %s; waiting for it", shown(self.engine.url), first_line(error))
            else:
                self.unsure = False
                return result
            self.hurried.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
