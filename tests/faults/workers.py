"""Several processes of one command that share a crawl on PostgreSQL, and a look at what each of them holds."""

import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, LiteralString, Self
from urllib.parse import urlsplit

import psycopg

from metacrawl.database.connection import connect
from metacrawl.demo.truth import expected_records
from tests.faults.crawls import PATIENCE, ROBOTS, Crawl, End, Site, crawl_movies, names_of, python
from tests.faults.subjects import Verdict, judge, stored

LEFT = "SELECT frontier.url FROM frontier WHERE state IN ('queued', 'leased')"
HELD = """SELECT frontier.url FROM frontier JOIN workers ON workers.id = frontier.worker
WHERE state = 'leased' AND pid = %s"""
LEASE = "SELECT lease_until FROM frontier WHERE state = 'leased' AND frontier.url = %s"
ENLISTED = "SELECT count(*) FROM workers WHERE pid = %s"
BUSY = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND state <> 'idle'"
LATEST = "SELECT max(xact_start), max(state_change) FROM pg_stat_activity WHERE application_name = %s"
LATE = re.compile(r"(\d+) pages came too late")


def wait_for(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> None:
    """Look again and again whether a condition holds."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"not in {seconds} s: {what}")
        time.sleep(0.01)


def wait_for_requests(site: Site, number: int) -> None:
    """Wait until a site has been asked for so many pages more."""
    reached = len(site.requests) + number
    assert site.requests.wait(lambda: len(site.requests) >= reached, PATIENCE)


def say(text: str) -> None:
    """Print what a test has measured."""
    sys.stdout.write(f"{text}\n")


class Worker:
    """One process of a crew."""

    def __init__(self, crew: "Crew", name: str, command: Sequence[object]) -> None:
        self.crew, self.name = crew, name
        folder = crew.folder / name
        folder.mkdir()
        self.crawl = Crawl(command, crew.site.requests, folder)
        self.process = self.crawl.start()
        self.ended_at: float | None = None
        Thread(target=self.watch, daemon=True).start()

    def watch(self) -> None:
        self.process.wait()
        self.ended_at = time.monotonic()

    def alive(self) -> bool:
        """Tell whether it has not ended yet."""
        return self.process.poll() is None

    def errors(self) -> str:
        """What it has logged so far."""
        return self.crawl.outputs[1].read_text("utf-8")

    def late(self) -> int:
        """Count its pages that were refused, by its log."""
        return sum(map(int, LATE.findall(self.errors())))

    def stat(self, name: str) -> int:
        """Read a figure off what it says at its end."""
        found = re.search(rf"'{re.escape(name)}': (\d+)", self.errors())
        return int(found[1]) if found else 0

    def enlisted(self) -> bool:
        """Tell whether it takes part in the crawl."""
        return bool(self.crew.ask(ENLISTED, self.process.pid)[0][0])

    def held(self) -> list[str]:
        """Name the paths that it has leased."""
        return [path_of(url) for (url,) in self.crew.ask(HELD, self.process.pid)]

    def under_way(self) -> list[str]:
        """Name the paths that it has leased and asked for."""
        return [path for path in self.held() if path in self.crew.site.requests]

    def wait_for_looks(self, number: int) -> None:
        """Wait until it has turned to the database so many times more."""
        for _ in range(number):
            before = self.crew.ask(LATEST, self.name)
            wait_for(lambda before=before: self.crew.ask(LATEST, self.name) != before or not self.alive(), "a look")

    def kill(self) -> list[str]:
        """Kill it; returns the paths that it had asked for and not brought to their end."""
        self.process.kill()
        self.process.wait()
        # What the server has still to do for a process that is gone.
        wait_for(lambda: not self.crew.ask(BUSY, self.name)[0][0], "the server to let go")
        return self.under_way()

    def freeze(self) -> None:
        """Stop it, but not in the middle of a transaction: what that has locked would stop the others, too."""
        while True:
            self.process.send_signal(signal.SIGSTOP)
            wait_for(self.stopped, "a stop")
            if not self.crew.ask(BUSY, self.name)[0][0]:
                return
            self.thaw()

    def stopped(self) -> bool:
        """Tell whether it stands still."""
        return "\nState:\tT" in Path(f"/proc/{self.process.pid}/status").read_text("utf-8")

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> End:
        """Wait for its end."""
        try:
            return self.crawl.end(self.process, self.process.wait(PATIENCE))
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.name} did not end: {self.crawl.end(self.process, -1)}") from None


class Crew:
    """Workers on one crawl of a site, each of the same command; `settings` are Scrapy's and metacrawl's."""

    def __init__(self, site: Site, url: str, folder: Path, concurrency: int, **settings: object) -> None:
        self.site, self.url, self.folder = site, url, folder
        self.films = folder / "films.txt"
        self.films.write_text(names_of(site.world), encoding="utf-8")
        self.arguments = partial(crawl_movies, site.url, self.films, concurrency=concurrency, **settings)
        self.workers: list[Worker] = []

    def __enter__(self) -> Self:
        connect(self.url).dispose()
        self.connection = psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True)
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.process.kill()
            worker.process.wait()
        self.connection.close()

    def ask(self, query: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database."""
        return self.connection.execute(query, values).fetchall()

    def add(self, *plants: str) -> Worker:
        """Start one more worker, with faults planted in it."""
        name = f"worker-{len(self.workers) + 1}"
        database = f"{self.url}?application_name={name}"
        entry = ("-m", "tests.faults.planted", *plants, "--") if plants else ("-m", "scrapy")
        self.workers.append(Worker(self, name, python(*entry, *self.arguments(database=database))))
        return self.workers[-1]

    def add_all(self, number: int, *plants: str) -> list[Worker]:
        """Start workers while nothing is answered, so that none comes when all is over."""
        self.site.hold_all()
        workers = [self.add(*plants) for _ in range(number)]
        wait_for(lambda: all(worker.enlisted() for worker in workers), "all workers")
        self.site.resume()
        return workers

    def left(self) -> set[str]:
        """Name the paths that are still to do."""
        return {path_of(url) for (url,) in self.ask(LEFT)}

    def lease_of(self, path: str) -> float:
        """Tell until when somebody has a page; 0 if nobody has."""
        return next((until for (until,) in self.ask(LEASE, self.site.url + path)), 0.0)

    def verdict(self) -> Verdict:
        """Hold what is stored against the truth."""
        return judge(expected_records(self.site.world), stored(self.url))


def again(requests: Iterable[str]) -> Counter[str]:
    """Count by path the requests beyond the first."""
    asked = Counter(path for path in requests if path != ROBOTS)
    return asked - Counter(set(asked))


def path_of(url: str) -> str:
    """Cut the site off a URL."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
