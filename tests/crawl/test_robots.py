"""robots.txt is obeyed, and where it cannot be read nothing else is asked for."""

import json
import socket
import sqlite3
import struct
import threading
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import web

from metacrawl.middlewares.robots import RobotsMiddleware
from tests.crawl.conftest import FILMS
from tests.faults.crawls import Site as LoggedSite
from tests.middlewares.quick import middlewares

FILM = "nightjar"
PAGE = f"/movie/{FILM}"
SETTINGS = {"DOWNLOAD_DELAY": 0.01, "DOWNLOADER_MIDDLEWARES": middlewares()}
# Of a site that may not answer at all.
HURRY = {"DOWNLOAD_TIMEOUT": 1}
# Scrapy's own middleware, with all else as it is.
STOCK = {"DOWNLOADER_MIDDLEWARES": middlewares(RobotsMiddleware)}
CRAWL = ("crawl", "movies", "-a", f"movie={FILM}", "-a", "reviews=none")
ASKING = Path(__file__).with_name("asking.py")
NO_LINGER = struct.pack("ii", 1, 0)


class Site:
    """Serves pages, and robots.txt by what `robots` does with the handler of a request for it."""

    def __init__(self, pages, robots, host):
        self.requests, self.over = [], threading.Event()
        self.robots = robots
        site = self

        class Handler(BaseHTTPRequestHandler):
            over = self.over

            def do_GET(self):
                site.requests.append(self.path)
                if self.path == "/robots.txt":
                    with suppress(OSError):
                        site.robots(self)
                else:
                    answer(200 if self.path in pages else 404, pages.get(self.path, b""))(self)

            def log_message(self, *_):
                """Keep the test's output clean."""

        self.server = ThreadingHTTPServer((host, 0), Handler)
        self.url = f"http://{host}:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def open_site(site_pages):
    """Open a site whose robots.txt is answered like this."""
    sites = []

    def open_one(robots, host="127.0.0.1"):
        sites.append(Site(site_pages, robots, host))
        return sites[-1]

    yield open_one
    for site in sites:
        site.close()


def answer(status, body=b"", **headers):
    """Answer like this."""

    def do(handler):
        handler.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            handler.send_header(name, str(value))
        handler.end_headers()
        handler.wfile.write(body)

    return do


def nothing(handler):
    handler.over.wait(60)


def reset(handler):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    handler.connection.close()


def close(handler):
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


# How robots.txt fails, and how the run ends: with which exit code, and which words.
WAYS = {
    "503": (answer(503), 16, "site_down", "HTTP 503"),
    "429": (answer(429), 12, "rate_limited", "HTTP 429"),
    "no answer": (nothing, 16, "site_down", "DownloadTimeoutError"),
    "reset": (reset, 16, "site_down", "DownloadFailedError"),
    "closed": (close, 16, "site_down", "DownloadFailedError"),
}


@pytest.mark.parametrize("way", WAYS)
def test_where_it_cannot_be_read_nothing_is_asked_for(scrapy, open_site, way):
    robots, code, outcome, says = WAYS[way]
    site = open_site(robots)
    run = scrapy(*CRAWL, METACRAWL_SITE_URL=site.url, **SETTINGS | HURRY)
    assert site.requests == ["/robots.txt"] * 4
    assert run.returncode == code, run.stdout + run.stderr
    assert run.stdout.startswith(f"{outcome}: {site.url}/robots.txt: {says}")
    assert "; without it nothing is asked for; " in run.stdout
    assert "; run the same command again to go on" in run.stdout


def test_the_control_scrapys_own_middleware_takes_that_for_a_permission(scrapy, open_site):
    """Two spiders that ask for a page of each site: one with our middleware, one with Scrapy's."""
    sites = [open_site(way[0], f"127.0.0.{number}") for number, way in enumerate(WAYS.values(), 11)]
    spider = ("runspider", ASKING, "-a", f"urls={' '.join(site.url + PAGE for site in sites)}")
    scrapy(*spider, **SETTINGS | HURRY)
    assert [PAGE in site.requests for site in sites] == [False] * len(WAYS)
    scrapy(*spider, **SETTINGS | HURRY | STOCK)
    assert [PAGE in site.requests for site in sites] == [True] * len(WAYS)


