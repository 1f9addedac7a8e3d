"""What stands in the way of pages is never stored: the run slows down, stops, and goes on when it is let in."""

import gzip
import time

import pytest
from aiohttp import web

from metacrawl.demo.site import DemoSite
from metacrawl.demo.world import World
from metacrawl.items import Movie
from tests.block_pages import HTML

pytestmark = pytest.mark.measured

DELAY = 0.05
SETTINGS = {"DOWNLOAD_DELAY": DELAY, "RETRY_ENABLED": False}
BLOCKS = [
    web.Response(text=HTML["blank"], content_type="text/html"),
    web.Response(text=HTML["a challenge that waits"], content_type="text/html"),
    web.Response(status=302, headers={"Location": "/login?next=%2Fmovie"}),
    web.Response(status=403, text=HTML["access denied"], content_type="text/html"),
    web.Response(text=HTML["a form to log in"], content_type="text/html"),
]


@pytest.fixture
def site(whole_world):
    with DemoSite(World(films=whole_world.films[:8]), design="2016") as site:
        yield site


@pytest.fixture
def crawl(scrapy, site, tmp_path):
    films = tmp_path / "films.txt"
    films.write_text("\n".join(film.slug for film in site.world.films), encoding="utf-8")

    def run():
        return scrapy(
            *("crawl", "movies", "-a", f"movie=@{films}", "-a", "reviews=none"),
            METACRAWL_SITE_URL=site.url,
            **SETTINGS,
        )

    return run


def copy(response):
    """A response can be sent once."""
    return web.Response(
        status=response.status, body=response.body, headers={k: v for k, v in response.headers.items() if k != "Date"}
    )


def test_a_run_that_is_blocked_slows_down_stops_and_goes_on(crawl, site, stored, tmp_path):
    asked, times = [], []

    def block(path, response):
        if path == "/robots.txt":
            return response
        asked.append(path)
        times.append(time.monotonic())
        return copy(BLOCKS[(len(asked) - 1) % len(BLOCKS)])

    site.fault = block
    run = crawl()
    assert run.returncode == 11, run.stderr
    assert run.stdout.startswith("blocked: the site turns us away: leave it alone for some hours; 5 pages in a row ")
    assert run.stdout.endswith("; run the same command again to go on\n")
    assert len(asked) == 5, "what leads to the login is not followed, and none is asked for behind the fifth"
    # A page may be asked for before the one before it is judged; Scrapy's own delay begins when a turn is taken.
    for number in (3, 4):
        assert times[number] - times[number - 1] > DELAY * (2 ** (number - 1) - 1)
    assert stored() == []
    kept = {gzip.decompress(page.read_bytes()) for page in (tmp_path / "runs" / "evidence").iterdir()}
    assert {BLOCKS[1].body, BLOCKS[3].body} <= kept

    # One page is refused among others that are not.
    site.fault = lambda path, response: copy(BLOCKS[3]) if path == asked[0] else response
    run = crawl()
    assert run.returncode == 10, run.stdout
    assert f"{site.url}{asked[0]}: HTTP 403" in run.stdout

    site.fault = None
    run = crawl()
    assert run.returncode == 0, run.stdout
    assert {record.slug for record in stored() if isinstance(record, Movie)} == {f.slug for f in site.world.films}
