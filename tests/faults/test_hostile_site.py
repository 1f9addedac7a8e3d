"""A whole crawl of a site that answers as badly as can be: each page is read right, or refused by name."""

import json
import re
import sqlite3
from dataclasses import replace

from metacrawl import settings
from metacrawl.database.connection import connect_to_read
from metacrawl.database.reading import read
from metacrawl.demo.compare import differences
from metacrawl.demo.truth import expected_records
from metacrawl.demo.world import World
from metacrawl.items import Movie
from metacrawl.outcome import Outcome
from tests.faults.site.faults import FAULTS, GOOD
from tests.faults.site.server import FaultSite, films

# Longer than the time-out, shorter than whoever drips.
FAST = {
    "DOWNLOAD_DELAY": 0,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 4,
    "DOWNLOAD_TIMEOUT": 4,
    "RETRY_ENABLED": "False",
    "EXTENSIONS": json.dumps({**settings.EXTENSIONS, "tests.faults.site.stall.StallMeter": 0}),
}


def crawl(scrapy, tmp_path, site, slugs, **given):
    """Crawl some films; gives the run, what was measured, and the problems by film."""
    names = tmp_path / "films.txt"
    names.write_text("\n".join(slugs), "utf-8")
    meter = tmp_path / "meter.json"
    run = scrapy(
        *("crawl", "movies", "-a", f"movie=@{names}", "-a", "reviews=none"),
        METACRAWL_SITE_URL=site.url,
        METER_FILE=meter,
        **FAST | given,
    )
    return run, json.loads(meter.read_text("utf-8"))


def problems(tmp_path):
    """Give all that the database says went wrong."""
    with sqlite3.connect(tmp_path / "metacrawl.db") as connection:
        return [message for (message,) in connection.execute("SELECT message FROM problems")]


def stored(tmp_path):
    """Read the films of the test's database."""
    engine = connect_to_read(f"sqlite:///{tmp_path / 'metacrawl.db'}")
    with engine.connect() as connection:
        movies = list(read(connection, Movie))
    engine.dispose()
    return movies


def expected(world):
    """Give the films that are read right: the good ones, and those whose fault does no harm."""
    for film in world.films:
        fault = FAULTS.get(film.slug)
        if fault is None or fault.expected == GOOD:
            [movie] = expected_records(World(films=[film]), fault.design if fault else "2026")
            # The design of 2016 has the bars on the pages of users' reviews, which are not asked for.
            bars = ("user_positive", "user_mixed", "user_negative") if movie.layout == "2016" else ()
            yield replace(movie, **dict.fromkeys(bars))


def wrongly_told(said):
    """Tell the faults that were not refused for what is wrong with them."""
    for fault in FAULTS.values():
        about = [message for message in said if re.search(rf"/{fault.slug}(?![\w-])", message)]
        if bool(about) == (fault.expected == GOOD) or not all(fault.expected in message for message in about):
            yield fault.slug, fault.expected, about


def test_each_page_is_read_right_or_refused_by_name(scrapy, tmp_path):
    assert len(FAULTS) >= 70
    with FaultSite() as site:
        run, measured = crawl(scrapy, tmp_path, site, films())
    assert list(wrongly_told(problems(tmp_path))) == []
    assert list(differences(expected(site.world), stored(tmp_path))) == []
    assert run.returncode not in {0, 70}, run.stderr
    assert "Traceback" not in run.stderr
    assert measured["peak"] <= 400
    assert measured["stall"] <= 2
    assert hops(site) == 6


def hops(site):
    """Count the requests for the page that redirects without end."""
    return sum("/movie/redirect-without-end" in path for path in site.requests)


def test_without_the_bound_on_redirects_more_of_them_are_followed(scrapy, tmp_path):
    with FaultSite() as site:
        crawl(scrapy, tmp_path, site, ["redirect-without-end"], REDIRECT_MAX_TIMES=9)
    assert hops(site) == 10


def test_without_the_bound_on_its_size_a_bomb_goes_off(scrapy, tmp_path):
    with FaultSite() as site:
        _, measured = crawl(scrapy, tmp_path, site, ["bomb-gzip"], DOWNLOAD_MAXSIZE=0, DOWNLOAD_TIMEOUT=30)
    assert measured["peak"] > 400


def test_a_bomb_for_robots_txt_is_refused(scrapy, tmp_path):
    with FaultSite(robots=FAULTS["bomb-gzip"].answer(b"")) as site:
        run, measured = crawl(scrapy, tmp_path, site, ["good-0-empty"])
    assert run.returncode == Outcome.ROBOTS.value, run.stderr
    assert site.requests == ["/robots.txt"]
    assert measured["peak"] <= 400


def test_a_process_that_takes_too_much_memory_ends_and_goes_on_later(scrapy, tmp_path):
    with FaultSite() as site:
        slow = {"DOWNLOAD_DELAY": 1, "CONCURRENT_REQUESTS_PER_DOMAIN": 1}
        run, _ = crawl(scrapy, tmp_path, site, ["good-0-empty", "good-1-empty"], MEMUSAGE_LIMIT_MB=1, **slow)
        assert run.returncode == Outcome.PARTIAL.value, run.stderr
        assert "stopped early: memusage_exceeded" in run.stdout
        assert "run the same command again to go on" in run.stdout
        run, _ = crawl(scrapy, tmp_path, site, ["good-0-empty", "good-1-empty"])
    assert run.returncode == 0, run.stderr
    assert len(stored(tmp_path)) == 2
