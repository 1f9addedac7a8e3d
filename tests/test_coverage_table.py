"""The table of docs/layouts.md: which fields each design gives, as the pages of our own show.

If it has changed, it is written anew and the test fails once: review it, then run it again.
"""

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from metacrawl.items import RECORDS, Record
from metacrawl.layouts import LAYOUTS
from metacrawl.layouts.rules import Layout

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/layouts.md"
BEGIN, END = "<!-- coverage -->\n", "<!-- end of coverage -->\n"
BY_AGE = sorted(LAYOUTS, key=lambda layout: layout.name)
# Made of the page's address, or of other fields.
MADE = {"key", "layout", "source_url", "captured_at", "url", "slug", "movie_slug"}


def given(layout: Layout) -> dict[str, set[str]]:
    """The fields of each record kind that have a value on any page of ours."""
    found: dict[str, set[str]] = {kind.__name__: set() for kind in RECORDS}
    for file in (ROOT / "tests/fixtures" / layout.name).glob("*.jsonl"):
        for line in file.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            found[record["record"]] |= {name for name, value in record.items() if value not in (None, [])}
    return found


def ruled(layout: Layout) -> dict[str, set[str]]:
    """The fields of each record kind that the layout has rules for."""
    found: dict[str, set[str]] = {kind.__name__: set() for kind in RECORDS}
    for page in layout.pages.values():
        for block in (*page.movie, *([page.films] if page.films else [])):
            found["Movie"] |= set(block.rules)
        found["Movie"] |= set(page.lists)
        for reviews, kind in ((page.critic_reviews, "CriticReview"), (page.user_reviews, "UserReview")):
            if reviews:
                found[kind] |= set(reviews.block.rules)
    return found


def table(kind: type[Record]) -> Iterator[str]:
    """One record kind's part of the page."""
    yield f"| `{kind.__name__}` | " + " | ".join(layout.name for layout in BY_AGE) + " |\n"
    yield "|---|" + "---|" * len(BY_AGE) + "\n"
    for field in fields(kind):
        if field.name not in MADE:
            cells = ["✓" if field.name in given(layout)[kind.__name__] else "" for layout in BY_AGE]
            yield f"| `{field.name}` | " + " | ".join(cells) + " |\n"
    yield "\n"


def test_the_table_in_the_docs_is_what_the_pages_give():
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    made = before + BEGIN + "\n" + "".join(line for kind in RECORDS for line in table(kind)) + END + after
    if page != made:
        PAGE.write_text(made, encoding="utf-8")
        pytest.fail(f"wrote {PAGE.name}: review it, then run the test again")


@pytest.mark.parametrize("layout", BY_AGE, ids=lambda layout: layout.name)
def test_every_rule_gives_a_value_on_a_page_of_ours(layout):
    """A field that a design has rules for and no page with a value: the rules are untried."""
    untried = {kind: ruled(layout)[kind] - given(layout)[kind] for kind in ruled(layout)}
    assert not any(untried.values()), untried
