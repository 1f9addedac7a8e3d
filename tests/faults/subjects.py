"""What is killed: metacrawl and, as the control, stock Scrapy. Each with its command, and how to judge what it left."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from metacrawl.database.connection import connect_to_read
from metacrawl.database.reading import read
from metacrawl.demo.compare import differences
from metacrawl.demo.truth import expected_records
from metacrawl.demo.world import World
from metacrawl.items import RECORDS, Record
from metacrawl.keys import plain_key
from metacrawl.outcome import DatabaseError
from tests.faults.crawls import crawl_movies, python

# How long a dead worker's requests stay its own; where a file's lock tells of its death, nobody waits for it.
LEASE_SECONDS = 2
SHOWN = 5


@dataclass(frozen=True)
class Verdict:
    """What is stored, held against what is on the site."""

    expected: int
    lost: int
    wrong: int = 0
    """Records that differ from the site's in a field."""

    foreign: int = 0
    """Records that are none of the site's."""

    twice: int = 0
    """Records that are there more than once."""

    unreadable: int = 0
    """Lines of a feed that no program can read."""

    told: list[str] = field(default_factory=list)

    @property
    def flawless(self) -> bool:
        return not (self.lost or self.wrong or self.foreign or self.twice or self.unreadable)


def judge(expected: list[Record], found: list[Record]) -> Verdict:
    """Compare every field of every record."""
    wanted = {(type(record), record.key) for record in expected}
    there = Counter((type(record), record.key) for record in found)
    lines = list(differences(expected, found))
    lost, foreign, twice = len(wanted - there.keys()), len(there.keys() - wanted), there.total() - len(there)
    wrong = len(lines) - lost - foreign - twice
    return Verdict(len(expected), lost, wrong, foreign, twice, told=lines[:SHOWN])


class Subject(Protocol):
    """Something that crawls, and keeps what it needs under a name of the case's."""

    name: str
    starts_over: bool
    """Whether, once complete, the same command reads everything again."""

    def command(self, site: str, films: Path, folder: Path, concurrency: int) -> list[object]:
        """Make the command that crawls, and that goes on with a crawl that was killed."""

    def verdict(self, world: World, folder: Path) -> Verdict:
        """Judge what it has stored."""


@dataclass(frozen=True)
class Metacrawl:
    """This project, on a database of each case's own; `database` gives its URL for a name that is new."""

    database: Callable[[Path], str]
    name: str = "metacrawl"
    starts_over: bool = True

    def command(self, site: str, films: Path, folder: Path, concurrency: int) -> list[object]:
        url = self.database(folder)
        more = {} if url.startswith("sqlite") else {"METACRAWL_LEASE_SECONDS": LEASE_SECONDS}
        return python("-m", "scrapy", *crawl_movies(site, films, url, concurrency, **more))

    def verdict(self, world: World, folder: Path) -> Verdict:
        return judge(expected_records(world), stored(self.database(folder)))


def stored(url: str) -> list[Record]:
    """Read all records of a database; none where not even that is there."""
    try:
        engine = connect_to_read(url)
    except DatabaseError:
        return []
    try:
        with engine.connect() as connection:
            return [record for kind in RECORDS for record in read(connection, kind)]
    finally:
        engine.dispose()


class Stock:
    """Scrapy as it comes, with JOBDIR. Records count by their keys: a film's pages give a part of it each."""

    name = "stock Scrapy, JOBDIR"
    starts_over = False

    def command(self, site: str, films: Path, folder: Path, concurrency: int) -> list[object]:
        places = ("--job", folder / "job", "--feed", folder / "items.jsonl")
        options = ("--site", site, "--films", films, "--concurrency", concurrency)
        # It keeps pickles, which is noted of all others.
        return ["/usr/bin/env", "-u", "UNPICKLED", *python("-m", "tests.faults.stock", *options, *places)]

    def verdict(self, world: World, folder: Path) -> Verdict:
        expected = {(type(record).__name__, plain_key(record)) for record in expected_records(world)}
        items: list[dict[str, Any]] = []
        unreadable = 0
        feed = folder / "items.jsonl"
        for line in feed.read_bytes().splitlines() if feed.exists() else []:
            try:
                items.append(json.loads(line))
            except ValueError:
                unreadable += 1
        found = {(item["kind"], item["key"]) for item in items}
        # The same record of another page is none too many: each page tells of the film, and a list may move.
        twice = len(items) - len({json.dumps({**item, "captured_at": None}) for item in items})
        lost = sorted(expected - found)
        told = [f"{kind} {key}: not found" for kind, key in lost[:SHOWN]]
        return Verdict(
            len(expected), len(lost), foreign=len(found - expected), twice=twice, unreadable=unreadable, told=told
        )


def sqlite(folder: Path) -> str:
    """Name the database of a case."""
    return f"sqlite:///{folder / 'metacrawl.db'}"


@contextmanager
def databases(where: str) -> Iterator[Callable[[Path], str]]:
    """Give what names a case's database: `sqlite`, `postgresql` (a server is started), or the URL of a server."""
    if where == "sqlite":
        yield sqlite
    elif where == "postgresql":
        from tests.postgres import Postgres  # noqa: PLC0415 - needs the server's programs, which SQLite does not

        with Postgres() as server, on_server(server.url("postgres")) as database:
            yield database
    else:
        with on_server(where) as database:
            yield database


@contextmanager
def on_server(url: str) -> Iterator[Callable[[Path], str]]:
    """Make a database for each case on a PostgreSQL server, and take all of them away at the end."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    made: dict[Path, str] = {}

    def database(folder: Path) -> str:
        name = made.get(folder) or f"faults_{folder.parent.name}_{folder.name}".lower()
        if folder not in made:
            with engine.connect() as connection:
                connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
            made[folder] = name
        return engine.url.set(database=name).render_as_string(hide_password=False)

    try:
        yield database
    finally:
        with engine.connect() as connection:
            for name in made.values():
                connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
        engine.dispose()
