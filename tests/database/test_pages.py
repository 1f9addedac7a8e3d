"""What pages have brought: given again as long as the database has all of it as it was."""

import datetime as dt

import pytest
import sqlalchemy as sa

from metacrawl.database import pages, records, runs
from metacrawl.database.connection import connect
from metacrawl.database.schema import PAGES, USER_REVIEWS
from metacrawl.items import UserReview
from metacrawl.outcome import Outcome

URL = "http://127.0.0.1:8000/movie/her/user-reviews"
WHEN = dt.datetime(2017, 7, 16, tzinfo=dt.UTC)
FOR = "metacrawl 1, movies"


@pytest.fixture
def connection(database_url):
    engine = connect(database_url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def review(author, **fields):
    return UserReview(key=f"her/{author}", movie_slug="her", author=author, captured_at=WHEN, **fields)


def begin(connection, job="job"):
    return runs.enter(connection, job, "movies", {})


def keep(connection, *authors, url=URL, film="her", age=dt.timedelta()):
    """Keep a page with reviews by these, which are stored."""
    keys = {USER_REVIEWS.name: [f"her/{author}" for author in authors]}
    digest = pages.digest(connection, keys)
    read_at = dt.datetime.now(dt.UTC) - age
    memory = pages.Memory(read_at, {"If-None-Match": '"1"'}, [], keys, digest, [], [], [], {})
    pages.keep(connection, url, film, FOR, memory)
    return memory


def seen(connection):
    return dict(connection.execute(sa.select(USER_REVIEWS.c.author, USER_REVIEWS.c.seen_run)).all())


def test_what_a_page_has_brought_is_given_to_whoever_reads_it_for_the_same(connection):
    records.save(connection, begin(connection), [review("Ann", text="Fine.")])
    assert pages.find(connection, URL, FOR) is None
    memory = keep(connection, "Ann")
    assert pages.find(connection, URL, FOR) == memory
    assert pages.find(connection, URL, "metacrawl 2, movies") is None
    assert pages.find(connection, f"{URL}?page=1", FOR) is None


def test_reviews_that_were_met_again_and_seen_elsewhere_are_the_same(connection):
    records.save(connection, begin(connection), [review("Ann", text="Fine.")])
    memory = keep(connection, "Ann")
    connection.execute(sa.update(USER_REVIEWS).values(seen_run=7, source_url="https://elsewhere"))
    assert pages.find(connection, URL, FOR) == memory


@pytest.mark.parametrize(
    "action",
    [sa.delete(USER_REVIEWS), sa.update(USER_REVIEWS).values(text="Poor."), sa.update(PAGES).values(memory={})],
    ids=["deleted", "changed", "unreadable"],
)
def test_nothing_is_given_of_a_page_of_which_something_is_gone(connection, action):
    records.save(connection, begin(connection), [review("Ann", text="Fine.")])
    keep(connection, "Ann")
    connection.execute(action)
    assert pages.find(connection, URL, FOR) is None


@pytest.mark.parametrize(("days", "known"), [(29, True), (31, False), (-29, True), (-31, False)])
def test_a_site_is_not_believed_for_ever_that_a_page_is_the_same(connection, days, known):
    keep(connection, age=dt.timedelta(days=days))
    assert bool(pages.find(connection, URL, FOR)) is known


def test_the_pages_of_films_are_forgotten(connection):
    for url, film in (("a", "her"), ("b", "her"), ("c", "nightjar"), ("d", "tin-orchestra")):
        keep(connection, url=url, film=film)
    assert pages.forget(connection, ["her", "nightjar", "unheard-of"]) == 3
    pages.drop(connection, "e")
    assert [url for url in "abcd" if pages.find(connection, url, FOR)] == ["d"]


def test_reviews_that_are_met_again_are_unchanged_and_counted_once_a_run(connection):
    first = begin(connection)
    records.save(connection, first, [review("Ann"), review("Bob"), review("Eve")])
    runs.finish(connection, first, Outcome.COMPLETE, "all")
    second = begin(connection)
    counts = records.save(connection, second, [review("Ann")], {USER_REVIEWS.name: {"her/Ann", "her/Bob", "her/gone"}})
    assert +counts == {"unchanged": 2, "met/user_reviews": 2}
    assert seen(connection) == {"Ann": second, "Bob": second, "Eve": first}
    again = records.save(connection, second, [], {USER_REVIEWS.name: {"her/Ann", "her/Bob"}})
    assert not +again


def test_a_review_that_a_newer_run_has_met_stays_its_own(connection):
    first, newer = begin(connection), begin(connection, "other")
    records.save(connection, newer, [review("Ann")])
    assert records.save(connection, first, [], {USER_REVIEWS.name: {"her/Ann"}})["met/user_reviews"] == 1
    assert seen(connection) == {"Ann": newer}
