"""Every real saved page gives exactly its expected records, field by field."""

import datetime as dt
import json
import re
from pathlib import Path

import msgspec
import pytest

from metacrawl.extract import extract

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
PAGES = (
    "2016/her.html",
    "2016/moonlight.html",
    "2016/zero-dark-thirty-details.html",
    "2016/the-last-jedi-user-reviews-page-0.html",
    "2016/the-last-jedi-user-reviews-page-1.html",
    "2016/the-last-jedi-user-reviews-page-40.html",
)


def expected_records(page: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in page.with_suffix(".expected.jsonl").read_text(encoding="utf-8").splitlines()]


def url_of(page: Path, shared_pages: Path) -> str:
    """The URL that the pages' own table gives a page."""
    name = page.relative_to(shared_pages).as_posix()
    table = (shared_pages / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"^\| `{re.escape(name)}` \| `(\S+)` \|", table, re.MULTILINE)
    assert found, f"{name} is not in the table"
    return found[1]


def differences(found: list[dict[str, object]], expected: list[dict[str, object]]) -> list[str]:
    """Each field of an expected line that differs; lines pair up by their order on the page."""
    lines = [f"{len(found)} records, not {len(expected)}"] if len(found) != len(expected) else []
    for number, (record, truth) in enumerate(zip(found, expected, strict=False), 1):
        lines += [
            f"record {number} ({truth.get('key')}), {field}:\n  found    {record.get(field)!r}\n  expected {value!r}"
            for field, value in truth.items()
            if record.get(field) != value
        ]
    return lines


@pytest.mark.parametrize("name", PAGES)
def test_a_real_page_gives_exactly_its_expected_records(name, shared_pages):
    page = shared_pages / name
    records = extract(page.read_bytes(), NOON, url=url_of(page, shared_pages)).records
    found = [msgspec.to_builtins(record) | {"record": type(record).__name__} for record in records]
    wrong = differences(found, expected_records(page))
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_page_of_a_known_design_is_tested(shared_pages):
    assert {page.relative_to(shared_pages).as_posix() for page in shared_pages.glob("2016/*.html")} == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a_real_page_names_itself(name, shared_pages):
    """Without being told its URL, as a saved file: same film, same records."""
    page = shared_pages / name
    told = extract(page.read_bytes(), NOON, url=url_of(page, shared_pages))
    untold = extract(page.read_bytes(), NOON)
    assert [record.key for record in untold.records] == [record.key for record in told.records]
    assert untold.ref.kind == told.ref.kind


@pytest.mark.parametrize(
    "name",
    ["2010/curse-of-the-dead-gods-critic-reviews.html", "2023/god-of-war.html", "2026/elden-ring-user-reviews.html"],
)
def test_a_page_of_a_game_is_refused(name, shared_pages):
    page = shared_pages / name
    with pytest.raises(ValueError, match="no page of a film"):
        extract(page.read_bytes(), NOON, url=url_of(page, shared_pages))
