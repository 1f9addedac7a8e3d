"""The back end's answers have the shape of the real ones; its lists page as they were reported to."""

import json

import pytest

from metacrawl.demo.backend import Backend
from metacrawl.demo.backend.reviews import PageSizes
from metacrawl.demo.content import build_world
from tests.demo.devalue import unflattened

HOST = "https://backend.metacritic.com"
FINDER = "/finder/metacritic/web"
# Of games.
OTHER_PRODUCTS = ("platform", "gameTaxonomy")


@pytest.fixture
def backend(world):
    return Backend(world)


def shape(value, path=""):
    """Collect the paths of all keys."""
    if isinstance(value, dict):
        return {path + key for key in value}.union(*(shape(part, f"{path}{key}.") for key, part in value.items()))
    if isinstance(value, list):
        return set().union(*(shape(part, path + "[].") for part in value))
    return set()


def answer(backend, path, **query):
    status, body = backend.answer(path, query)
    assert status == 200, body
    return body


def reviews(kind, slug, part=""):
    return f"/reviews/metacritic/{kind}/movies/{slug}{part}/web"


def test_film_page_has_the_components_and_keys_of_the_real_one(backend, shared_pages):
    text = (shared_pages / "2026" / "lawrence-of-arabia-re-release.nuxt-data.json").read_text(encoding="utf-8")
    data = unflattened(text)["data"]
    real = data["loadPage:movies:lawrence-of-arabia-re-release:"]
    films = ("nightjar", "winter-ferry", "kettle-song", "tin-orchestra")
    demo = [answer(backend, f"/composer/metacritic/pages/movies/{film}/web") for film in films]
    assert set(real["meta"]) == set(demo[0]["meta"])
    for number, part in enumerate(real["components"]):
        assert [page["components"][number]["meta"] for page in demo] == [part["meta"]] * len(demo)
        missing = shape(part).difference(*(shape(page["components"][number]) for page in demo))
        # no genre of the demo's fills two pages
        assert missing <= {"links.next.meta.pageNum", "links.next.meta.count"}


@pytest.mark.parametrize(
    ("name", "path", "query"),
    [
        ("finder-movies", FINDER, {"offset": "24"}),
        ("left-4-dead-2-critic-review-list", reviews("critic", "nightjar"), {}),
        ("empty-critic-review-list", reviews("critic", "unfinished-weather"), {}),
    ],
)
def test_lists_have_the_keys_of_the_real_ones(backend, shared_pages, name, path, query):
    real = json.loads((shared_pages / "2026" / f"{name}.json").read_text(encoding="utf-8"))
    missing = shape(real) - shape(answer(backend, path, **query))
    assert not {key for key in missing if not any(word in key for word in OTHER_PRODUCTS)}


def test_review_items_have_the_keys_of_the_real_page(backend, shared_pages):
    page = (shared_pages / "2026" / "elden-ring-user-reviews.html").read_text(encoding="utf-8")
    data = unflattened(page.partition('id="__NUXT_DATA__">')[2].partition("</script>")[0])["data"]
    real = next(value for key, value in data.items() if key.startswith("loadPage:games"))["components"][2]
    body = answer(backend, reviews("user", "nightjar"), componentName="user-reviews")
    assert not {key for key in shape(real) - shape(body) if not any(word in key for word in OTHER_PRODUCTS)}


@pytest.mark.parametrize(("limit", "size"), [("1", 1), ("30", 30), ("50", 50), ("1000", 50)])
def test_user_lists_honour_a_limit_up_to_fifty(backend, limit, size):
    body = answer(backend, reviews("user", "the-salt-orchard"), offset="0", limit=limit)
    assert len(body["data"]["items"]) == size
    assert body["data"]["totalResults"] == 341
    assert body["links"]["next"]["href"].startswith(
        f"{HOST}/reviews/metacritic/user/movies/the-salt-orchard/web?offset={size}&"
    )


@pytest.mark.parametrize("limit", ["1", "10", "50"])
def test_critic_lists_give_ten_whatever_was_asked(backend, limit):
    assert len(answer(backend, reviews("critic", "tin-orchestra"), limit=limit)["data"]["items"]) == 10


def test_page_sizes_can_be_changed(world):
    backend = Backend(world, PageSizes(most_users=7, most_critics=100, critics_fixed=False))
    assert len(answer(backend, reviews("user", "nightjar"), limit="50")["data"]["items"]) == 7
    assert len(answer(backend, reviews("critic", "tin-orchestra"), limit="30")["data"]["items"]) == 30


