"""A database that an older metacrawl has made is brought up to date with all that is in it; one of a newer is not."""

import datetime as dt
import threading

import pytest
import sqlalchemy as sa

from metacrawl.database import reading, records, runs
from metacrawl.database.connection import connect, connect_to_read
from metacrawl.database.schema import METADATA, MOVIES, SCHEMA_VERSION, USER_REVIEWS, VERSION
from metacrawl.items import Credit, CriticReview, Movie, UserReview
from metacrawl.outcome import DatabaseError, Outcome

WHEN = dt.datetime(2017, 7, 16, 12, tzinfo=dt.UTC)
# As they were before the tables had a version; `{…}` is what the backends call differently.
VERSION_1 = """
CREATE TABLE critic_reviews (key {key} NOT NULL PRIMARY KEY, layout TEXT NOT NULL, source_url TEXT NOT NULL,
    captured_at {time}, movie_slug TEXT NOT NULL, publication TEXT, publication_slug TEXT, critic TEXT, critic_slug
    TEXT, score BIGINT, date DATE, excerpt TEXT, full_review_url TEXT, seen_run INTEGER NOT NULL);
CREATE TABLE user_reviews (key {key} NOT NULL PRIMARY KEY, layout TEXT NOT NULL, source_url TEXT NOT NULL,
    captured_at {time}, movie_slug TEXT NOT NULL, review_id TEXT, author TEXT, score BIGINT, date DATE, edited_at
    {time}, text TEXT, spoiler BOOLEAN, helpful_votes BIGINT, total_votes BIGINT, seen_run INTEGER NOT NULL);
CREATE TABLE movie_parts (slug TEXT NOT NULL, page TEXT NOT NULL, fields JSON NOT NULL, PRIMARY KEY (slug, page));
CREATE TABLE movies (key {key} NOT NULL PRIMARY KEY, layout TEXT NOT NULL, source_url TEXT NOT NULL, captured_at
    {time}, slug TEXT NOT NULL, title TEXT, url TEXT NOT NULL, site_id BIGINT, imdb_id TEXT, release_year BIGINT,
    release_date DATE, home_release_date DATE, metascore BIGINT, critic_review_count BIGINT, critic_positive BIGINT,
    critic_mixed BIGINT, critic_negative BIGINT, user_score DOUBLE PRECISION, user_rating_count BIGINT,
    user_positive BIGINT, user_mixed BIGINT, user_negative BIGINT, user_review_count BIGINT, must_see BOOLEAN,
    content_rating TEXT, runtime_minutes BIGINT, summary TEXT, tagline TEXT, genres JSON NOT NULL, countries JSON
    NOT NULL, languages JSON NOT NULL, distributors JSON NOT NULL, production_companies JSON NOT NULL, directors
    JSON NOT NULL, writers JSON NOT NULL, "cast" JSON NOT NULL, rankings JSON NOT NULL, awards JSON NOT NULL,
    official_site TEXT, image_url TEXT, trailer_url TEXT, seen_run INTEGER NOT NULL);
CREATE TABLE runs (id {serial} PRIMARY KEY, spider TEXT NOT NULL, arguments JSON NOT NULL, pid INTEGER NOT NULL,
    host TEXT NOT NULL, started_at {time} NOT NULL, finished_at {time}, outcome TEXT, message TEXT);
INSERT INTO runs (spider, arguments, pid, host, started_at, finished_at, outcome, message) VALUES ('movies',
    '{{"movie": "her"}}', 1, 'here', '2017-07-16T12:00:00Z', '2017-07-16T12:01:00Z', 'complete', 'all'), ('movies',
    '{{}}', 2, 'there', '2017-07-17T12:00:00Z', NULL, NULL, NULL);
INSERT INTO critic_reviews VALUES ('her/paper/ann', '2016', 'https://x/her', '2017-07-16T12:00:00Z', 'her', 'Paper',
    'paper', 'Ann', 'ann', 90, '2013-12-16', 'Good.', NULL, 1);
INSERT INTO user_reviews VALUES ('her/Bob', '2016', 'https://x/her', '2017-07-16T12:00:00Z', 'her', NULL, 'Bob', 7,
    '2014-01-02', NULL, 'Fine.', FALSE, 1, 2, 1);
INSERT INTO movie_parts VALUES ('her', 'movie', '{{"title": "Her"}}');
INSERT INTO movies (key, layout, source_url, captured_at, slug, title, url, user_score, genres, countries,
    languages, distributors, production_companies, directors, writers, "cast", rankings, awards, seen_run) VALUES
    ('her', '2016', 'https://x/her', '2017-07-16T12:00:00Z', 'her', 'Her', 'https://x/her', 8.5, '["Drama"]', '[]',
    '[]', '[]', '[]', '[{{"name": "Jonze", "slug": null, "role": null}}]', '[]', '[]', '[]', '[]', 1);
"""
DIALECTS = {
    "sqlite": {"key": "TEXT", "time": "DATETIME", "serial": "INTEGER NOT NULL"},
    "postgresql": {"key": 'TEXT COLLATE "C"', "time": "TIMESTAMP WITH TIME ZONE", "serial": "SERIAL"},
}


@pytest.fixture
def old_url(database_url):
    """A database of version 1, with a film, a review of each kind, a run that ended and one that was killed."""
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        for statement in filter(str.strip, VERSION_1.format(**DIALECTS[engine.dialect.name]).split(";")):
            connection.exec_driver_sql(statement)
    engine.dispose()
    return database_url


@pytest.fixture
def opened():
    """Open databases until the test ends."""
    engines = []

    def open_database(url, how=connect):
        engines.append(how(url))
        return engines[-1]

    yield open_database
    for engine in engines:
        engine.dispose()


