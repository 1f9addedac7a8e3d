"""A worker that stands still for longer than its lease must not store what others have taken over."""

from collections import Counter

import pytest

from tests.faults.crawls import PATIENCE, some_films
from tests.faults.gates import GatedSite
from tests.faults.workers import Crew, again, say, wait_for

FREEZES, CONCURRENCY, LEASE = 3, 3, 2
# So that the crawl does not end while a worker is frozen.
LATENCY = 0.5
LAST = "/movie/glass-meridian"


@pytest.fixture
def crew(tmp_path, postgresql_url):
    """Workers on a crawl of some 130 pages."""
    with (
        GatedSite(some_films(4, copies=24), LATENCY) as site,
        Crew(site, postgresql_url, tmp_path, CONCURRENCY, METACRAWL_LEASE_SECONDS=LEASE) as crew,
    ):
        yield crew


def freeze_at_work(crew, worker):
    """Stop a worker that waits for answers; returns the pages that it has asked for."""
    while True:
        wait_for(worker.under_way, "a page under way")
        worker.freeze()
        if pages := worker.under_way():
            return pages
        worker.thaw()


def stand_still(crew, frozen):
    """Stop a worker until another has taken over a page of its, let it go on, and wait until it is refused.

    Then the site answers nothing until the next one: however fast the others are, there is something left to do.
    """
    requests = crew.site.requests
    pages = freeze_at_work(crew, frozen)
    crew.site.resume()
    asked, before = Counter(requests), frozen.late()
    assert requests.wait(lambda: any(requests.count(path) > asked[path] for path in pages), PATIENCE)
    frozen.thaw()
    wait_for(lambda: frozen.late() > before, "a page that is refused")
    # A page that is lost three times is taken for what its workers die of.
    wait_for(lambda: not crew.left().intersection(pages), "the other worker to be done with them")
    crew.site.hold_all()


def test_the_late_pages_of_a_frozen_worker_are_refused(crew):
    requests = crew.site.requests
    workers = crew.add_all(2)
    for number in range(FREEZES):
        stand_still(crew, workers[number % 2])
    crew.site.resume()
    ends = [worker.end() for worker in workers]
    assert all(end.complete for end in ends), "\n".join(map(str, ends))
    late = [worker.stat("metacrawl/frontier/late") for worker in workers]
    verdict, more = crew.verdict(), again(requests).total()
    say(f"{FREEZES} times frozen, late pages refused: {late}; {more} of {len(requests)} requests again")
    say(f"{verdict.expected} records, {verdict.lost} lost, {verdict.wrong} wrong, {verdict.twice} twice")
    assert verdict.flawless, verdict
    assert late == [worker.late() for worker in workers]
    assert sum(late) >= FREEZES
    assert more <= FREEZES * (CONCURRENCY + 1)


def test_a_worker_whose_last_page_comes_when_others_have_ended_the_run_ends_too(tmp_path, postgresql_url):
    with (
        GatedSite(some_films(2)) as site,
        Crew(site, postgresql_url, tmp_path, CONCURRENCY, METACRAWL_LEASE_SECONDS=LEASE) as crew,
    ):
        site.hold(LAST)
        frozen = crew.add()
        assert site.requests.wait(lambda: LAST in site.requests, PATIENCE)
        wait_for(lambda: crew.left() == {LAST}, "the rest")
        frozen.freeze()
        # Who asks now is answered; who has asked waits on.
        answer = site.take_gate(LAST)
        other = crew.add().end()
        frozen.thaw()
        frozen.wait_for_looks(2)
        assert frozen.alive()
        answer()
        end = frozen.end()
        assert other.complete, other
        assert end.complete, end
        assert frozen.late() == 1
        assert crew.verdict().flawless
