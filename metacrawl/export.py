"""Files for people who want a table: one per record kind, in the order of keys, so that two exports compare."""

import csv
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import fields
from pathlib import Path
from typing import IO

import msgspec
import sqlalchemy as sa

from metacrawl.cells import cell_of
from metacrawl.database.connection import shown
from metacrawl.database.reading import count, read
from metacrawl.database.schema import TABLES
from metacrawl.files import whole_file
from metacrawl.items import Record
from metacrawl.outcome import NothingError


def jsonl(record: Record) -> str:
    """Write a record as a line of JSON."""
    return msgspec.json.encode(record).decode() + "\n"


def write_jsonl(file: IO[str], _kind: type[Record], records: Iterator[Record]) -> int:
    return sum(1 for record in records if file.write(jsonl(record)))


def write_csv(file: IO[str], kind: type[Record], records: Iterator[Record]) -> int:
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(field.name for field in fields(kind))
    return sum(1 for record in records if writer.writerow(map(cell_of, vars(record).values())))


# Each returns how many records it wrote.
WRITERS: Mapping[str, Callable[[IO[str], type[Record], Iterator[Record]], int]] = {
    "jsonl": write_jsonl,
    "csv": write_csv,
}


def export(engine: sa.Engine, folder: Path, form: str) -> dict[Path, int]:
    """Write all records of a database into a folder, in a form of `WRITERS`.

    A file appears under its name only when it is whole. Returns the files and how many records each has. Raises
    `NothingError` for a database without a record, and `OSError`.
    """
    with engine.connect() as connection:
        if not any(count(connection, kind) for kind in TABLES):
            raise NothingError(f"there is nothing in {shown(engine.url)}: crawl first")
        folder.mkdir(parents=True, exist_ok=True)
        written = {}
        for kind, table in TABLES.items():
            path = folder / f"{table.name}.{form}"
            with exported_file(path) as file:
                written[path] = WRITERS[form](file, kind, read(connection, kind))
        return written


def exported_file(path: Path) -> AbstractContextManager[IO[str]]:
    """Open a file of a dataset, which appears when it is whole."""
    return whole_file(path, path.with_name(f".{path.name}.unfinished"))
