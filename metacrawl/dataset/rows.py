"""The rows of each table of a dataset, some at a time: texts, numbers, booleans, and lists of what JSON has."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import Any

import sqlalchemy as sa

from metacrawl.database import changes, history
from metacrawl.database.datasets import AT_ONCE, Row, Unread, films, read, unread_films
from metacrawl.database.schema import METADATA, MOVIES
from metacrawl.dataset.filters import Filters
from metacrawl.dataset.model import Table
from metacrawl.dataset.tables import MOVIE
from metacrawl.items import iso_timestamp
from metacrawl.urls import PageKind, PageRef

Batches = Iterator[Sequence[Row]]
CHILD = "movie_"


def rows_of(connection: sa.Connection, table: Table, filters: Filters) -> Batches:
    """Read the rows of a table, in the order of its key."""
    names = [column.name for column in table.columns]
    if table.name == "movie_scores":
        return batches(in_columns(history.read_scores(connection, films=films(connection, filters)), names))
    if table.name == "changes":
        wanted = films(connection, filters)
        return batches(in_columns(changes.read(connection, since=filters.since, films=wanted), names))
    if table.name == MOVIES.name:
        return film_rows(connection, names, filters)
    if table.name in METADATA.tables:
        return read(connection, table.name, names, filters)
    return batches(entries(connection, table, filters))


def film_rows(connection: sa.Connection, names: Sequence[str], filters: Filters) -> Batches:
    """Read the films, those of which only reviews were read among them."""
    found = read(connection, MOVIES.name, names, filters)
    unread = unread_films(connection, filters)
    if not unread:
        return found
    slug = names.index("slug")
    others = [row_of(film, names) for film in unread]
    return batches(merge((row for batch in found for row in batch), others, key=lambda row: row[slug]))


def row_of(film: Unread, names: Sequence[str]) -> Row:
    """Make the row of a film of which only reviews were read."""
    known = film._asdict() | {"key": film.slug, "url": PageRef(PageKind.MOVIE, film.slug).url}
    return tuple(known[name] if name in known else [] if MOVIE[name].type == "list" else None for name in names)


def entries(connection: sa.Connection, table: Table, filters: Filters) -> Iterator[Row]:
    """Read the entries of films' lists."""
    field = table.name.removeprefix(CHILD)
    is_text = not MOVIE[field].items[0].name
    names = [column.name for column in table.columns[2:]]
    for batch in read(connection, MOVIES.name, ("slug", field), filters):
        for slug, found in batch:
            for position, entry in enumerate(found, 1):
                yield (slug, position, *([entry] if is_text else map(entry.get, names)))


def in_columns(found: Iterable[Mapping[str, Any]], names: Sequence[str]) -> Iterator[Row]:
    """Put values in the order of columns, times as text."""
    for row in found:
        yield tuple(iso_timestamp(value) if isinstance(value, dt.datetime) else value for value in map(row.get, names))


def batches(rows: Iterable[Row]) -> Batches:
    """Give rows some at a time."""
    rows = iter(rows)
    while batch := list(islice(rows, AT_ONCE)):
        yield batch
