"""Crawls of a site that was crawled before: they ask for what may have changed, and find all that can be seen of it."""

import datetime as dt
import json
import re
import signal
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from metacrawl.database.connection import connect
from metacrawl.database.schema import CHANGES, COMPLETENESS, TABLES, VISITS
from metacrawl.demo.compare import differences
from metacrawl.demo.site import DemoSite
from metacrawl.demo.truth import critic_review, expected_records, user_review_since_2023
from metacrawl.demo.world import CriticPiece, UserPost
from metacrawl.items import CriticReview, UserReview
from metacrawl.settings import METACRAWL_REVISIT_DAYS
from tests.crawl.conftest import FILMS

LATER = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
TIN, DAUGHTER = "tin-orchestra", "the-cartographers-daughter"
LONG_AGO = dt.datetime(2017, 11, 1, tzinfo=dt.UTC)


class Nights:
    """Crawls of the same films, one after the other, and what they leave in the database."""

    def __init__(self, scrapy, site, films, url, folder):
        self.scrapy, self.site, self.films, self.url, self.folder = scrapy, site, films, url, folder
        self.engine = connect(url)

    @property
    def settings(self):
        api = {"METACRAWL_API_URL": self.site.api_url} if self.site.design in {"2023", "2026"} else {}
        return {"METACRAWL_SITE_URL": self.site.url, "METACRAWL_DATABASE_URL": self.url, **api}

    def crawl(self, *arguments):
        """Crawl; gives the last line."""
        self.site.requests.clear()
        run = self.scrapy("crawl", "movies", "-a", self.films, *arguments, DOWNLOAD_DELAY=0, **self.settings)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout.splitlines()[-1]

    @property
    def asked(self):
        """What the last crawl has asked for."""
        return [path for path in self.site.requests if path != "/robots.txt"]

    def account(self):
        """What the last run says of itself."""
        last = max(self.folder.glob("*-run-*.json"), key=lambda path: int(path.stem.rpartition("-")[2]))
        return json.loads(last.read_text(encoding="utf-8"))

    def select(self, *columns, where=None):
        query = sa.select(*columns) if where is None else sa.select(*columns).where(where)
        with self.engine.connect() as connection:
            return connection.execute(query).all()

    def wait(self, *names):
        """Have it be a long time since all films were visited, or read in full."""
        with self.engine.begin() as connection:
            connection.execute(sa.update(VISITS).values(dict.fromkeys(names, LONG_AGO)))
            # What a run finds in the second in which it begins may be another one's of that moment.
            for kind in (CriticReview, UserReview):
                connection.execute(sa.update(TABLES[kind]).values(first_seen_at=LONG_AGO, captured_at=LONG_AGO))

    def gone(self):
        """The keys of the reviews that are marked as vanished."""
        tables = [TABLES[kind] for kind in (CriticReview, UserReview)]
        return {row.key for table in tables for row in self.select(table.c.key, where=table.c.vanished_at.is_not(None))}

    def changes(self, run):
        """The reviews that a run has found changed: key → fields."""
        found = {}
        reviews = sa.and_(CHANGES.c.run == run, CHANGES.c.kind != "movies")
        for key, field in self.select(CHANGES.c.key, CHANGES.c.field, where=reviews):
            found.setdefault(key, set()).add(field)
        return found

    def verdicts(self):
        return {verdict for (verdict,) in self.select(COMPLETENESS.c.verdict)}


@pytest.fixture
def make_nights(scrapy, world, films, sqlite_url, tmp_path):
    """Serve the films in a design."""
    opened = []

    def make(design="2026", url=sqlite_url):
        site = DemoSite(world, design=design).__enter__()
        site.page_size.most_users = 10
        opened.append(Nights(scrapy, site, films, url, tmp_path / "runs"))
        return opened[-1]

    yield make
    for nights in opened:
        nights.engine.dispose()
        nights.site.__exit__(None, None, None)


def key_of(film, review):
    """Tell under which key a review is stored."""
    if isinstance(review, CriticPiece):
        return critic_review(film, review).key
    return user_review_since_2023(film, review).key


def post(film, number):
    """Have somebody write a review, later than all others."""
    review = deepcopy(film.user_reviews[0])
    review.review_id, review.author = str(99_000_000 + number), f"latecomer{number}"
    review.account, review.date, review.text = True, LATER.date(), f"Better late than never, {number}."
    film.user_reviews.append(review)


