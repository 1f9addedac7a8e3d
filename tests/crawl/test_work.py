"""`scrapy work`: a worker that helps with the runs of others."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest
import sqlalchemy as sa
from scrapy.settings import Settings

from metacrawl.commands import work
from metacrawl.database.connection import connect
from metacrawl.database.schema import WORKERS
from metacrawl.outcome import Outcome
from tests.crawl.waiting import wait_for
from tests.faults.crawls import ROOT, environment
from tests.faults.gates import GatedSite
from tests.faults.subjects import judge, stored
from tests.faults.workers import again, expected_records

# It looks more often than it would, for the test's sake.
EAGER = "from metacrawl.commands import work; work.INTERVAL = 0.1; from scrapy.cmdline import execute; execute()"
HELD = "/movie/nightjar/critic-reviews"


@pytest.fixture
def site(world):
    """The demo site, one of whose pages is held back."""
    with GatedSite(world) as site:
        site.hold(HELD)
        yield site


class Hands:
    """A worker, the crawl that it helps with, and what the database knows of them."""

    def __init__(self, site, url, start, films, folder):
        self.site, self.url, self.start, self.films, self.folder = site, url, start, films, folder
        self.settings = {"METACRAWL_SITE_URL": site.url, "METACRAWL_DATABASE_URL": url}
        self.settings["METACRAWL_RUNS"] = str(folder / "runs")
        self.log = folder / "log"

    def work(self):
        """Start the worker."""
        command = [sys.executable, "-W", "error", "-c", EAGER, "work", "-s", "DOWNLOAD_DELAY=0.01"]
        with self.log.open("wb") as log:
            given = environment() | self.settings
            self.worker = subprocess.Popen(command, cwd=ROOT, env=given, stdout=log, stderr=log)
        return self.worker

    def crawl(self):
        """Start the crawl, which has to wait for a page."""
        crawl = self.start("crawl", "movies", "-a", self.films, "-a", "fresh=1", **self.settings)
        wait_for(lambda: HELD in self.site.requests, 60)
        return crawl

    def wait(self, line, times=1):
        """Wait until the worker has logged something so often."""
        wait_for(lambda: self.log.read_text("utf-8").count(line) >= times or self.worker.poll() is not None, 60)
        assert self.worker.poll() is None, self.log.read_text("utf-8")

    def helpers(self):
        """Give the numbers of the processes that have taken part, but for the first."""
        engine = connect(self.url)
        with engine.connect() as connection:
            pids = connection.execute(sa.select(WORKERS.c.pid).order_by(WORKERS.c.id)).scalars().all()
        engine.dispose()
        return pids[1:]

    def wait_for_helper(self):
        wait_for(lambda: bool(self.helpers()) or self.worker.poll() is not None, 60)
        assert self.worker.poll() is None, self.log.read_text("utf-8")

    def stop(self, how=signal.SIGTERM):
        """Stop the worker; gives its exit code."""
        self.worker.send_signal(how)
        return self.worker.wait(60)


@pytest.fixture
def hands(site, postgresql_url, start, films, tmp_path):
    made = Hands(site, postgresql_url, start, films, tmp_path)
    yield made
    made.worker.kill()
    made.worker.wait()


def test_it_joins_what_is_at_work_and_waits_for_more(hands, site, postgres):
    hands.work()
    # Nobody has crawled yet.
    hands.wait("is no database of metacrawl's")
    crawl = hands.crawl()
    hands.wait_for_helper()
    hands.wait("joining run 1: crawl movies -a movie=@")
    site.release(HELD)
    told, errors = crawl.communicate(timeout=120)
    assert crawl.returncode == 0, errors
    hands.wait("left run 1: its process ended with 0")
    # What is over is not joined again, though somebody has asked for it a moment ago.
    hands.wait("waiting for a run")
    log = hands.log.read_text("utf-8")
    assert (log.count("joining"), "fresh=1" in log, "_join=1" in log) == (1, False, True)
    # Both say the same of the run.
    assert told.splitlines()[-1] in log
    assert judge(expected_records(site.world), stored(hands.url)).flawless
    assert not again(site.requests)
    postgres.stop()
    hands.wait("; waiting for it", 2)
    postgres.start()
    hands.wait("waiting for a run", 2)
    assert hands.stop() == 0


def test_it_ends_with_its_process_and_the_others_go_on(hands, site):
    crawl = hands.crawl()
    hands.work()
    hands.wait_for_helper()
    [helper] = hands.helpers()
    assert hands.stop(signal.SIGINT) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(helper, 0)
    log = hands.log.read_text("utf-8")
    assert "interrupted: " in log
    assert "its process ended with 143" in log
    site.release(HELD)
    _, errors = crawl.communicate(timeout=120)
    assert crawl.returncode == 0, errors
    assert judge(expected_records(site.world), stored(hands.url)).flawless


def test_it_needs_postgresql_and_nothing_else(scrapy):
    refused = scrapy("work")
    says = "metacrawl: a SQLite database has one process at a time: workers need PostgreSQL\n"
    assert (refused.returncode, refused.stderr) == (Outcome.CONFIG.value, says)
    assert scrapy("work", "hard").stderr == "metacrawl: work takes no hard\n"


@pytest.mark.parametrize(("well", "pause"), [(True, work.INTERVAL), (False, work.REST)])
def test_it_rests_after_a_process_that_was_no_success(monkeypatch, well, pause):
    paused = []

    async def wait_for(waiting, seconds):
        waiting.close()
        paused.append(seconds)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0)

    async def join(*_):
        return well

    worker = work.Worker(Settings({"METACRAWL_DATABASE_URL": ""}), [])
    monkeypatch.setattr(worker, "find", lambda: {"id": 1})
    monkeypatch.setattr(worker, "join", join)
    monkeypatch.setattr(work.asyncio, "wait_for", wait_for)
    asyncio.run(worker.work())
    assert set(paused) == {pause}
