"""What crawls of the site have found to be no longer as it was stored, field by field.

A record that is new has no entries: its `first_seen_at` tells. What archived and saved pages say is no change of the
site, nor is what a run finds on a second page of something that it has stored itself.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from metacrawl.database.rows import Row, content, insert, now
from metacrawl.database.schema import CHANGES, MOVIES, RUNS

# A record as it was, and as it is.
Pair = tuple[Row, Row]

GONE = "vanished_at"
NOTHING = "null"
# How many keys go into a statement.
AT_ONCE = 500


def note(connection: sa.Connection, run: int, table: sa.Table, pairs: Collection[Pair]) -> None:
    """Enter what differs between rows as they were and as they are, whose `captured_at` is that of what says so."""
    if not pairs:
        return
    started_at = connection.execute(sa.select(RUNS.c.started_at).where(RUNS.c.id == run)).scalar()
    found = []
    for old, new in pairs:
        fields = edited(table, old, new) if is_news(run, started_at, old, new) else set()
        if old[GONE] and not new[GONE]:
            fields.add(GONE)
        found += [(old["key"], field, old[field], new[field]) for field in sorted(fields)]
    enter(connection, run, table, found)


def note_vanished(
    connection: sa.Connection, run: int, table: sa.Table, keys: Collection[str], when: dt.datetime
) -> None:
    """Enter that reviews were found to be gone."""
    enter(connection, run, table, [(key, GONE, None, when) for key in keys])


def note_returned(connection: sa.Connection, run: int, table: sa.Table, keys: Collection[str]) -> None:
    """Enter which of these reviews were taken for gone; to be called before the mark is taken off."""
    gone = table.c.key.in_(keys), table.c[GONE].is_not(None)
    rows = connection.execute(sa.select(table.c.key, table.c[GONE]).where(*gone)).all()
    enter(connection, run, table, [(key, GONE, when, None) for key, when in rows])


def is_news(run: int, started_at: dt.datetime | None, old: Row, new: Row) -> bool:
    """Tell whether a run has read something of the site that differs from what was stored before it."""
    if started_at is None or new["captured_at"] is None or new["captured_at"] < started_at:
        return False
    # A migrated record need not say when it was stored.
    return old["seen_run"] < run or old["first_seen_at"] is None or old["first_seen_at"] < started_at


def edited(table: sa.Table, old: Row, new: Row) -> set[str]:
    """Name the fields that say something else; what only one of two designs tells of a review is not among them."""
    was, says = content(old), content(new)
    fields = {field for field in says if was[field] != says[field]}
    if table is MOVIES or old["layout"] == new["layout"]:
        return fields
    return {field for field in fields if None not in (was[field], says[field])}


def enter(
    connection: sa.Connection, run: int, table: sa.Table, found: Collection[tuple[str, str, object, object]]
) -> None:
    """Write entries of key, field, old and new value; of several in a run, the first old one and the last new one."""
    if not found:
        return
    common = {"run": run, "seen_at": now(), "kind": table.name}
    rows = [
        common | {"key": key, "field": field, "old": as_json(old), "new": as_json(new)}
        for key, field, old, new in found
    ]
    statement = insert(connection, CHANGES)
    same = CHANGES.c.run, CHANGES.c.kind, CHANGES.c.key, CHANGES.c.field
    connection.execute(statement.on_conflict_do_update(index_elements=same, set_={"new": statement.excluded.new}), rows)
    ours = CHANGES.c.run == run, CHANGES.c.kind == table.name
    keys = sorted({key for key, *_ in found})
    for first in range(0, len(keys), AT_ONCE):
        is_as_it_was = CHANGES.c.key.in_(keys[first : first + AT_ONCE]), CHANGES.c.old == CHANGES.c.new
        connection.execute(sa.delete(CHANGES).where(*ours, *is_as_it_was))


def as_json(value: object) -> str:
    """Write a value of a record."""
    return msgspec.json.encode(value).decode()


def forget(connection: sa.Connection, table: sa.Table, keys: Collection[str]) -> None:
    """Remove what records have been, for they are removed themselves."""
    connection.execute(sa.delete(CHANGES).where(CHANGES.c.kind == table.name, CHANGES.c.key.in_(keys)))


def read(
    connection: sa.Connection, since: dt.datetime | None = None, films: Collection[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Read the changes that were seen at a time or later, the oldest first; `old` and `new` are JSON in text."""
    columns = (CHANGES.c.seen_at, CHANGES.c.kind, CHANGES.c.key, CHANGES.c.field, CHANGES.c.old, CHANGES.c.new)
    seen = [CHANGES.c.seen_at >= since] if since else []
    query = sa.select(*columns).where(*seen).order_by(CHANGES.c.seen_at, CHANGES.c.id)
    rows: Iterable[Any] = connection.execute(query, execution_options={"yield_per": 1000})
    for seen_at, kind, key, field, old, new in rows:
        film = key.partition("/")[0]
        if films is None or film in films:
            yield {
                "seen_at": seen_at,
                "kind": kind,
                "key": key,
                "movie_slug": film,
                "field": field,
                "old": old,
                "new": new,
            }