def edit(review, text, *, saved=True):
    """Have a user change a review, which puts it on top of the list when it is saved as such."""
    review.text = text
    if saved:
        review.saved_after = LATER - dt.datetime.combine(review.date, dt.time(), dt.UTC)


def newest_first(film):
    return sorted(film.user_reviews, key=lambda post: (post.saved_at, post.review_id), reverse=True)


def critics_newest_first(film):
    return sorted(film.critic_reviews, key=lambda piece: piece.date or dt.date.min, reverse=True)


def wrong(nights, world, stored, design="2026"):
    """What is stored otherwise than it is on the site, but for what is known to be gone."""
    gone = nights.gone()
    there = [record for record in stored() if record.key not in gone]
    return list(differences(expected_records(world, design), there))


@dataclass
class Changed:
    """What has been changed on the site."""

    edited: set[str]
    gone: set[str]
    lost: UserPost
    unseen: str
    """The key of a review that was edited and kept its place in the list, which nothing shows."""


def change(world):
    """Have ten reviews come in, five be edited and two go."""
    tin, daughter, nightjar = (world.film(film) for film in (TIN, DAUGHTER, "nightjar"))
    edited = {key_of(tin, review) for review in newest_first(tin)[30:32]}
    edited.add(key_of(daughter, newest_first(daughter)[70]))
    lost, lost_piece = newest_first(tin)[45], critics_newest_first(tin)[25]
    gone = {key_of(tin, lost), key_of(tin, lost_piece)}
    for review in [*newest_first(tin)[30:32], newest_first(daughter)[70]]:
        edit(review, "On second thoughts, no.")
    tin.user_reviews.remove(lost)
    tin.critic_reviews.remove(lost_piece)
    for number in range(9):
        post(tin if number < 6 else daughter, number)
    piece = critics_newest_first(tin)[3]
    piece.excerpt = "Better the second time."
    edited.add(key_of(tin, piece))
    paper = {"publication": "The Late Paper", "publication_slug": "the-late-paper", "link": "https://late.example/tin"}
    tin.critic_reviews.append(replace(tin.critic_reviews[0], date=LATER.date(), **paper))
    unseen = newest_first(nightjar)[12]
    edit(unseen, "An old review, changed in secret.", saved=False)
    return Changed(edited, gone, lost, key_of(nightjar, unseen))


def test_an_update_finds_what_has_changed_and_asks_for_little_else(make_nights, world, stored):
    """The numbers of requests are those that docs/updates.md tells."""
    nights = make_nights()
    nights.crawl()
    assert len(nights.asked) == 35
    assert wrong(nights, world, stored) == []

    # Read not long ago.
    line = nights.crawl()
    assert nights.site.requests == []
    assert line.startswith("complete: 0 films")
    assert "; 4 films are not due before 20" in line
    assert line.endswith("(update=full reads all)")
    assert nights.account()["left_out"] == {"not_due": 4, "spared": 0}

    # Due, and nothing has moved; one page says something else, and no number.
    nights.wait("visited_at")
    world.film("nightjar").summary = "A bird sings at night."
    nights.crawl()
    assert sorted(nights.asked) == sorted(f"/movie/{film}" for film in FILMS)
    assert wrong(nights, world, stored) == []
    assert nights.account()["left_out"] == {"not_due": 0, "spared": 4}
    assert nights.account()["completeness"]["complete"] == 8
    assert nights.changes(3) == {}
    assert {run for table in TABLES.values() for (run,) in nights.select(table.c.seen_run)} == {3}

    changed = change(world)
    nights.wait("visited_at")
    nights.crawl()
    assert nights.account()["stored"]["new"] == 10
    assert nights.gone() == changed.gone
    changes = nights.changes(4)
    assert {key for key, fields in changes.items() if "vanished_at" in fields} == changed.gone
    assert changes.keys() - changed.gone == changed.edited
    assert [line.partition(": ")[0] for line in wrong(nights, world, stored)] == [f"UserReview {changed.unseen}"]
    assert nights.verdicts() == {"complete"}
    assert not [path for path in nights.asked if path.startswith("/backend") and "/nightjar/" in path]
    read = [path for path in nights.asked if f"/user/movies/{DAUGHTER}/" in path]
    assert len(read) == 2, "it leaves the list behind a page that it knows"
    assert len(nights.asked) == 17

    # Read in full.
    nights.wait("swept_at")
    nights.crawl()
    assert len(nights.asked) == 37
    assert wrong(nights, world, stored) == []
    assert nights.changes(5).keys() == {changed.unseen}

    # One is back; of another film one is gone and one is new, so that the number stays.
    back, daughter = world.film(TIN), world.film(DAUGHTER)
    back.user_reviews.append(changed.lost)
    daughter.user_reviews.remove(also_lost := newest_first(daughter)[80])
    post(daughter, 20)
    nights.wait("visited_at")
    nights.crawl()
    both = {key_of(back, changed.lost), key_of(daughter, also_lost)}
    assert nights.gone() == changed.gone ^ both
    assert wrong(nights, world, stored) == []
    assert nights.changes(6) == {key: {"vanished_at"} for key in both}


