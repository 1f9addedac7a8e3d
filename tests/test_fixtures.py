"""A page of our own for each condition, in the site's structure with invented content, and the records that it gives.

A page without its records beside it gets them written, and the test fails once: review them, then run it again.
"""

import datetime as dt
from pathlib import Path

import msgspec
import pytest

from metacrawl.extract import extract
from metacrawl.layouts import LAYOUTS

FIXTURES = Path(__file__).parent / "fixtures"
PAGES = sorted([*FIXTURES.glob("*/*.html"), *FIXTURES.glob("*/*.json")])
NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_a_page_gives_its_records(page):
    records = extract(page.read_bytes(), NOON).records
    found = [{"record": type(record).__name__, **msgspec.to_builtins(record)} for record in records]
    expected = page.with_suffix(".jsonl")
    if not expected.exists():
        expected.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in found))
        pytest.fail(f"wrote {expected.name}: review it, then run the test again")
    assert found == [msgspec.json.decode(line) for line in expected.read_bytes().splitlines()]


def test_every_layout_has_pages_of_its_own():
    assert {page.parent.name for page in PAGES} == {layout.name for layout in LAYOUTS}
