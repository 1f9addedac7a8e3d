"""Parquet: typed columns, compressed."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from metacrawl.database.datasets import AT_ONCE
from metacrawl.dataset.model import Column, Table
from metacrawl.dataset.rows import Batches

TYPES: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    # Parquet has no whole seconds.
    "datetime": pa.timestamp("ms", tz="UTC"),
}
# Arrow's own allocator keeps a hundred megabytes that it needs no more.
pa.set_memory_pool(pa.system_memory_pool())

# How many batches make a group of rows, which is what a reader has in memory at least.
BATCHES_IN_GROUP = 10


def schema_of(table: Table) -> pa.Schema:
    """Make the schema of a table."""
    return pa.schema([field_of(column) for column in table.columns])


def field_of(column: Column, name: str | None = None) -> pa.Field:
    """Make the field of a column."""
    return pa.field(name or column.name, type_of(column), nullable=not column.required)


def type_of(column: Column) -> pa.DataType:
    """Give the type of a column's values."""
    if column.type != "list":
        return TYPES[column.type]
    if not column.items[0].name:
        return pa.list_(field_of(column.items[0], "element"))
    return pa.list_(pa.field("element", pa.struct([field_of(item) for item in column.items]), nullable=False))


def write(path: Path, table: Table, batches: Batches) -> int:
    """Write a file; returns how many rows it has."""
    schema, rows = schema_of(table), 0
    with path.open("xb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for group in groups(schema, batches):
            writer.write_table(group)
            rows += len(group)
    return rows


def groups(schema: pa.Schema, batches: Batches) -> Iterator[pa.Table]:
    """Give the groups of rows of a file."""
    group: list[pa.RecordBatch] = []
    for batch in batches:
        columns = zip(*batch, strict=True)
        arrays = [array_of(values, field) for values, field in zip(columns, schema, strict=True)]
        group.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
        if len(group) == BATCHES_IN_GROUP:
            yield pa.Table.from_batches(group)
            group = []
    if group:
        yield pa.Table.from_batches(group)


def array_of(values: Any, field: pa.Field) -> pa.Array:
    """Make the part of a column; days and times are text until then."""
    if pa.types.is_temporal(field.type):
        return pa.array(values, pa.string()).cast(field.type)
    return pa.array(values, field.type)


def check(path: Path, table: Table) -> int:
    """Read a file back; returns how many rows it has. Raises `ValueError` for one that is none."""
    rows = 0
    bounded = [column for column in table.columns if column.minimum is not None]
    with pq.ParquetFile(path) as file:
        if not file.schema_arrow.equals(schema_of(table)):
            raise ValueError("its schema is another")
        for batch in file.iter_batches(AT_ONCE, use_threads=False):
            batch.validate(full=True)
            for column in bounded:
                hold(batch, column)
            rows += batch.num_rows
    return rows


def hold(batch: pa.RecordBatch, column: Column) -> None:
    """Raise `ValueError` where a value is out of bounds."""
    least, most = pc.min_max(batch[column.name]).as_py().values()
    if least is not None and (least < column.minimum or (column.maximum is not None and most > column.maximum)):
        raise ValueError(f"{column.name} is out of bounds: {least} to {most}")
