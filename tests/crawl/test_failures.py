"""What goes wrong ends in its own outcome, exit code and message, and nothing of it is stored."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from metacrawl.demo.pages import Pages as DemoPages
from metacrawl.items import Movie, UserReview

NO_DELAY = {"DOWNLOAD_DELAY": 0, "RETRY_ENABLED": False}
FILM = "nightjar"


@pytest.fixture
def pages(world):
    """The demo's pages of one film, by path."""
    demo, film = DemoPages(world), world.film(FILM)
    return {
        f"/movie/{FILM}": demo.movie(film).encode(),
        f"/movie/{FILM}/details": demo.details(film).encode(),
        f"/movie/{FILM}/critic-reviews": demo.critic_reviews(film).encode(),
        f"/movie/{FILM}/user-reviews?sort-by=date&num_items=100": demo.user_reviews(film, 0, "date").encode(),
    }


def test_a_film_that_is_not_there_is_named_and_the_others_are_read(scrapy, serve, pages, stored, tmp_path):
    films = tmp_path / "films.txt"
    films.write_text(f"no-such-film\n{FILM}\n", encoding="utf-8")
    site = serve(pages)
    run = scrapy("crawl", "movies", "-a", f"movie=@{films}", METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 10
    assert run.stdout.startswith(f"partial: {site.url}/movie/no-such-film: HTTP 404; 1 film, ")
    assert run.stdout.endswith("run the same command again to retry\n")
    assert Movie in {type(record) for record in stored()}


def test_a_page_that_is_not_metacritics_is_refused(scrapy, serve, stored):
    site = serve({"/movie/her": b"<html><body>Are you a robot?</body></html>"})
    run = scrapy("crawl", "movies", "-a", "movie=her", METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 14
    assert run.stdout.startswith(f"layout: {site.url}/movie/her: no known page design")
    assert stored() == []


@pytest.mark.parametrize("cut", ["</body>", '<div class="user_reviews">', "blurb_expanded"])
def test_a_page_that_is_cut_off_is_refused_whole(scrapy, serve, pages, stored, cut):
    path = f"/movie/{FILM}/user-reviews?sort-by=date&num_items=100"
    body = pages[path]
    pages[path] = body[: body.rindex(cut.encode()) if cut == "</body>" else body.index(cut.encode()) + len(cut)]
    site = serve(pages)
    run = scrapy("crawl", "user_reviews", "-a", f"movie={FILM}", METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 14
    assert run.stdout.startswith(f"layout: {site.url}{path}: user-reviews page of layout 2016: cut off")
    assert stored() == []


def test_a_value_that_cannot_be_is_emptied_and_counted(scrapy, serve, pages, stored):
    path = f"/movie/{FILM}/user-reviews?sort-by=date&num_items=100"
    site = serve({path: pages[path].replace(b'indiv">', b'indiv">99', 1)})
    run = scrapy("crawl", "user_reviews", "-a", f"movie={FILM}", METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 0
    assert "'metacrawl/UserReview/score/invalid': 1" in run.stderr
    assert [record.score for record in stored() if isinstance(record, UserReview)].count(None) == 1


def test_a_review_without_an_author_is_named_and_the_run_is_not_complete(scrapy, serve, pages):
    path = f"/movie/{FILM}/user-reviews?sort-by=date&num_items=100"
    site = serve({path: pages[path].replace(b'class="author"', b'class="byline"', 1)})
    run = scrapy("crawl", "user_reviews", "-a", f"movie={FILM}", METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 10
    assert "a UserReview without what its key is made of" in run.stdout


def test_a_site_that_is_down_is_told_from_one_without_the_film(scrapy):
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    run = scrapy("crawl", "movies", "-a", "movie=her", METACRAWL_SITE_URL=url, ROBOTSTXT_OBEY=False, **NO_DELAY)
    assert run.returncode == 16
    assert run.stdout.startswith(f"site_down: {url}/movie/her: ")


def test_a_redirect_to_another_site_is_not_read(scrapy, serve, pages, stored):
    other = serve(pages)
    site = serve({f"/movie/{FILM}": b""})
    redirect = f'<html><head><meta http-equiv="refresh" content="0;url={other.url}/movie/{FILM}"></head></html>'
    site.answers[f"/movie/{FILM}"] = redirect.encode()
    run = scrapy("crawl", "movies", "-a", f"movie={FILM}", METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 14
    assert f"redirected away from {site.url}" in run.stdout
    assert stored() == []


def test_a_database_that_fails_in_mid_crawl_ends_the_run(scrapy, serve, pages, tmp_path):
    path = tmp_path / "metacrawl.db"
    held = []

    def hold_the_database() -> bytes:
        held.append(sqlite3.connect(path, check_same_thread=False))
        held[0].execute("BEGIN EXCLUSIVE")
        return pages[f"/movie/{FILM}/critic-reviews"]

    site = serve({f"/movie/{FILM}/critic-reviews": hold_the_database})
    run = scrapy(
        *("crawl", "critic_reviews", "-a", f"movie={FILM}"),
        METACRAWL_SITE_URL=site.url,
        METACRAWL_DATABASE_URL=f"sqlite:///{path}?timeout=0.2",
        **NO_DELAY,
    )
    held[0].close()
    assert run.returncode == 18
    assert run.stdout.startswith("database: ")
    assert "database is locked" in run.stdout


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_and_keeps_what_was_read(serve, pages, stored, tmp_path, signal_number):
    asked, release = threading.Event(), threading.Event()

    def hang() -> bytes:
        asked.set()
        release.wait(timeout=60)
        return pages[f"/movie/{FILM}/details"]

    site = serve({f"/movie/{FILM}": pages[f"/movie/{FILM}"], f"/movie/{FILM}/details": hang})
    command = [sys.executable, "-m", "scrapy", "crawl", "movies", "-a", f"movie={FILM}", "-a", "reviews=none"]
    environment = os.environ | {
        "METACRAWL_SITE_URL": site.url,
        "METACRAWL_DATABASE_URL": f"sqlite:///{tmp_path / 'metacrawl.db'}",
    }
    root = Path(__file__).parent.parent.parent
    with subprocess.Popen(
        [*command, "-s", "DOWNLOAD_DELAY=0"],
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as crawl:
        assert asked.wait(timeout=60)
        crawl.send_signal(signal_number)
        release.set()
        output, _ = crawl.communicate(timeout=60)
    assert crawl.returncode == 130
    assert output.startswith("interrupted: stopped by a signal; 1 film, ")
    assert [record.key for record in stored()] == [FILM]
