"""Every way a run can end is reached by a real fault, and told by an exit code and a line that a person can act on."""

import importlib
import json
import resource
import threading

import pytest
from aiohttp import web

from metacrawl.demo.site import DemoSite
from metacrawl.demo.world import World
from metacrawl.items import Movie
from metacrawl.outcome import Outcome

NO_DELAY = {"DOWNLOAD_DELAY": 0, "RETRY_ENABLED": False}
FILM = "nightjar"
# Which test provokes each.
SHOWN = {
    Outcome.COMPLETE: "tests.crawl.test_failures:test_a_film_asked_for_under_two_names_is_complete",
    Outcome.PARTIAL: "tests.crawl.test_failures:test_a_film_that_is_not_there_is_named_and_the_others_are_read",
    Outcome.INVALID: "tests.crawl.test_outcomes:test_a_list_without_films_gives_no_record",
    Outcome.ROBOTS: "tests.crawl.test_outcomes:test_what_robots_txt_forbids_is_not_read",
    Outcome.SITE_DOWN: "tests.crawl.test_outcomes:test_an_outage_ends_the_run_and_not_the_queue",
    Outcome.RATE_LIMITED: "tests.crawl.test_retry_after:test_a_wait_that_is_too_long_for_a_run_ends_it",
    Outcome.BLOCKED: "tests.crawl.test_blocks:test_a_run_that_is_blocked_slows_down_stops_and_goes_on",
    Outcome.LAYOUT: "tests.crawl.test_failures:test_a_page_that_is_cut_off_is_refused_whole",
    Outcome.STALLED: "tests.crawl.test_outcomes:test_a_run_that_stands_still_is_ended",
    Outcome.TERMINATED: "tests.crawl.test_stop:test_a_signal_stops_the_run_and_keeps_what_was_read",
    Outcome.INTERRUPTED: "tests.crawl.test_stop:test_a_signal_stops_the_run_and_keeps_what_was_read",
    Outcome.DATABASE: "tests.crawl.test_failures:test_a_database_that_fails_in_mid_crawl_ends_the_run",
    Outcome.DISK_FULL: "tests.crawl.test_outcomes:test_a_full_disk_ends_the_run_and_loses_nothing",
    Outcome.INTERNAL: "tests.crawl.test_failures:test_an_exception_in_a_component_is_a_defect_told_in_a_few_words",
    Outcome.LOCKED: (
        "tests.crawl.test_failures:test_a_second_crawl_on_the_same_database_is_refused_until_the_first_ends"
    ),
    Outcome.CONFIG: "tests.commands.test_bad_input:test_it_is_named_in_one_line",
}


@pytest.mark.parametrize("outcome", Outcome)
def test_none_is_forgotten(outcome):
    module, _, name = SHOWN[outcome].partition(":")
    assert callable(getattr(importlib.import_module(module), name))


def test_a_list_without_films_gives_no_record(scrapy, world):
    with DemoSite(world) as site:
        run = scrapy(
            *("crawl", "movies", "-a", "browse=metascore", "-a", "year=1901"),
            METACRAWL_SITE_URL=site.url,
            METACRAWL_API_URL=site.api_url,
            **NO_DELAY,
        )
    assert run.returncode == 15, run.stdout
    assert run.stdout.startswith("invalid: no record was found; 0 films, ")


def test_what_robots_txt_forbids_is_not_read(scrapy, serve):
    site = serve({"/robots.txt": b"User-agent: *\nDisallow: /movie/"})
    run = scrapy("crawl", "movies", "-a", f"movie={FILM}", METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 13, run.stdout
    assert run.stdout.startswith(f"robots: {site.url}/movie/{FILM}: Forbidden by robots.txt; ")
    assert site.requests == ["/robots.txt"]


def test_an_outage_ends_the_run_and_not_the_queue(scrapy, whole_world, stored, tmp_path):
    """Ten pages in a row, of fourteen; when the site is back the same command reads them all."""
    world = World(films=whole_world.films[:14])
    films = tmp_path / "films.txt"
    films.write_text("\n".join(film.slug for film in world.films), encoding="utf-8")
    with DemoSite(world, design="2016") as site:

        def crawl():
            return scrapy(
                *("crawl", "movies", "-a", f"movie=@{films}", "-a", "reviews=none"),
                METACRAWL_SITE_URL=site.url,
                **NO_DELAY,
            )

        site.fault = lambda path, response: response if path == "/robots.txt" else web.Response(status=500)
        run = crawl()
        assert run.returncode == 16, run.stdout
        assert run.stdout.startswith("site_down: the site does not answer; 10 pages in a row could not be had, ")
        assert run.stdout.endswith("; run the same command again to go on\n")
        # One may be under way when the tenth has failed.
        assert len(site.requests) - 1 in {10, 11}
        site.fault = None
        run = crawl()
    assert run.returncode == 0, run.stdout
    assert len([record for record in stored() if isinstance(record, Movie)]) == 14


def test_a_full_disk_ends_the_run_and_loses_nothing(hold, site_pages, films, scrapy, stored, tmp_path):
    """In the middle of a crawl no file can grow any more; when there is room the same command reads the rest."""
    arguments = ("movies", "-a", films, "-a", "reviews=none")
    site, crawl = hold(3, site_pages, *arguments, METACRAWL_DATABASE_TIMEOUT=600)
    resource.prlimit(crawl.pid, resource.RLIMIT_FSIZE, (4096, 4096))
    site.gate.opened.set()
    output, log = crawl.communicate(timeout=60)
    assert crawl.returncode == 17, log
    assert output.startswith(f"disk_full: sqlite:///{tmp_path / 'metacrawl.db'}: disk I/O error: make room on the disk")
    assert output.endswith("; run the same command again to go on\n")
    run = scrapy("crawl", *arguments, METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 0, run.stdout
    assert len([record for record in stored() if isinstance(record, Movie)]) == 4


def test_a_run_that_stands_still_is_ended(scrapy, serve, pages):
    """The server takes the request, and never answers."""
    never = threading.Event()
    site = serve({f"/movie/{FILM}": lambda: (never.wait(timeout=60), b"")[1]})
    run = scrapy(
        *("crawl", "movies", "-a", f"movie={FILM}"),
        METACRAWL_SITE_URL=site.url,
        METACRAWL_STALL_SECONDS=1,
        DOWNLOAD_TIMEOUT=5,
        **NO_DELAY,
    )
    never.set()
    assert run.returncode == 20, run.stdout
    assert run.stdout.startswith("stalled: nothing has come and nothing was stored for 1 s; ")
    assert run.stdout.endswith("; run the same command again to go on\n")


def test_a_process_that_hangs_is_ended_and_shows_where(scrapy, serve, pages, stored):
    """The event loop itself is blocked."""
    site = serve(pages)
    run = scrapy(
        *("crawl", "movies", "-a", f"movie={FILM}"),
        METACRAWL_SITE_URL=site.url,
        METACRAWL_STALL_SECONDS=1,
        ITEM_PIPELINES=json.dumps({"tests.crawl.planted.HangingPipeline": 150}),
        **NO_DELAY,
    )
    assert run.returncode == 20, run.stdout
    assert run.stderr.endswith(
        "metacrawl: stalled: nothing has come and nothing was stored for 1 s; run the same command again to go on\n"
    )
    assert "in process_item\n" in run.stderr
    assert stored() == []
