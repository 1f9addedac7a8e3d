"""Crawls that a real Scrapyd runs, out of an egg, into a real PostgreSQL, and whatever may end them."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from metacrawl.database.connection import connect
from metacrawl.database.reading import read
from metacrawl.database.schema import RUNS, WORKERS
from metacrawl.demo.compare import differences
from metacrawl.demo.content import build_world
from metacrawl.demo.site import DemoSite
from metacrawl.demo.truth import expected_records
from metacrawl.demo.world import World
from metacrawl.items import RECORDS
from tests.crawl.waiting import wait_for
from tests.deploy.scrapyd import PASSWORD as SERVERS
from tests.postgres import PASSWORD as DATABASES

# One film for each test: crawls of the same are the same job.
FILMS = ("the-salt-orchard", "morning-twice")
# Long enough between requests for whatever a test does to a crawl.
SLOW = 2.0


@pytest.fixture
def site() -> Iterator[DemoSite]:
    world = build_world()
    with DemoSite(World(films=[world.film(slug) for slug in FILMS]), design="2016") as site:
        yield site


@pytest.fixture
def jobs(database):
    """Read of each job the run, how that ended, and what it was asked for."""
    engine = connect(database)

    def read_jobs():
        query = sa.select(WORKERS.c.job_id, RUNS.c.id, RUNS.c.outcome).join(RUNS, RUNS.c.id == WORKERS.c.run)
        with engine.connect() as connection:
            return {job: (run, outcome) for job, run, outcome in connection.execute(query)}

    yield read_jobs
    engine.dispose()


@pytest.fixture
def lost(database, site):
    """Tell what of a film is not in the database as it is on the site."""
    engine = connect(database)

    def compare(slug):
        expected = list(expected_records(World(films=[site.world.film(slug)])))
        with engine.connect() as connection:
            records = [record for kind in RECORDS for record in read(connection, kind)]
        return list(differences(expected, [record for record in records if record.key.split("/")[0] == slug]))

    yield compare
    engine.dispose()


@contextmanager
def in_the_middle(scrapyd, site, job, movie, lease=60):
    """Have a film crawled, and do something when a page has been asked for and others have not."""
    asked = len(site.requests)
    scrapyd.schedule(job, site=site.url, delay=SLOW, lease=lease, movie=movie)
    wait_for(lambda: any(path.startswith("/movie/") for path in site.requests[asked:]), 60)
    yield scrapyd.running()[0]["pid"]


def go_on(scrapyd, site, job, movie):
    """Have it crawled again, to its end."""
    scrapyd.schedule(job, site=site.url, movie=movie)
    scrapyd.wait_for(job)


def test_a_job_goes_on_after_whatever_ended_it(scrapyd, site, jobs, lost):
    movie = "the-salt-orchard"
    with in_the_middle(scrapyd, site, "first", movie):
        scrapyd.ask("cancel", job="first")
        scrapyd.wait_for("first")
    run, outcome = jobs()["first"]
    assert outcome == "interrupted"
    # Now Scrapyd itself is stopped.
    with in_the_middle(scrapyd, site, "second", movie) as crawl:
        assert scrapyd.stop() == 0
        assert not is_alive(crawl)
    assert jobs()["second"] == (run, "interrupted")
    scrapyd.start()
    assert "first" in scrapyd.finished()
    go_on(scrapyd, site, "third", movie)
    assert jobs()["third"] == (run, "complete")
    assert lost(movie) == []
    assert site.requests.count(f"/movie/{movie}") == 1
    # No secret stands in any log, or anywhere else.
    files = [path.read_bytes() for path in scrapyd.folder.rglob("*") if path.is_file()]
    assert not [text for text in files if SERVERS.encode() in text or DATABASES.encode() in text]


def test_a_crawl_that_scrapyd_has_lost_is_not_done_twice(scrapyd, site, jobs, lost):
    """Without what watches over it, Scrapyd leaves its crawls behind; the same job is refused until they have ended."""
    movie, opened = "morning-twice", threading.Event()
    with in_the_middle(scrapyd, site, "orphan", movie, lease=1) as crawl:
        # Nothing more comes until it is killed.
        site.fault = lambda _, response: opened.wait(60) and response
        server = scrapyd.pid
        scrapyd.stop(signal.SIGKILL)
        os.kill(server, signal.SIGKILL)
        scrapyd.start()
        assert is_alive(crawl)
        assert scrapyd.running() == []
        go_on(scrapyd, site, "refused", movie)
        assert is_alive(crawl)
        assert "refused" not in jobs()
        assert "exitstatus=3" in scrapyd.log.read_text("utf-8")
    os.kill(crawl, signal.SIGKILL)
    opened.set()
    wait_for(lambda: not is_alive(crawl))
    run, outcome = jobs()["orphan"]
    assert outcome is None
    go_on(scrapyd, site, "after", movie)
    assert jobs()["after"] == (run, "complete")
    assert lost(movie) == []


def is_alive(process):
    """Tell whether a process is there, and does something."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text("utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
