"""Whole crawls of today's site: films from their pages, reviews and lists of films from the back end."""

import json
from collections.abc import Callable
from copy import deepcopy
from urllib.parse import parse_qs, urlsplit

import pytest

from metacrawl.demo import backend
from metacrawl.demo.backend import Backend, finder
from metacrawl.demo.compare import differences
from metacrawl.demo.designs import designs
from metacrawl.demo.site import DemoSite
from metacrawl.demo.truth import expected_records
from metacrawl.demo.world import World
from metacrawl.items import CriticReview, Movie, UserReview
from metacrawl.urls import PageKind, PageRef

# Films with lists of more than one page, next links that go too far, moved and empty lists, and odd texts.
FILMS = (
    *("nightjar", "tin-orchestra", "unfinished-weather", "the-cartographers-daughter", "harbour-of-strangers"),
    *("three-small-bells", "brass-ivory", "star-courier-part-ii---the-long-orbit"),
)
FAST = {"DOWNLOAD_DELAY": 0, "CONCURRENT_REQUESTS_PER_DOMAIN": 4, "RETRY_TIMES": 0}


@pytest.fixture
def world(whole_world: World) -> World:
    """Some films of the demo's, to be changed at will."""
    return World(films=[deepcopy(whole_world.film(slug)) for slug in FILMS])


@pytest.fixture
def today(world):
    """The demo as today's site."""
    with DemoSite(world) as site:
        yield site


@pytest.fixture
def crawl(scrapy, today) -> Callable[..., object]:
    """Crawl it."""

    def run(spider: str, *arguments: str, **settings: object):
        given = [part for argument in arguments for part in ("-a", argument)]
        places = {"METACRAWL_SITE_URL": today.url, "METACRAWL_API_URL": today.api_url}
        return scrapy("crawl", spider, *given, **FAST | places | settings)

    return run


@pytest.fixture
def all_films(tmp_path):
    """All of them, as the argument `movie`."""
    path = tmp_path / "films.txt"
    path.write_text("\n".join(FILMS), encoding="utf-8")
    return f"movie=@{path}"


def asked_of_finder(site):
    return [parse_qs(urlsplit(url).query) for url in site.requests if url.startswith("/backend/finder")]


@pytest.mark.parametrize(
    ("most_users", "most_critics", "critics_fixed"),
    [(50, 10, True), (100, 100, False), (1, 1, True), (7, 3, False)],
)
def test_films_and_their_whole_lists_are_as_on_the_site(
    crawl, today, stored, all_films, most_users, most_critics, critics_fixed
):
    """Whatever size the back end gives its pages."""
    sizes = today.page_size
    sizes.most_users, sizes.most_critics, sizes.critics_fixed = most_users, most_critics, critics_fixed
    run = crawl("movies", all_films)
    assert run.returncode == 0, run.stdout + run.stderr
    assert list(differences(expected_records(today.world, "2026"), stored())) == []


@pytest.mark.parametrize(("spider", "kind"), [("critic_reviews", CriticReview), ("user_reviews", UserReview)])
def test_one_kind_of_review_alone(crawl, today, stored, all_films, spider, kind):
    run = crawl(spider, all_films)
    assert run.returncode == 0, run.stdout + run.stderr
    wanted = [record for record in expected_records(today.world, "2026") if isinstance(record, kind)]
    assert list(differences(wanted, (record for record in stored() if isinstance(record, kind)))) == []
    other = UserReview if kind is CriticReview else CriticReview
    assert not [record for record in stored() if isinstance(record, other)]


def test_lists_are_asked_for_as_the_sites_own_pages_do(crawl, today):
    crawl("movies", "movie=nightjar")
    lists = {url.split("?")[0]: parse_qs(urlsplit(url).query) for url in today.requests if "/reviews/" in url}
    assert set(lists) == {f"/backend/reviews/metacritic/{kind}/movies/nightjar/web" for kind in ("critic", "user")}
    for url, query in lists.items():
        kind = "critic" if "/critic/" in url else "user"
        assert query["componentName"] == [f"{kind}-reviews"]
        assert query["componentDisplayName"] == [f"{kind} Reviews"]
        assert query["componentType"] == ["ReviewList"]


# --- Lists of films


def test_films_of_the_finders_list_are_read_with_their_reviews(crawl, today, stored):
    run = crawl("movies", "browse=metascore")
    assert run.returncode == 0, run.stdout + run.stderr
    assert list(differences(expected_records(today.world, "2026"), stored())) == []
    assert asked_of_finder(today)[0]["sortBy"] == ["-metaScore"]


