import datetime as dt
import sqlite3
import threading
from contextlib import closing

import pytest

from metacrawl.database import reading, records, runs
from metacrawl.database.connection import connect, connect_to_read
from metacrawl.items import UserReview
from metacrawl.outcome import ConfigError, DatabaseError

BOTH = pytest.mark.parametrize("open_database", [connect, connect_to_read])


@pytest.fixture
def file(tmp_path):
    return tmp_path / "metacrawl.db"


@pytest.fixture
def url(file):
    return f"sqlite:///{file}"


@pytest.fixture
def engine(url):
    opened = connect(url)
    yield opened
    opened.dispose()


def review(author):
    when = dt.datetime(2017, 7, 16, tzinfo=dt.UTC)
    return UserReview(key=f"her/{author}", movie_slug="her", author=author, captured_at=when)


def store(connection, *authors):
    records.save(connection, runs.start(connection, "movies", {}), [review(author) for author in authors])


def authors(engine):
    with engine.connect() as connection:
        return [found.author for found in reading.read(connection, UserReview)]


def refusal(error, open_database, url):
    with pytest.raises(error) as refused:
        open_database(url)
    assert len(str(refused.value).splitlines()) == 1
    return str(refused.value)


# --- Opening


def test_a_database_that_is_not_there_is_made(file, url):
    connect(url).dispose()
    assert file.is_file()


def test_a_database_is_opened_again_with_what_it_holds(engine, url):
    with engine.begin() as connection:
        store(connection, "Ann")
    again = connect(url)
    try:
        assert authors(again) == ["Ann"]
    finally:
        again.dispose()


def test_a_database_is_read_after_a_crawl(engine, url):
    with engine.begin() as connection:
        store(connection, "Ann")
    reader = connect_to_read(url)
    try:
        assert authors(reader) == ["Ann"]
    finally:
        reader.dispose()


# --- What cannot be used


def test_reading_makes_no_database(file, url):
    assert f"there is no database {url}" in refusal(DatabaseError, connect_to_read, url)
    assert not file.exists()


@BOTH
def test_a_missing_folder_is_refused_by_name(tmp_path, open_database):
    url = f"sqlite:///{tmp_path / 'missing' / 'metacrawl.db'}"
    assert url in refusal(DatabaseError, open_database, url)
    assert not (tmp_path / "missing").exists()


@BOTH
def test_a_folder_is_no_database(tmp_path, open_database):
    assert str(tmp_path) in refusal(DatabaseError, open_database, f"sqlite:///{tmp_path}")


@BOTH
def test_a_file_of_another_kind_is_refused_by_name_and_left_alone(file, url, open_database):
    content = b"This is no database.\n" * 1000
    file.write_bytes(content)
    assert url in refusal(DatabaseError, open_database, url)
    assert file.read_bytes() == content


def test_a_database_of_another_program_is_not_read(file, url):
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE something (id INTEGER)")
    connection.close()
    assert url in refusal(DatabaseError, connect_to_read, url)


def test_a_database_that_cannot_be_written_is_refused_by_name(file):
    sqlite3.connect(file).close()
    file.touch()
    assert str(file) in refusal(DatabaseError, connect, f"sqlite:///file:{file}?mode=ro&uri=true")


@BOTH
@pytest.mark.parametrize(
    "url",
    [
        "",
        "metacrawl.db",
        "nosuchdatabase://host/name",
        "postgresql+nosuchdriver://host/name",
        "sqlite://host/metacrawl.db",
        "postgresql://host:port/name",
    ],
)
def test_what_is_no_database_url_is_refused(open_database, url):
    assert "METACRAWL_DATABASE_URL" in refusal(ConfigError, open_database, url)


@BOTH
@pytest.mark.parametrize(
    "url",
    [
        "nosuchdatabase://someone:secret@host/name",
        "postgresql+nosuchdriver://someone:secret@host/name",
        "sqlite://someone:secret@host/metacrawl.db",
        "someone:secret@host/name",
        "://someone:secret@host/name",
        "postgresql://someone:secret@host:port/name",
        "postgresql://someone:secret",
        "postgresql://someone:secret@127.0.0.1:1/name",
    ],
)
def test_a_password_is_in_no_message(open_database, url):
    assert "secret" not in refusal((ConfigError, DatabaseError), open_database, url)


# --- Several at once


def test_a_second_writer_waits_for_the_first(url, engine):
    second = connect(url)
    began = threading.Event()
    failures = []

    def write():
        began.set()
        try:
            with second.begin() as connection:
                store(connection, "Bob")
        except Exception as error:  # noqa: BLE001 - whatever it is, the test is to tell
            failures.append(error)

    writer = threading.Thread(target=write)
    try:
        with engine.begin() as connection:
            store(connection, "Ann")
            writer.start()
            assert began.wait(timeout=5)
            writer.join(timeout=0.2)
            assert writer.is_alive()
        writer.join(timeout=10)
        assert (writer.is_alive(), failures) == (False, [])
        assert authors(engine) == ["Ann", "Bob"]
    finally:
        second.dispose()


def test_a_reader_sees_what_was_finished_while_a_crawl_writes(url, engine):
    with engine.begin() as connection:
        store(connection, "Ann")
    reader = connect_to_read(url)
    try:
        with engine.begin() as connection:
            store(connection, "Bob")
            assert authors(reader) == ["Ann"]
        assert authors(reader) == ["Ann", "Bob"]
    finally:
        reader.dispose()


def test_runs_that_start_at_once_get_different_ids(url, engine):
    second = connect(url)
    ids = []

    def start(one):
        with one.begin() as connection:
            ids.append(runs.start(connection, "movies", {}))

    threads = [threading.Thread(target=start, args=(one,)) for one in (engine, second) * 5]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=10)
    finally:
        second.dispose()
    assert sorted(ids) == list(range(1, 11))


def test_a_database_of_another_make_is_refused():
    with pytest.raises(ConfigError, match="is for mysql; metacrawl knows sqlite and postgresql"):
        connect("mysql://localhost/films")


def test_reading_leaves_the_file_as_it_is(tmp_path):
    """Another program's database keeps its journal mode."""
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
        connection.commit()
    before = path.read_bytes()
    with pytest.raises(DatabaseError, match="no database of metacrawl's"):
        connect_to_read(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_what_is_committed_is_on_the_disk_and_readers_do_not_wait(engine):
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2, "FULL"
