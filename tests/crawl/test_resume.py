"""The same command goes on where a crawl was cut short, by whatever, with nothing lost and nothing done twice."""

import json
import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from metacrawl.demo.compare import differences
from metacrawl.demo.truth import expected_records
from metacrawl.items import Movie

pytestmark = pytest.mark.measured

NO_DELAY = {"DOWNLOAD_DELAY": 0}
FILM = "nightjar"
CRAWL = ("movies", "-a", f"movie={FILM}")


@pytest.fixture
def runs(tmp_path):
    """How each run of the test's database ended, None for one that is open."""

    def read():
        with closing(sqlite3.connect(tmp_path / "metacrawl.db")) as connection:
            rows = connection.execute("SELECT id, finished_at IS NOT NULL, outcome FROM runs")
            return {id_: outcome if finished else None for id_, finished, outcome in rows}

    return read


@pytest.fixture
def film(world):
    """What is known of one film."""
    world.films = [world.film(FILM)]
    return expected_records(world)


@pytest.fixture
def again(scrapy):
    """The same command once more, on the site."""

    def run(site, *crawl, **settings):
        return scrapy("crawl", *crawl, METACRAWL_SITE_URL=site.url, **NO_DELAY, **settings)

    return run


def asked(site):
    """Count what a site was asked for, robots.txt excepted, and begin anew."""
    counts = Counter(path for path in site.requests if path != "/robots.txt")
    site.requests.clear()
    return counts


# --- Killed


@pytest.mark.parametrize("number", [1, 7])
def test_a_killed_crawl_goes_on_where_it_was(killed, again, site_pages, films, world, stored, runs, number):
    crawl = ("movies", "-a", films, "-a", "update=full")
    # The next process knows that this one is dead, and need not wait for its leases to run out.
    site = killed(number, site_pages, *crawl, METACRAWL_LEASE_SECONDS=10_000)
    [*_, under_way] = [path for path in site.requests if path != "/robots.txt"]
    run = again(site, *crawl)
    assert run.returncode == 0, run.stderr
    told = run.stdout.splitlines()
    assert told[0].startswith("resuming run 1: ")
    assert told[1].startswith("complete: 4 films, ")
    assert len(told) == 2
    assert list(differences(expected_records(world), stored())) == []
    assert asked(site) == Counter([*site_pages, under_way])
    third = again(site, *crawl)
    assert (third.returncode, third.stdout.splitlines()) == (0, told[1:])
    assert asked(site) == Counter(list(site_pages))
    assert runs() == {1: "complete", 2: "complete"}


def test_a_crawl_may_be_killed_again(killed, again, start, pages, film, stored):
    site = killed(2, pages, *CRAWL)
    site.gate.close(2)
    crawl = start("crawl", *CRAWL, METACRAWL_SITE_URL=site.url)
    assert site.gate.reached.wait(timeout=60)
    crawl.kill()
    crawl.wait(timeout=60)
    site.gate.opened.set()
    run = again(site, *CRAWL)
    assert run.returncode == 0, run.stdout
    assert run.stdout.startswith("resuming run 1: ")
    assert list(differences(film, stored())) == []


def test_a_fresh_run_reads_everything_again_and_ends_the_old_one(killed, again, pages, film, stored, runs):
    site = killed(3, pages, *CRAWL)
    asked(site)
    run = again(site, *CRAWL, "-a", "fresh=1")
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("complete: 1 film, ")
    assert asked(site) == Counter(list(pages))
    assert list(differences(film, stored())) == []
    assert runs() == {1: "interrupted", 2: "complete"}


def test_what_else_is_asked_for_is_another_job(killed, again, pages, tmp_path, film, stored, runs):
    """Another argument, or another list of films under the same name; neither touches the run that was cut short."""
    path = tmp_path / "films.txt"
    path.write_text(FILM, encoding="utf-8")
    crawl = ("movies", "-a", f"movie=@{path}")
    site = killed(3, pages, *crawl)
    others = [again(site, *crawl, "-a", "reviews=none")]
    path.write_text(f"{FILM}\nno-such-film", encoding="utf-8")
    others.append(again(site, *crawl))
    assert [run.stdout.partition(":")[0] for run in others] == ["complete", "partial"]
    assert runs() == {1: None, 2: "complete", 3: "partial"}
    path.write_text(f"# the same film\n{FILM}\n", encoding="utf-8")
    asked(site)
    run = again(site, *crawl)
    assert run.stdout.startswith("resuming run 1: ")
    assert asked(site).total() == 2
    assert runs()[1] == "complete"
    assert list(differences(film, stored())) == []