def test_years_and_genres_choose_films(crawl, today, stored):
    years = sorted(film.release_date.year for film in today.world.films if film.release_date)
    first, last = years[1], years[-2]
    run = crawl("movies", "browse=new", f"year={first}-{last}", "genre=drama", "reviews=none")
    wanted = {
        film.slug
        for film in today.world.films
        if film.release_date and first <= film.release_date.year <= last and "Drama" in film.genres
    }
    assert run.returncode == (0 if wanted else 15), run.stdout + run.stderr
    assert {movie.slug for movie in stored()} == wanted


def many(world: World, large_world: World) -> None:
    world.films = deepcopy(large_world.films)


@pytest.mark.parametrize("browse", ["metascore", "userscore", "new", "popular"])
def test_every_film_of_a_list_in_pages_that_overlap_is_read_once(crawl, today, stored, large_world, browse):
    many(today.world, large_world)
    run = crawl("movies", f"browse={browse}", "reviews=none")
    assert run.returncode == 0, run.stdout + run.stderr
    wanted = [record for record in expected_records(today.world, "2026") if isinstance(record, Movie)]
    assert list(differences(wanted, stored())) == []
    films = [url for url in today.requests if url.startswith("/movie/")]
    assert len(films) == len(set(films)) == len(today.world.films)


def test_a_range_of_years_is_read_with_all_reviews(crawl, today, stored, large_world):
    many(today.world, large_world)
    run = crawl("movies", "browse=userscore", "year=2005-2012")
    assert run.returncode == 0, run.stdout + run.stderr
    films = [film for film in today.world.films if film.release_date and 2005 <= film.release_date.year <= 2012]
    assert 5 < len(films) < len(today.world.films)
    assert list(differences(expected_records(World(films=films), "2026"), stored())) == []


def test_a_limit_is_a_number_of_films_across_the_pages_of_a_list(crawl, today, stored, large_world):
    many(today.world, large_world)
    run = crawl("movies", "browse=popular", "limit=25", "reviews=none")
    assert run.returncode == 0, run.stdout + run.stderr
    assert len(stored()) == 25
    assert len([url for url in today.requests if url.startswith("/movie/")]) == 25
    assert len(asked_of_finder(today)) == 2


def test_a_list_of_films_needs_the_back_end(scrapy, today):
    run = scrapy("crawl", "movies", "-a", "browse=new", METACRAWL_SITE_URL=today.url)
    assert run.returncode == 2
    assert "METACRAWL_API_URL is not set" in run.stdout + run.stderr
    assert today.requests == []


# --- What goes wrong


def test_where_the_list_fails_the_pages_first_reviews_are_kept(crawl, today, stored):
    film = today.world.film("harbour-of-strangers")
    film.broken_lists = True
    run = crawl("movies", "movie=harbour-of-strangers")
    assert run.returncode == 10
    assert "HTTP 500" in run.stdout
    records = {type(record): [] for record in stored()}
    for record in stored():
        records[type(record)].append(record)
    assert len(records[Movie]) == 1
    assert len(records[UserReview]) == 50
    assert 10 <= len(records[CriticReview]) < len(film.critic_reviews)
    wanted = {record.key for record in expected_records(today.world, "2026")}
    assert wanted >= {record.key for record in stored()}


FILM = "harbour-of-strangers"
COMPONENTS = "componentName=user-reviews&componentDisplayName=user+Reviews&componentType=ReviewList"
LIST = f"/backend/reviews/metacritic/user/movies/{FILM}/web?sort=date&limit=50&{COMPONENTS}"
SLICE = f"/movie/{FILM}/user-reviews?sort-by=date&num_items=100"


