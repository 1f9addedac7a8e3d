"""The delay between two requests holds for all workers together, by the site's own clock."""

import json
from itertools import pairwise

import pytest

from tests.faults.crawls import ROBOTS, some_films
from tests.faults.gates import GatedSite
from tests.faults.workers import Crew, again, say

WORKERS, DELAY = 3, 0.3
# A request takes a while from its turn to the site, one more than another, and the first of a process most of all: it
# loads code and connects. Measured on two busy cores: up to 10 ms, and 35 ms for a first one.
TOLERANCE, COLD = 0.02, 0.06
FAILING = "/movie/glass-meridian/critic-reviews"


SHARED = "metacrawl.middlewares.politeness.SharedDelayMiddleware"


@pytest.fixture
def site():
    """A site of five films, one of them by three names, with a page that fails at first."""
    with GatedSite(some_films(2, copies=3)) as site:
        site.failures[FAILING] = 2
        yield site


def crawl(site, url, folder, **settings):
    """Crawl with three workers; gives the seconds between each two requests."""
    with Crew(site, url, folder, concurrency=2, DOWNLOAD_DELAY=DELAY, **settings) as crew:
        # The site answers nobody before all have come; what it notes is when it was asked.
        workers = crew.add_all(WORKERS)
        ends = [worker.end() for worker in workers]
        assert all(end.complete for end in ends), "\n".join(map(str, ends))
        verdict = crew.verdict()
    assert verdict.flawless, verdict
    assert site.requests.count(ROBOTS) == WORKERS
    assert site.requests.count(FAILING) == 3
    assert again(site.requests) == {FAILING: 2}
    gaps = [after - before for before, after in pairwise(site.requests.times)]
    short = sorted(round(1000 * (DELAY - gap), 1) for gap in gaps if gap < DELAY)
    say(f"{len(gaps)} gaps in {sum(gaps):.2f} s, the smallest is {min(gaps):.4f} s; too short by, in ms: {short}")
    return gaps


def test_three_workers_keep_one_delay_with_robots_retries_and_redirects(site, postgresql_url, tmp_path):
    gaps = crawl(site, postgresql_url, tmp_path)
    assert min(gaps) >= DELAY - COLD
    assert sorted(gaps)[WORKERS] >= DELAY - TOLERANCE
    # A delay of each worker's own would take a third of that.
    assert sum(gaps) >= len(gaps) * DELAY * 0.99


def test_the_control_workers_that_do_not_share_it_are_seen_to_break_it(site, postgresql_url, tmp_path):
    gaps = crawl(site, postgresql_url, tmp_path, DOWNLOADER_MIDDLEWARES=json.dumps({SHARED: None}))
    assert sorted(gaps)[WORKERS] < DELAY - TOLERANCE
    assert sum(gaps) < len(gaps) * DELAY * 0.7
