"""Crawls of a site that has hardly changed: they ask for every page, are sent those that are new, and miss nothing."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from metacrawl.database.connection import connect, connect_to_read
from metacrawl.database.schema import COMPLETENESS, CRITIC_REVIEWS, MOVIE_PARTS, TABLES
from metacrawl.demo.compare import differences
from metacrawl.demo.site import DemoSite
from metacrawl.demo.truth import expected_records
from metacrawl.items import Record
from metacrawl.monitors import coverage

# What two runs may differ in.
ITS_OWN = {
    "run",
    "started_at",
    "finished_at",
    "first_finished_at",
    "processes",
    "stored",
    "responses",
    "message",
    "fields",
}
MIDDLEWARE = "metacrawl.middlewares.conditional.ConditionalMiddleware"


class Nights:
    """Crawls of the same films, one after the other."""

    def __init__(self, scrapy: Callable[..., Any], site: DemoSite, films: str, url: str, folder: Path) -> None:
        self.scrapy, self.site, self.films, self.url, self.folder = scrapy, site, films, url, folder

    def crawl(self, *arguments: str, **settings: object) -> dict[str, Any]:
        """Crawl; gives the account of the run."""
        self.site.requests.clear()
        self.site.unchanged.clear()
        places = {"METACRAWL_SITE_URL": self.site.url, "METACRAWL_API_URL": self.site.api_url, "DOWNLOAD_DELAY": 0}
        given = ("-a", self.films, "-a", "update=full", *arguments)
        run = self.scrapy("crawl", "movies", *given, **places, **settings)
        assert run.returncode == 0, run.stdout + run.stderr
        account = max(self.folder.glob("*-run-*.json"), key=lambda path: int(path.stem.rpartition("-")[2]))
        return json.loads(account.read_text(encoding="utf-8"))

    @property
    def asked(self) -> Counter[str]:
        """The pages that the last crawl has asked for."""
        return Counter(path for path in self.site.requests if path != "/robots.txt")

    @property
    def sent(self) -> Counter[str]:
        """Those of them that it was sent."""
        return self.asked - Counter(self.site.unchanged)

    def select(self, *columns: Any) -> list[Any]:
        engine = connect_to_read(self.url)
        with engine.connect() as connection:
            rows = connection.execute(sa.select(*columns)).all()
        engine.dispose()
        return rows

    def seen(self) -> set[int]:
        """The runs that records were met by last."""
        return {run for table in TABLES.values() for (run,) in self.select(table.c.seen_run)}

    def verdicts(self) -> list[Any]:
        return sorted(self.select(*(column for column in COMPLETENESS.c if column.name != "run")), key=str)

    def said(self) -> dict[tuple[str, str], set[int]]:
        """By film and kind of page, the runs in which it was last said what is stored."""
        return {
            (slug, page): {said["given"][0] for said in fields.values()}
            for slug, page, fields in self.select(MOVIE_PARTS)
        }


@pytest.fixture
def nights(scrapy, world, films, sqlite_url, tmp_path):
    with DemoSite(world) as site:
        site.page_size.most_users = 5
        yield Nights(scrapy, site, films, sqlite_url, tmp_path / "runs")


def as_stored(records: list[Record]) -> list[str]:
    return sorted(map(repr, records))


def test_what_has_not_changed_is_not_sent_and_counts_as_read(nights, world, stored):
    first = nights.crawl()
    asked, records, verdicts, said = nights.asked, as_stored(stored()), nights.verdicts(), nights.said()
    assert not nights.site.unchanged, "it knows nothing yet"
    assert list(differences(expected_records(world, "2026"), stored())) == []

    second = nights.crawl()
    assert nights.asked == asked
    assert not nights.sent
    assert second["responses"] == {"200": 1, "304": sum(asked.values())}, "robots.txt, and every page"
    assert second["stored"] == {"unchanged": sum(first["stored"].values())}
    assert {name: second[name] for name in second.keys() - ITS_OWN} == {
        name: first[name] for name in first.keys() - ITS_OWN
    }
    assert coverage([second]) == coverage([first])
    assert (as_stored(stored()), nights.verdicts()) == (records, verdicts)
    assert nights.seen() == {2}
    assert nights.said() == {which: {2} for which in said}

    film = world.film("tin-orchestra")
    film.critic_reviews[-1].excerpt = "It was better the second time."
    third = nights.crawl()
    assert nights.sent
    assert all("/tin-orchestra" in path for path in nights.sent)
    assert len(nights.sent) < sum("/tin-orchestra" in path for path in asked)
    assert third["stored"]["changed"] == 1
    assert list(differences(expected_records(world, "2026"), stored())) == []
    assert nights.seen() == {3}

    lost = nights.select(CRITIC_REVIEWS.c.key)[0].key
    engine = connect(nights.url)
    with engine.begin() as connection:
        connection.execute(sa.delete(CRITIC_REVIEWS).where(CRITIC_REVIEWS.c.key == lost))
    engine.dispose()
    fourth = nights.crawl()
    assert nights.sent
    assert all(f"/{lost.partition('/')[0]}" in path for path in nights.sent)
    assert fourth["stored"]["new"] == 1
    assert list(differences(expected_records(world, "2026"), stored())) == []


def test_pages_are_sent_anew_where_their_records_are_wanted_or_nobody_asks(nights, stored, tmp_path):
    nights.crawl()
    asked, records = nights.asked, as_stored(stored())
    feed = tmp_path / "feed.jsonl"
    nights.crawl("-O", str(feed))
    assert nights.sent == asked
    fed = {json.loads(line)["key"] for line in feed.read_text(encoding="utf-8").splitlines()}
    assert fed == {record.key for record in stored()}
    nights.crawl("-a", "fresh=1")
    assert nights.sent == asked
    nights.crawl(DOWNLOADER_MIDDLEWARES=json.dumps({MIDDLEWARE: None}))
    assert nights.sent == asked
    assert as_stored(stored()) == records
