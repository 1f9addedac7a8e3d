"""Reading what is stored, in the order of its keys."""

from collections.abc import Iterator
from typing import TypeVar

import sqlalchemy as sa

from metacrawl.database.rows import to_record
from metacrawl.database.schema import TABLES
from metacrawl.items import Record

R = TypeVar("R", bound=Record)


def read(connection: sa.Connection, kind: type[R]) -> Iterator[R]:
    """Read all records of one kind by key, a thousand at a time."""
    table = TABLES[kind]
    rows = connection.execution_options(yield_per=1000).execute(sa.select(table).order_by(table.c.key))
    return (to_record(dict(row), kind) for row in rows.mappings())


def count(connection: sa.Connection, kind: type[Record], *where: sa.ColumnElement[bool]) -> int:
    """Count the records of one kind, or those of which all conditions hold."""
    return connection.execute(sa.select(sa.func.count()).select_from(TABLES[kind]).where(*where)).scalar_one()
