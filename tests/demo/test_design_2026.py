"""Today's pages: cards as on the real ones, and a state that says all that the back end says."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parsel import Selector

from metacrawl.demo.backend import Backend
from metacrawl.demo.content import build_world
from metacrawl.demo.designs import designs
from metacrawl.demo.designs.devalue import UNDEFINED, Wrapped, flattened
from tests.demo.devalue import unflattened

SPOILER = "[SPOILER ALERT: This review contains spoilers.]"
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
)


@pytest.fixture(scope="module")
def design(world):
    return designs(world)["2026"]


@pytest.fixture(scope="module")
def shown(design):
    def page(path, **query):
        return Selector(text=design.answer(path, query))

    return page


def state(page):
    return unflattened(page.css("script#__NUXT_DATA__::text").get())


@given(JSON_VALUES)
def test_any_value_can_be_flattened(value):
    # a list that begins with a text would be taken for a wrapper
    boxed = {"value": value} if not has_text_list(value) else {"value": None}
    assert unflattened(flattened(boxed)) == json.loads(json.dumps(boxed))


def has_text_list(value):
    if isinstance(value, list):
        return bool(value and isinstance(value[0], str)) or any(map(has_text_list, value))
    return isinstance(value, dict) and any(map(has_text_list, value.values()))


def test_flat_form_is_that_of_the_site():
    same = {"id": None}
    value = Wrapped(
        "ShallowReactive", {"one": same, "two": same, "gone": UNDEFINED, "ref": Wrapped("EmptyRef", "null")}
    )
    assert (
        flattened(value)
        == '[["ShallowReactive",1],{"one":2,"two":2,"gone":-1,"ref":4},{"id":3},null,["EmptyRef",5],"null"]'
    )
    assert flattened([True, 1, 1.0, "1"]) == '[[1,2,3,4],true,1,1.0,"1"]'
    assert flattened(["</script>"]) == '[[1],"\\u003C/script>"]'


@pytest.mark.parametrize(
    ("sub_page", "key", "route"),
    [
        ("", "loadPage:movies:{}:", "movies"),
        (
            "critic-reviews/",
            'loadPage:movies-critic-reviews:{}:{{"filter":"all","sort":"date"}}',
            "movies-critic-reviews",
        ),
        ("user-reviews/", 'loadPage:movies-user-reviews:{}:{{"filter":"all","sort":"date"}}', "movies-user-reviews"),
    ],
)
def test_state_is_what_the_back_end_says(shown, world, sub_page, key, route):
    backend = Backend(world)
    for slug in ("who-the-%-is-ada-marrow", "harbour-of-strangers", "unfinished-weather"):
        found = state(shown(f"/movie/{slug}/{sub_page}"))
        path = f"/composer/metacritic/pages/{route}/{slug}/web"
        _, said = backend.answer(path, {"filter": "all", "sort": "date"})
        assert found["data"][key.format(slug)] == said
        assert found["pinia"]["pageData"]["pages"][0]["components"] == said["components"]
        assert found["path"] == f"/movie/{slug.replace('%', '%25')}/{sub_page}"


def test_root_of_the_state_is_as_on_the_real_pages(shown, shared_pages):
    text = (shared_pages / "2026" / "lawrence-of-arabia-re-release.nuxt-data.json").read_text(encoding="utf-8")
    real, found = unflattened(text), state(shown("/movie/nightjar/"))
    assert list(found) == list(real)
    assert list(found["data"])[:2] == list(real["data"])[:2]
    assert set(found["pinia"]) == set(real["pinia"])
    rows = json.loads(shown("/movie/nightjar/").css("script#__NUXT_DATA__::text").get())
    assert {row[0] for row in rows if isinstance(row, list) and row and isinstance(row[0], str)} == {
        "ShallowReactive", "Reactive", "Ref", "EmptyRef", "Set",
    }  # fmt: skip


def test_cards_have_the_parts_of_the_real_ones(shown, shared_pages):
    real = Selector(text=(shared_pages / "2026" / "elden-ring-user-reviews.html").read_text(encoding="utf-8"))
    demo = shown("/movie/harbour-of-strangers/user-reviews/")
    card = "[data-testid='product-reviews'] [data-testid='review-card']"
    ids = f"{card} [data-testid]::attr(data-testid)"
    assert set(real.css(ids).getall()) <= set(demo.css(ids).getall())
    for page in (real, demo):
        assert len(page.css(card)) == 50
        assert len(page.css(f"{card} [data-testid='review-quote-read-more']")) == len(
            page.css(card).re(re.escape(SPOILER))
        )
        assert page.css("script#__NUXT_DATA__::attr(data-nuxt-data)").get() == "nuxt-app"
        assert page.css(f"{card} .c-siteReviewScore[aria-label^='User score'] span::text").get().isdecimal()


def test_first_slices(shown):
    for kind, size in (("critic", 10), ("user", 50)):
        page = shown(f"/movie/the-salt-orchard/{kind}-reviews/")
        assert len(page.css("[data-testid='review-card']")) == size
    words = " ".join(shown("/movie/the-salt-orchard/user-reviews/").css(".reviews-page__total::text").getall())
    assert words == "Showing 341 User Reviews"
    assert len(shown("/movie/the-salt-orchard/").css("[data-testid='review-card']")) == 14


def test_spoilers_are_hidden_in_cards_and_told_in_the_state(shown, world):
    hidden = [post for post in world.film("kettle-song").user_reviews if post.spoiler]
    page = shown("/movie/kettle-song/user-reviews/")
    quotes = page.css("[data-testid='review-quote-text']::text").getall()
    told = {
        part["id"]: part for part in state(page)["pinia"]["pageData"]["pages"][0]["components"][-1]["data"]["items"]
    }
    listed = [post for post in hidden if post.uuid in told]
    assert quotes.count(SPOILER) == len(listed) > 0
    for post in listed:
        assert post.text not in "".join(quotes)
        assert told[post.uuid]["quote"].replace("\r\n", "\n") == post.text


def test_what_the_film_page_shows(shown, world):
    film, page = world.film("the-salt-orchard"), shown("/movie/the-salt-orchard/")
    assert page.css("h1.hero-title__text::text").get() == film.title
    counts = page.css("[data-testid='global-score-review-count']::text").getall()
    assert counts == [
        f"Based on {film.critic_tally.total} Critic Reviews",
        f"Based on {film.ratings.total:,} User Ratings",
    ]
    assert page.css(".hero-scores__preview .score-badge__image[src$='must-see.svg']")
    assert page.css("link[rel=canonical]::attr(href)").get() == "https://www.metacritic.com/movie/the-salt-orchard/"
    described = json.loads(page.css("script[type='application/ld+json']::text").get())
    assert described["aggregateRating"]["ratingValue"] == film.metascore
    assert (
        "aggregateRating"
        not in shown("/movie/three-small-bells/").css("script[type='application/ld+json']::text").get()
    )


def test_films_without_reviews_say_so(shown):
    assert "There are no critic reviews yet." in shown("/movie/unfinished-weather/").css("p::text").getall()
    page = shown("/movie/unfinished-weather/user-reviews/")
    assert page.css(".reviews-page__empty::text").get() == "Be the first to add a review."
    assert not page.css("[data-testid='review-card']")


def test_scripted_page_arrives_without_its_reviews(shown):
    page = shown("/movie/nightjar/user-reviews/", scripted="1")
    assert not page.css("[data-testid='review-card']")
    parts = state(page)["pinia"]["pageData"]["pages"][0]["components"]
    assert [part["meta"]["componentName"] for part in parts] == ["product", "user-score-summary"]
    script = page.css("script:not([type]):not([data-hid])::text").getall()[-1]
    assert "/backend/reviews/metacritic/user/movies/" in script
    assert not any("fetch(" in text for text in shown("/movie/nightjar/user-reviews/").css("script::text").getall())


def test_a_film_can_be_scripted():
    world = build_world()
    world.film("nightjar").scripted = True
    assert (
        "review-card-date"
        not in designs(world)["2026"].answer("/movie/nightjar/user-reviews/", {}).partition("<script>")[0]
    )


def test_browse_pages_give_every_film(shown, world):
    seen = []
    for page in ("1", "2", "3"):
        cards = shown("/browse/movie/", page=page).css("[data-testid='filter-results'] [data-testid='product-title']")
        seen += cards.css("span:last-child::text").getall()
    assert sorted(set(seen)) == sorted({film.title for film in world.films})
    assert len(seen) == len(world.films) + 4


def test_browse_pages_are_counted_from_1(design, shown):
    first = design.answer("/browse/movie/", {})
    assert design.answer("/browse/movie/", {"page": "1"}) == first
    assert design.answer("/browse/movie/", {"page": "4"}) is None
    page = Selector(text=first)
    assert page.css("[data-testid='navigation-pagination'] .c-navigation-pagination__item-content::text").getall() == [
        "1",
        "2",
        "3",
    ]
    assert page.css("[data-testid='pagination-arrow-next']::attr(href)").get() == "/browse/movie/?page=2"
    last = shown("/browse/movie/", page="3")
    assert not last.css("[data-testid='pagination-arrow-next']")


@pytest.mark.parametrize("name", ["2023", "2026"])
def test_browse_pages_select_and_sort(world, name):
    design = designs(world)[name]
    links = Selector(text=design.answer("/browse/movie/all/all/2004/new/", {})).css("a[href^='/movie/']::attr(href)")
    chosen = sorted(
        (film for film in world.films if film.year == 2004), key=lambda film: film.release_date, reverse=True
    )
    assert links.getall() == [f"/movie/{film.slug}/" for film in chosen]
    few = design.answer("/browse/movie/", {"releaseYearMin": "2004", "releaseYearMax": "2009", "genre": "drama"})
    count = sum(2004 <= film.year <= 2009 and "Drama" in film.genres for film in world.films)
    assert len(Selector(text=few).css("a[href^='/movie/']")) == count > 0
