"""Crawls that the schedule has a real Scrapyd do, through what may become of that."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from scrapy.settings import Settings

from metacrawl.database.account import ending_of
from metacrawl.database.connection import connect
from metacrawl.demo.content import build_world
from metacrawl.demo.world import World
from metacrawl.outcome import Outcome
from metacrawl.schedule import scrapyd as client
from metacrawl.schedule.model import Crawl
from tests.crawl.waiting import wait_for
from tests.deploy.scrapyd import PASSWORD, USERNAME, Scrapyd
from tests.faults.gates import GatedSite
from tests.faults.subjects import judge, stored
from tests.faults.workers import expected_records

# Each of few pages, between which lies a second.
FILMS = ("three-small-bells", "winter-ferry")


@pytest.fixture
def site():
    """The demo site, of each of whose films a page is held back."""
    world = build_world()
    with GatedSite(World(films=[world.film(slug) for slug in FILMS])) as site:
        for slug in FILMS:
            site.hold(page_of(slug))
        yield site


def page_of(slug):
    return f"/movie/{slug}/critic-reviews"


@pytest.fixture
def server(site, postgresql_url, egg, tmp_path):
    given = {"METACRAWL_DATABASE_URL": postgresql_url, "METACRAWL_SITE_URL": site.url}
    with Scrapyd(tmp_path / "scrapyd", egg, **given) as server:
        yield server


@pytest.fixture
def watch(server, postgresql_url, monkeypatch):
    """Have a film crawled under a job's id, and watch that; does not wait."""
    monkeypatch.setattr(client, "INTERVAL", 0.05)
    given = {"METACRAWL_DATABASE_URL": postgresql_url, "METACRAWL_DATABASE_TIMEOUT": 60}
    access = {"SCRAPYD_USERNAME": USERNAME, "SCRAPYD_PASSWORD": PASSWORD, "METACRAWL_SCRAPYD_URL": server.url}
    connect(postgresql_url).dispose()
    stopping = threading.Event()
    with ThreadPoolExecutor() as pool:

        def start(slug, job_id):
            crawl = Crawl("movies", {"movie": slug})
            return pool.submit(client.crawl, Settings(given | access), crawl, job_id, stopping)

        yield start
        stopping.set()


def test_a_crawl_is_watched_through_all_that_may_become_of_scrapyd(watch, server, site, postgresql_url, monkeypatch):
    first, second = FILMS
    asked = []

    def is_taken(connection, what):
        asked.append(what)
        return taken(connection, what)

    taken = client.is_taken
    monkeypatch.setattr(client, "is_taken", is_taken)
    killed = watch(first, "night-1")
    wait_for(lambda: page_of(first) in site.requests, 60)
    # Scrapyd is killed, with what watches over it; its crawl is not.
    scrapyd = server.pid
    server.stop(signal.SIGKILL)
    os.kill(scrapyd, signal.SIGKILL)
    server.start()
    assert server.running() == []
    wait_for(lambda: len(asked) >= 2)
    assert not killed.done()
    site.release(page_of(first))
    result = killed.result(timeout=60)
    assert (result.outcome, result.crashed) == (Outcome.COMPLETE, False), result.message
    # It ends in good order, and takes its crawl with it.
    stopped = watch(second, "night-2")
    wait_for(lambda: page_of(second) in site.requests, 60)
    server.stop()
    server.start()
    result = stopped.result(timeout=60)
    assert (result.outcome, result.crashed) == (Outcome.TERMINATED, True), result.message
    again = watch(second, "night-3")
    wait_for(lambda: site.requests.count(page_of(second)) == 2, 60)
    site.release(page_of(second))
    result = again.result(timeout=60)
    assert (result.outcome, result.crashed) == (Outcome.COMPLETE, False), result.message
    assert judge(expected_records(site.world), stored(postgresql_url)).flawless
    engine = connect(postgresql_url)
    with engine.connect() as connection:
        # The last two are one run.
        assert ending_of(connection, "night-2") == ending_of(connection, "night-3")
    engine.dispose()