def test_records_on_standard_output_are_all_that_is_there(killed, again, pages):
    site = killed(3, pages, *CRAWL)
    run = again(site, *CRAWL, "-O", "-:jsonl")
    assert run.returncode == 0, run.stderr
    assert run.stdout
    assert all("key" in json.loads(line) for line in run.stdout.splitlines())
    assert "resuming run 1: " in run.stderr


def test_what_went_wrong_before_is_still_told(killed, again, pages, runs, stored):
    site = killed(4, pages | {f"/movie/{FILM}/details": (404, b"not here")}, *CRAWL)
    assert f"/movie/{FILM}/details" in site.requests
    del pages[f"/movie/{FILM}/details"]
    run = again(site, *CRAWL)
    assert run.returncode == 10
    assert f"\npartial: {site.url}/movie/{FILM}/details: HTTP 404; 1 film, " in run.stdout
    assert asked(site)[f"/movie/{FILM}/details"] == 1


def test_robots_txt_is_asked_anew(killed, again, pages):
    site = killed(2, pages, *CRAWL)
    site.answers["/robots.txt"] = f"User-agent: *\nDisallow: /movie/{FILM}/".encode()
    asked(site)
    run = again(site, *CRAWL)
    assert run.returncode == 10
    assert "robots.txt" in run.stdout
    assert not asked(site)


# --- Stopped early


def test_a_crawl_that_was_stopped_early_goes_on(demo, again, film, stored):
    first = again(demo, *CRAWL, CLOSESPIDER_PAGECOUNT=2)
    assert first.returncode == 10
    assert first.stdout.startswith("partial: stopped early: closespider_pagecount; ")
    assert first.stdout.endswith("; run the same command again to go on\n")
    run = again(demo, *CRAWL)
    assert run.returncode == 0, run.stdout
    assert run.stdout.startswith("resuming run 1: ")
    assert set(asked(demo).values()) == {1}
    assert list(differences(film, stored())) == []


# --- Saved pages


@pytest.mark.parametrize("limit", [3, 2])
def test_saved_pages_are_gone_on_with(scrapy, site_pages, stored, tmp_path, limit):
    """The limit counts the films that were met before, too."""
    for film in ("nightjar", "tin-orchestra", "unfinished-weather"):
        (tmp_path / f"{film}.html").write_bytes(site_pages[f"/movie/{film}"])
    crawl = ("crawl", "movies", "-a", "source=files", "-a", f"path={tmp_path}/*.html", "-a", f"limit={limit}")
    deadly = json.dumps({"tests.crawl.planted.DeadlyAtSecondFilmPipeline": 150})
    assert scrapy(*crawl, ITEM_PIPELINES=deadly).returncode == 9
    run = scrapy(*crawl)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.startswith("resuming run 1: 1 film, ")
    assert sum(isinstance(record, Movie) for record in stored()) == limit


# --- Poison


def test_a_page_that_ends_the_process_is_set_aside_and_no_other_is_blamed(demo, again, films, world, stored):
    crawl, poison = ("movies", "-a", films), "tin-orchestra"
    deadly = {
        "DEADLY": poison,
        "ITEM_PIPELINES": json.dumps({"tests.crawl.planted.DeadlyPipeline": 150}),
        "CONCURRENT_REQUESTS_PER_DOMAIN": 4,
    }
    for _ in range(3):
        assert again(demo, *crawl, **deadly).returncode == 9
    run = again(demo, *crawl, **deadly)
    assert run.returncode == 10
    *_, last = run.stdout.splitlines()
    assert last.startswith(
        f"partial: {demo.url}/movie/{poison}: poison: it was lost with its worker 3 times; 3 films, "
    )
    world.films = [film for film in world.films if film.slug != poison]
    assert list(differences(expected_records(world), stored())) == []
