import datetime as dt
import uuid

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metacrawl.database import reading, records, runs
from metacrawl.database.connection import connect
from metacrawl.database.schema import MOVIE_PARTS, MOVIES
from metacrawl.items import Award, Credit, Movie, Ranking
from metacrawl.outcome import Outcome

HER = "https://www.metacritic.com/movie/her"
START = dt.datetime(2017, 7, 16, 12, tzinfo=dt.UTC)
PROVENANCE = {"layout", "source_url", "captured_at"}
OWN = {"key", "slug", "url"}


class Films:
    """A database of films, and runs that store what pages say of them."""

    def __init__(self, url):
        self.engine = connect(url)

    def run(self, *parts, together=True):
        with self.engine.begin() as connection:
            run = begin(connection)
        for batch in [parts] if together else [[part] for part in parts]:
            with self.engine.begin() as connection:
                records.save(connection, run, batch)
        with self.engine.begin() as connection:
            runs.finish(connection, run, Outcome.COMPLETE, "all")
        return self.film() if parts else None

    def film(self, slug="her"):
        with self.engine.connect() as connection:
            return {film.slug: film for film in reading.read(connection, Movie)}[slug]

    def forget(self):
        with self.engine.begin() as connection:
            for table in (MOVIES, MOVIE_PARTS):
                connection.execute(sa.delete(table))


def begin(connection):
    return runs.enter(connection, uuid.uuid4().hex, "movies", {})


@pytest.fixture
def films(database_url):
    database = Films(database_url)
    yield database
    database.engine.dispose()


def part(page="", minute=0, **fields):
    """What a page says of the film: its own page, or the one that `page` names, `minute` minutes after the start."""
    captured_at = START + dt.timedelta(minutes=minute)
    return Movie(
        key="her", slug="her", url=HER, layout="2016", source_url=HER + page, captured_at=captured_at, **fields
    )


def content(film):
    return {name: value for name, value in vars(film).items() if name not in PROVENANCE}


DETAILS, CRITICS, USERS, MORE_USERS = "/details", "/critic-reviews", "/user-reviews", "/user-reviews?page=1"

# Every page knows something alone, and contradicts others.
MOVIE_PAGE = part(
    *("", 0),
    title="Her",
    site_id=541335,
    metascore=90,
    critic_review_count=46,
    user_score=8.6,
    user_rating_count=1376,
    summary="A film.",
    genres=["Drama"],
    distributors=["As on the page"],
    directors=[Credit(name="One", slug="one")],
    cast=[Credit(name="One", slug="one"), Credit(name="Two")],
    rankings=[Ranking(rank=7, title="Best")],
    release_date=dt.date(2013, 12, 18),
    runtime_minutes=126,
)
DETAILS_PAGE = part(
    *(DETAILS, 1),
    title="Her: details",
    summary="A longer film.",
    genres=["Comedy", "Drama"],
    runtime_minutes=127,
    distributors=["As in the details"],
    production_companies=["A company"],
    countries=["One", "Two"],
    languages=["English"],
    directors=[Credit(name="One", slug="one", role="Director")],
    writers=[Credit(name="One", slug="one", role="Screenplay")],
    cast=[Credit(name="Two", role="Dan"), Credit(name="One", slug="one", role="Ann")],
    release_date=dt.date(2014, 1, 10),
    home_release_date=dt.date(2014, 5, 13),
)
CRITICS_PAGE = part(
    CRITICS, 2, title="Her: critics", metascore=91, critic_review_count=47, user_score=8.5, critic_mixed=3
)
USERS_PAGE = part(USERS, 3, title="Her: users", metascore=92, user_rating_count=1377, user_mixed=10)
MORE_USERS_PAGE = part(MORE_USERS, 4, title="Her: users", metascore=92, user_rating_count=1377, user_mixed=10)
PAGES = [MOVIE_PAGE, DETAILS_PAGE, CRITICS_PAGE, USERS_PAGE, MORE_USERS_PAGE]


