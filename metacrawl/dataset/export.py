"""The database as a dataset: written, read back, described, and only then shown."""

import csv
import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Protocol, cast

import msgspec
import sqlalchemy as sa

from metacrawl import __version__
from metacrawl.database import datasets
from metacrawl.database.connection import shown
from metacrawl.database.rows import now
from metacrawl.dataset import card, croissant, datapackage
from metacrawl.dataset.filters import Filters
from metacrawl.dataset.model import Dataset, File, Table
from metacrawl.dataset.publish import publishing
from metacrawl.dataset.rows import Batches, rows_of
from metacrawl.dataset.tables import tables_of
from metacrawl.outcome import DamagedError, IncompleteError, NothingError, told
from metacrawl.urls import SITE

EVERYTHING = Filters()
# Of what a file is said to be that is not what was to be written.
BROKEN = (ValueError, csv.Error, sqlite3.Error, msgspec.MsgspecError)


class Writer(Protocol):
    """A module that writes tables of a form; both raise what `BROKEN` has, or `OSError`."""

    def write(self, path: Path, table: Table, batches: Batches) -> int:
        """Write a table; returns how many rows."""

    def check(self, path: Path, table: Table) -> int:
        """Read it back; returns how many rows."""


class Form(NamedTuple):
    """A form of datasets."""

    nested: bool
    """Whether its tables hold lists."""

    file: str
    """How the file of a table is called."""


FORMS: Mapping[str, Form] = {
    "jsonl": Form(nested=True, file="{}.jsonl"),
    "csv": Form(nested=False, file="{}.csv"),
    "parquet": Form(nested=True, file="{}.parquet"),
    "sqlite": Form(nested=False, file="metacrawl.sqlite"),
}


class Written(NamedTuple):
    """What lies in a folder."""

    files: tuple[File, ...]
    rows: dict[str, int]
    """How many rows each table has."""


def export(
    engine: sa.Engine, folder: Path, form: str, filters: Filters = EVERYTHING, *, partial: bool = False
) -> Dataset:
    """Publish what a database holds as a folder, in one of `FORMS`; with `partial` also what is no whole dataset.

    Raises `NothingError`, `IncompleteError`, and what `publish` raises.
    """
    with datasets.snapshot(engine) as connection:
        if datasets.is_empty(connection, filters):
            raise NothingError(nothing(engine, filters))
        lack = datasets.lack(connection, filters)
        if lack and not partial:
            raise IncompleteError(lack.outcome, f"{lack.why}: run its command again, or take what there is: --partial")
        return publish(connection, folder, form, filters)


def publish(connection: sa.Connection, folder: Path, form: str, filters: Filters) -> Dataset:
    """Publish what is asked for, were it nothing; what it lacks is said in it.

    Raises `ConfigError` for the folder, `LockedError`, `DamagedError` for a file that is not what was to be written,
    and `OSError`.
    """
    lack = datasets.lack(connection, filters)
    with publishing(folder) as place:
        written = write_files(connection, place, form, filters)
        about = datasets.describe(connection, filters)
        dataset = Dataset(
            form=form,
            created_at=now(),
            version=__version__,
            filters=filters.given,
            sources=(SITE,),
            partial=lack.why if lack else "",
            **written._asdict(),
            **about._asdict(),
        )
        write_descriptions(place, dataset)
    return dataset


def nothing(engine: sa.Engine, filters: Filters) -> str:
    """Say that there is nothing, and what to do."""
    database = shown(engine.url)
    if filters.given:
        return f"there is nothing in {database} with {filters}: ask for more, or crawl it first"
    return f"there is nothing in {database}: crawl first"


def write_files(connection: sa.Connection, place: Path, form: str, filters: Filters) -> Written:
    """Write the tables, and read them back."""
    # Only the one that is asked for: Parquet's library is large.
    writer = cast("Writer", import_module(f"metacrawl.dataset.as_{form}"))
    tables: dict[Path, list[Table]] = {}
    rows: dict[str, int] = {}
    for table in tables_of(nested=FORMS[form].nested):
        path = place / FORMS[form].file.format(table.name)
        tables.setdefault(path, []).append(table)
        with damage_told(path):
            rows[table.name] = writer.write(path, table, rows_of(connection, table, filters))
    return Written(tuple(file_of(path, held, rows, writer) for path, held in tables.items()), rows)


def file_of(path: Path, tables: list[Table], rows: Mapping[str, int], writer: Writer) -> File:
    """Describe a file, once it is found to hold what was written. Raises `DamagedError`."""
    with damage_told(path):
        for table in tables:
            found = writer.check(path, table)
            if found != rows[table.name]:
                raise ValueError(f"{found:,} of the {rows[table.name]:,} rows of {table.name}")
    return File(
        name=path.name,
        tables=tuple(tables),
        rows=sum(rows[table.name] for table in tables),
        bytes=path.stat().st_size,
        sha256=digest(path),
    )


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Say of which file it is that something is wrong."""
    try:
        yield
    except BROKEN as error:
        raise DamagedError(f"{path.name} is not as it should be ({told(error)}); nothing was published") from error


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_descriptions(place: Path, dataset: Dataset) -> None:
    """Write the files that describe a dataset, and the checksums of all."""
    described = {
        "datapackage.json": datapackage.write(dataset),
        "croissant.json": croissant.write(dataset),
        "README.md": card.write(dataset),
    }
    for name, text in described.items():
        (place / name).write_text(text, encoding="utf-8")
    sums = {file.name: file.sha256 for file in dataset.files} | {name: digest(place / name) for name in described}
    lines = (f"{found}  {name}\n" for name, found in sorted(sums.items()))
    (place / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
