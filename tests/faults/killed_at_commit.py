"""`python -m tests.faults.killed_at_commit --commit N [--after] -- crawl movies ...`: Scrapy that kills itself.

SIGKILL comes before (or after) the N-th commit of the process that stores anything, at the last (or first) instant at
which nothing (or everything) of the transaction is stored. Without --commit it lives, and says at its end how many such
commits there were.
"""

import argparse
import atexit
import os
import signal
import sys
from dataclasses import dataclass
from typing import Any

from scrapy.cmdline import execute
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.default import DefaultDialect

from tests.faults.crawls import Crawl, End


@dataclass(frozen=True)
class AtCommit:
    """The moment before or after the n-th commit of a process."""

    number: int
    after: bool

    def strike(self, crawl: Crawl) -> End | None:
        """Start a process that ends there; gives its end if that came first."""
        when = ["--commit", str(self.number), *(["--after"] if self.after else [])]
        end = crawl.run(with_suicide(crawl.command, when))
        return None if end.code == -signal.SIGKILL else end

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} commit {self.number}"


def with_suicide(command: list[str], when: list[str]) -> list[str]:
    """Change a command of Scrapy's into one of this module's."""
    start = command.index("scrapy")
    return [*command[:start], "tests.faults.killed_at_commit", *when, "--", *command[start + 1 :]]


def commits_of(crawl: Crawl) -> int:
    """Crawl undisturbed, and count the commits."""
    return int(crawl.run(with_suicide(crawl.command, [])).stderr.rsplit("commits: ", 1)[1])


def plant(fatal: int | None, *, after: bool) -> None:
    """Have this process die at a commit, whichever thread it is in."""
    commits = 0
    written: set[Any] = set()
    commit = DefaultDialect.do_commit

    @event.listens_for(Engine, "before_cursor_execute")
    def note(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.lstrip().startswith(("SELECT", "BEGIN", "PRAGMA")):
            written.add(connection.connection.dbapi_connection)

    def do_commit(dialect: DefaultDialect, connection: Any) -> None:
        nonlocal commits
        # One that has only read is nothing to die at.
        stores = connection.dbapi_connection in written
        commits += stores
        written.discard(connection.dbapi_connection)
        if stores and commits == fatal and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        commit(dialect, connection)
        if stores and commits == fatal and after:
            os.kill(os.getpid(), signal.SIGKILL)

    DefaultDialect.do_commit = do_commit
    if fatal is None:
        atexit.register(lambda: sys.stderr.write(f"commits: {commits}\n"))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.killed_at_commit", description=__doc__)
    parser.add_argument("--commit", type=int)
    parser.add_argument("--after", action="store_true")
    parser.add_argument("arguments", nargs="+")
    given = parser.parse_args()
    plant(given.commit, after=given.after)
    execute(["scrapy", *given.arguments])


if __name__ == "__main__":
    main()