@pytest.mark.parametrize("design", ["2016", "2023"])
def test_an_older_design_is_updated_the_same(make_nights, world, stored, design):
    nights = make_nights(design)
    nights.crawl()
    tin = world.film(TIN)
    lost = newest_first(tin)[40]
    tin.user_reviews.remove(lost)
    tin.user_reviews.remove(newest_first(tin)[45])
    post(tin, 1)
    nights.wait("visited_at")
    nights.crawl()
    others = [path for path in nights.asked if TIN not in path]
    assert sorted(others) == sorted(f"/movie/{film}" for film in FILMS if film != TIN)
    assert len(nights.gone()) == 2
    assert wrong(nights, world, stored, design) == []


def test_an_update_that_is_killed_goes_on(make_nights, world, stored, start):
    nights = make_nights()
    nights.crawl()
    everything = len(nights.asked)
    for film in (TIN, DAUGHTER):
        world.film(film).user_reviews.remove(newest_first(world.film(film))[50])
        post(world.film(film), 1)
    nights.wait("visited_at")
    nights.site.requests.clear()

    def kill(path, response):
        if "/user/" in path and "offset=20" in path and crawl.poll() is None:
            crawl.send_signal(signal.SIGKILL)
        return response

    nights.site.fault = kill
    crawl = start("crawl", "movies", "-a", nights.films, **nights.settings)
    assert crawl.wait(120) == -signal.SIGKILL
    asked = len(nights.asked)
    nights.site.fault = None
    nights.crawl()
    assert asked + len(nights.asked) < everything
    assert wrong(nights, world, stored) == []
    assert len(nights.gone()) == 2
    assert nights.account()["run"] == 2
    assert nights.account()["left_out"] == {"not_due": 0, "spared": 4}


def test_two_workers_update_one_database(make_nights, world, films, postgresql_url, start):
    nights = make_nights(url=postgresql_url)
    nights.crawl()
    everything = len(nights.asked)
    tin = world.film(TIN)
    lost = {key_of(tin, one) for one in newest_first(tin)[30:32]}
    for review in newest_first(tin)[30:32]:
        tin.user_reviews.remove(review)
    post(tin, 1)
    nights.wait("visited_at")
    nights.site.requests.clear()
    crawls = [start("crawl", "movies", "-a", films, **nights.settings) for _ in range(2)]
    ends = [crawl.communicate(timeout=120) for crawl in crawls]
    assert [crawl.returncode for crawl in crawls] == [0, 0], ends
    assert len(nights.asked) < everything
    assert nights.gone() == lost
    assert nights.changes(2) == {key: {"vanished_at"} for key in lost}
    assert nights.verdicts() == {"complete"}
    assert len(nights.select(VISITS.c.film, where=VISITS.c.met_run == 2)) == len(FILMS)


def test_the_docs_tell_the_table():
    text = (Path(__file__).parents[2] / "docs" / "updates.md").read_text(encoding="utf-8")
    assert METACRAWL_REVISIT_DAYS in text
    rows = re.findall(r"^\| (?:up to (\d+)|more)\b[^|]*\| (?:(\d+) days|time) \|$", text, re.MULTILINE)
    assert {age or "older": int(every or 0) for age, every in rows} == json.loads(METACRAWL_REVISIT_DAYS)
