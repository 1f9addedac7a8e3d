"""Whole crawls of today's site: films from their pages, reviews and lists of films from the back end."""

from collections.abc import Callable
from copy import deepcopy
from urllib.parse import parse_qs, urlsplit

import pytest

from metacrawl.demo.compare import differences
from metacrawl.demo.site import DemoSite
from metacrawl.demo.truth import expected_records
from metacrawl.demo.world import World
from metacrawl.items import CriticReview, Movie, UserReview

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


@pytest.mark.parametrize("critics_fixed", [True, False])
@pytest.mark.parametrize(("most_users", "most_critics"), [(50, 10), (100, 100), (1, 1), (7, 3)])
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


def many(world: World, whole_world: World) -> None:
    world.films = deepcopy(whole_world.films)


@pytest.mark.parametrize("browse", ["metascore", "userscore", "new", "popular"])
def test_every_film_of_a_list_in_pages_that_overlap_is_read_once(crawl, today, stored, whole_world, browse):
    many(today.world, whole_world)
    run = crawl("movies", f"browse={browse}", "reviews=none")
    assert run.returncode == 0, run.stdout + run.stderr
    wanted = [record for record in expected_records(today.world, "2026") if isinstance(record, Movie)]
    assert list(differences(wanted, stored())) == []
    films = [url for url in today.requests if url.startswith("/movie/")]
    assert len(films) == len(set(films)) == len(today.world.films)


def test_a_range_of_years_is_read_with_all_reviews(crawl, today, stored, whole_world):
    many(today.world, whole_world)
    run = crawl("movies", "browse=userscore", "year=2005-2010")
    assert run.returncode == 0, run.stdout + run.stderr
    films = [film for film in today.world.films if film.release_date and 2005 <= film.release_date.year <= 2010]
    assert len(films) > 10
    assert list(differences(expected_records(World(films=films), "2026"), stored())) == []


def test_a_limit_is_a_number_of_films_across_the_pages_of_a_list(crawl, today, stored, whole_world):
    many(today.world, whole_world)
    run = crawl("movies", "browse=popular", "limit=30", "reviews=none")
    assert run.returncode == 0, run.stdout + run.stderr
    assert len(stored()) == 30
    assert len([url for url in today.requests if url.startswith("/movie/")]) == 30
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
