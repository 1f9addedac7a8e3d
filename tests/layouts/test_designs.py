"""What the JSON designs make of pages and answers that are not what they should be."""

import copy
import datetime as dt
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metacrawl.extract import LayoutError, extract

FIXTURES = Path(__file__).parent.parent / "fixtures"
NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
API = "https://backend.metacritic.com"
FILM = "the-paper-lighthouse"
ANSWERS = sorted(page.stem for page in (FIXTURES / "api").glob("*.json"))


def answer(name):
    return json.loads((FIXTURES / f"api/{name}.json").read_text(encoding="utf-8"))


def read(value, url=""):
    return extract(json.dumps(value).encode(), NOON, url=url)


def component(page, name):
    return next(part for part in page["components"] if part["meta"]["componentName"] == name)


@pytest.mark.parametrize(
    "failed",
    [
        {"data": None, "errors": [{"code": 400, "reason": "filterBySentiment must be one of the allowed values"}]},
        {"data": {"totalResults": 0, "items": []}, "errors": [{"code": 400}]},
        {"data": {"totalResults": None, "items": None}},
        {"data": {"totalResults": 14, "items": []}},
        {"data": None},
        {},
    ],
)
@pytest.mark.parametrize("kind", ["critic", "user"])
def test_a_list_that_failed_is_missing_and_not_empty(kind, failed):
    page = answer(f"{kind}-reviews-page")
    part = component(page, f"{kind}-reviews")
    part.pop("data")
    part.update(failed)
    with pytest.raises(LayoutError, match=f"neither {kind} reviews nor a word that there are none"):
        read(page)


def test_a_film_without_its_product_is_refused():
    page = answer("movie-page")
    component(page, "product")["meta"]["componentName"] = "related"
    with pytest.raises(LayoutError, match="without its title"):
        read(page)


def test_the_order_of_components_says_nothing():
    page = answer("movie-page")
    turned = page | {"components": page["components"][::-1]}
    assert list(read(turned).records) == list(read(page).records)


def test_an_error_of_the_back_end_is_told():
    with pytest.raises(LayoutError, match=r"error: .*404.*No such film"):
        read({"errors": [{"code": 404, "reason": "No such film"}]}, f"{API}/movies/metacritic/{FILM}/web")


@pytest.mark.parametrize("value", [{}, {"data": None}, {"data": {"items": []}}, {"errors": []}, {"a": {"b": [1]}}])
def test_other_json_is_no_answer(value):
    with pytest.raises(LayoutError, match="no known page design"):
        read(value, f"{API}/movies/metacritic/{FILM}/web")


@pytest.mark.parametrize("value", [{"a": [{}] * 20_000}, json.loads("[" * 200 + "]" * 200)])
def test_an_answer_that_would_take_too_long_is_refused(value):
    with pytest.raises(LayoutError, match=r"deep|too much"):
        read({"links": {"self": {"href": value}}}, f"{API}/movies/metacritic/{FILM}/web")


def test_a_list_of_games_is_refused():
    games = answer("finder")
    for row in games["data"]["items"]:
        row["type"] = "game-title"
    with pytest.raises(LayoutError, match="no known page design"):
        read(games)


def test_a_list_without_films_is_a_list():
    none = answer("finder")
    none["data"] |= {"totalResults": 0, "items": []}
    found = read(none)
    assert (list(found.records), found.total) == ([], 0)


@pytest.mark.parametrize("design", ["2023", "2026"])
def test_a_page_of_a_game_is_refused(design):
    page = (FIXTURES / design / "movie-with-everything.html").read_text(encoding="utf-8")
    game = page.replace('pageType="movies"', 'pageType="games"').replace("loadPage:movies:", "loadPage:games:")
    with pytest.raises(LayoutError, match="no known page design"):
        extract(game.encode(), NOON)


@pytest.mark.parametrize(
    "name", ["2023/user-reviews", "2026/user-reviews", "2023/critic-reviews", "2026/critic-reviews"]
)
def test_the_first_reviews_are_not_taken_for_all(name):
    found = extract((FIXTURES / f"{name}.html").read_bytes(), NOON)
    reviews = [*found.critic_reviews, *found.user_reviews]
    assert len(reviews) < found.total
    assert found.layout.lists[found.ref.kind].kind == f"api-{found.ref.kind}"


def test_a_saved_state_is_read_as_its_page():
    state, page = (
        list(extract((FIXTURES / "2026" / name).read_bytes(), NOON).records)
        for name in ("movie-saved-state.json", "movie-with-everything.html")
    )
    assert state == page


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(value, path=()):
    """Where something stands in a JSON value."""
    yield path
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, name))


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_stands_in_an_answer_it_is_read_or_refused(data):
    name = data.draw(st.sampled_from(ANSWERS))
    value = copy.deepcopy(answer(name))
    for _ in range(data.draw(st.integers(1, 3))):
        *path, last = data.draw(st.sampled_from([place for place in places(value) if place]))
        node = value
        for step in path:
            node = node[step]
        node[last] = data.draw(JUNK)
    with suppress(LayoutError):
        assert all(record.key for record in read(value).movies)


def test_a_failed_component_costs_neither_the_film_nor_the_other_reviews():
    """The whole lists are elsewhere; that the first reviews are missing is told."""
    text = (FIXTURES / "2023/movie-with-everything.html").read_text(encoding="utf-8")
    whole = extract(text.encode(), NOON)
    found = extract(text.replace('componentName:"user-reviews"', 'componentName:"other"').encode(), NOON)
    assert found.movies[0].title == whole.movies[0].title
    assert found.critic_reviews == whole.critic_reviews
    assert found.user_reviews == []
    assert found.lacks == ["neither user reviews nor a word that there are none"]
    assert whole.lacks == []