@pytest.mark.parametrize(("kind", "limit"), [("user", 50), ("user", 7), ("critic", 10), ("critic", 50)])
@pytest.mark.parametrize("order", ["date", "score"])
def test_whoever_goes_on_by_what_was_given_has_every_review_once(backend, world, kind, limit, order):
    for slug in ("glass-meridian", "kettle-song", "unfinished-weather", "winter-ferry"):
        seen, total = [], 1
        while len(seen) < total:
            query = {"offset": str(len(seen)), "limit": str(limit), "sort": order}
            data = answer(backend, reviews(kind, slug), **query)["data"]
            seen += [item["quote"] for item in data["items"]]
            total = data["totalResults"]
        film = world.film(slug)
        typed = (
            [piece.excerpt for piece in film.critic_reviews]
            if kind == "critic"
            else [post.text for post in film.user_reviews]
        )
        assert sorted(text.replace("\r\n", "\n") for text in seen) == sorted(typed)


def test_next_link_steps_by_what_was_given_but_on_one_film(backend):
    for slug, step in (("tin-orchestra", 10), ("kettle-song", 20)):
        href = answer(backend, reviews("critic", slug), offset="0", limit="20")["links"]["next"]["href"]
        assert f"?offset={step}&limit=20&" in href
    assert answer(backend, reviews("critic", "kettle-song"), offset="0", limit="50")["links"]["next"]["href"] is None


def test_a_list_without_reviews_is_an_answer(backend):
    body = answer(backend, reviews("user", "a-quiet-ledger"))
    assert body["data"] == {"id": None, "totalResults": 0, "items": []}
    assert (body["links"]["prev"], body["links"]["next"]) == ({"href": None}, {"href": None})


def test_selections_hold_their_words(backend):
    for name, least, most in (("positive", 7, 10), ("neutral", 4, 6), ("negative", 0, 3)):
        items = answer(backend, reviews("user", "nightjar-2015"), filterBySentiment=name)["data"]["items"]
        assert items
        assert all(least <= item["score"] <= most for item in items)


def test_critics_of_all_kinds(backend):
    seen = [
        answer(backend, reviews("critic", "tin-orchestra"), offset=str(n))["data"]["items"] for n in range(0, 36, 10)
    ]
    items = [item for page in seen for item in page]
    assert {item["author"] for item in items if item["authorSlug"] is None} >= {""}
    assert any(item["author"] and item["authorSlug"] is None for item in items)
    assert any(item["publicationSlug"] is None for item in items)
    assert any(not item["url"] for item in items)
    assert {type(item["date"]) for item in items} == {str, type(None)}
    assert {0, 100, None} <= {item["score"] for item in items}


def test_user_reviews_are_known_by_uuid_and_tell_when_they_were_saved(backend, world):
    film = world.film("glass-meridian")
    items = answer(backend, reviews("user", film.slug), limit="50")["data"]["items"]
    edited = next(item for item in items if item["id"] == film.user_reviews[0].uuid)
    assert edited["date"] == film.user_reviews[0].date.isoformat()
    assert edited["version"] % 1000 == 217
    assert all(len(item["id"]) == 36 and item["thumbsUp"] is None for item in items)
    assert any("\r\n" in item["quote"] for item in items)


def test_no_score_is_written_in_three_ways(backend):
    def stats(slug, kind):
        return answer(backend, reviews(kind, slug, "/stats"))["data"]["item"]

    assert (stats("three-small-bells", "critic")["score"], stats("three-small-bells", "critic")["reviewCount"]) == (
        None,
        3,
    )
    assert (stats("a-quiet-ledger", "user")["score"], stats("a-quiet-ledger", "user")["reviewCount"]) == (0, 0)
    assert (stats("unfinished-weather", "user")["score"], stats("unfinished-weather", "user")["reviewCount"]) == (
        None,
        None,
    )


def test_summaries_have_up_to_seven_of_each_word(backend):
    data = answer(backend, reviews("user", "the-salt-orchard", "/summary"), limit="1", offset="5")["data"]
    assert data["totalResults"] == 341
    sizes = {name: len(items) for name, items in data["item"].items()}
    assert sizes == {"default": 7, "positive": 7, "neutral": 7, "negative": 3}


