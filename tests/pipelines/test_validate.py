import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scrapy.utils.test import get_crawler

from metacrawl.database import records, runs
from metacrawl.database.connection import connect
from metacrawl.items import Award, Credit, CriticReview, Movie, Ranking, UserReview
from metacrawl.pipelines.validate import UnusableError, ValidatePipeline
from metacrawl.spiders.movies import MoviesSpider

THEN = dt.datetime(2017, 7, 16, 12, tzinfo=dt.UTC)
HER = "https://www.metacritic.com/movie/her"


@pytest.fixture
def crawler():
    settings = {"METACRAWL_SITE_URL": "http://localhost", "METACRAWL_CONTACT": "", "METACRAWL_AUTHORS": "keep"}
    made = get_crawler(MoviesSpider, settings)
    made.spider = MoviesSpider.from_crawler(made, movie="her")
    return made


@pytest.fixture
def validate(crawler):
    return ValidatePipeline.from_crawler(crawler).process_item


def invalid(crawler):
    """What was counted as invalid."""
    counted = crawler.stats.get_stats().items()
    return {name.removeprefix("metacrawl/"): number for name, number in counted if name.endswith("/invalid")}


def film(**fields):
    return Movie(key="her", slug="her", url=HER, layout="2016", source_url=HER, captured_at=THEN, **fields)


def critic(**fields):
    return CriticReview(key="her/paper/critic", movie_slug="her", source_url=HER, captured_at=THEN, **fields)


def user(**fields):
    return UserReview(key="her/Ann", movie_slug="her", source_url=HER, captured_at=THEN, **fields)


FULL = [
    film(
        title="Her",
        site_id=541335,
        imdb_id="tt1798709",
        release_year=2013,
        release_date=dt.date(2013, 12, 18),
        metascore=0,
        user_score=10.0,
        user_negative=0,
        must_see=False,
        genres=["Drama"],
        cast=[Credit(name="One", slug="one", role="Dan"), Credit(name="Two")],
        rankings=[Ranking(rank=7, title="Best")],
        awards=[Award(event="An event", wins=0, nominations=2)],
    ),
    film(),
    critic(score=100, date=dt.date(2014, 1, 9), excerpt="A passage."),
    critic(),
    user(review_id="1", author="Ann", score=0, edited_at=THEN, spoiler=True, helpful_votes=0, total_votes=0),
    user(),
]


@pytest.mark.parametrize("record", FULL)
def test_a_valid_record_passes_as_it_is(validate, crawler, record):
    before = replace(record)
    assert validate(record) is record
    assert record == before
    assert invalid(crawler) == {}


INVALID = [
    *((film, "metascore", value) for value in (-1, 101, "90", "ninety", 90.5, True)),
    *((film, "user_score", value) for value in (-0.1, 10.1, 86.0, "8.6.1")),
    *((film, "release_year", value) for value in (1869, 2101, "2013 film")),
    *((film, "critic_review_count", value) for value in (-1, "many")),
    *((film, "imdb_id", value) for value in ("1798709", "nm1798709", "tt", "tt1798709x")),
    *((film, "release_date", value) for value in ("Winter 2013", 2013)),
    *((film, "must_see", value) for value in ("yes", 1)),
    *((film, "title", value) for value in (1, ["Her"])),
    *((critic, "score", value) for value in (101, "A-")),
    *((critic, "date", value) for value in ("May 2007",)),
    *((user, "score", value) for value in (11, -1, 8.5, "ten")),
    *((user, "helpful_votes", value) for value in (-1, "none")),
    *((user, "edited_at", value) for value in ("2017", 1500206400000)),
]


@pytest.mark.parametrize(("make", "name", "value"), INVALID)
def test_a_value_that_cannot_stand_is_emptied_and_counted(validate, crawler, make, name, value):
    record = make(**{name: value})
    assert validate(record) == make()
    assert invalid(crawler) == {f"{type(record).__name__}/{name}/invalid": 1}


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("genres", ["Drama", 1], ["Drama"]),
        ("genres", "Drama", []),
        ("cast", [Credit(name="One"), Credit(name=None)], [Credit(name="One")]),
        ("rankings", [Ranking(rank=0, title="Best"), Ranking(rank=7, title="Next")], [Ranking(rank=7, title="Next")]),
        ("rankings", [Ranking(rank="#7", title="Best")], []),
        ("awards", [Award(event="An event", wins=-1)], []),
    ],
)
def test_an_entry_that_cannot_stand_is_dropped_from_its_list(validate, crawler, name, value, kept):
    assert validate(film(**{name: value})) == film(**{name: kept})
    assert invalid(crawler) == {f"Movie/{name}/invalid": 1}


def test_what_is_emptied_is_told_with_its_page_and_its_value(validate, caplog):
    validate(film(metascore="ninety"))
    assert HER in caplog.text
    assert "Movie/metascore='ninety'" in caplog.text


def test_only_what_is_invalid_is_emptied(validate, crawler):
    found = validate(film(title="Her", metascore=900, user_score=8.6, runtime_minutes="long"))
    assert found == film(title="Her", user_score=8.6)
    assert invalid(crawler) == {"Movie/metascore/invalid": 1, "Movie/runtime_minutes/invalid": 1}


def test_every_record_is_counted(validate, crawler):
    for _ in range(3):
        validate(user(score=11))
    assert invalid(crawler) == {"UserReview/score/invalid": 3}


def test_two_films_do_not_share_what_was_emptied(validate):
    one, other = validate(film(genres="Drama")), validate(film(genres="Drama"))
    one.genres.append("Comedy")
    assert other.genres == []


@pytest.mark.parametrize("key", ["", "/Ann", None, 7])
def test_a_record_without_a_usable_key_is_dropped_as_a_problem(validate, key):
    record = user(author="Ann")
    record.key = key
    with pytest.raises(UnusableError, match=HER):
        validate(record)


def test_a_record_with_a_key_is_no_problem(validate):
    record = user(score="ten")
    assert validate(record) is record


ANY_VALUE = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.lists(st.integers())


@given(st.fixed_dictionaries(dict.fromkeys(("review_id", "score", "text", "spoiler", "total_votes"), ANY_VALUE)))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_validated_once_stays_as_it_is(validate, crawler, values):
    once = validate(user(**values))
    before, counted = replace(once), invalid(crawler)
    assert validate(once) == before
    assert invalid(crawler) == counted


@pytest.mark.parametrize(
    "record",
    [
        *FULL,
        film(site_id=10**19 - 1, user_rating_count=2**63),
        user(helpful_votes=10**18, total_votes=10**19 - 1),
    ],
)
def test_what_was_validated_can_be_stored(validate, record):
    engine = connect("sqlite://")
    try:
        with engine.begin() as connection:
            run = runs.enter(connection, "job", "movies", {})
            assert records.save(connection, run, [validate(replace(record))])["new"] == 1
    finally:
        engine.dispose()
