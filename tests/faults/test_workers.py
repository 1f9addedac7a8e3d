"""Several workers share one crawl, and die."""

import time
from collections import Counter
from random import Random

import pytest

from tests.faults.crawls import PATIENCE, ROBOTS, some_films
from tests.faults.gates import GatedSite
from tests.faults.workers import Crew, again, say, wait_for, wait_for_requests

WORKERS, CONCURRENCY, LEASE = 3, 3, 2
# Where nobody dies: a worker that gets no processor for a while keeps what it has.
LONG = 60
KILLS, BETWEEN = 10, 20
# Every page takes that long, so that three workers on a machine with two cores have always some under way.
LATENCY = 0.1
FILM = "glass-meridian"


@pytest.fixture
def crew(request, tmp_path, postgresql_url):
    """A crew on a site of as many films, and of copies of a small one, as the test says."""
    films, copies, latency, lease = request.param
    with (
        GatedSite(some_films(films, copies), latency) as site,
        Crew(site, postgresql_url, tmp_path, CONCURRENCY, METACRAWL_LEASE_SECONDS=lease) as crew,
    ):
        yield crew


def assert_complete(crew, workers):
    ends = [worker.end() for worker in workers]
    assert all(end.complete for end in ends), "\n".join(map(str, ends))
    verdict = crew.verdict()
    found = f"{verdict.expected} records, {verdict.lost} lost, {verdict.wrong} wrong, {verdict.twice} twice"
    say(f"{len(workers)} workers: {found}; {len(crew.site.requests)} requests")
    assert verdict.flawless, verdict
    assert not crew.left()
    # Nobody leaves while there is something to do for anyone.
    first, last = min(worker.ended_at for worker in workers), max(worker.ended_at for worker in workers)
    before = first - crew.site.requests.times[-1]
    say(f"the last request came {before:.2f} s before the first exit, all exits within {last - first:.2f} s")
    assert before > 0


@pytest.mark.parametrize("crew", [(3, 8, LATENCY, LONG)], indirect=True)
def test_workers_share_a_crawl_and_no_page_is_asked_for_twice(crew):
    crew.site.hold_all()
    workers = crew.add_all(WORKERS)
    wait_for(lambda: all(worker.enlisted() for worker in workers), "all of the workers")
    crew.site.resume()
    assert_complete(crew, workers)
    assert not again(crew.site.requests)
    shares = [worker.stat("metacrawl/stored/new") for worker in workers]
    say(f"new records by worker: {shares}")
    assert all(shares)
    assert crew.site.requests.count(ROBOTS) == WORKERS


@pytest.mark.parametrize("crew", [(4, 60, LATENCY, LEASE)], indirect=True)
def test_workers_that_are_killed_one_after_the_other_lose_nothing(crew):
    site, rng = crew.site, Random(2016)  # noqa: S311 - the same workers each time
    workers = crew.add_all(WORKERS)
    lost = []
    for number in range(KILLS):
        wait_for_requests(site, BETWEEN)
        # One that is still starting would be a waste.
        victim = rng.choice([worker for worker in workers if worker.held()])
        lost.append(victim.kill())
        workers.remove(victim)
        if number == KILLS - 1:
            # All are at work again before the end can come.
            site.hold_all()
        workers.append(crew.add())
    wait_for(lambda: all(worker.enlisted() for worker in workers), "the last worker")
    site.resume()
    assert_complete(crew, workers)
    more, deaths = again(site.requests), Counter(path for paths in lost for path in paths)
    say(f"{KILLS} kills, pages under way at each: {[len(paths) for paths in lost]}; {more.total()} asked for again")
    assert max(map(len, lost)) <= CONCURRENCY + 1
    assert sum(map(len, lost)) >= KILLS
    # Nothing is asked for again but for a death of who had it.
    assert not more - deaths


@pytest.mark.parametrize("crew", [(2, 0, 0, LEASE)], indirect=True)
def test_a_worker_with_nothing_to_do_waits_for_what_another_is_at(crew):
    slow, first, second = waiting(crew)
    crew.site.release(slow)
    assert_complete(crew, [first, second])
    assert not again(crew.site.requests)


@pytest.mark.parametrize("crew", [(2, 0, 0, LEASE)], indirect=True)
def test_a_worker_takes_over_what_a_dead_one_was_at_when_its_lease_is_over(crew):
    slow, first, second = waiting(crew)
    killed = time.monotonic()
    assert first.kill() == [slow]
    assert crew.site.requests.wait(lambda: crew.site.requests.count(slow) == 2, PATIENCE)
    say(f"taken over {crew.site.requests.times[-1] - killed:.2f} s after the death, by a lease of {LEASE} s")
    crew.site.release(slow)
    assert_complete(crew, [second])
    assert again(crew.site.requests) == {slow: 1}


def waiting(crew):
    """Let one worker hold the page of a film, and another find nothing else to do."""
    slow = f"/movie/{FILM}"
    crew.site.hold(slow)
    first = crew.add()
    assert crew.site.requests.wait(lambda: slow in crew.site.requests, PATIENCE)
    wait_for(lambda: crew.left() == {slow}, "the rest to be done")
    second = crew.add()
    wait_for(second.enlisted, "the second worker")
    second.wait_for_looks(3)
    assert second.alive()
    assert not second.held()
    return slow, first, second
