"""What a dataset is made of: tables of columns, the files that hold them, and what is known of the whole."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Type = Literal["string", "integer", "number", "boolean", "date", "datetime", "list"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table."""

    name: str
    type: Type
    description: str
    required: bool = False
    """Whether it has a value in every row."""

    minimum: float | None = None
    maximum: float | None = None
    items: tuple["Column", ...] = ()
    """Of a list, what each of its entries holds; without a name, where an entry is a plain text."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of a dataset."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    """The columns that tell its rows apart."""

    film: str | None = None
    """The column that names the film of each row, where the table is not that of films."""


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a dataset that holds a table; the one of SQLite holds them all."""

    name: str
    tables: tuple[Table, ...]
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A dataset, as it is about to be published."""

    form: str
    """`jsonl`, `csv`, `parquet` or `sqlite`."""

    created_at: dt.datetime
    version: str
    """metacrawl's."""

    files: tuple[File, ...]
    rows: Mapping[str, int]
    """How many rows each table has."""

    filters: Mapping[str, str]
    """What was asked for: `movie`, `year`, `since`, as given; empty for all that the database holds."""

    sources: tuple[str, ...]
    """The sites that it was read from: `https://www.metacritic.com`."""

    years: tuple[int, int] | None
    """The first and the last year of release of its films."""

    captured: tuple[dt.datetime, dt.datetime] | None
    """When the site showed the oldest and the newest record."""

    layouts: Mapping[str, int]
    """How many records were read from each page design."""

    completeness: Mapping[str, int]
    """Of how many lists of reviews everything is there: by verdict, `complete`, `short` and `unknown`."""

    missing: int
    """How many reviews the site says there are beyond those."""

    partial: str
    """Why it is no whole dataset; empty if it is."""

    authors: str
    """What is kept of the authors of user reviews: `keep`, `pseudonym` or `drop`."""
