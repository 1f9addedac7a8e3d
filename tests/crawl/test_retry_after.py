"""A server that is busy is left in peace for as long as it asks, by the whole crawl."""

import sqlite3
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from metacrawl.middlewares.retry_after import RetryAfterMiddleware
from tests.faults.crawls import names_of, some_films
from tests.faults.refusals import FORMS, RefusingSite
from tests.middlewares.quick import middlewares

FILM = "nightjar"
DELAY = {"DOWNLOAD_DELAY": 0.01}


class BusySite:
    """Serves pages, but a path's first answers are refusals: status and `Retry-After`."""

    def __init__(self, pages, refusals):
        self.times, self.paths = [], []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                site.times.append(time.monotonic())
                site.paths.append(self.path)
                refusal = refusals[self.path].pop(0) if refusals.get(self.path) else None
                body = b"busy" if refusal else pages.get(self.path)
                self.send_response(refusal[0] if refusal else 404 if body is None else 200)
                if refusal:
                    self.send_header("Retry-After", refusal[1])
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_):
                """Keep the test's output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def busy(site_pages):
    """Serve the demo's pages with refusals."""
    sites = []

    def serve(refusals):
        sites.append(BusySite(site_pages, refusals))
        return sites[-1]

    yield serve
    for site in sites:
        site.close()


@pytest.mark.parametrize("status", [429, 503])
def test_all_requests_wait_and_nothing_is_lost(scrapy, busy, films, status):
    path = f"/movie/{FILM}"
    site = busy({path: [(status, "1"), (status, "1")]})
    run = scrapy("crawl", "movies", "-a", films, "-a", "reviews=none", METACRAWL_SITE_URL=site.url, **DELAY)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("complete: 4 films")
    refused = [number for number, asked in enumerate(site.paths) if asked == path][:2]
    assert len(set(site.paths)) == len(site.paths) - 2
    for number in refused:
        assert site.times[number + 1] - site.times[number] >= 1
    assert "no more requests to 127.0.0.1 for 1 s" in run.stderr


def test_a_server_that_stays_busy_is_given_up(scrapy, busy):
    path = f"/movie/{FILM}"
    site = busy({path: [(429, "0")] * 9})
    run = scrapy("crawl", "movies", "-a", f"movie={FILM}", METACRAWL_SITE_URL=site.url, **DELAY)
    assert run.returncode == 12
    assert run.stdout.startswith(f"rate_limited: {site.url}{path}: HTTP 429; ")
    assert site.paths.count(path) == 4


def test_robots_txt_is_asked_for_again_too(scrapy, busy):
    site = busy({"/robots.txt": [(429, "1")]})
    run = scrapy("crawl", "movies", "-a", f"movie={FILM}", "-a", "reviews=none", METACRAWL_SITE_URL=site.url, **DELAY)
    assert run.returncode == 0, run.stdout
    assert site.paths[:2] == ["/robots.txt", "/robots.txt"]
    assert site.times[1] - site.times[0] >= 1


@pytest.mark.parametrize("path", [f"/movie/{FILM}", "/robots.txt"])
def test_a_wait_that_is_too_long_for_a_run_ends_it(scrapy, busy, films, stored, path):
    site = busy({path: [(503, "3600")] * 9})
    run = scrapy("crawl", "movies", "-a", films, "-a", "reviews=none", METACRAWL_SITE_URL=site.url, **DELAY)
    assert run.returncode == 12, run.stdout
    assert run.stdout.startswith("rate_limited: 127.0.0.1 wants no requests until 20")
    assert run.stdout.endswith("; run the same command again to go on\n")
    assert site.paths == list(dict.fromkeys(["/robots.txt", path]))
    assert stored() == []


@pytest.fixture
def refusing():
    with RefusingSite(some_films(2, copies=1)) as site:
        yield site


@pytest.fixture
def crawl(scrapy, refusing, tmp_path):
    """Crawl all films of the site that refuses requests, with pauses that are short where it does not say how long."""
    films = tmp_path / "names.txt"
    films.write_text(names_of(refusing.world), encoding="utf-8")

    def run(**settings):
        return scrapy(
            *("crawl", "movies", "-a", f"movie=@{films}"),
            METACRAWL_SITE_URL=refusing.url,
            **{"DOWNLOADER_MIDDLEWARES": middlewares(), **DELAY, **settings},
        )

    return run


def test_no_request_is_early_whatever_the_form_and_none_is_sent_by_a_run_that_starts_within_a_pause(
    crawl, refusing, tmp_path
):
    run = crawl()
    assert (len(refusing.pauses), refusing.early) == (len(FORMS) + 1, [])
    assert run.returncode == 12, run.stdout
    asked = len(refusing.requests)
    run = crawl()
    assert run.returncode == 12, run.stdout
    assert run.stdout.splitlines()[-1].startswith("rate_limited: 127.0.0.1 wants no requests until 20")
    assert run.stdout.endswith("; run the same command again to go on\n")
    assert len(refusing.requests) == asked, "not even robots.txt"

    # The control: it is the database that remembers, and when the pause is over the rest is read.
    with closing(sqlite3.connect(tmp_path / "metacrawl.db")) as connection, connection:
        connection.execute("UPDATE hosts SET quiet_until = 0")
    run = crawl()
    assert run.returncode == 0, run.stdout


def test_the_control_scrapys_own_way_is_seen_to_be_early(crawl, refusing):
    crawl(DOWNLOADER_MIDDLEWARES=middlewares(RetryAfterMiddleware), RETRY_HTTP_CODES="429,503")
    assert len(refusing.early) > len(FORMS)
