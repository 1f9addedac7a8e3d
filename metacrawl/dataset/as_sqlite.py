"""A database of its own, with typed tables, for SQL and for Datasette."""

import errno
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from metacrawl.database.connection import SQLITE_FULL
from metacrawl.dataset.model import Column, Table
from metacrawl.dataset.rows import Batches

TYPES: Mapping[str, str] = {
    "string": "TEXT",
    "integer": "INTEGER",
    "number": "REAL",
    "boolean": "INTEGER",
    "date": "TEXT",
    "datetime": "TEXT",
}
# What rows are asked for by, beside their keys.
INDEXED = ("movie_slug", "date")


def write(path: Path, table: Table, batches: Batches) -> int:
    """Write a table into a file, which is made with the first; returns how many rows it has."""
    values = ", ".join("?" * len(table.columns))
    with full_told(path), closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # If this is cut short, nobody sees the file.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        connection.execute(definition(table))
        inserted = connection.executemany(
            f"INSERT INTO {quoted(table.name)} VALUES ({values})",  # noqa: S608 - names of ours
            (row for batch in batches for row in batch),
        )
        for column in table.columns:
            if column.name in INDEXED and column.name != table.key[0]:
                index = quoted(f"{table.name}_{column.name}")
                connection.execute(f"CREATE INDEX {index} ON {quoted(table.name)} ({quoted(column.name)})")
        connection.execute("COMMIT")
        return max(inserted.rowcount, 0)


@contextmanager
def full_told(path: Path) -> Iterator[None]:
    """Say of a full disk what other files say of it."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "") in SQLITE_FULL:
            raise OSError(errno.ENOSPC, str(error), str(path)) from error
        raise


def definition(table: Table) -> str:
    """Write the statement that makes a table."""
    lines = [line_of(column) for column in table.columns]
    lines.append(f"PRIMARY KEY ({', '.join(map(quoted, table.key))})")
    if table.film:
        lines.append(f"FOREIGN KEY ({quoted(table.film)}) REFERENCES movies (slug)")
    return f"CREATE TABLE {quoted(table.name)} ({', '.join(lines)}) STRICT"


def line_of(column: Column) -> str:
    """Write the line of a column."""
    name = quoted(column.name)
    bounds = [f"{name} IN (0, 1)"] if column.type == "boolean" else []
    bounds += [f"{name} >= {column.minimum}"] if column.minimum is not None else []
    bounds += [f"{name} <= {column.maximum}"] if column.maximum is not None else []
    held = f" CHECK ({' AND '.join(bounds)})" if bounds else ""
    return f"{name} {TYPES[column.type]}{' NOT NULL' if column.required else ''}{held}"


def quoted(name: str) -> str:
    return f'"{name}"'


def check(path: Path, table: Table) -> int:
    """Read a table back; returns how many rows it has. Raises `sqlite3.Error` or `ValueError` for one that is none."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        [number] = connection.execute(f"SELECT count(*) FROM {quoted(table.name)}").fetchone()  # noqa: S608 - ours
        for found in problems(connection, table):
            raise ValueError(f"{table.name}: {found}")
    return int(number)


def problems(connection: sqlite3.Connection, table: Table) -> Iterator[str]:
    """Tell what SQLite finds wrong with a table."""
    for (says,) in connection.execute(f"PRAGMA integrity_check({quoted(table.name)})"):
        if says != "ok":
            yield says
    for _, row, parent, _ in connection.execute(f"PRAGMA foreign_key_check({quoted(table.name)})"):
        yield f"row {row} has nothing in {parent}"
