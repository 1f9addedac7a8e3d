"""The web archive as the source of a crawl."""

import datetime as dt
import json
from copy import deepcopy
from itertools import pairwise

import pytest

from metacrawl import settings
from metacrawl.demo.archived import chosen_at, expected_at, expected_series
from metacrawl.demo.compare import differences
from metacrawl.demo.site import DemoSite
from metacrawl.demo.visits import ENDED, HOLE, NEVER, OUT_OF_REACH, snapshots
from metacrawl.demo.world import World
from metacrawl.items import CriticReview, Movie, UserReview
from metacrawl.sources.archive import CDX_SLOT, ArchiveSource, LookUp
from metacrawl.sources.cdx import FIELDS, Span
from metacrawl.urls import parse

FAST = {"DOWNLOAD_DELAY": 0.01, "DOWNLOAD_SLOTS": "{}"}
FILMS = ("nightjar", "the-cartographers-daughter", ENDED, NEVER)
INDEX = "/archive/cdx/search/cdx?"


@pytest.fixture
def world(whole_world):
    """Films with an eventful archive."""
    return World(films=[deepcopy(whole_world.film(slug)) for slug in FILMS])


@pytest.fixture
def crawl(scrapy, demo):
    """Crawl the demo's archive."""

    def run(spider, film, at, *arguments, **settings):
        given = ("-a", f"movie={film}", "-a", "source=archive", "-a", f"at={at}", *arguments)
        return scrapy("crawl", spider, *given, METACRAWL_ARCHIVE_URL=demo.archive_url, **FAST | settings)

    return run


def look_ups(site):
    return [path for path in site.requests if path.startswith(INDEX)]


# In the middle of the time of each design: no page of another one is within reach.
@pytest.mark.parametrize(("film", "at"), [(ENDED, "2013"), ("nightjar", "2019"), ("nightjar", "2025")])
def test_a_film_is_read_as_it_was(crawl, demo, world, stored, film, at):
    run = crawl("movies", film, at)
    assert run.returncode == 0, run.stderr
    archive, time = snapshots(world), Span.read(at).at
    found = stored()
    assert list(differences(expected_at(world, archive, film, time), found)) == []
    [movie] = [record for record in found if isinstance(record, Movie)]
    chosen = chosen_at(archive, film, time)
    assert movie.captured_at == chosen[0].time
    assert {record.captured_at for record in found} <= {page.time for page in chosen}
    assert len(look_ups(demo)) == 2
    assert all("id_/" in path for path in demo.requests if path.startswith("/archive/web/"))


def test_one_kind_of_review_is_read_alone(crawl, demo, world, stored):
    run = crawl("critic_reviews", ENDED, "2012-11-08")
    assert run.returncode == 0, run.stderr
    expected = expected_at(world, snapshots(world), ENDED, Span.read("2012-11-08").at)
    found = stored()
    assert {type(record) for record in found} == {Movie, CriticReview}
    assert {record.key for record in found if isinstance(record, CriticReview)} == {
        record.key for record in expected if isinstance(record, CriticReview)
    }
    assert len(look_ups(demo)) == 1


def test_a_film_that_was_never_archived_is_named_and_the_others_are_read(crawl, stored, tmp_path):
    films = tmp_path / "films.txt"
    films.write_text(f"{NEVER}\n{ENDED}\n", encoding="utf-8")
    run = crawl("movies", f"@{films}", "2013", "-a", "reviews=none")
    assert run.returncode == 10
    assert run.stdout.startswith(f"partial: {NEVER}: the archive has no page of it near 2013; 1 film, ")
    assert {record.key for record in stored() if isinstance(record, Movie)} == {ENDED}


def test_a_series_has_each_state_of_the_film(crawl, demo, world, stored):
    run = crawl("movies", ENDED, "2011-2013", "-a", "reviews=none")
    assert run.returncode == 0, run.stderr
    first, last = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (2011, 2014))
    expected = expected_series(world, snapshots(world), ENDED, first, last)
    asked = [path for path in demo.requests if path.startswith("/archive/web/") and "/details" not in path]
    assert [path.split("/")[3][:14] for path in asked] == [f"{film.captured_at:%Y%m%d%H%M%S}" for film in expected]
    [movie] = stored()
    assert movie.captured_at == expected[-1].captured_at
    assert movie.metascore == expected[-1].metascore


@pytest.mark.parametrize(
    ("film", "at", "lacks"),
    [(HOLE, "2013", "page 1 (from 0) of its user reviews"), (OUT_OF_REACH, "2019", "page of its critic reviews")],
)
def test_what_the_archive_has_not_of_the_reviews_is_named(scrapy, whole_world, film, at, lacks):
    world = World(films=[whole_world.film(film)])
    with DemoSite(world) as site:
        given = ("-a", f"movie={film}", "-a", "source=archive", "-a", f"at={at}")
        run = scrapy("crawl", "movies", *given, METACRAWL_ARCHIVE_URL=site.archive_url, **FAST)
    chosen, *_ = chosen_at(snapshots(world), film, Span.read(at).at)
    assert run.returncode == 10
    says = f"the archive has no {lacks} within 180 days of {chosen.time:%Y-%m-%d}"
    assert run.stdout.startswith(f"partial: {film}: {says}; 1 film, ")


