"""CSV, for spreadsheets: see `metacrawl.cells`."""

import csv
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from metacrawl.cells import to_cell
from metacrawl.dataset.model import Table
from metacrawl.dataset.rows import Batches
from metacrawl.dataset.types import row_type

# The others are written as they are.
CELLS: Mapping[str, Callable[[Any], str | None]] = {
    "string": lambda text: text and to_cell(text),
    "boolean": {True: "true", False: "false"}.get,
}


def write(path: Path, table: Table, batches: Batches) -> int:
    """Write a file; returns how many rows it has."""
    made = [(place, CELLS[column.type]) for place, column in enumerate(table.columns) if column.type in CELLS]
    rows = 0
    with path.open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(column.name for column in table.columns)
        for batch in batches:
            columns: list[Iterable[Any]] = list(zip(*batch, strict=True))
            for place, cell in made:
                columns[place] = map(cell, columns[place])
            writer.writerows(zip(*columns, strict=True))
            rows += len(batch)
    return rows


def check(path: Path, table: Table) -> int:
    """Read a file back; returns how many rows it has.

    Raises `msgspec.MsgspecError`, `csv.Error` or `ValueError` for one that is none.
    """
    kind, rows = row_type(table, cells=True), 0
    # A text may be as long as a page.
    before = csv.field_size_limit(sys.maxsize)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            if next(reader) != [column.name for column in table.columns]:
                raise ValueError("its heading is another")
            for cells in reader:
                msgspec.convert([cell or None for cell in cells], kind, strict=False)
                rows += 1
    finally:
        csv.field_size_limit(before)
    return rows
