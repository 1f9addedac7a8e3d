"""Cells of CSV files that no spreadsheet runs, and that can be read back exactly."""

import csv
import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import msgspec
from scrapy.exporters import CsvItemExporter

# What is not seen at the beginning of a cell, and a quote that is not the cell's own.
UNSEEN = r"""[ "'\0-\x08\x0b\x0c\x0e-\x1f\x7f-\xa0\xad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]*"""
# What makes a cell a formula, full-width forms included.
FORMULA = rf"{UNSEEN}[=+\-@＝＋－＠﹢﹣﹫﹦]"  # noqa: RUF001 - these are meant
# A text that is one, or that may be when a program has dropped what it begins with; and text that seems to be marked.
UNSAFE = re.compile(rf"['\0\t\r\n]|{FORMULA}")
# A program that takes another separator than the comma, as spreadsheets do in half of Europe, begins a cell here.
UNSAFE_WITHIN = re.compile(rf"[;\t\r\n](?={FORMULA})")
MARKED_WITHIN = re.compile(rf"([;\t\r\n])'(?={FORMULA})")


def to_cell(text: str) -> str:
    """Put a `'` before what a spreadsheet would take for a formula.

    >>> to_cell("=1+1"), to_cell("'tis"), to_cell("one;=1+1"), to_cell("2 + 2 = 4")
    ("'=1+1", "''tis", "one;'=1+1", '2 + 2 = 4')
    """
    # Most texts have none of these; to look for them takes a tenth of what the expression does.
    if ";" in text or "\n" in text or "\t" in text or "\r" in text:
        text = UNSAFE_WITHIN.sub(r"\g<0>'", text)
    return f"'{text}" if UNSAFE.match(text) else text


def from_cell(cell: str) -> str:
    """Give the text that `to_cell` has made a cell of.

    >>> from_cell("'=1+1"), from_cell("''tis"), from_cell("one;'=1+1"), from_cell("2 + 2 = 4")
    ('=1+1', "'tis", 'one;=1+1', '2 + 2 = 4')
    """
    return MARKED_WITHIN.sub(r"\1", cell.removeprefix("'"))


def cell_of(value: Any) -> str | None:
    """Write a field's value: none stays none, text is guarded, everything else is as in JSON."""
    plain = msgspec.to_builtins(value)
    if plain is None:
        return None
    return to_cell(plain if isinstance(plain, str) else msgspec.json.encode(plain).decode())


class SafeCsvItemExporter(CsvItemExporter):
    """Scrapy's CSV (`-O reviews.csv`, `FEEDS`), in cells as `scrapy export` writes them."""

    def __init__(self, file: BytesIO, **kwargs: Any) -> None:
        super().__init__(file, **{"quoting": csv.QUOTE_ALL, **kwargs})

    def serialize_field(self, field: Mapping[str, Any], name: str, value: Any) -> str | None:  # noqa: ARG002 - Scrapy's
        """Write a field's value."""
        return cell_of(field.get("serializer", lambda same: same)(value))
