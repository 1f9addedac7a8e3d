"""What goes wrong ends in its own outcome, exit code and message, and nothing of it is stored."""

import json
import socket
import sqlite3
from pathlib import Path

import pytest

from metacrawl.demo.pages import Pages as DemoPages
from metacrawl.items import Movie, UserReview

pytestmark = pytest.mark.measured

NO_DELAY = {"DOWNLOAD_DELAY": 0, "RETRY_ENABLED": False}
FILM = "nightjar"


def test_a_film_that_is_not_there_is_named_and_the_others_are_read(scrapy, serve, pages, stored, tmp_path):
    films = tmp_path / "films.txt"
    films.write_text(f"no-such-film\n{FILM}\n", encoding="utf-8")
    site = serve(pages)
    run = scrapy("crawl", "movies", "-a", f"movie=@{films}", METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 10
    assert run.stdout.startswith(f"partial: {site.url}/movie/no-such-film: HTTP 404; 1 film, ")
    assert run.stdout.endswith("run the same command again to retry\n")
    assert Movie in {type(record) for record in stored()}


def test_a_page_that_is_not_metacritics_is_no_page_of_the_films(scrapy, serve, stored):
    site = serve({"/movie/her": b"<html><body>Are you a robot?</body></html>"})
    run = scrapy("crawl", "movies", "-a", "movie=her", METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 11
    assert run.stdout.startswith(f"blocked: {site.url}/movie/her: no known page design")
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


def test_a_redirect_to_another_host_is_not_followed(scrapy, serve, pages, stored):
    other = serve(pages)
    site = serve({f"/movie/{FILM}": (302, other.url.replace("127.0.0.1", "localhost").encode() + b"/movie/her")})
    run = scrapy("crawl", "movies", "-a", f"movie={FILM}", METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 10
    assert run.stdout.startswith(f"partial: {site.url}/movie/{FILM}: ")
    assert other.requests == []
    assert stored() == []


def test_a_redirect_to_another_port_is_not_read(scrapy, serve, pages, stored):
    other = serve(pages)
    site = serve({f"/movie/{FILM}": (302, f"{other.url}/movie/{FILM}".encode())})
    run = scrapy("crawl", "movies", "-a", f"movie={FILM}", METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 14
    assert f"redirected away from {site.url}" in run.stdout
    assert stored() == []


@pytest.mark.parametrize("spider", ["critic_reviews", "movies"])
def test_a_list_that_redirects_to_the_film_is_not_taken_for_the_list(scrapy, serve, pages, spider):
    """Also where the film's page was read before, so that Scrapy drops the request for it."""
    site = serve(pages | {f"/movie/{FILM}/critic-reviews": (302, f"/movie/{FILM}".encode())})
    run = scrapy("crawl", spider, "-a", f"movie={FILM}", METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 14
    assert f"{site.url}/movie/{FILM}: redirected here from a page of kind critic-reviews" in run.stdout


def test_a_film_asked_for_under_two_names_is_complete(scrapy, serve, pages, tmp_path):
    films = tmp_path / "films.txt"
    films.write_text(f"{FILM}\nold-name\n", encoding="utf-8")
    site = serve(pages | {"/movie/old-name": (301, f"/movie/{FILM}".encode())})
    run = scrapy("crawl", "movies", "-a", f"movie=@{films}", METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 0, run.stdout
    assert run.stdout.startswith("complete: 1 film, ")


def test_a_redirect_in_a_circle_is_named(scrapy, serve):
    site = serve({f"/movie/{FILM}": (302, b"/movie/other"), "/movie/other": (302, f"/movie/{FILM}".encode())})
    run = scrapy("crawl", "movies", "-a", f"movie={FILM}", METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 10
    assert run.stdout.startswith(f"partial: {site.url}/movie/{FILM}: redirected in a circle; ")


def test_a_redirect_without_end_is_told_from_robots_txt(scrapy, serve):
    chain = {f"/movie/{number}": (302, f"/movie/{number + 1}".encode()) for number in range(20)}
    site = serve(chain)
    run = scrapy("crawl", "movies", "-a", "movie=0", METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 10
    assert "max redirections reached" in run.stdout
    assert site.requests == ["/robots.txt", *(f"/movie/{number}" for number in range(6))]


def test_a_list_without_end_is_left(scrapy, serve, world):
    """Every page leads to a next one, and all show the same reviews."""
    demo, film = DemoPages(world), world.film(FILM)
    page = demo.user_reviews(film, 0, "date").encode()
    number = 0

    def endless() -> bytes:
        nonlocal number
        number += 1
        path = f"/movie/{FILM}/user-reviews?sort-by=date&num_items=100&page={number}"
        site.answers[path] = endless
        link = f'<div class="page_nav"><span class="flipper next"><a rel="next" href="{path}">next</a></span></div>'
        return page.replace(b'<div class="reviews list', link.encode() + b'<div class="reviews list', 1)

    site = serve({f"/movie/{FILM}/user-reviews?sort-by=date&num_items=100": endless})
    run = scrapy("crawl", "user_reviews", "-a", f"movie={FILM}", METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 14
    assert "the list goes on, but this page has nothing that is new in it" in run.stdout
    assert len(site.requests) == 3, "robots.txt, the first page, and the second, which is the same"


def test_a_run_that_is_stopped_early_is_not_complete(scrapy, demo):
    run = scrapy(
        *("crawl", "movies", "-a", f"movie={FILM}"),
        METACRAWL_SITE_URL=demo.url,
        CLOSESPIDER_PAGECOUNT=1,
        **NO_DELAY,
    )
    assert run.returncode == 10
    assert run.stdout.startswith("partial: stopped early: closespider_pagecount; ")


def test_a_site_that_answers_with_errors_only_is_down(scrapy, serve):
    site = serve({f"/movie/{FILM}": (503, b"busy")})
    run = scrapy("crawl", "movies", "-a", f"movie={FILM}", METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 16
    assert run.stdout.startswith(f"site_down: {site.url}/movie/{FILM}: HTTP 503; ")
    assert site.requests.count(f"/movie/{FILM}") == 1, "asking again at once would be rude"


def test_a_number_too_big_for_a_database_costs_that_value_only(scrapy, serve, pages, stored):
    path = f"/movie/{FILM}/user-reviews?sort-by=date&num_items=100"
    body = pages[path]
    site = serve({path: body.replace(b'class="total_count">', b'class="total_count">999999999999999999', 1)})
    run = scrapy("crawl", "user_reviews", "-a", f"movie={FILM}", METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 0, run.stdout
    assert "'metacrawl/UserReview/total_votes/invalid': 1" in run.stderr
    assert [record.total_votes for record in stored() if isinstance(record, UserReview)].count(None) == 1


def test_records_are_never_lost_in_silence_whatever_the_exception(scrapy, serve, pages, stored):
    site = serve(pages)
    pipelines = {"tests.crawl.planted.TooBigPipeline": 150}
    run = scrapy(
        *("crawl", "user_reviews", "-a", f"movie={FILM}"),
        METACRAWL_SITE_URL=site.url,
        ITEM_PIPELINES=json.dumps(pipelines),
        **NO_DELAY,
    )
    assert run.returncode == 70
    path = f"/movie/{FILM}/user-reviews?sort-by=date&num_items=100"
    assert run.stdout.startswith(f"internal: {site.url}{path}: OverflowError: ")
    assert stored() == []


def test_an_exception_in_a_component_is_a_defect_told_in_a_few_words(scrapy, serve, pages):
    pipelines = {"tests.crawl.planted.FailingPipeline": 150}
    site = serve(pages)
    run = scrapy(
        *("crawl", "user_reviews", "-a", f"movie={FILM}"),
        METACRAWL_SITE_URL=site.url,
        ITEM_PIPELINES=json.dumps(pipelines),
        **NO_DELAY,
    )
    assert run.returncode == 70
    path = f"/movie/{FILM}/user-reviews?sort-by=date&num_items=100"
    assert run.stdout.startswith(f"internal: {site.url}{path}: RuntimeError: no\\nsuch thing at all")
    assert run.stdout.count("\n") == 1
    assert len(run.stdout) < 1000


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
        METACRAWL_DATABASE_TIMEOUT=0.5,
        **NO_DELAY,
    )
    held[0].close()
    assert run.returncode == 18
    assert run.stdout.startswith("database: ")
    assert "database is locked" in run.stdout


def test_a_second_crawl_on_the_same_database_is_refused_until_the_first_ends(hanging_crawl, scrapy, tmp_path):
    crawl, release = hanging_crawl
    page = Path(__file__).parent.parent / "fixtures/2016/details.html"
    other = ("crawl", "movies", "-a", "source=files", "-a", f"path={page}")
    run = scrapy(*other)
    assert (run.returncode, run.stdout) == (3, "")
    assert run.stderr.startswith(
        f"metacrawl: sqlite:///{tmp_path / 'metacrawl.db'} is in use by run 1 (movies, process "
    )
    assert f"process {crawl.pid} on " in run.stderr
    assert run.stderr.count("\n") == 1
    release.set()
    crawl.communicate(timeout=60)
    assert scrapy(*other).returncode == 0


def test_a_killed_crawl_leaves_no_lock(hanging_crawl, scrapy):
    crawl, _ = hanging_crawl
    crawl.kill()
    crawl.wait(timeout=60)
    page = Path(__file__).parent.parent / "fixtures/2016/details.html"
    assert scrapy("crawl", "movies", "-a", "source=files", "-a", f"path={page}").returncode == 0


def test_whatever_is_wrong_at_the_start_of_a_run_is_told(scrapy, serve, pages, tmp_path):
    site = serve(pages)
    crawl = ("crawl", "user_reviews", "-a", f"movie={FILM}")
    assert scrapy(*crawl, METACRAWL_SITE_URL=site.url, **NO_DELAY).returncode == 0
    with sqlite3.connect(tmp_path / "metacrawl.db") as connection:
        connection.execute("UPDATE workers SET figures = '{'")
    connection.close()
    site.requests.clear()
    run = scrapy(*crawl, METACRAWL_SITE_URL=site.url, **NO_DELAY)
    assert run.returncode == 70, run.stdout
    assert run.stdout.startswith("internal: JSONDecodeError: ")
    assert site.requests == []
