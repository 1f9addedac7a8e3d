"""Large crawls of the demo's web archive: at a time in each design, and as a series over all of them."""

import datetime as dt
import re
from itertools import groupby

import msgspec
import pytest

from metacrawl.database import history
from metacrawl.database.connection import connect_to_read
from metacrawl.database.rows import PROVENANCE
from metacrawl.demo.archived import expected_at, expected_series, good
from metacrawl.demo.compare import differences
from metacrawl.demo.site import DemoSite
from metacrawl.demo.truth import expected_records
from metacrawl.demo.visits import ENDED, HOLE, NEVER, snapshots
from metacrawl.demo.world import World
from metacrawl.items import CriticReview, Movie, UserReview
from metacrawl.sources.cdx import Span

FAST = {"DOWNLOAD_DELAY": 0, "DOWNLOAD_SLOTS": "{}", "CONCURRENT_REQUESTS_PER_DOMAIN": 8}
DESIGNS = ("2010", "2016", "2023", "2026")
MORE = "found, but the site has no such record"


@pytest.fixture(scope="module")
def site(large_world):
    """The demo; what its archive has rendered once it keeps."""
    with DemoSite(large_world) as site:
        yield site


@pytest.fixture
def crawl(scrapy, site, tmp_path):
    """Crawl films of the demo's archive."""

    def run(world, at, *arguments):
        films = tmp_path / "films.txt"
        films.write_text("\n".join(film.slug for film in world.films), encoding="utf-8")
        given = ("-a", f"movie=@{films}", "-a", "source=archive", "-a", f"at={at}", *arguments)
        return scrapy("crawl", "movies", *given, METACRAWL_ARCHIVE_URL=site.archive_url, **FAST)

    return run


@pytest.mark.parametrize(("at", "design"), [("2013", "2010"), ("2019", "2016"), ("2025", "2023"), ("2026-11", "2026")])
def test_all_films_are_read_as_they_were(crawl, site, large_world, stored, at, design):
    run = crawl(world := large_world, at)
    assert run.returncode == 10
    assert run.stdout.startswith("partial: ")
    assert f"; {len(world.films) - 1} films, " in run.stdout
    # Not all of the problems are in the last line.
    assert f"{NEVER}: the archive has no page of it near {at}" in run.stderr
    hole = f"{HOLE}: the archive has no page 1 (from 0) of its user reviews within 180 days of "
    assert (hole in run.stderr) == (design in {"2010", "2016"})
    archive, time = site.archive.snapshots, Span.read(at).at
    expected = [record for film in world.films for record in expected_at(world, archive, film.slug, time)]
    found = stored()
    told = list(differences(expected, found))
    assert [line for line in told if MORE not in line] == []
    # Pages in another order, or of another day than a capture that turned out to be none, have more reviews.
    known = {record.key for record in expected_records(world, design)}
    assert {record.key for record in found} <= known
    assert len({re.search(r" ([^/]+)/", line)[1] for line in told}) <= 2
    assert design in {record.layout for record in found}


def test_a_series_over_all_designs_is_kept_as_the_changes_of_each_film(crawl, whole_world, tmp_path):
    world = World(films=whole_world.films[:16])
    run = crawl(world, "2011-2026", "-a", "reviews=none")
    archive = snapshots(world)
    first, last = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (2011, 2027))
    series = [movie for film in world.films for movie in expected_series(world, archive, film.slug, first, last)]
    engine = connect_to_read(f"sqlite:///{tmp_path / 'metacrawl.db'}")
    with engine.connect() as connection:
        found = list(history.read(connection))
    engine.dispose()
    assert [(movie.slug, movie.captured_at) for movie in found] == changes(series)
    said = {(movie.slug, movie.captured_at): content(movie) for movie in series}
    assert [content(movie) for movie in found] == [said[movie.slug, movie.captured_at] for movie in found]
    assert {movie.layout for movie in found} == {"2010", "2016", "2023", "2026"}
    assert len(found) > 4 * len(world.films)
    # Each capture of a series is one by itself: no other stands in for an error page that was served as a page.
    apologies = {page.slug for film in world.films for page in archive.of(film.slug) if is_apology(page, first, last)}
    assert run.returncode == 10
    assert run.stdout.startswith("partial: ")
    assert (
        set(re.findall(r"/movie/([^/\s]+)/?: the capture shows no page of the film", run.stderr)) == apologies != set()
    )


def is_apology(page, first, last):
    return page.kind == "movie" and page.shows == "apology" and first <= page.time < last


def test_a_series_with_reviews_has_those_of_each_time(crawl, whole_world, stored):
    world = World(films=[whole_world.film(slug) for slug in ("nightjar", "unfinished-weather", ENDED)])
    run = crawl(world, "2011-2026")
    assert run.returncode in {0, 10}, run.stderr
    archive = snapshots(world)
    found = {(type(record), record.key) for record in stored()}
    known = {(type(record), record.key) for design in DESIGNS for record in expected_records(world, design)}
    assert found <= known
    for film in world.films:
        times = [page.time for page in good(archive, film.slug) if page.kind == "movie"]
        expected = [record for time in (times[0], times[-1]) for record in expected_at(world, archive, film.slug, time)]
        assert {(type(record), record.key) for record in expected} <= found
    assert {Movie, CriticReview, UserReview} == {kind for kind, _ in found}


def content(movie):
    return {name: value for name, value in msgspec.to_builtins(movie).items() if name not in PROVENANCE}


def changes(series):
    """The first of each run of captures that say the same."""
    ordered = sorted(series, key=lambda movie: (movie.slug, movie.captured_at))
    firsts = (next(group) for _, group in groupby(ordered, lambda movie: (movie.slug, content(movie))))
    return [(movie.slug, movie.captured_at) for movie in firsts]
