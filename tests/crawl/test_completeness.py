"""What is missing is found, named, read once more, and had the next time: whole crawls of the demo."""

import dataclasses
import datetime as dt
import random
import re
import zlib
from collections import Counter
from copy import deepcopy
from itertools import cycle
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiohttp import web

from metacrawl.database.connection import connect_to_read
from metacrawl.database.schema import COMPLETENESS
from metacrawl.demo.compare import differences
from metacrawl.demo.site import DemoSite
from metacrawl.demo.truth import expected_records
from metacrawl.demo.world import World
from metacrawl.items import CriticReview, UserReview

FAST = {"DOWNLOAD_DELAY": 0, "CONCURRENT_REQUESTS_PER_DOMAIN": 4, "RETRY_TIMES": 0}
KINDS = {"critic-reviews": CriticReview, "user-reviews": UserReview}
LIST = re.compile(r"/backend/reviews/metacritic/(critic|user)/movies/([^/]+)/web")
TRIALS = 100
# Reviews in a list, at the start.
MOST = 18


@pytest.fixture
def crawl(scrapy, tmp_path):
    """Crawl all films of a demo site of today's design."""

    def run(site: DemoSite, *arguments: str, **settings: object):
        path = tmp_path / "films.txt"
        path.write_text("\n".join(film.slug for film in site.world.films), encoding="utf-8")
        given = [part for argument in (f"movie=@{path}", *arguments) for part in ("-a", argument)]
        places = {"METACRAWL_SITE_URL": site.url, "METACRAWL_API_URL": site.api_url}
        return scrapy("crawl", "movies", *given, **FAST | places | settings)

    return run


@pytest.fixture
def ledger(tmp_path: Path):
    """Read the verdicts: film and kind of review → row."""

    def read():
        engine = connect_to_read(f"sqlite:///{tmp_path / 'metacrawl.db'}")
        with engine.connect() as connection:
            rows = connection.execute(sa.select(COMPLETENESS)).mappings().all()
        engine.dispose()
        return {(row["film"], row["reviews"]): row for row in rows}

    return read


def missing(site, stored):
    """Count the reviews that are on the site and not stored, by film and kind."""
    have = {(type(record), record.key) for record in stored}
    return Counter(
        (record.movie_slug, next(name for name, kind in KINDS.items() if isinstance(record, kind)))
        for record in expected_records(site.world, "2026")
        if isinstance(record, CriticReview | UserReview) and (type(record), record.key) not in have
    )


def test_pages_that_fail_for_good_are_named_and_had_when_they_can_be(crawl, large_world, stored, ledger):
    """Of the lists' pages some 5 % fail, whatever the order: the next crawl asks for what is missing and no more."""

    def fails(path: str) -> bool:
        return bool(LIST.match(path)) and zlib.crc32(path.encode()) % 20 == 0

    with DemoSite(large_world) as site:
        site.page_size.most_users = 10
        site.fault = lambda path, response: web.Response(status=500) if fails(path) else response
        first = crawl(site)
        had = {path for path in site.requests if not fails(path)}
        lacking = missing(site, stored())
        verdicts = ledger()
        site.fault = None
        site.requests.clear()
        second = crawl(site)
        asked = [path for path in site.requests if path != "/robots.txt"]
        left = list(differences(expected_records(site.world, "2026"), stored()))

    films = {film for film, _ in lacking}
    number, reviews = sum(lacking.values()), len(site.world.films)
    assert 0 < len(films) < len(site.world.films)
    assert first.returncode == 10, first.stdout
    assert first.stdout.startswith(f"partial: {len(films)} of {reviews} films short, {number} reviews missing: ")
    assert first.stdout.endswith("run the same command again to retry\n")
    assert "backend" not in first.stdout, "no page of a list is told by its URL"
    assert {which: row["missing"] for which, row in verdicts.items() if row["verdict"] == "short"} == dict(lacking)
    assert all("HTTP 500" in row["why"] for row in verdicts.values() if row["verdict"] == "short")
    assert {row["verdict"] for row in verdicts.values()} == {"short", "complete"}

    assert second.returncode == 0, second.stdout
    assert re.match(r"resuming run 1: .+ so far, \d+ requests? to go\ncomplete: ", second.stdout)
    assert left == []
    assert asked
    assert not had & set(asked), "what was had is not asked for again"
    assert {LIST.match(path)[2] for path in asked} == films
    assert {row["verdict"] for row in ledger().values()} == {"complete"}


def test_the_number_is_exact_however_a_list_moves_while_it_is_read(crawl, whole_world, stored, ledger):
    """A hundred films, into whose lists reviews come at random while they are read, also when they are read again."""
    lists = [film for film in whole_world.films if len(film.user_reviews) >= MOST]
    films = []
    for number, model in zip(range(TRIALS), cycle(lists), strict=False):
        film = deepcopy(model)
        film.slug, film.old_slugs = f"trial-{number}", []
        film.user_reviews = film.user_reviews[: MOST - number % 7]
        films.append(film)
    dice = {film.slug: random.Random(number) for number, film in enumerate(films)}  # noqa: S311 - to be repeated
    last: dict[str, set[str]] = {}
    came: Counter[str] = Counter()

    def someone_writes(path: str, response: web.Response) -> web.Response:
        found = LIST.match(path)
        if found and found[1] == "user":
            film = site.world.film(found[2])
            last[film.slug] = {post.uuid for post in film.user_reviews}
            if dice[film.slug].random() < 0.4:
                came[film.slug] += 1
                insert(film, dice[film.slug], came[film.slug])
        return response

    with DemoSite(World(films=films)) as site:
        site.page_size.most_users = 5
        site.fault = someone_writes
        run = crawl(site, "reviews=users")
    have = {(record.movie_slug, record.review_id) for record in stored() if isinstance(record, UserReview)}
    verdicts = ledger()

    assert len(verdicts) == TRIALS, run.stdout + run.stderr[-3000:]
    assert sum(came.values()) > TRIALS
    wrong = {}
    for film, row in ((film, verdicts[film.slug, "user-reviews"]) for film in films):
        lacking = sum((film.slug, review) not in have for review in last[film.slug])
        found = (row["total"], row["missing"], row["verdict"])
        expected = (len(last[film.slug]), lacking, "short" if lacking else "complete")
        if found != expected:
            wrong[film.slug] = found, expected
    assert wrong == {}
    assert run.returncode == (10 if any(row["missing"] for row in verdicts.values()) else 0)
    assert any("date" in path for path in site.requests if "sort=score" not in path)
    # Nearly all that slipped past was found the second time.
    assert any("sort=score" in path for path in site.requests)
    assert sum(row["verdict"] == "complete" for row in verdicts.values()) > TRIALS / 2


def insert(film, dice: random.Random, number: int) -> None:
    """Have a user write a review now, which is not always the first in the list: some are checked for a while."""
    days = max(post.date for post in film.user_reviews) - min(post.date for post in film.user_reviews)
    date = max(post.date for post in film.user_reviews) - dt.timedelta(
        days=dice.choice((0, 0, dice.randint(0, days.days)))
    )
    author = f"Late {number}"
    post = dataclasses.replace(
        film.user_reviews[0], author=author, review_id=str(9_000_000 + number), date=date, score=dice.randint(0, 10)
    )
    film.user_reviews.append(post)
