"""The delay between two requests, and a pause, hold for all workers together, by the site's own clock."""

import json
from itertools import pairwise

import pytest
from aiohttp import web

from tests.faults.crawls import ROBOTS, some_films
from tests.faults.gates import GatedSite
from tests.faults.refusals import FORMS, RefusingSite
from tests.faults.workers import Crew, again, say
from tests.middlewares.quick import middlewares

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
    assert sum(gaps) < len(gaps) * DELAY * 0.9


@pytest.fixture
def refusing():
    with RefusingSite(some_films(2, copies=1)) as site:
        yield site


def crawl_refused(site, url, folder, *plants):
    """Crawl with three workers until the site has refused for ever; gives how each ended."""
    with Crew(site, url, folder, concurrency=1, DOWNLOAD_DELAY=DELAY, DOWNLOADER_MIDDLEWARES=middlewares()) as crew:
        ends = [worker.end() for worker in crew.add_all(WORKERS, *plants)]
        asked = len(site.requests)
        late = crew.add(*plants).end()
    say(f"{len(site.pauses)} pauses, early requests: {site.early}")
    return ends, late, len(site.requests) - asked


def test_a_pause_of_one_is_one_of_all_and_of_those_who_come_later(refusing, postgresql_url, tmp_path):
    ends, late, asked_late = crawl_refused(refusing, postgresql_url, tmp_path)
    assert (len(refusing.pauses), refusing.early, asked_late) == (len(FORMS) + 1, [], 0)
    for end in (*ends, late):
        assert (end.code, "wants no requests until" in end.stdout) == (12, True), str(end)


def test_the_control_workers_that_keep_a_pause_to_themselves_are_seen_to_be_early(refusing, postgresql_url, tmp_path):
    _, _, asked_late = crawl_refused(refusing, postgresql_url, tmp_path, "keeps_pauses_to_itself")
    assert refusing.early
    assert asked_late


def test_the_delay_of_robots_txt_is_one_of_all(postgresql_url, tmp_path):
    robots = f"User-agent: *\nCrawl-delay: {DELAY}\n"
    with GatedSite(some_films(2, copies=1)) as site:
        site.fault = lambda path, response: web.Response(text=robots) if path == ROBOTS else response
        with Crew(site, postgresql_url, tmp_path, concurrency=2) as crew:
            ends = [worker.end() for worker in crew.add_all(WORKERS)]
            assert all(end.complete for end in ends), "\n".join(map(str, ends))
        # Nobody knows it before it is read.
        times = [time for time, path in zip(site.requests.times, site.requests, strict=True) if path != ROBOTS]
    assert min(after - before for before, after in pairwise(times)) >= DELAY - COLD
