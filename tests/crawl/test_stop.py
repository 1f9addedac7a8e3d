"""A crawl that is told to stop does so soon, however it hangs, and loses nothing by it."""

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest

from metacrawl.demo.compare import differences
from metacrawl.demo.truth import expected_records
from tests.conftest import ROOT
from tests.crawl.waiting import wait_for

NO_DELAY = {"DOWNLOAD_DELAY": 0}
FILM = "nightjar"
CRAWL = ("movies", "-a", f"movie={FILM}")
# Seconds that a stop may take, as the README says; and those after which it is no longer one at once.
SOON, AT_ONCE = 8, 4


def end(crawl):
    """Wait for the end; gives what was printed, and how many seconds it took."""
    start = time.monotonic()
    printed = crawl.communicate(timeout=60)
    return *printed, time.monotonic() - start


def read_until(crawl, text):
    """Read what is logged up to a line with some text."""
    assert any(text in line for line in crawl.stderr)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_and_keeps_what_was_read(hanging_crawl, stored, number):
    crawl, release = hanging_crawl
    crawl.send_signal(number)
    release.set()
    output, _ = crawl.communicate(timeout=60)
    assert crawl.returncode == 128 + number
    assert output.startswith("interrupted: stopped by a signal; 1 film, ")
    assert FILM in [record.key for record in stored()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_downloads_that_hang_are_left_for_the_next_time(start, serve, pages, scrapy, world, stored, requests, number):
    """All at once: of the pages that the film's page leads to, none comes."""
    opened = threading.Event()

    def hang(answer):
        return lambda: opened.wait(timeout=60) and answer

    film = f"/movie/{FILM}"
    site = serve({path: answer if path == film else hang(answer) for path, answer in pages.items()})
    crawl = start("crawl", *CRAWL, METACRAWL_SITE_URL=site.url, CONCURRENT_REQUESTS_PER_DOMAIN=3)
    wait_for(lambda: set(pages) <= set(site.requests) and "done" in requests())
    crawl.send_signal(number)
    output, log, seconds = end(crawl)
    opened.set()
    assert (crawl.returncode, seconds < SOON) == (128 + number, True), (seconds, log)
    assert output.startswith("interrupted: stopped by a signal; 1 film, ")
    assert output.endswith("; run the same command again to go on\n")
    assert sorted(requests()) == ["done", "queued", "queued", "queued"]
    run = scrapy("crawl", *CRAWL, METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 0, run.stdout
    assert run.stdout.startswith("resuming run 1: ")
    world.films = [world.film(FILM)]
    assert list(differences(expected_records(world), stored())) == []


def test_a_second_signal_ends_it_at_once_and_is_no_defect(hanging_crawl):
    crawl, _ = hanging_crawl
    crawl.send_signal(signal.SIGINT)
    read_until(crawl, "Received SIGINT")
    crawl.send_signal(signal.SIGINT)
    output, _, seconds = end(crawl)
    assert (crawl.returncode, seconds < AT_ONCE) == (130, True)
    assert output.startswith("interrupted: ")


def test_a_signal_ends_the_wait_for_a_database_that_is_away(hold, pages, tmp_path, sqlite_url, scrapy):
    database = f"{sqlite_url}?timeout=0.1"
    site, crawl = hold(2, pages, *CRAWL, METACRAWL_DATABASE_URL=database)
    with closing(sqlite3.connect(tmp_path / "metacrawl.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        site.gate.opened.set()
        read_until(crawl, "waiting for it")
        crawl.send_signal(signal.SIGTERM)
        output, _, seconds = end(crawl)
    assert seconds < SOON
    assert (crawl.returncode, output.partition(":")[0]) in {(18, "database"), (143, "interrupted")}
    run = scrapy("crawl", *CRAWL, METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 0, run.stdout
    assert run.stdout.startswith("resuming run 1: ")


def test_a_process_that_is_stuck_is_ended_by_force(start, serve, pages, scrapy):
    """Its loop is blocked, so that nothing can be done in an orderly way."""
    site = serve(pages)
    blocking = json.dumps({"tests.crawl.planted.BlockingPipeline": 150})
    crawl = start("crawl", *CRAWL, METACRAWL_SITE_URL=site.url, ITEM_PIPELINES=blocking)
    read_until(crawl, "BLOCKED")
    crawl.send_signal(signal.SIGTERM)
    _, log, seconds = end(crawl)
    assert (crawl.returncode, seconds < SOON) == (143, True), seconds
    assert "metacrawl: stopped by force; run the same command again to go on" in log
    run = scrapy("crawl", *CRAWL, METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 0, run.stdout
    assert run.stdout.startswith("resuming run 1: ")


def test_nobody_need_listen_to_a_process_that_is_ended():
    """Such as Scrapyd, which reads what its crawls write, and ended first."""
    ends = "from metacrawl.frontier.stop import end_process; input(); end_process('stopped by force', 143)"
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", ends], cwd=ROOT, **pipes) as process:
        process.stderr.close()
        process.communicate(b"\n", timeout=60)
    assert process.returncode == 143


def test_a_signal_when_nothing_is_left_to_do_spoils_nothing(hold, pages):
    """The last page comes, and the run is over: the same command would not go on, but start anew."""
    site, crawl = hold(len(pages), pages, *CRAWL)
    crawl.send_signal(signal.SIGTERM)
    read_until(crawl, "Received SIGTERM")
    site.gate.opened.set()
    output, _, _ = end(crawl)
    assert crawl.returncode == 0
    assert output.startswith("complete: 1 film, ")
