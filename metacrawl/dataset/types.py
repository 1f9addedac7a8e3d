"""What a row of a file is held against when it is read back."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from metacrawl.dataset.model import Column, Table

PYTHON: Mapping[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "date": dt.date,
    "datetime": Annotated[dt.datetime, Meta(tz=True)],
}


def row_type(table: Table, *, cells: bool = False) -> type[msgspec.Struct]:
    """Make the type of a table's rows: objects of JSON; or lists of `cells`, in which no text is none."""
    fields = [(f"column_{number}", type_of(column, cells=cells)) for number, column in enumerate(table.columns)]
    names = {f"column_{number}": column.name for number, column in enumerate(table.columns)}
    return msgspec.defstruct("Row", fields, rename=names, forbid_unknown_fields=True, array_like=cells, gc=False)


def type_of(column: Column, *, cells: bool = False) -> Any:
    """Give the type of a column's values."""
    if column.type == "list":
        found: Any = list[entry_type(column)]  # type: ignore[misc]
    else:
        found = PYTHON[column.type]
    if column.minimum is not None or column.maximum is not None:
        found = Annotated[found, Meta(ge=column.minimum, le=column.maximum)]
    return found if column.required and not (cells and found is str) else found | None


def entry_type(column: Column) -> Any:
    """Give the type of a list's entries."""
    if not column.items[0].name:
        return type_of(column.items[0])
    fields = [(item.name, type_of(item)) for item in column.items]
    return msgspec.defstruct("Entry", fields, forbid_unknown_fields=True)
