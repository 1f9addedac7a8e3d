"""A run in an empty database, on each backend, seen by one process and by a second one."""

import psycopg
import pytest

from metacrawl.database import runs
from metacrawl.database.connection import connect
from tests.frontier.parts import Database


@pytest.fixture(scope="session")
def one_postgresql_url(postgres):
    """The URL of a database that is used again and again: to make one takes longer than most of these tests."""
    yield postgres.create("frontier")
    postgres.drop("frontier")


@pytest.fixture
def postgresql_url(one_postgresql_url):
    """The URL of an empty database on PostgreSQL."""
    with psycopg.connect(one_postgresql_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return one_postgresql_url


@pytest.fixture
def quick_url(database_url):
    """The database, which does not wait for locks for long."""
    return f"{database_url}?timeout=0.1" if database_url.startswith("sqlite") else database_url


@pytest.fixture
def database(quick_url):
    engine = connect(quick_url)
    with engine.begin() as connection:
        run = runs.enter(connection, "job", "movies", {})
    yield Database(engine, run)
    engine.dispose()


@pytest.fixture
def second(database, database_url):
    """The same run, as another process sees it."""
    engine = connect(database_url)
    yield Database(engine, database.run)
    engine.dispose()


@pytest.fixture
def worker(database):
    return database.worker()
