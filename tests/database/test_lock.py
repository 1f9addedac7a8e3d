import pytest

from metacrawl.database import runs
from metacrawl.database.connection import connect
from metacrawl.database.lock import lock
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
