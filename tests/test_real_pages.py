"""Every real saved page gives exactly its expected records, field by field."""

import datetime as dt
import json
import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from metacrawl.encoding import decode
from metacrawl.extract import extract, read
from metacrawl.layouts import LAYOUTS, Known
from metacrawl.selectors import Document
from metacrawl.urls import SITE, PageKind, PageRef

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
FILMS = (
    "2010/automata.html",
    "2010/spider-man-3-user-reviews-page-1.html",
    "2016/her.html",
    "2016/moonlight.html",
    "2016/zero-dark-thirty-details.html",
    "2016/the-last-jedi-user-reviews-page-0.html",
    "2016/the-last-jedi-user-reviews-page-1.html",
    "2016/the-last-jedi-user-reviews-page-40.html",
    "2026/lawrence-of-arabia-re-release.nuxt-data.json",
    "2026/finder-movies.json",
)
# Pages of games stand in where no page of a film was found: their parts are the same.
GAMES = {
    "2010/curse-of-the-dead-gods-critic-reviews.html": ("2010", PageKind.CRITIC_REVIEWS),
    "2023/god-of-war.html": ("2023", PageKind.MOVIE),
    "2026/elden-ring-user-reviews.html": ("2026", PageKind.USER_REVIEWS),
    "2026/empty-critic-review-list.json": ("api", PageKind.API_CRITIC_REVIEWS),
    "2026/left-4-dead-2-critic-review-list.json": ("api", PageKind.API_CRITIC_REVIEWS),
}


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


def builtins(records) -> list[dict[str, object]]:
    return [msgspec.to_builtins(record) | {"record": type(record).__name__} for record in records]


@pytest.mark.parametrize("name", FILMS)
def test_a_real_page_gives_exactly_its_expected_records(name, shared_pages):
    page = shared_pages / name
    records = extract(page.read_bytes(), NOON, url=url_of(page, shared_pages)).records
    wrong = differences(builtins(records), expected_records(page))
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("name", GAMES)
def test_the_parts_of_a_real_page_of_a_game_give_exactly_their_expected_records(name, shared_pages):
    layout_name, kind = GAMES[name]
    layout = next(layout for layout in LAYOUTS if layout.name == layout_name)
    page = layout.document(Document(decode((shared_pages / name).read_bytes())))
    expected = expected_records(shared_pages / name)
    # Its links lead to other pages of games, and its head may be a game's.
    rules = replace(layout.pages[kind], next_page="")
    if not any(record["record"] == "Movie" for record in expected):
        rules = replace(rules, movie=())
    found = read(Known(layout, page, kind, rules), PageRef(kind, "a-game"), f"{SITE}/game/a-game/")
    for record in found.records:
        record.layout = layout.name
    wrong = differences(builtins(found.records), expected)
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_page_is_tested(shared_pages):
    pages = {file.name.removesuffix(".expected.jsonl") for file in shared_pages.glob("*/*.expected.jsonl")}
    assert pages == {Path(name).name.removesuffix(".html").removesuffix(".json") for name in (*FILMS, *GAMES)}


@pytest.mark.parametrize("name", [name for name in FILMS if "2010" not in name])
def test_a_real_page_names_itself(name, shared_pages):
    """Without being told its URL, as a saved file: same film, same records. The heads of the 2010 pages are lost."""
    page = shared_pages / name
    told = extract(page.read_bytes(), NOON, url=url_of(page, shared_pages))
    untold = extract(page.read_bytes(), NOON)
    assert [record.key for record in untold.records] == [record.key for record in told.records]
    assert untold.ref.kind == told.ref.kind


@pytest.mark.parametrize("name", GAMES)
def test_a_page_of_a_game_is_refused(name, shared_pages):
    page = shared_pages / name
    with pytest.raises(ValueError, match=r"no page of a film|no page that metacrawl knows"):
        extract(page.read_bytes(), NOON, url=url_of(page, shared_pages))
    with pytest.raises(ValueError, match=r"no page|no canonical link"):
        extract(page.read_bytes(), NOON)