# Each example begins with no film in the database.
ONE_DATABASE = [HealthCheck.function_scoped_fixture]


def read_in(films, order, *, together):
    films.forget()
    return films.run(*order, together=together)


def test_the_pages_of_a_run_are_one_film(films):
    film = films.run(*PAGES)
    by_page = [
        (MOVIE_PAGE, ["title", "site_id", "metascore", "critic_review_count", "user_score", "user_rating_count"]),
        (MOVIE_PAGE, ["summary", "genres", "rankings", "runtime_minutes"]),
        (DETAILS_PAGE, ["distributors", "production_companies", "countries", "languages", "directors", "writers"]),
        (DETAILS_PAGE, ["cast", "release_date", "home_release_date"]),
        (CRITICS_PAGE, ["critic_mixed"]),
        (USERS_PAGE, ["user_mixed"]),
    ]
    for page, fields in by_page:
        for field in fields:
            assert (field, getattr(film, field)) == (field, getattr(page, field))
    assert (film.tagline, film.awards, film.must_see) == (None, [], None)


@given(st.permutations(PAGES), st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=ONE_DATABASE)
def test_the_pages_may_arrive_in_any_order(films, order, together):
    assert content(read_in(films, order, together=together)) == content(read_in(films, PAGES, together=True))


@given(st.permutations(PAGES), st.permutations(PAGES))
@settings(max_examples=30, deadline=None, suppress_health_check=ONE_DATABASE)
def test_a_second_run_that_finds_nothing_new_changes_nothing_in_whatever_order(films, first, second):
    before = read_in(films, first, together=True)
    assert films.run(*second, together=False) == before


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("order", [1, -1])
def test_between_pages_of_one_kind_the_newer_one_wins(films, order, together):
    parts = [part(USERS, 3, user_rating_count=1377), part(MORE_USERS, 4, user_rating_count=1378)]
    assert films.run(*parts[::order], together=together).user_rating_count == 1378


@pytest.mark.parametrize("order", [1, -1])
def test_between_review_pages_of_two_kinds_the_newer_one_wins(films, order):
    parts = [part(CRITICS, 3, metascore=90), part(USERS, 4, metascore=91)]
    assert films.run(*parts[::order]).metascore == 91


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("minute", [0, 2])
def test_the_films_page_beats_review_pages_old_or_new(films, minute, order):
    parts = [part("", minute, metascore=90), part(USERS, 1, metascore=91)]
    assert films.run(*parts[::order]).metascore == 90


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("minute", [0, 2])
def test_the_details_page_beats_the_films_page_where_it_knows_better(films, minute, order):
    parts = [
        part("", 1, countries=["A"], summary="Short."),
        part(DETAILS, minute, countries=["B"], summary="Other."),
    ]
    film = films.run(*parts[::order])
    assert (film.countries, film.summary) == (["B"], "Short.")


@pytest.mark.parametrize("order", [1, -1])
def test_a_value_beats_none_whatever_the_page(films, order):
    parts = [part("", 1, title="Her"), part(CRITICS, 0, metascore=90, user_mixed=0, must_see=False)]
    film = films.run(*parts[::order])
    assert (film.title, film.metascore, film.user_mixed, film.must_see) == ("Her", 90, 0, False)


def test_a_later_run_replaces_what_a_page_gives_anew(films):
    films.run(part("", 0, metascore=90, genres=["Drama"], cast=[Credit(name="One")]))
    film = films.run(part("", 60, metascore=0, genres=["Comedy"], cast=[Credit(name="Two")]))
    assert (film.metascore, film.genres, film.cast) == (0, ["Comedy"], [Credit(name="Two")])


def test_what_a_later_run_does_not_say_is_no_news(films):
    films.run(MOVIE_PAGE)
    assert content(films.run(part("", 60, user_score=8.5))) == content(MOVIE_PAGE) | {"user_score": 8.5}


def test_a_later_run_may_know_better_from_a_lesser_page(films):
    films.run(MOVIE_PAGE, DETAILS_PAGE)
    film = films.run(part(CRITICS, 60, metascore=70))
    assert film.metascore == 70
    assert film.title == "Her"


