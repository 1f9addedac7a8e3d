"""JSON Lines: an object a line, as the record contract has it."""

from pathlib import Path

import msgspec

from metacrawl.dataset.model import Table
from metacrawl.dataset.rows import Batches
from metacrawl.dataset.types import row_type


def write(path: Path, table: Table, batches: Batches) -> int:
    """Write a file; returns how many rows it has."""
    names = [column.name for column in table.columns]
    encoder, rows = msgspec.json.Encoder(), 0
    with path.open("xb") as file:
        for batch in batches:
            file.write(encoder.encode_lines([dict(zip(names, row, strict=True)) for row in batch]))
            rows += len(batch)
    return rows


def check(path: Path, table: Table) -> int:
    """Read a file back; returns how many rows it has. Raises `msgspec.MsgspecError` for one that is none."""
    decoder, rows = msgspec.json.Decoder(row_type(table)), 0
    with path.open("rb") as file:
        for line in file:
            decoder.decode(line)
            rows += 1
    return rows
