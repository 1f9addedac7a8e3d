"""The verdict on a list of reviews, and what pages say of how many there are."""

import datetime as dt
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metacrawl.completeness import FILM_PAGE, LIST, NONE, PAGES, SCORE, SOURCES, Total, judge, place_in_words
from metacrawl.demo.backend import Backend
from metacrawl.demo.content import build_world
from metacrawl.demo.designs import designs
from metacrawl.extract import extract
from metacrawl.urls import PageKind, PageRef

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
USERS, CRITICS = PageKind.USER_REVIEWS, PageKind.CRITIC_REVIEWS


def total(source: str, number: int, **more) -> Total:
    return replace(Total("her", USERS, source, number), **more)


def listed(*numbers: int, by: str = "date") -> list[Total]:
    return [total(LIST, number, sorted_by=by, page=page) for page, number in enumerate(numbers)]


def short_of(said, stored, failure=None) -> tuple[str, int]:
    verdict = judge(said, stored, failure)
    return verdict.verdict, verdict.missing


@pytest.mark.parametrize(
    ("why", "says"),
    [
        ("http://x/movie/her: HTTP 404", "film page: HTTP 404"),
        ("http://x/movie/reviews: timeout: 30 s", "film page: timeout: 30 s"),
        ("http://x/movie/her/user-reviews?sort-by=date&page=3: HTTP 500", "list, page 3: HTTP 500"),
        ("http://a/web/2014id_/http://x/movie/her/critic-reviews: HTTP 500", "list, first page: HTTP 500"),
        (
            "http://x/reviews/metacritic/user/movies/her/web?offset=50&limit=50: HTTP 500",
            "list, from entry 50: HTTP 500",
        ),
        ("http://a/cdx?url=x: HTTP 500", "http://a/cdx?url=x: HTTP 500"),
        ("her: the archive has no critic reviews", "her: the archive has no critic reviews"),
        ("the list moved while it was read", "the list moved while it was read"),
    ],
)
def test_a_page_that_failed_is_told_in_words(why, says):
    assert place_in_words(why) == says


def test_a_list_that_is_stored_whole_is_complete():
    assert short_of(listed(46, 46), 46) == ("complete", 0)
    assert short_of([total(NONE, 0)], 0) == ("complete", 0)


def test_what_is_missing_is_counted_and_the_reason_told():
    assert short_of(listed(46, 46), 40) == ("short", 6)
    assert judge(listed(46, 46), 40, None).why == "the list has fewer than that"
    assert judge(listed(46, 46), 40, "page 2: HTTP 500").why == "page 2: HTTP 500"
    assert judge(listed(46, 47), 46, None).why == "the list moved while it was read"


def test_a_page_that_failed_is_no_lack_where_all_is_there_without_it():
    assert short_of(listed(46), 46, "page 2: HTTP 500") == ("complete", 0)


def test_the_last_number_of_a_list_counts_and_the_last_reading_tells_whether_it_moved():
    assert short_of(listed(46, 47), 47) == ("complete", 0)
    assert short_of([*listed(46, 47), *listed(47, 47, by="score")], 47) == ("complete", 0)
    assert judge([*listed(46, 47), *listed(47, 47, by="score")], 46, None).why == "the list has fewer than that"


def test_more_than_there_is_tells_nothing_where_the_list_moved():
    assert short_of(listed(46, 46), 48) == ("complete", 0)
    assert short_of(listed(48, 46), 48) == ("unknown", 0)


def test_a_number_that_is_a_least_one_can_show_a_lack_and_nothing_more():
    pages, score = total(PAGES, 101, at_least=True), total(SCORE, 30, at_least=True)
    assert short_of([pages, score], 90) == ("short", 11)
    assert short_of([pages, score], 130) == ("complete", 0)
    assert short_of([pages, score], 130, "page 2: HTTP 500") == ("unknown", 0)
    assert judge([pages], 90, None).at_least


def test_of_least_numbers_the_highest_counts():
    said = [total(PAGES, number, at_least=True, page=page) for page, number in enumerate((3961, 3961, 521))]
    assert short_of(said, 214) == ("short", 3747)


