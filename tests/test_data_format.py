"""DATA_FORMAT.md is what the records' docstrings say, and the records are what was promised."""

import json
import runpy
from dataclasses import fields
from pathlib import Path

import pytest

from metacrawl import items

ROOT = Path(__file__).parent.parent
GENERATOR = runpy.run_path(str(ROOT / "docs/data_format.py"))


def test_the_page_is_what_the_docstrings_say():
    """If not: `python docs/data_format.py > DATA_FORMAT.md`."""
    assert (ROOT / "DATA_FORMAT.md").read_text(encoding="utf-8") == GENERATOR["data_format"]()


@pytest.mark.parametrize("record", [*items.RECORDS, items.Credit, items.Ranking, items.Award])
def test_every_field_has_a_docstring(record):
    assert {field.name for field in fields(record)} == set(GENERATOR["field_docs"](record))


@pytest.mark.parametrize("record", items.RECORDS)
def test_every_field_has_a_default(record):
    assert record() == record()


def test_the_records_have_the_fields_of_the_expected_lines(shared_pages):
    lines = [
        json.loads(line)
        for name in ("her", "the-last-jedi-user-reviews-page-40")
        for line in (shared_pages / f"2016/{name}.expected.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    for record in items.RECORDS:
        promised = set().union(*(line for line in lines if line["record"] == record.__name__))
        assert {field.name for field in fields(record)} == promised - {"record"} | {"captured_at"}
