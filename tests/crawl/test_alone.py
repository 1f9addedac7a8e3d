"""A crawl that was started under a job's id is the only such one of its job; those started by hand share its run."""

import os
import signal
import subprocess
import sys

import pytest
import sqlalchemy as sa

from metacrawl.database import account
from metacrawl.database.connection import connect
from metacrawl.database.schema import RUNS, WORKERS
from metacrawl.outcome import Outcome
from tests.crawl.waiting import wait_for
from tests.faults.crawls import ROOT, environment
from tests.faults.gates import GatedSite
from tests.faults.subjects import judge, stored
from tests.faults.workers import again, expected_records

FILM = "nightjar"
HELD = f"/movie/{FILM}/critic-reviews"
# The crawl by Scrapy's own interface, which knows nothing of what the command checks before; perhaps without the lock.
PLAIN = """
import sys
from scrapy.crawler import CrawlerProcess
from scrapy.utils.project import get_project_settings
from metacrawl.frontier import run

if sys.argv[2:] == ["unlocked"]:
    run.take = lambda *_: None
process = CrawlerProcess(get_project_settings())
crawler = process.create_crawler("movies")
process.crawl(crawler, movie="nightjar", _job=sys.argv[1])
process.start()
print(crawler.stats.get_value("metacrawl/outcome"), crawler.stats.get_value("metacrawl/message"))
"""


@pytest.fixture
def site(world):
    """The demo site with one film, one of whose pages is held back."""
    world.films = [film for film in world.films if film.slug == FILM]
    with GatedSite(world) as site:
        site.hold(HELD)
        yield site


class Crawls:
    """Crawls of the film in processes of their own, and what the database knows of them."""

    def __init__(self, site, url, start, scrapy, folder):
        self.site, self.url, self.start, self.scrapy = site, url, start, scrapy
        # What a killed one was at is soon taken over.
        self.settings = {"METACRAWL_LEASE_SECONDS": 2, "METACRAWL_RUNS": folder / "runs"}
        self.settings |= {"METACRAWL_SITE_URL": site.url, "METACRAWL_DATABASE_URL": url}
        self.engine = connect(url)
        self.plain_ones = []

    def begin(self, *job):
        """Start one, and wait until it takes part."""
        before = len(self.workers())
        crawl = self.start("crawl", "movies", "-a", f"movie={FILM}", *job, **self.settings)
        wait_for(lambda: len(self.workers()) > before or crawl.poll() is not None, 60)
        assert crawl.poll() is None, crawl.communicate()
        return crawl

    def plain(self, *given):
        """Start one by Scrapy's own interface."""
        ours = {name: str(value) for name, value in self.settings.items()}
        command = [sys.executable, "-W", "error", "-c", PLAIN, *given]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self.plain_ones.append(subprocess.Popen(command, cwd=ROOT, env=environment() | ours, **pipes))
        return self.plain_ones[-1]

    def workers(self):
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(WORKERS.c.run, WORKERS.c.pid, WORKERS.c.job_id).order_by(WORKERS.c.id))
            return [tuple(row) for row in rows]

    def ending(self, job):
        with self.engine.connect() as connection:
            return account.ending_of(connection, job)


@pytest.fixture
def crawls(site, postgresql_url, start, scrapy, tmp_path):
    made = Crawls(site, postgresql_url, start, scrapy, tmp_path)
    yield made
    for crawl in made.plain_ones:
        crawl.kill()
        crawl.communicate()
    made.engine.dispose()


def test_a_second_one_of_the_same_job_is_refused_until_the_first_is_gone(crawls, site, tmp_path):
    first = crawls.begin("-a", "_job=night-1")
    wait_for(lambda: HELD in site.requests)
    refused = crawls.scrapy("crawl", "movies", "-a", f"movie={FILM}", "-a", "_job=night-2", **crawls.settings)
    assert (refused.returncode, refused.stdout) == (Outcome.LOCKED.value, "")
    who = f"run 1 (movies, process {first.pid} on {os.uname().nodename}, since 20"
    assert refused.stderr.startswith(f"metacrawl: the same crawl is at work already, as {who}")
    assert refused.stderr.count("\n") == 1
    plain = crawls.plain("night-3")
    told, errors = plain.communicate(timeout=60)
    assert told.startswith(f"LOCKED the same crawl is at work already, as {who}"), errors
    # One by hand works on the same run, and so would the others if there were no lock.
    by_hand, unlocked = crawls.begin(), crawls.plain("night-4", "unlocked")
    wait_for(lambda: len(crawls.workers()) == 3 or unlocked.poll() is not None, 60)
    unlocked.send_signal(signal.SIGTERM)
    unlocked.communicate(timeout=60)
    first.kill()
    first.wait(60)
    # Nobody waits for what the dead one had leased to be allowed in.
    last = crawls.begin("-a", "_job=night-5")
    pids = [first.pid, by_hand.pid, unlocked.pid, last.pid]
    assert crawls.workers() == list(zip([1] * 4, pids, ["night-1", None, "night-4", "night-5"], strict=True))
    site.release(HELD)
    ends = [crawl.communicate(timeout=120) for crawl in (by_hand, last)]
    assert [by_hand.returncode, last.returncode] == [0, 0], ends
    assert judge(expected_records(site.world), stored(crawls.url)).flawless
    assert set(again(site.requests)) <= {HELD}
    # What it was asked for has no id in it: it is the same for all.
    with crawls.engine.connect() as connection:
        assert connection.execute(sa.select(RUNS.c.arguments)).scalars().all() == [{"movie": FILM}]
    assert [crawls.ending(f"night-{job}") is None for job in (1, 2, 3, 5)] == [False, True, True, False]
    assert crawls.ending("night-5").outcome is Outcome.COMPLETE
    shown = crawls.scrapy("status", "1", **crawls.settings)
    assert f"{last.pid} on {os.uname().nodename}, job night-5" in shown.stdout
    assert "_job" not in shown.stdout


def test_a_process_that_was_to_join_what_is_over_does_nothing(scrapy, demo, tmp_path, sqlite_url):
    run = scrapy("crawl", "movies", "-a", f"movie={FILM}", "-a", "_join=7", METACRAWL_SITE_URL=demo.url)
    says = "complete: run 7 is over, or not of this crawl: there is nothing to join\n"
    assert (run.returncode, run.stdout) == (0, says), run.stderr
    # Nor is it a reason to tell anybody.
    assert (" ERROR: " in run.stderr, " WARNING: " in run.stderr) == (False, False)
    assert demo.requests == []
    assert not (tmp_path / "runs").exists()
    engine = connect(sqlite_url)
    with engine.connect() as connection:
        assert connection.execute(sa.select(RUNS)).all() == []
    engine.dispose()