def test_the_word_that_there_are_none_does_not_stand_against_a_number():
    said = [total(NONE, 0), total(SCORE, 30, at_least=True)]
    assert short_of(said, 0) == ("short", 30)
    assert not judge(said, 0, None).agree


def test_where_no_page_says_how_many_there_are_nobody_knows():
    assert judge([], 12, None).why == "no page says how many there are"
    assert short_of([], 0, "HTTP 404") == ("unknown", 0)


def test_numbers_that_cannot_all_be_true_are_told():
    assert judge([*listed(46), total(FILM_PAGE, 46), total(SCORE, 45, at_least=True)], 46, None).agree
    assert not judge([*listed(46), total(FILM_PAGE, 45)], 46, None).agree
    found = judge([*listed(46), total(SCORE, 47, at_least=True)], 46, None)
    assert (found.verdict, found.agree, found.totals) == ("complete", False, {"list": 46, "score": 47})


@given(
    st.lists(
        st.builds(
            total,
            st.sampled_from(SOURCES),
            st.integers(0, 50),
            at_least=st.booleans(),
            sorted_by=st.sampled_from(["", "date", "score"]),
            page=st.integers(0, 5),
        )
    ),
    st.integers(0, 50),
    st.none() | st.just("HTTP 500"),
)
def test_whatever_is_said_a_complete_list_lacks_nothing_and_a_short_one_something(said, stored, failure):
    verdict = judge(said, stored, failure)
    assert (verdict.verdict == "short") == (verdict.missing > 0)
    assert (verdict.why is None) == (verdict.verdict == "complete")
    if verdict.verdict == "complete":
        assert verdict.total is not None
        assert stored >= verdict.total
    if verdict.missing:
        assert verdict.total == stored + verdict.missing


@pytest.mark.parametrize("design", ["2010", "2016", "2023", "2026"])
def test_a_films_pages_say_how_many_reviews_it_has(design):
    world = build_world()
    site = designs(world)[design]
    for film in world.films:
        path = PageRef(PageKind.MOVIE, film.slug).path
        page = extract(site.answer(path, {}).encode(), NOON)
        said = {(total.reviews, total.at_least): total.number for total in page.totals}
        assert said[USERS, False] == len(film.user_reviews)
        assert said[CRITICS, False] == len(film.critic_reviews)
        assert said.get((CRITICS, True), 0) <= len(film.critic_reviews)


@pytest.mark.parametrize("design", ["2010", "2016"])
def test_a_list_in_pages_says_how_many_there_are_at_least(design):
    world = build_world()
    film = world.film("the-salt-orchard")
    for number in range(4):
        path = PageRef(PageKind.MOVIE, film.slug).path
        query = {"page": str(number), "sort-by": "date", "num_items": "100"}
        text = designs(world)[design].answer(f"{path}/user-reviews", query)
        url = PageRef(USERS, film.slug, (("sort-by", "date"), ("page", str(number)))).url
        said = [total for total in extract(text.encode(), NOON, url=url).totals if total.source == PAGES]
        if number == 3:
            assert said == []
        else:
            assert 290 < said[0].number <= len(film.user_reviews)
            assert (said[0].at_least, said[0].sorted_by, said[0].page) == (True, "date", number)


def test_the_back_ends_list_says_how_many_there_are_in_whatever_order():
    world = build_world()
    film = world.film("the-salt-orchard")
    for kind, entries in (("critic", film.critic_reviews), ("user", film.user_reviews)):
        for order in ("date", "score"):
            url = f"/reviews/metacritic/{kind}/movies/{film.slug}/web"
            status, body = Backend(world).answer(url, {"sort": order, "offset": "10"})
            page = extract(
                json.dumps(body).encode(), NOON, url=f"https://backend.metacritic.com{url}?sort={order}&offset=10"
            )
            [said] = page.totals
            assert (status, said.source, said.number, said.sorted_by, said.page) == (200, LIST, len(entries), order, 10)
            assert "sort=score" in said.again