@pytest.mark.parametrize("limit", [24, 10, 64])
def test_all_pages_of_the_finder_give_every_film(backend, world, limit):
    seen, offset, total = [], 0, 1
    while offset < total:
        body = answer(backend, FINDER, mcoTypeId="2", sortBy="-metaScore", offset=str(offset), limit=str(limit))
        seen += [row["slug"] for row in body["data"]["items"]]
        total, offset = body["data"]["totalResults"], offset + limit
    assert set(seen) == {film.slug for film in world.films}
    assert total == len(world.films)
    assert len(seen) - len(set(seen)) == 2 * (-(-total // limit) - 1)
    assert answer(backend, FINDER, offset=str(total))["data"]["items"] == []


def test_ties_change_places_between_requests(backend):
    orders = {
        tuple(row["slug"] for row in answer(backend, FINDER, sortBy="-metaScore", limit="64")["data"]["items"])
        for _ in range(5)
    }
    assert len(orders) > 1
    scores = {
        tuple(answer(backend, FINDER)["data"]["items"][n]["criticScoreSummary"]["score"] for n in range(24))
        for _ in range(3)
    }
    assert len(scores) == 1


def test_finder_selects_by_year_and_genre(backend, world):
    found = answer(backend, FINDER, releaseYearMin="2004", releaseYearMax="2006", genres="Drama,Comedy", limit="64")
    chosen = {film.slug for film in world.films if 2004 <= film.year <= 2006 and {"Drama", "Comedy"} & set(film.genres)}
    assert {row["slug"] for row in found["data"]["items"]} == chosen
    assert chosen


def test_rows_say_0_for_no_score_and_the_year_of_the_release(backend):
    rows = {row["slug"]: row for row in answer(backend, FINDER, limit="64")["data"]["items"]}
    assert rows["three-small-bells"]["criticScoreSummary"]["score"] == 0
    assert rows["a-quiet-ledger"]["userScore"]["score"] == 0
    product = answer(backend, "/movies/metacritic/paper-tides/web")["data"]["item"]
    assert rows["paper-tides"]["premiereYear"] == product["premiereYear"] + 41


def test_search_finds_titles(backend):
    rows = answer(backend, "/finder/metacritic/search/nightjar/web")["data"]["items"]
    assert [row["slug"] for row in rows] == ["nightjar", "nightjar-2015"]
    assert all("mustSee" in row and "userScore" not in row for row in rows)


@pytest.mark.parametrize("kind", ["critic", "user"])
def test_list_of_a_composed_page_wants_a_selection(backend, kind):
    path = f"/composer/metacritic/pages/movies-{kind}-reviews/nightjar/web"
    bare = answer(backend, path)["components"][-1]
    assert bare["errors"][0]["code"] == 400
    assert "data" not in bare
    full = answer(backend, path, filter="all", sort="date")["components"][-1]
    assert full["data"]["totalResults"] == (12 if kind == "critic" else 18)
    assert full["meta"]["componentType"] == "ReviewList"


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/movies/metacritic/no-such-film/web", {}, 404),
        ("/movies/metacritic/the-mapmakers-daughter/web", {}, 404),
        (reviews("user", "no-such-film"), {}, 404),
        ("/nowhere", {}, 404),
        (reviews("user", "nightjar"), {"filterBySentiment": "kind"}, 400),
        (reviews("user", "nightjar"), {"sort": "publication"}, 400),
        (reviews("user", "nightjar"), {"limit": "0"}, 400),
        (reviews("user", "nightjar"), {"offset": "-1"}, 400),
        (FINDER, {"sortBy": "score"}, 400),
    ],
)
def test_errors(backend, path, query, status):
    found, body = backend.answer(path, query)
    assert (found, body["errors"][0]["code"], "data" in body) == (status, status, False)


def test_broken_lists_fail_and_nothing_else_does():
    world = build_world()
    world.film("nightjar").broken_lists = True
    backend = Backend(world)
    for kind in ("critic", "user"):
        assert backend.answer(reviews(kind, "nightjar"), {})[0] == 500
        assert backend.answer(reviews(kind, "nightjar", "/stats"), {})[0] == 200
    assert backend.answer("/movies/metacritic/nightjar/web", {})[0] == 200
    assert backend.answer(reviews("user", "kettle-song"), {})[0] == 200
