"""What `scrapy diff` shows of a database."""

import datetime as dt
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from metacrawl.database import changes
from metacrawl.database.schema import MOVIES, RUNS, TABLES

# What can have become of a record.
NEW, CHANGED, VANISHED, RETURNED = BECOME = ("new", "changed", "vanished", "returned")
# How many changes are shown, the newest.
SHOWN = 50


@dataclass(frozen=True)
class Difference:
    """What is different since a time."""

    since: dt.datetime
    began: dt.datetime | None
    """When the database was first crawled into."""

    films: dict[str, Counter[str]]
    """Of each film of which anything is different, of how many records it and its reviews are it; by `BECOME`."""

    number: int
    """Of changes."""

    newest: list[dict[str, Any]]
    """The last of them, the newest first, as `metacrawl.database.changes.read` gives them."""


def difference(connection: sa.Connection, since: dt.datetime, films: Collection[str] | None) -> Difference:
    """Tell what is different since a time, of these films or of all.

    A record that has vanished and returned since then counts as both.
    """
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for film, number in count_new(connection, since):
        if films is None or film in films:
            found[film][NEW] += number
    counted: set[tuple[str, str, str]] = set()
    newest: deque[dict[str, Any]] = deque(maxlen=SHOWN)
    number = 0
    for change in changes.read(connection, since, films):
        number += 1
        newest.appendleft(change)
        what = (change["kind"], change["key"], became(change))
        if what not in counted:
            counted.add(what)
            found[change["movie_slug"]][became(change)] += 1
    began = connection.execute(sa.select(sa.func.min(RUNS.c.started_at))).scalar()
    return Difference(since, began, dict(found), number, list(newest))


def count_new(connection: sa.Connection, since: dt.datetime) -> Iterator[tuple[str, int]]:
    """Count the records that were stored first at a time or later, by their films."""
    for table, film in film_columns():
        query = sa.select(film, sa.func.count()).where(table.c.first_seen_at >= since).group_by(film)
        yield from connection.execute(query)


def became(change: dict[str, Any]) -> str:
    """Tell what a change says of its record."""
    if change["field"] != changes.GONE:
        return CHANGED
    return RETURNED if change["new"] == changes.NOTHING else VANISHED


def unknown(connection: sa.Connection, films: Collection[str]) -> list[str]:
    """Name those films that the database does not have."""
    known: set[str] = set()
    # In the statement itself: no database takes a hundred thousand parameters.
    named: sa.BindParameter[str] = sa.bindparam("films", list(films), expanding=True, literal_execute=True)
    for _, film in film_columns() if films else ():
        known.update(connection.execute(sa.select(film).where(film.in_(named)).distinct()).scalars())
    return [film for film in films if film not in known]


def film_columns() -> Iterator[tuple[sa.Table, sa.Column[str]]]:
    """Give the tables of records, each with its column that names the film."""
    return ((table, table.c.slug if table is MOVIES else table.c.movie_slug) for table in TABLES.values())
