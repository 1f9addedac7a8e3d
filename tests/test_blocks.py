"""What stands in the way of a page is told from a page of the site's, whatever its design."""

import datetime as dt
import json
from http import HTTPStatus
from itertools import product
from pathlib import Path
from urllib.parse import unquote

import pytest
from scrapy import Request

from metacrawl.barriers import is_barrier
from metacrawl.demo.backend import Backend
from metacrawl.demo.content import build_world
from metacrawl.demo.designs import designs
from metacrawl.encoding import decode
from metacrawl.extract import LayoutError, StrangeError, extract
from metacrawl.frontier.failures import problem_of
from metacrawl.layouts.signs import is_the_sites
from metacrawl.outcome import Outcome
from metacrawl.selectors import Document
from metacrawl.urls import API, SITE, PageKind, PageRef
from tests.block_pages import HTML, JSON

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
FIXTURES = sorted(path for path in (Path(__file__).parent / "fixtures").rglob("*") if path.suffix in {".html", ".json"})
PAGES = [
    f"{SITE}/movie/her",
    f"{SITE}/movie/her/critic-reviews",
    PageRef(PageKind.API_CRITIC_REVIEWS, "her").url,
    f"{API}/finder/metacritic/web?mcoTypeId=2",
]


def the_sites(page: Path) -> bool:
    return is_the_sites(Document(decode(page.read_bytes())))


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.parametrize("body", [*HTML.values(), *JSON.values()], ids=[*HTML, *JSON])
def test_what_stands_in_the_way_of_a_page_is_strange(url, body):
    with pytest.raises(StrangeError) as error:
        extract(body.encode(), NOON, url=url)
    assert problem_of(Request(url), error.value).outcome is Outcome.BLOCKED


def test_nobody_stands_in_the_way_of_a_saved_page():
    error = StrangeError("no known page design")
    assert problem_of(Request("file:///saved/her.html"), error).outcome is Outcome.LAYOUT


@pytest.mark.parametrize("page", FIXTURES, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_the_fixtures_are_the_sites(page):
    if not page.read_bytes().lstrip().startswith(b"["):
        assert the_sites(page)


def test_real_pages_are_the_sites(shared_pages):
    pages = [path for path in shared_pages.rglob("*") if path.suffix == ".html" or path.name.endswith("-list.json")]
    assert len(pages) > 10
    assert [page for page in pages if not the_sites(page)] == []


@pytest.mark.parametrize("design", ["2010", "2016", "2023", "2026"])
def test_the_demos_pages_are_the_sites(design):
    world = build_world()
    made = designs(world)[design]
    for film in world.films:
        path = PageRef(PageKind.MOVIE, film.slug).path
        for page in ("", "/details", "/critic-reviews", "/user-reviews"):
            text = made.answer(path + page, {})
            assert text is None or is_the_sites(Document(text)), path + page
    assert is_the_sites(Document(made.missing()))


def test_the_answers_of_the_demos_back_end_are_the_sites():
    world = build_world()
    backend = Backend(world)
    kinds = (PageKind.API_MOVIE_PAGE, PageKind.API_CRITIC_REVIEWS, PageKind.API_USER_REVIEWS)
    for film, kind in product(world.films, kinds):
        status, body = backend.answer(unquote(PageRef(kind, film.slug).path.partition("?")[0]), {})
        assert status != HTTPStatus.OK or is_the_sites(Document(json.dumps(body))), (film.slug, kind)


@pytest.mark.parametrize(
    "body",
    [
        '<html><head><link rel="canonical" href="https://www.metacritic.com/movie/her"></head><body>new</body></html>',
        '<html><head><meta property="og:url" content="https://www.metacritic.com/movie/her/"></head></html>',
        '<html><body><a href="/movie/a">a</a><a href="/movie/b">b</a><a href="/browse/movie/">all</a></body></html>',
        '<html><body><script>window.__NUXT__={"layout":"new"}</script></body></html>',
    ],
    ids=["names itself", "names itself to others", "leads into the site", "has the site's state"],
)
def test_a_new_design_is_no_block(body):
    with pytest.raises(LayoutError) as error:
        extract(body.encode(), NOON, url=PAGES[0])
    assert problem_of(Request(PAGES[0]), error.value).outcome is Outcome.LAYOUT


def test_an_answer_of_a_new_make_is_no_block():
    with pytest.raises(LayoutError) as error:
        extract(b'{"data": {"entries": []}, "links": {"own": "/v2/her"}}', NOON, url=PAGES[2])
    assert not isinstance(error.value, StrangeError)


@pytest.mark.parametrize(
    "url",
    [
        f"{SITE}/login?next=%2Fmovie%2Fher",
        f"{SITE}/user/sign-in",
        f"{SITE}/cdn-cgi/challenge-platform/x",
        f"{SITE}/account/login.php",
        "http://127.0.0.1:8000/signup",
        "https://consent.example.org/?continue=x",
        "https://geo.captcha.example.net:8443/",
        "https://example.org/blocked",
    ],
)
def test_pages_that_stand_before_others_are_known_by_their_url(url):
    assert is_barrier(url)


@pytest.mark.parametrize(
    "url",
    [
        f"{SITE}/",
        f"{SITE}/movie/login",
        f"{SITE}/movie/consent/critic-reviews",
        f"{SITE}/browse/movie/",
        f"{SITE}/movies/authors",
        f"{SITE}/blog/the-sign-in-the-window",
        "https://example.org/movie/her",
        "https://web.archive.org/web/20140101000000id_/http://www.metacritic.com/login",
    ],
)
def test_other_pages_are_not(url):
    assert not is_barrier(url)