def test_a_page_that_still_says_the_same_wins_once_more_where_it_knows_best(films):
    films.run(MOVIE_PAGE, USERS_PAGE)
    assert films.run(USERS_PAGE, MOVIE_PAGE).metascore == 90


def test_films_do_not_mix(films):
    other = Movie(
        key="moonlight",
        slug="moonlight",
        url="https://www.metacritic.com/movie/moonlight",
        source_url="https://www.metacritic.com/movie/moonlight",
        layout="2016",
        captured_at=START,
        metascore=75,
    )
    films.run(MOVIE_PAGE, other, DETAILS_PAGE)
    assert films.film("moonlight") == other
    assert films.film("her").metascore == 90


def test_a_film_comes_back_with_all_its_parts(films):
    film = part(
        *("", 0),
        awards=[Award(event="An event", wins=1, nominations=5), Award(event="Another")],
        cast=[Credit(name='"Q" é\n映画', slug=None, role="Dan, Ann")],
        rankings=[Ranking(rank=7, title="Best"), Ranking(title="No place")],
        genres=["Drama", "映画"],
        release_date=dt.date(1870, 1, 1),
        user_score=8.0,
        must_see=True,
    )
    assert films.run(film) == film


def test_a_film_tells_the_page_that_it_was_read_from(films):
    film = films.run(MOVIE_PAGE)
    assert (film.layout, film.source_url, film.captured_at) == ("2016", HER, START)
    changed = films.run(part("", 60, metascore=70))
    assert changed.captured_at == START + dt.timedelta(minutes=60)


def test_a_change_on_a_later_page_moves_the_source_whatever_the_order(films):
    """The day of release changes on the details page only; the film's page is read before or after."""
    for pages in ([0, 1], [1, 0]):
        read_in(films, [MOVIE_PAGE, DETAILS_PAGE], together=False)
        later = [
            part("", 60, **{name: value for name, value in content(MOVIE_PAGE).items() if name not in OWN}),
            part(DETAILS, 61, title="Her: details", release_date=dt.date(2014, 1, 11)),
        ]
        film = films.run(*(later[page] for page in pages), together=False)
        assert film.release_date == dt.date(2014, 1, 11)
        assert (film.source_url, film.captured_at) == (HER + DETAILS, START + dt.timedelta(minutes=61))


def test_what_a_page_used_to_say_and_no_longer_says_is_counted(films):
    films.run(MOVIE_PAGE)
    with films.engine.begin() as connection:
        run = begin(connection)
        counts = records.save(connection, run, [part("", 60, title="Her", metascore=90)])
    missing = {name for name in counts if name.startswith("missing/")}
    assert {"missing/user_score", "missing/cast", "missing/summary"} <= missing
    assert not missing & {"missing/title", "missing/metascore", "missing/tagline"}


@pytest.mark.parametrize(("later", "resumed", "metascore"), [(0, 60, 90), (60, 0, 50)], ids=["news", "nothing new"])
def test_a_run_that_was_resumed_after_a_later_one_brings_what_is_newer(films, later, resumed, metascore):
    with films.engine.begin() as connection:
        first = begin(connection)
    films.run(part("", later, title="Her", metascore=50))
    with films.engine.begin() as connection:
        records.save(connection, first, [part("", resumed, title="Her", metascore=90)])
    assert films.film().metascore == metascore


@pytest.mark.parametrize("together", [True, False])
def test_an_older_capture_adds_what_is_missing_and_replaces_nothing(films, together):
    """What the site was once, read from the archive after what it is today."""
    films.run(part("", 900, metascore=91, title="Her"))
    once = part("", 0, metascore=80, tagline="Once."), part(DETAILS, 1, metascore=79, countries=["USA"])
    found = films.run(*once, together=together)
    assert (found.metascore, found.title, found.tagline, found.countries) == (91, "Her", "Once.", ["USA"])
    assert films.run(part("", 1000, metascore=92, title="Her")).metascore == 92