def test_a_host_that_is_not_there_is_told_by_its_robots_txt(scrapy):
    contact = {"METACRAWL_CONTACT": "https://example.org/crawl"}
    run = scrapy(*CRAWL, METACRAWL_SITE_URL="http://metacrawl.invalid", **contact, **SETTINGS)
    assert run.returncode == 16, run.stdout + run.stderr
    assert run.stdout.startswith("site_down: http://metacrawl.invalid/robots.txt: CannotResolveHostError: ")


def test_when_it_can_be_read_again_the_same_command_goes_on(scrapy, open_site, stored):
    """First it leads off the site; then its rules are looked through for our name, not for what the contact says."""
    other = open_site(answer(404))
    site = open_site(answer(302, Location=f"{other.url}/robots.txt"))
    contact = {"METACRAWL_CONTACT": "https://googlebot.example/; googlebot"}
    run = scrapy(*CRAWL, METACRAWL_SITE_URL=site.url, **contact, **SETTINGS)
    assert run.returncode == 13, run.stdout
    assert (site.requests, other.requests) == (["/robots.txt"], [])
    site.robots = answer(200, b"User-agent: googlebot\nDisallow: /\n")
    run = scrapy(*CRAWL, METACRAWL_SITE_URL=site.url, **contact, **SETTINGS)
    assert run.returncode == 0, run.stdout
    assert run.stdout.startswith("resuming run 1")
    assert [record.slug for record in stored()] == [FILM]


def test_what_is_forbidden_is_named_and_counted_in_the_record_of_the_run(scrapy, demo, films, tmp_path):
    robots = "User-agent: metacrawl\nDisallow: /movie/*/user-reviews\nDisallow: /movie/tin-orchestra\n"
    demo.fault = lambda path, response: web.Response(text=robots) if path == "/robots.txt" else response
    run = scrapy("crawl", "movies", "-a", films, METACRAWL_SITE_URL=demo.url, **SETTINGS)
    assert run.returncode == 10, run.stdout
    assert not [path for path in demo.requests if "user-reviews" in path or "tin-orchestra" in path]
    [kept] = (tmp_path / "runs").glob("*-run-1.json")
    found = json.loads(kept.read_text("utf-8"))["problems"]["robots"]
    with closing(sqlite3.connect(tmp_path / "metacrawl.db")) as connection:
        noted = [message for (message,) in connection.execute("SELECT message FROM problems ORDER BY id")]
    assert (found["number"], found["first"]) == (len(noted), noted[:3])
    paths = {message.removeprefix(demo.url).partition("?")[0].partition(": ")[0] for message in noted}
    lists = {f"/movie/{film}/user-reviews" for film in FILMS if film != "tin-orchestra"}
    assert paths == {"/movie/tin-orchestra", *lists}
    assert all(message.endswith(": Forbidden by robots.txt") for message in noted), noted
    # Where a table's cell ends, a line does.
    assert "Forbidden by robots.txt" in " ".join(scrapy("status", "1").stdout.split())


@pytest.fixture
def gaps(scrapy, world):
    """Crawl with these lines in robots.txt; gives the seconds between each two requests, by the site's log."""

    def crawl(robots, **settings):
        with LoggedSite(world) as site:
            site.fault = lambda path, response: web.Response(text=robots) if path == "/robots.txt" else response
            run = scrapy("crawl", "movies", "-a", f"movie={FILM}", METACRAWL_SITE_URL=site.url, **SETTINGS | settings)
        assert run.returncode == 0, run.stdout
        return [after - before for before, after in pairwise(site.requests.times)]

    return crawl


DELAY = 0.5
SLOWLY = f"User-agent: *\nCrawl-delay: {DELAY}\n"


def test_the_delay_that_it_asks_for_is_kept(gaps):
    found = gaps(SLOWLY)
    assert min(found) >= DELAY, found


def test_the_control_scrapys_own_middleware_does_not_keep_it(gaps):
    assert min(gaps(SLOWLY, **STOCK)) < DELAY
