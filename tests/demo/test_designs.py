"""What all designs of the demo site share: each page renders, and is of no other design."""

import re

import pytest
from parsel import Selector

from metacrawl.demo.content import build_world
from metacrawl.demo.designs import designs

SUB_PAGES = {
    "2010": ("", "/critic-reviews", "/user-reviews"),
    "2016": ("", "/critic-reviews", "/user-reviews", "/details"),
    "2023": ("", "/critic-reviews", "/user-reviews"),
    "2026": ("", "/critic-reviews", "/user-reviews"),
}
# What a reader could know a design by.
MARKS = {
    "2010": "review_top_l",
    "2016": "product_page_title",
    "2023": "window.__NUXT__=(function(",
    "2026": "__NUXT_DATA__",
}
NAMES = list(SUB_PAGES)


@pytest.fixture(scope="module")
def made(world):
    return designs(world)


def test_designs_are_there_by_name(made):
    assert list(made) == NAMES
    assert all(design.name == name for name, design in made.items())


@pytest.mark.parametrize("name", NAMES)
def test_each_page_of_each_film_is_of_its_design_only(made, world, name):
    for film in world.films:
        for sub_page in SUB_PAGES[name]:
            text = made[name].answer(f"/movie/{film.slug}{sub_page}", {})
            assert [other for other, mark in MARKS.items() if mark in text] == [name], (film.slug, sub_page)
            assert text.rstrip().endswith("</html>")


@pytest.mark.parametrize("name", NAMES)
def test_slash_and_percent_signs_make_no_difference(made, name):
    pages = {
        made[name].answer(path, {})
        for path in (
            "/movie/who-the-%-is-ada-marrow",
            "/movie/who-the-%25-is-ada-marrow/",
            "/movie/who-the-%25-is-ada-marrow",
        )
    }
    assert len(pages) == 1
    assert None not in pages
    shown = Selector(text=pages.pop())
    assert "/movie/who-the-%25-is-ada-marrow" in shown.css("link[rel=canonical]::attr(href)").get()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "path",
    ["/movie/no-such-film", "/movie/nightjar/trailers", "/movie/the-mapmakers-daughter/", "/game/nightjar/", "/"],
)
def test_what_a_design_does_not_have_is_none(made, name, path):
    assert made[name].answer(path, {}) is None


@pytest.mark.parametrize("name", NAMES)
def test_the_error_page_says_so_in_its_title(made, name):
    assert "Page Not Found" in Selector(text=made[name].missing()).css("title::text").get()


def test_pages_of_the_old_designs_are_counted_from_0(made):
    for name in ("2010", "2016"):
        first = made[name].answer("/movie/winter-ferry/user-reviews", {})
        assert made[name].answer("/movie/winter-ferry/user-reviews", {"page": "0"}) == first
        assert made[name].answer("/movie/winter-ferry/user-reviews", {"page": "1"}) not in {None, first}
        assert made[name].answer("/movie/winter-ferry/user-reviews", {"page": "2"}) is None
        assert made[name].answer("/movie/winter-ferry/user-reviews", {"page": "x"}) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_change_of_the_world_shows_on_the_next_page(name):
    world = build_world()
    design = designs(world)[name]
    world.film("kettle-song").title = "Kettle Song, Restored"
    assert "Kettle Song, Restored" in design.answer("/movie/kettle-song", {})


def test_texts_stay_texts_in_every_design(made):
    for name, design in made.items():
        text = design.answer("/movie/harbour-of-strangers/user-reviews", {})
        assert 'document.title = "x"</script>' not in text, name
        assert re.search(r"document\.title = ", text), name
