"""The kinds of column that tables are made of."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

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

# Ordered by their bytes, as SQLite does, in whatever language the server was set up.
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def column(name: str, hint: Any) -> sa.Column[Any]:
    """Make the column of a record's field."""
    optional = type(None) in get_args(hint)
    inner = next(arg for arg in get_args(hint) if arg is not type(None)) if optional else hint
    if get_origin(inner) is Annotated:
        inner = get_args(inner)[0]
    python_type = get_origin(inner) or inner
    if name == "key":
        return sa.Column(name, KEY, primary_key=True)
    return sa.Column(name, COLUMN_TYPES[python_type](), nullable=optional)
