"""Each protection is needed: with it the check holds, without it the very same check fails.

A parameter takes the protection out of the very same scenario; see `tests/faults/planted.py`.
"""

import json
import signal
import time

import pytest

from metacrawl.demo.truth import expected_records
from metacrawl.demo.world import World
from metacrawl.outcome import Outcome
from tests.faults.crawls import PATIENCE, Crawl, crawl_movies, names_of, python, some_films
from tests.faults.gates import GatedSite
from tests.faults.subjects import judge, stored
from tests.faults.workers import Crew, say, wait_for

CONCURRENCY, LEASE = 2, 2
FILM, OTHER = "nightjar", "glass-meridian"
FILMS = ("the-cartographers-daughter", "unfinished-weather", OTHER, FILM)
REVIEWS = f"/movie/{FILM}/user-reviews?sort-by=date&num_items=100"


def both(control):
    """Run a scenario as it is, and without a protection, which must show."""
    return pytest.mark.parametrize("control", [pytest.param("nothing", id="protected"), control])


@pytest.fixture
def site():
    """A site of four films, which have six names."""
    films = [film for film in some_films(6).films if film.slug in FILMS]
    with GatedSite(World(films=films)) as site:
        yield site


@pytest.fixture
def crew(site, postgresql_url, tmp_path):
    """Workers on a crawl of it."""
    with Crew(site, postgresql_url, tmp_path, CONCURRENCY, METACRAWL_LEASE_SECONDS=LEASE) as crew:
        yield crew


@pytest.fixture
def planted(site, sqlite_url, tmp_path):
    """Crawl it with plants by a process alone; gives how that ended."""
    (tmp_path / "films.txt").write_text(names_of(site.world), encoding="utf-8")

    def run(*plants, **settings):
        arguments = crawl_movies(site.url, tmp_path / "films.txt", sqlite_url, CONCURRENCY, **settings)
        crawl = Crawl(python("-m", "tests.faults.planted", *plants, "--", *arguments), site.requests, tmp_path)
        return crawl.run()

    return run


def check(control, verdict, end, *, lost=True):
    """Hold what is stored against the truth, and demand what is to be seen of it."""
    say(f"{control}: {verdict.lost} of {verdict.expected} records lost, {verdict.wrong} wrong, exit code {end.code}")
    # Without its protection a crawl does not even know.
    if control == "nothing":
        assert end.complete, end
        assert verdict.flawless, verdict
    else:
        # What reviews are lost is found: they are read again, or the run says that they are missing.
        assert verdict.lost or verdict.wrong if lost else verdict.wrong
        assert end.complete or (verdict.lost and end.code == Outcome.PARTIAL.value), end


@both("acknowledges_early")
def test_a_page_is_marked_as_done_in_the_transaction_of_its_records(control, planted, site, sqlite_url):
    assert planted(control, "dies_storing").code == -signal.SIGKILL
    end = planted(control)
    check(control, judge(expected_records(site.world), stored(sqlite_url)), end)


@both("without_waiting")
def test_a_page_waits_for_its_records(control, planted, site, sqlite_url):
    end = planted(control, ITEM_PIPELINES=json.dumps({"tests.faults.planted.SlowPipeline": 150}))
    check(control, judge(expected_records(site.world), stored(sqlite_url)), end)


@both("without_seeded")
def test_a_crawl_that_is_killed_while_seeding_is_seeded_to_the_end(control, planted, site, sqlite_url):
    assert planted(control, "dies_seeding").code == -signal.SIGKILL
    end = planted(control)
    check(control, judge(expected_records(site.world), stored(sqlite_url)), end)


@both("without_seeded")
def test_a_worker_that_finds_a_crawl_half_seeded_does_not_end_it(control, crew):
    first = crew.add(control, "stops_seeding")
    wait_for(lambda: len(crew.left()) >= 2, "the first seeds")
    end = crew.add(control).end()
    first.process.kill()
    check(control, crew.verdict(), end)


@both("without_fence")
def test_a_page_of_a_worker_that_has_lost_it_is_not_stored(control, crew):
    """The site changes between the answers to the two workers, and the older answer is stored last."""
    site, keeps_open = crew.site, f"/movie/{OTHER}/details"
    site.hold(REVIEWS)
    site.hold(keeps_open)
    late = crew.add(control, "tells")
    assert site.requests.wait(lambda: REVIEWS in site.requests and keeps_open in site.requests, PATIENCE)
    wait_for(lambda: crew.left() <= {REVIEWS, keeps_open} or len(late.held()) == CONCURRENCY + 1, "the rest")
    late.freeze()
    site.release(REVIEWS)
    wait_for(lambda: site.answered[REVIEWS], "the older answer")
    # One that stands on no other page.
    site.world.film(FILM).user_reviews[-1].text = "Edited meanwhile."
    other = crew.add(control, "tells")
    wait_for(lambda: crew.left() == {keeps_open}, "the other worker")
    assert site.requests.count(REVIEWS) == 2
    told = late.errors().count("planted: ")
    late.thaw()
    wait_for(lambda: late.errors().count("planted: ") > told, "the late page")
    site.release(keeps_open)
    ends = [late.end(), other.end()]
    say(f"late pages refused: {late.late()}")
    # Without the fence there are none but those that come when the run is over.
    assert late.late() or control != "nothing"
    assert ends[1].complete, ends[1]
    check(control, crew.verdict(), ends[0], lost=False)


@both("without_renewal")
def test_a_page_slower_than_a_lease_stays_its_workers(control, crew):
    site = crew.site
    site.hold(REVIEWS)
    workers = [crew.add(control)]
    assert site.requests.wait(lambda: REVIEWS in site.requests, PATIENCE)
    wait_for(lambda: crew.left() == {REVIEWS}, "the rest")
    start, first = time.monotonic(), crew.lease_of(REVIEWS)
    workers.append(crew.add(control))
    renewed = first + 2 * LEASE
    wait_for(lambda: site.requests.count(REVIEWS) > 1 or crew.lease_of(REVIEWS) > renewed, "more than a lease")
    say(f"{control}: asked for {site.requests.count(REVIEWS)} times in {time.monotonic() - start:.1f} s")
    assert all(worker.alive() for worker in workers)
    site.release(REVIEWS)
    ends = [worker.end() for worker in workers]
    assert all(end.complete for end in ends), ends
    assert site.requests.count(REVIEWS) == (1 if control == "nothing" else 2)
