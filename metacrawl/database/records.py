"""Storing records: the same record again changes nothing, an edited one is updated, two under one key are both kept."""

from collections import Counter
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from metacrawl.database.films import merge
from metacrawl.database.rows import PROVENANCE, Row, content, to_record, to_row
from metacrawl.database.schema import TABLES
from metacrawl.items import RECORDS, Movie, Record, clash_key, identity, plain_key, same_review


def save(connection: sa.Connection, run: int, records: Sequence[Record]) -> Counter[str]:
    """Store records in the transaction of `connection`, as met by the run of that id.

    Returns how many were `new`, `changed` and `unchanged`.
    """
    counts: Counter[str] = Counter()
    for kind in RECORDS:
        batch = [record for record in records if type(record) is kind]
        if batch:
            counts += save_kind(connection, run, kind, batch)
    return counts


def save_kind(connection: sa.Connection, run: int, kind: type[Record], batch: Sequence[Record]) -> Counter[str]:
    table = TABLES[kind]
    keys = {key for record in batch for key in (plain_key(record), clash_key(record))}
    stored = {
        row["key"]: dict(row) for row in connection.execute(sa.select(table).where(table.c.key.in_(keys))).mappings()
    }
    counts: Counter[str] = Counter()
    met: dict[str, Row] = {}
    for record in batch:
        key = place(record, stored, run)
        old = stored.get(key)
        row = merge(old, record, run) if isinstance(record, Movie) else to_row(record)
        row |= {"key": key, "seen_run": run}
        if old is None:
            counts["new"] += 1
        elif content(old) != content(row):
            counts["changed"] += 1
        else:
            counts["unchanged"] += 1
            # When and where it was first read like this stays.
            row |= {name: old[name] for name in PROVENANCE}
        stored[key] = met[key] = row
    upsert(connection, table, list(met.values()))
    return counts


def place(record: Record, stored: Mapping[str, Row], run: int) -> str:
    """Choose the key of a record among the rows under its key: its own row, a free one, or one that it replaces.

    Only a row that this very run has met stays with the other record that it holds.
    """
    plain, other = plain_key(record), clash_key(record)
    for key in (plain, other):
        if key in stored and same_review(row_identity(stored[key], type(record)), identity(record)):
            return key
    return other if plain in stored and stored[plain]["seen_run"] == run else plain


def row_identity(row: Row, kind: type[Record]) -> tuple[str | None, str | None]:
    return identity(to_record(row, kind))


def upsert(connection: sa.Connection, table: sa.Table, rows: list[Row]) -> None:
    """Write whole rows, whether or not their keys are there already."""
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
    replaced = {column.name: insert.excluded[column.name] for column in table.columns if not column.primary_key}
    connection.execute(insert.on_conflict_do_update(index_elements=["key"], set_=replaced), rows)
