"""The tables: one per record kind, its columns read off the dataclass, and the runs."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from metacrawl.items import RECORDS, CriticReview, Movie, Record, UserReview

# SQLite has no time stamps: they are written as the record contract writes them.
ISO_TIMESTAMP: sa.DateTime = sqlite.DATETIME(  # type: ignore[no-untyped-call]
    storage_format="%(year)04d-%(month)02d-%(day)02dT%(hour)02d:%(minute)02d:%(second)02dZ",
    regexp=r"(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)Z",
)


class Timestamp(sa.TypeDecorator[dt.datetime]):
    """A point in time, UTC, to the second."""

    impl = sa.DateTime(timezone=True).with_variant(ISO_TIMESTAMP, "sqlite")
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, _dialect: sa.Dialect) -> dt.datetime | None:
        """Store UTC."""
        return value.astimezone(dt.UTC).replace(microsecond=0) if value else None

    def process_result_value(self, value: dt.datetime | None, _dialect: sa.Dialect) -> dt.datetime | None:
        """Read UTC."""
        return (value.astimezone(dt.UTC) if value.tzinfo else value.replace(tzinfo=dt.UTC)) if value else None


COLUMN_TYPES: Mapping[type, type[sa.types.TypeEngine[Any]]] = {
    str: sa.Text,
    int: sa.BigInteger,
    float: sa.Double,
    bool: sa.Boolean,
    list: sa.JSON,
    dt.date: sa.Date,
    dt.datetime: Timestamp,
}

METADATA = sa.MetaData()


def column(name: str, hint: Any) -> sa.Column[Any]:
    """Make the column of a record's field."""
    optional = type(None) in get_args(hint)
    inner = next(arg for arg in get_args(hint) if arg is not type(None)) if optional else hint
    if get_origin(inner) is Annotated:
        inner = get_args(inner)[0]
    python_type = get_origin(inner) or inner
    return sa.Column(name, COLUMN_TYPES[python_type](), nullable=optional, primary_key=name == "key")


def record_table(name: str, record: type[Record]) -> sa.Table:
    """Make the table of a record kind. `seen_run` is the last run that met the record."""
    hints = get_type_hints(record, include_extras=True)
    columns = [column(field.name, hints[field.name]) for field in fields(record)]
    return sa.Table(name, METADATA, *columns, sa.Column("seen_run", sa.Integer, nullable=False))


MOVIES = record_table("movies", Movie)
# What each kind of page says of a film, to make the one record of: see `metacrawl.database.films`.
MOVIE_PARTS = sa.Table(
    "movie_parts",
    METADATA,
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("page", sa.Text, primary_key=True),
    sa.Column("fields", sa.JSON, nullable=False),
)
CRITIC_REVIEWS = record_table("critic_reviews", CriticReview)
USER_REVIEWS = record_table("user_reviews", UserReview)

TABLES: Mapping[type[Record], sa.Table] = dict(zip(RECORDS, (MOVIES, CRITIC_REVIEWS, USER_REVIEWS), strict=True))

RUNS = sa.Table(
    "runs",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("spider", sa.Text, nullable=False),
    sa.Column("arguments", sa.JSON, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("started_at", Timestamp, nullable=False),
    sa.Column("finished_at", Timestamp),
    sa.Column("outcome", sa.Text),
    sa.Column("message", sa.Text),
)
