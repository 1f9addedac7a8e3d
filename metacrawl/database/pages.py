"""What the page behind each URL has brought, for one that is still the same need not be read again.

No page is kept, nor what its reviews say: only their keys, and a digest that shows whether the database still has them
as they were.
"""

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from metacrawl.authors import LeftOut
from metacrawl.completeness import Total
from metacrawl.database.rows import content, fetch, upsert
from metacrawl.database.schema import PAGES, TABLES
from metacrawl.items import Movie

# No site is believed longer that a page is still the same: it may be wrong.
LONGEST = dt.timedelta(days=30)

# Review tables by name → keys.
Keys = Mapping[str, Collection[str]]

NAMED = {table.name: table for table in TABLES.values()}


class Memory(msgspec.Struct):
    """What a page has brought."""

    read_at: dt.datetime
    """When it was last sent, not only said to be the same."""

    validators: dict[str, str]
    """The headers that ask whether it is still the same."""

    movies: list[Movie]
    keys: dict[str, list[str]]
    """Of its reviews, those too that another page had brought before."""

    digest: str
    """Of what they say."""

    requests: list[dict[str, Any]]
    """Those that it leads to: a row of the frontier, but for what the crawl was asked for."""

    left_out: list[LeftOut]
    totals: list[Total]
    figures: dict[str, dict[str, int]]
    """What was counted of it: see `metacrawl.figures`."""


def find(connection: sa.Connection, url: str, read_for: str) -> Memory | None:
    """Give what a page has brought when it was read for the same, if all of that is in the database as it was.

    None of one that was read long ago, or by a clock that was wrong.
    """
    same = PAGES.c.url == url, PAGES.c.read_for == read_for
    kept = connection.execute(sa.select(PAGES.c.memory).where(*same)).scalar()
    try:
        memory = msgspec.convert(kept, Memory) if kept else None
    except msgspec.ValidationError:
        # One that another state of the code has made.
        return None
    if memory is None or abs(dt.datetime.now(dt.UTC) - memory.read_at) > LONGEST:
        return None
    return memory if digest(connection, memory.keys) == memory.digest else None


def keep(connection: sa.Connection, url: str, film: str, read_for: str, memory: Memory) -> None:
    """Keep what a page of a film has brought, instead of what it brought before."""
    row = {"url": url, "film": film, "read_for": read_for, "memory": msgspec.to_builtins(memory)}
    upsert(connection, PAGES, [row])


def drop(connection: sa.Connection, url: str) -> None:
    """Forget what a page has brought."""
    connection.execute(sa.delete(PAGES).where(PAGES.c.url == url))


def forget(connection: sa.Connection, films: Collection[str]) -> int:
    """Forget what the pages of films have brought, so that they are read anew; returns how many pages."""
    return connection.execute(sa.delete(PAGES).where(PAGES.c.film.in_(films))).rowcount


def digest(connection: sa.Connection, keys: Keys) -> str:
    """Tell reviews from the same ones after any of them was changed or deleted."""
    says = [
        (name, key, sorted(content(row).items()))
        for name in sorted(keys)
        for key, row in sorted(fetch(connection, NAMED[name], keys[name]).items())
    ]
    return hashlib.sha256(repr(says).encode(errors="backslashreplace")).hexdigest()
