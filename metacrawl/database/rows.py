"""Records ↔ rows."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from metacrawl.database.schema import KEPT
from metacrawl.items import Record

R = TypeVar("R", bound=Record)
Row = dict[str, Any]

# Where a record was read, not what it says: a record met again elsewhere is the same record.
PROVENANCE = frozenset({"layout", "source_url", "captured_at"})
# What the database driver takes as it is; lists of credits and the like become JSON.
NATIVE = (dt.date, dt.datetime)


def to_row(record: Record) -> Row:
    """Make the columns of a record, but for those of `metacrawl.database.schema.KEPT`."""
    row: Row = msgspec.to_builtins(record, builtin_types=NATIVE)
    return row


def to_record(row: Row, kind: type[R]) -> R:
    """Make the record of a row."""
    return msgspec.convert({field.name: row[field.name] for field in fields(kind)}, kind)


def content(row: Row) -> Row:
    """What a record says, wherever it was read."""
    return {name: row[name] for name in row.keys() - PROVENANCE - KEPT - {"key"}}


def fetch(connection: sa.Connection, table: sa.Table, keys: Collection[str]) -> dict[str, Row]:
    """Read the rows of these keys, as far as they are there."""
    rows = connection.execute(sa.select(table).where(table.c.key.in_(keys))).mappings()
    return {row["key"]: dict(row) for row in rows}


def judge(old: Row | None, row: Row) -> tuple[str, Row]:
    """Tell whether a row is `new`, `changed` or `unchanged`, and what to store of it.

    When it was stored first stays, and when and where an unchanged one was first read like this.
    """
    if old is None:
        return "new", row | {"first_seen_at": now(), "vanished_at": None}
    row |= {"first_seen_at": old["first_seen_at"], "vanished_at": old["vanished_at"] if was_there(old, row) else None}
    if content(old) != content(row):
        return "changed", row
    return "unchanged", row | {name: old[name] for name in PROVENANCE}


def was_there(old: Row, row: Row) -> bool:
    """Tell whether a record was met on a page of before it vanished; who is met later has come back."""
    return None not in (old["vanished_at"], row["captured_at"]) and bool(row["captured_at"] < old["vanished_at"])


def now() -> dt.datetime:
    """Give the time by the clock of the crawl."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def insert(connection: sa.Connection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """Begin an insert that can say what to do where a key is there already."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[Row], *, newer: str | None = None) -> None:
    """Write whole rows, whether or not their keys are there already; with `newer`, over none that has more there."""
    statement = insert(connection, table)
    replaced = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    where = statement.excluded[newer] >= table.c[newer] if newer else None
    connection.execute(
        statement.on_conflict_do_update(index_elements=table.primary_key.columns, set_=replaced, where=where), rows
    )
