"""What a film's page has said over time."""

import datetime as dt
from itertools import permutations

import pytest
import sqlalchemy as sa

from metacrawl.database import history, records
from metacrawl.database.connection import connect
from metacrawl.database.reading import read
from metacrawl.database.schema import MOVIE_HISTORY, RUNS
from metacrawl.items import Movie

DAY = dt.datetime(2014, 1, 1, tzinfo=dt.UTC)


def page(day, score, *, source_url="https://www.metacritic.com/movie/her", **fields):
    return Movie(
        key="her",
        slug="her",
        url="https://www.metacritic.com/movie/her",
        layout="2010",
        source_url=source_url,
        captured_at=DAY + dt.timedelta(days=day),
        metascore=score,
        **fields,
    )


@pytest.fixture
def connection(database_url):
    engine = connect(database_url)
    with engine.begin() as opened:
        yield opened
    engine.dispose()


def changes(connection):
    return [((movie.captured_at - DAY).days, movie.metascore) for movie in history.read(connection)]


def test_only_changes_are_told_in_whatever_order_the_pages_are_read(connection):
    for order in permutations([page(0, 90), page(1, 90), page(2, 91), page(3, 90), page(4, 90)]):
        connection.execute(sa.delete(MOVIE_HISTORY))
        for one in order:
            records.save(connection, 1, [one])
        assert changes(connection) == [(0, 90), (2, 91), (3, 90)]


def entries(connection):
    columns = MOVIE_HISTORY.c.captured_at, MOVIE_HISTORY.c.last_captured_at
    rows = connection.execute(sa.select(*columns).order_by(MOVIE_HISTORY.c.captured_at))
    return [((first - DAY).days, (last - DAY).days) for first, last in rows]


@pytest.fixture
def nightly(connection):
    """Make a run of a day, in which the film's page is read."""

    def run(day, score):
        at = DAY + dt.timedelta(days=day)
        started = {"job": f"{day}", "spider": "movies", "arguments": {}, "started_at": at, "seeded": True}
        number = connection.execute(sa.insert(RUNS).values(**started)).inserted_primary_key[0]
        records.save(connection, number, [page(day, score)])

    return run


def test_a_nightly_crawl_prolongs_what_is_still_said(connection, nightly):
    for day, score in enumerate([90, 90, 90, 91, 91, 90]):
        nightly(day, score)
    assert entries(connection) == [(0, 2), (3, 4), (5, 5)]
    assert changes(connection) == [(0, 90), (3, 91), (5, 90)]


def test_what_was_said_in_between_parts_an_entry(connection, nightly):
    for day in range(4):
        nightly(day, 90)
    records.save(connection, 99, [page(2, 91)])
    assert changes(connection) == [(0, 90), (2, 91), (3, 90)]
    records.save(connection, 99, [page(1, 90)])
    assert changes(connection) == [(0, 90), (2, 91), (3, 90)]


def test_pages_that_are_stored_together_are_told_apart(connection):
    records.save(connection, 1, [page(2, 91), page(0, 90), page(1, 90)])
    assert changes(connection) == [(0, 90), (2, 91)]


def test_other_pages_of_the_film_are_no_history(connection):
    records.save(connection, 1, [page(0, 90, source_url="https://www.metacritic.com/movie/her/user-reviews")])
    assert changes(connection) == []


def test_an_entry_is_the_whole_record(connection):
    said = page(0, 90, title="Her", genres=["Drama"], release_date=dt.date(2013, 12, 18))
    records.save(connection, 1, [said])
    assert list(history.read(connection)) == [said]


def test_the_same_moment_read_anew_replaces_what_was_read(connection):
    records.save(connection, 1, [page(0, 90)])
    records.save(connection, 1, [page(0, 89)])
    assert changes(connection) == [(0, 89)]


def test_the_record_is_what_the_newest_page_says(connection):
    records.save(connection, 1, [page(2, 91)])
    records.save(connection, 1, [page(0, 90)])
    assert [movie.metascore for movie in read(connection, Movie)] == [91]