def everything(engine):
    with engine.connect() as connection:
        return [record for kind in (Movie, CriticReview, UserReview) for record in reading.read(connection, kind)]


def tables(engine):
    """All tables with their columns and indexes."""
    inspector = sa.inspect(engine)
    return {
        name: (
            {column["name"] for column in inspector.get_columns(name)},
            {index["name"] for index in inspector.get_indexes(name)},
        )
        for name in inspector.get_table_names()
    }


def set_version(url, version):
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.update(SCHEMA_VERSION).values(version=version))
    engine.dispose()


def test_all_records_are_kept_and_readable(old_url, opened):
    opened(old_url)
    film, critic, user = everything(opened(old_url, connect_to_read))
    assert (film.key, film.title, film.user_score, film.captured_at) == ("her", "Her", 8.5, WHEN)
    assert (film.genres, film.directors) == (["Drama"], [Credit(name="Jonze")])
    assert (critic.key, critic.score, critic.date) == ("her/paper/ann", 90, dt.date(2013, 12, 16))
    assert (user.key, user.score, user.spoiler, user.captured_at) == ("her/Bob", 7, False, WHEN)


def test_the_tables_are_as_new_ones(old_url, opened):
    found = tables(opened(old_url))
    assert found.keys() == METADATA.tables.keys()
    for name, table in METADATA.tables.items():
        columns, indexes = found[name]
        assert columns == set(table.columns.keys())
        assert indexes >= {index.name for index in table.indexes}


def test_a_crawl_goes_on_with_what_is_there(old_url, opened):
    engine = opened(old_url)
    with engine.begin() as connection:
        run = runs.enter(connection, "job", "movies", {})
        counts = records.save(connection, run, [UserReview(key="her/Bob", movie_slug="her", author="Bob", score=8)])
    assert (run, counts["changed"], counts["new"]) == (3, 1, 0)
    assert len(everything(engine)) == 3


@pytest.fixture
def url_of_5(database_url):
    """A database of version 5, with a review."""
    engine = connect(database_url)
    with engine.begin() as connection:
        run = runs.enter(connection, "job", "movies", {})
        review = UserReview(key="her/Bob", movie_slug="her", author="Bob", captured_at=WHEN)
        records.save(
            connection,
            run,
            [review, Movie(key="her", slug="her", source_url="https://www.metacritic.com/movie/her", captured_at=WHEN)],
        )
        for table in ("movies", "critic_reviews", "user_reviews"):
            for column in ("first_seen_at", "vanished_at"):
                connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN {column}")
        for table in ("changes", "visits", "schedule"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
        connection.exec_driver_sql("DROP INDEX ix_workers_job_id")
        connection.exec_driver_sql("ALTER TABLE workers DROP COLUMN job_id")
    engine.dispose()
    set_version(database_url, 5)
    return database_url


def test_records_of_version_5_count_as_seen_when_they_were_captured(url_of_5, opened):
    engine = opened(url_of_5)
    with engine.connect() as connection:
        for table in (MOVIES, USER_REVIEWS):
            kept = sa.select(table.c.first_seen_at, table.c.vanished_at)
            assert tuple(connection.execute(kept).one()) == (WHEN, None)
    found = tables(engine)
    for name, table in METADATA.tables.items():
        assert found[name][0] == set(table.columns.keys())
        assert found[name][1] >= {index.name for index in table.indexes}


def test_runs_of_then_are_over_for_nobody_can_resume_them(old_url, opened):
    with opened(old_url).connect() as connection:
        rows = connection.execute(sa.text("SELECT finished_at IS NULL, outcome FROM runs ORDER BY id")).all()
        assert [tuple(row) for row in rows] == [(False, "complete"), (False, "interrupted")]
        assert runs.open_run(connection, "") is None


def test_to_bring_it_up_to_date_twice_changes_nothing(old_url, opened):
    first = everything(opened(old_url))
    before = tables(opened(old_url))
    assert everything(opened(old_url)) == first
    assert tables(opened(old_url)) == before


def test_whoever_reads_is_told_to_crawl_first(old_url):
    with pytest.raises(DatabaseError, match="made by an older metacrawl: the next crawl brings it up to date"):
        connect_to_read(old_url)


def test_a_database_of_a_newer_metacrawl_is_refused_and_left_alone(database_url, opened):
    before = tables(opened(database_url))
    set_version(database_url, 99)
    with pytest.raises(DatabaseError, match=r"tables of version 99, .* install the newer one"):
        connect(database_url)
    set_version(database_url, VERSION)
    assert tables(opened(database_url)) == before


def test_the_command_says_so(scrapy, database_url, opened):
    opened(database_url)
    set_version(database_url, 99)
    run = scrapy(
        "crawl", "movies", "-a", "movie=her", METACRAWL_DATABASE_URL=database_url, METACRAWL_CONTACT="me@x.org"
    )
    assert (run.returncode, run.stdout) == (Outcome.DATABASE.value, "")
    assert run.stderr.startswith("metacrawl: ")
    assert "install the newer one" in run.stderr
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize("is_there", ["database_url", "old_url"])
def test_several_may_open_it_at_once(is_there, database_url, request, opened):
    """One of them makes the tables, or brings them up to date; the others find them so."""
    url = request.getfixturevalue(is_there)
    start, failures = threading.Barrier(6), []

    def work():
        start.wait(timeout=10)
        try:
            opened(url)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test is to tell
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    with opened(url).connect() as connection:
        assert connection.execute(sa.text("SELECT version FROM schema_version")).scalars().all() == [VERSION]