@pytest.mark.parametrize(("others", "code"), [({"20190601000000": 200}, 0), ({}, 10), ({"20190601000000": 404}, 10)])
def test_a_capture_that_cannot_be_had_is_a_problem_unless_another_stands_in(scrapy, serve, pages, stored, others, code):
    film, statuses = "http://www.metacritic.com/movie/nightjar", {"20190701000000": 404} | others
    site = serve({})
    rows = [[time, film, "text/html", "200", time] for time in statuses]
    source = ArchiveSource(site.url, "", Span.read("2019"), frozenset())
    [film_look_up], details = source.first_requests([parse(film)]), LookUp("nightjar", ["details"], ["20190701000000"])
    for request, answer in ((film_look_up, [FIELDS, *rows]), (source.look_up(details), [])):
        site.answers[request.url.removeprefix(site.url)] = json.dumps(answer).encode()
    for time, status in statuses.items():
        site.answers[f"/web/{time}id_/{film}"] = (status, pages["/movie/nightjar"])
    given = ("-a", "movie=nightjar", "-a", "source=archive", "-a", "at=2019", "-a", "reviews=none")
    run = scrapy("crawl", "movies", *given, METACRAWL_ARCHIVE_URL=site.url, **FAST)
    assert run.returncode == code, run.stderr
    assert len(site.requests) == 3 + len(statuses)
    assert ("HTTP 404" in run.stdout) == (code != 0)
    if not code:
        [movie] = stored()
        assert movie.captured_at == dt.datetime(2019, 6, 1, tzinfo=dt.UTC)


def test_a_crawl_goes_on_where_it_was_stopped(crawl, demo, world, stored):
    run = crawl("movies", ENDED, "2013", CLOSESPIDER_PAGECOUNT=3)
    assert run.returncode == 10
    assert "stopped early" in run.stdout
    run = crawl("movies", ENDED, "2013")
    assert run.returncode == 0, run.stderr
    assert list(differences(expected_at(world, snapshots(world), ENDED, Span.read("2013").at), stored())) == []
    assert len(look_ups(demo)) == len(set(look_ups(demo))) == 2


@pytest.fixture
def look_up_times(start, serve, tmp_path):
    """Crawl films that the archive does not have, with one or more workers; gives when each was looked up."""
    films = tmp_path / "films.txt"
    films.write_text("\n".join(f"film-{number}" for number in range(6)), encoding="utf-8")
    slots = {CDX_SLOT: {"concurrency": 1, "delay": 0.4, "jitter": 0}}

    def run(workers, database):
        site = serve({})
        given = ("crawl", "user_reviews", "-a", f"movie=@{films}", "-a", "source=archive", "-a", "at=2014")
        # Without a delay for the other requests there is that of the slot all the same.
        settings = {"METACRAWL_ARCHIVE_URL": site.url, "METACRAWL_DATABASE_URL": database, "DOWNLOAD_DELAY": 0}
        crawls = [start(*given, **settings, DOWNLOAD_SLOTS=json.dumps(slots)) for _ in range(workers)]
        assert [crawl.wait(timeout=60) for crawl in crawls] == [10] * workers
        times = [time for time, path in zip(site.times, site.requests, strict=True) if path.startswith("/cdx/")]
        assert len(times) == 6
        return times

    return run


def test_look_ups_keep_their_own_distance(look_up_times, sqlite_url):
    gaps = [after - before for before, after in pairwise(look_up_times(1, sqlite_url))]
    # A request takes a few milliseconds from its turn to the site.
    assert min(gaps) >= 0.35


def test_look_ups_of_all_workers_together_keep_it(look_up_times, postgresql_url):
    gaps = [after - before for before, after in pairwise(look_up_times(2, postgresql_url))]
    assert min(gaps) >= 0.35


def test_look_ups_are_no_more_than_the_archive_answers():
    slot = settings.DOWNLOAD_SLOTS[CDX_SLOT]
    assert slot["delay"] * (1 - slot["jitter"]) >= 60 / 24
    assert slot["concurrency"] == 1


def test_users_reviews_of_a_time_without_any_are_named(crawl, stored):
    run = crawl("user_reviews", ENDED, "2020")
    assert run.returncode == 10
    assert run.stdout.startswith(f"partial: {ENDED}: the archive has no page of its user reviews near 2020")
    assert UserReview not in {type(record) for record in stored()}