@pytest.fixture
def crawl_with_list(scrapy, serve, world):
    """Crawl one film whose list of user reviews is answered as given; gives the run and the site."""
    design = designs(world)["2026"]

    def run(answer, **more):
        answers = {f"/movie/{FILM}": (f"/movie/{FILM}", {}), SLICE: (f"/movie/{FILM}/user-reviews", {})}
        pages = {path: design.answer(*page).encode() for path, page in answers.items()}
        site = serve(pages | {LIST: answer} | more)
        places = {"METACRAWL_SITE_URL": site.url, "METACRAWL_API_URL": f"{site.url}/backend"}
        given = ("-a", f"movie={FILM}", "-a", "reviews=users")
        return scrapy("crawl", "movies", *given, **FAST | places), site

    return run


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        ((302, b"http://elsewhere.example/list"), 10, "leads off the site"),
        ((302, f"/movie/{FILM}".encode()), 14, "redirected here from a page of kind api-user-reviews"),
        ((302, LIST.encode()), 10, "redirected in a circle"),
        (b"<html><title>Just a moment...</title></html>", 10, "no known page design"),
        (
            b'{"data": {"totalResults": 101, "items": []}, "links": {"self": {"href": "%s"}}}' % b"x",
            14,
            "no known page",
        ),
        ((404, b"{}"), 10, "HTTP 404"),
    ],
    ids=["elsewhere", "to the film", "circle", "a page to wait", "another answer", "not there"],
)
def test_whatever_becomes_of_the_list_the_pages_first_reviews_are_kept(crawl_with_list, stored, answer, code, says):
    run, site = crawl_with_list(answer)
    assert run.returncode == code, run.stdout
    assert says in run.stdout
    assert SLICE in site.requests
    assert sum(isinstance(record, UserReview) for record in stored()) == 50


def user_list(world, **changes):
    """The first page of the list, with some of its data changed."""
    page = PageRef(PageKind.API_USER_REVIEWS, FILM, (("sort", "date"), ("limit", "50")))
    _, body = Backend(world).answer(page.path.split("?")[0], dict(page.query))
    return json.dumps(body | {"data": body["data"] | changes}).encode()


def test_a_list_from_which_a_review_is_taken_while_it_is_read_is_whole(crawl_with_list, world, stored):
    """Its last page has nothing any more, and says that the list has ended before it."""
    items = json.loads(user_list(world))["data"]["items"]
    last = json.loads(user_list(world, totalResults=50, items=[]))
    last["links"]["next"] = {"href": None}
    second = LIST.replace("limit=50", "offset=50&limit=50")
    answers = {second: json.dumps(last).encode()}
    run, site = crawl_with_list(user_list(world, totalResults=51), **answers)
    assert run.returncode == 0, run.stdout
    assert second in site.requests
    assert sum(isinstance(record, UserReview) for record in stored()) == len(items)


def test_a_list_of_films_with_a_hole_is_not_complete(scrapy, serve, whole_world):
    finder = Backend(whole_world)
    path = "/finder/metacritic/web"
    first = {"mcoTypeId": "2", "sortBy": "-metaScore", "limit": "24"}
    _, hole = finder.answer(path, first)
    hole["data"]["items"] = []
    query = "mcoTypeId=2&sortBy=-metaScore&limit=24"
    site = serve({f"/backend{path}?{query}": json.dumps(hole).encode()})
    places = {"METACRAWL_SITE_URL": site.url, "METACRAWL_API_URL": f"{site.url}/backend"}
    run = scrapy("crawl", "movies", "-a", "browse=metascore", **FAST | places)
    assert run.returncode == 14
    assert "no film, though the list has 64" in run.stdout


def test_a_row_that_is_no_film_costs_no_other(crawl, today, monkeypatch, stored):
    """A slug that the site cannot have leads nowhere, and is told."""
    rows = finder.find

    def spoiled(*arguments):
        answer = rows(*arguments)
        answer["data"]["items"][0]["slug"] = ".."
        return answer

    monkeypatch.setattr(backend, "find", spoiled)
    run = crawl("movies", "browse=new", "reviews=none")
    assert run.returncode == 14
    assert "a film of the list: '..' is no film's slug" in run.stdout
    assert len(stored()) == len(today.world.films) - 1


def test_a_site_without_a_back_end_gives_the_first_reviews_and_says_so(scrapy, today, stored):
    run = scrapy("crawl", "movies", "-a", "movie=harbour-of-strangers", METACRAWL_SITE_URL=today.url, **FAST)
    assert run.returncode == 10
    assert "METACRAWL_API_URL" in run.stdout
    assert sum(isinstance(record, UserReview) for record in stored()) == 50


def test_a_film_that_is_not_there_is_named_and_the_others_are_read(crawl, today, stored, tmp_path):
    films = tmp_path / "some.txt"
    films.write_text("nightjar\nno-such-film\nthe-mapmakers-daughter\n", encoding="utf-8")
    run = crawl("movies", f"movie=@{films}")
    assert run.returncode == 10
    assert "/movie/no-such-film: HTTP 404" in run.stdout
    assert {record.slug for record in stored() if isinstance(record, Movie)} == {
        "nightjar",
        "the-cartographers-daughter",
    }
    wanted = [
        record
        for record in expected_records(today.world, "2026")
        if record.key.split("/")[0] in {"nightjar", "the-cartographers-daughter"}
    ]
    assert list(differences(wanted, stored())) == []
