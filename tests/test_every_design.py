"""The same film in every design: the same keys; and what is no page of a film: the right error, and no record."""

import datetime as dt
import json
from collections.abc import Iterator
from urllib.parse import unquote

import pytest

from metacrawl.demo.backend import Backend
from metacrawl.demo.content import build_world
from metacrawl.demo.designs import designs
from metacrawl.demo.world import World
from metacrawl.extract import LayoutError, Page, extract
from metacrawl.items import CriticReview, Movie, UserReview
from metacrawl.urls import SITE, PageKind, PageRef

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
# Films with people of all kinds, texts of all kinds, lists of several pages.
FILMS = ("tin-orchestra", "harbour-of-strangers", "brass-ivory", "the-salt-orchard", "who-the-%-is-ada-marrow")
HTML = ("2010", "2016", "2023", "2026")
# How a list's pages are asked for; the first ones of the newer designs show what fits on the screen.
PAGES = range(40)


def pages_in(design, slug: str) -> Iterator[Page]:
    """Read all of a film's pages that a design has."""
    path = PageRef(PageKind.MOVIE, slug).path
    for page in ("", "/details", "/critic-reviews"):
        if text := design.answer(path + page, {}):
            yield extract(text.encode(), NOON)
    for number in PAGES:
        text = design.answer(f"{path}/user-reviews", {"page": str(number)})
        if text is None:
            break
        yield extract(text.encode(), NOON)
        if design.name in {"2023", "2026"}:
            break


def lists_of(backend: Backend, slug: str) -> Iterator[Page]:
    """Read a film's lists from the back end."""
    for kind in (PageKind.API_CRITIC_REVIEWS, PageKind.API_USER_REVIEWS):
        page: PageRef | None = PageRef(kind, slug)
        while page:
            status, body = backend.answer(unquote(page.path.split("?")[0]), dict(page.query))
            assert status == 200
            found = extract(json.dumps(body).encode(), NOON, url=page.url)
            yield found
            page = found.next_page


def keys(pages, kind) -> set[str]:
    return {record.key for page in pages for record in page.records if isinstance(record, kind)}


@pytest.fixture(scope="module")
def world() -> World:
    whole = build_world()
    return World(films=[whole.film(slug) for slug in FILMS])


@pytest.mark.parametrize("slug", FILMS)
def test_a_film_has_the_same_keys_in_every_design(world, slug):
    film = world.film(slug)
    whole = {name: list(pages_in(designs(world)[name], slug)) for name in HTML}
    whole["api"] = list(lists_of(Backend(world), slug))
    for name in HTML:
        assert keys(whole[name], Movie) == {slug}
    for kind, entries in ((CriticReview, film.critic_reviews), (UserReview, film.user_reviews)):
        first = keys(whole["2016"], kind)
        # Two different reviews may have one key before they are told apart.
        assert len(first) >= len(entries) - 1
        assert keys(whole["2010"], kind) == first
        assert keys(whole["api"], kind) == first
        for name in ("2023", "2026"):
            assert keys(whole[name], kind) <= first
            assert len(keys(whole[name], kind)) >= min(len(first), 7)


# --- What is no page of a film


@pytest.mark.parametrize("name", HTML)
@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/game/pc/her", "game"),
        ("/game/her/", "game"),
        ("/tv/her", "tv"),
        ("/tv/her/season-1", "tv"),
        ("/music/her/nobody", "music"),
        ("/search/movie/her/results", "search"),
        ("/person/her", "person"),
        ("/browse/movie/all/all/all-time/new/", "browse"),
    ],
)
def test_a_page_of_something_else_gives_no_record(world, name, path, what):
    """Whatever it looks like inside: the address says what it is."""
    body = designs(world)[name].answer("/movie/tin-orchestra", {}).encode()
    with pytest.raises(LayoutError, match=what):
        extract(body.replace(b"/movie/tin-orchestra", path.encode()), NOON, url=SITE + path)


@pytest.mark.parametrize("name", HTML)
def test_the_sites_error_page_gives_no_record(world, name):
    body = designs(world)[name].missing().encode()
    with pytest.raises(LayoutError, match="no known page design"):
        extract(body, NOON, url=f"{SITE}/movie/tin-orchestra")


@pytest.mark.parametrize("name", HTML)
def test_a_page_of_an_unknown_design_gives_no_record(world, name):
    """Of each design a page whose tell-tale names have changed, as with a new front end."""
    text = designs(world)[name].answer("/movie/tin-orchestra", {})
    for mark in ("__NUXT", 'id="main"', 'id="main_content"', "loadPage", "pageType"):
        text = text.replace(mark, mark[::-1])
    with pytest.raises(LayoutError, match="no known page design"):
        extract(text.encode(), NOON, url=f"{SITE}/movie/tin-orchestra")


def test_an_answer_whose_review_component_failed_gives_no_record(world):
    """As the back end answers when its review page is asked for bare."""
    path = "/composer/metacritic/pages/movies-user-reviews/tin-orchestra/web"
    status, body = Backend(world).answer(path, {})
    assert "400" in json.dumps(body)
    assert status == 200
    with pytest.raises(LayoutError, match="neither user reviews nor a word that there are none"):
        extract(json.dumps(body).encode(), NOON, url=f"https://backend.metacritic.com{path}")


def test_an_empty_list_is_a_list(world):
    film = world.film("tin-orchestra")
    kept, film.user_reviews = film.user_reviews, []
    try:
        [page] = [page for page in lists_of(Backend(world), film.slug) if page.ref.kind is PageKind.API_USER_REVIEWS]
    finally:
        film.user_reviews = kept
    assert (list(page.records), page.next_page, page.total) == ([], None, 0)


def test_an_answer_that_is_no_json_is_refused():
    """A page that says to wait, from a host that answers with JSON."""
    url = "https://backend.metacritic.com/reviews/metacritic/user/movies/her/web"
    with pytest.raises(LayoutError, match="no known page design"):
        extract(b"<html><title>Just a moment...</title></html>", NOON, url=url)
