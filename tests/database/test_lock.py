import os

import pytest
import sqlalchemy as sa

from metacrawl.database import runs
from metacrawl.database.connection import connect
from metacrawl.database.lock import alone, is_taken, lock, take
from metacrawl.database.schema import WORKERS
from metacrawl.outcome import LockedError


@pytest.fixture
def engine(sqlite_url):
    opened = connect(sqlite_url)
    yield opened
    opened.dispose()


def test_a_database_that_is_taken_names_who_has_it(engine):
    held = lock(engine.url)
    with pytest.raises(LockedError, match="is in use by a run that is just starting: wait for it to end"):
        lock(engine.url)
    with engine.begin() as connection:
        runs.enlist(connection, runs.enter(connection, "job", "movies", {"movie": "her"}))
    with pytest.raises(LockedError, match=r"is in use by run 1 \(movies, process \d+ on .+, since 20\d\d-.+Z\)"):
        lock(engine.url)
    held.release()


def test_a_database_that_was_released_can_be_taken(engine):
    lock(engine.url).release()
    lock(engine.url).release()


def test_a_database_in_memory_is_nobody_elses():
    engine = connect("sqlite://")
    assert lock(engine.url) is None
    engine.dispose()


def test_only_one_process_does_a_thing(database_url):
    url = sa.make_url(database_url)
    held = alone(url, "schedule")
    with pytest.raises(LockedError, match="another process does schedule already"):
        alone(url, "schedule")
    alone(url, "something-else").release()
    held.release()
    alone(url, "schedule").release()


def test_a_crawl_goes_on_beside_what_only_one_process_does(engine):
    held = alone(engine.url, "schedule")
    take(engine.url, "").release()
    held.release()


def test_on_postgresql_a_job_is_taken_and_not_the_database(postgresql_url):
    engine = connect(postgresql_url)
    held = take(engine.url, "job")
    assert [take(engine.url, ""), take(engine.url, "")] == [None, None]
    with pytest.raises(LockedError, match="the same crawl is at work already, as a run that is just starting: wait"):
        take(engine.url, "job")
    take(engine.url, "other").release()
    with engine.begin() as connection:
        run = runs.enter(connection, "job", "movies", {})
        runs.enlist(connection, run, "night-1")
        runs.enlist(connection, runs.enter(connection, "other", "movies", {}), "night-2")
        # Whoever came to help has not taken it.
        connection.execute(sa.update(WORKERS).where(WORKERS.c.id == runs.enlist(connection, run)).values(pid=7))
    with pytest.raises(LockedError, match=rf"as run 1 \(movies, process {os.getpid()} on .+, since 20\d\d-.+Z\): wait"):
        take(engine.url, "job")
    held.release()
    take(engine.url, "job").release()
    engine.dispose()


def test_a_lock_goes_with_its_connection(postgresql_url, caplog):
    engine = connect(postgresql_url)
    held = take(engine.url, "job")
    with engine.begin() as connection:
        assert is_taken(connection, "job")
        assert not is_taken(connection, "other")
        others = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(sa.text(f"SELECT pg_terminate_backend(pid, 10000) FROM {others}"))  # noqa: S608
        assert not is_taken(connection, "job")
    # The process that had it knows nothing of that yet.
    take(engine.url, "job").release()
    held.release()
    assert caplog.messages == []
    engine.dispose()
