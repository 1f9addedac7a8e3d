import datetime as dt
import gc
import sqlite3
import threading
import uuid
from contextlib import closing

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from metacrawl.database import reading, records, runs
from metacrawl.database.connection import connect, connect_to_read
from metacrawl.database.schema import USER_REVIEWS
from metacrawl.items import CriticReview, UserReview
from metacrawl.outcome import ConfigError, DatabaseError
from tests.postgres import PASSWORD

BOTH = pytest.mark.parametrize("open_database", [connect, connect_to_read])


@pytest.fixture
def file(tmp_path):
    return tmp_path / "metacrawl.db"


@pytest.fixture
def engine(database_url):
    opened = connect(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def reader(engine, database_url):
    opened = connect_to_read(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def second(database_url):
    opened = connect(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def run_sql(postgresql_url):
    """Tell the server something, as another program would."""

    def run(statement):
        with psycopg.connect(postgresql_url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(statement)

    return run


def review(author):
    when = dt.datetime(2017, 7, 16, tzinfo=dt.UTC)
    return UserReview(key=f"her/{author}", movie_slug="her", author=author, captured_at=when)


def begin(connection):
    return runs.enter(connection, uuid.uuid4().hex, "movies", {})


def store(connection, *authors):
    records.save(connection, begin(connection), [review(author) for author in authors])


def authors(engine):
    with engine.connect() as connection:
        return [found.author for found in reading.read(connection, UserReview)]


def refusal(error, open_database, url):
    with pytest.raises(error) as refused:
        open_database(url)
    message = str(refused.value)
    del refused
    gc.collect()  # a connection that was left open is told here, not in the midst of another test
    assert len(message.splitlines()) == 1
    assert PASSWORD not in message
    return message


# --- Opening


def test_a_database_that_is_not_there_is_made(file, sqlite_url):
    connect(sqlite_url).dispose()
    assert file.is_file()


def test_a_database_is_opened_again_with_what_it_holds(engine, database_url):
    with engine.begin() as connection:
        store(connection, "Ann")
    again = connect(database_url)
    try:
        assert authors(again) == ["Ann"]
    finally:
        again.dispose()


def test_a_database_is_read_after_a_crawl(engine, reader):
    with engine.begin() as connection:
        store(connection, "Ann")
    assert authors(reader) == ["Ann"]


def test_a_new_database_may_be_opened_by_many_at_once(database_url):
    failures = []

    def open_it():
        try:
            connect(database_url).dispose()
        except DatabaseError as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert failures == []


# --- What cannot be used


def test_reading_makes_no_database(file, sqlite_url):
    assert f"there is no database {sqlite_url}" in refusal(DatabaseError, connect_to_read, sqlite_url)
    assert not file.exists()


def test_reading_makes_no_tables(postgresql_url):
    refusal(DatabaseError, connect_to_read, postgresql_url)
    assert "is no database of metacrawl's" in refusal(DatabaseError, connect_to_read, postgresql_url)


@BOTH
def test_a_database_that_the_server_does_not_have_is_refused_by_name(postgres, open_database):
    assert '"no_such_database" does not exist' in refusal(
        DatabaseError, open_database, postgres.url("no_such_database")
    )


@BOTH
def test_a_wrong_password_is_refused_and_not_told(postgresql_url, open_database):
    wrong = postgresql_url.replace(PASSWORD, "wrong-guess")
    message = refusal(DatabaseError, open_database, wrong)
    assert "password authentication failed" in message
    assert "wrong-guess" not in message


@BOTH
def test_a_server_that_is_not_there_is_refused(postgresql_url, open_database):
    nowhere = postgresql_url.rpartition(":")[0] + ":1/films"
    assert "127.0.0.1" in refusal(DatabaseError, open_database, nowhere)


@BOTH
def test_a_name_that_the_driver_does_not_know_is_refused(postgresql_url, open_database):
    url = f"{postgresql_url}?nosuchoption=1"
    assert "nosuchoption" in refusal((ConfigError, DatabaseError), open_database, url)


@pytest.mark.parametrize("used", [False, True], ids=["empty", "with tables"])
def test_a_database_on_a_server_that_cannot_be_written_is_refused(postgresql_url, run_sql, used):
    if used:
        connect(postgresql_url).dispose()
    run_sql(f"ALTER DATABASE {make_url(postgresql_url).database} SET default_transaction_read_only = on")
    assert "read-only" in refusal(DatabaseError, connect, postgresql_url)


@BOTH
def test_a_missing_folder_is_refused_by_name(tmp_path, open_database):
    url = f"sqlite:///{tmp_path / 'missing' / 'metacrawl.db'}"
    assert url in refusal(DatabaseError, open_database, url)
    assert not (tmp_path / "missing").exists()


@BOTH
def test_a_folder_is_no_database(tmp_path, open_database):
    assert str(tmp_path) in refusal(DatabaseError, open_database, f"sqlite:///{tmp_path}")


@BOTH
def test_a_file_of_another_kind_is_refused_by_name_and_left_alone(file, sqlite_url, open_database):
    content = b"This is no database.\n" * 1000
    file.write_bytes(content)
    assert sqlite_url in refusal(DatabaseError, open_database, sqlite_url)
    assert file.read_bytes() == content


def test_a_database_of_another_program_is_not_read(file, sqlite_url):
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE something (id INTEGER)")
    connection.close()
    assert sqlite_url in refusal(DatabaseError, connect_to_read, sqlite_url)


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
        "postgresql://someone@127.0.0.1:1/name?password=secret",
    ],
)
def test_a_password_is_in_no_message(open_database, url):
    assert "secret" not in refusal((ConfigError, DatabaseError), open_database, url)


# --- Several at once


def test_a_second_writer_of_a_record_waits_for_the_first(engine, second):
    began = threading.Event()
    failures = []

    def write():
        began.set()
        try:
            with second.begin() as connection:
                store(connection, "Bob", "Ann")
        except Exception as error:  # noqa: BLE001 - whatever it is, the test is to tell
            failures.append(error)

    writer = threading.Thread(target=write)
    with engine.begin() as connection:
        store(connection, "Ann")
        writer.start()
        assert began.wait(timeout=5)
        writer.join(timeout=0.2)
        assert writer.is_alive()
    writer.join(timeout=10)
    assert (writer.is_alive(), failures) == (False, [])
    assert authors(engine) == ["Ann", "Bob"]


def test_writers_that_meet_the_same_records_in_opposite_order_both_end(engine, second):
    names = [f"{number:03}" for number in range(200)]
    failures = []

    def write(one, order):
        try:
            for _ in range(10):
                with one.begin() as connection:
                    store(connection, *order)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test is to tell
            failures.append(error)

    threads = [threading.Thread(target=write, args=given) for given in ((engine, names), (second, names[::-1]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert authors(engine) == names


def test_two_workers_of_a_run_may_meet_two_reviews_under_one_key(engine, second):
    with engine.begin() as connection:
        run = begin(connection)
    both = threading.Barrier(2)
    when = dt.datetime(2017, 7, 16, tzinfo=dt.UTC)
    critics = [f"her/paper/{number}" for number in range(10)]

    def write(one, site):
        for key in critics:
            link = f"https://{site}/{key}"
            review = CriticReview(key=key, movie_slug="her", full_review_url=link, captured_at=when)
            both.wait(timeout=5)
            with one.begin() as connection:
                records.save(connection, run, [review])

    sites = ["a.example", "b.example"]
    threads = [threading.Thread(target=write, args=given) for given in zip((engine, second), sites, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    with engine.connect() as connection:
        stored = {found.full_review_url for found in reading.read(connection, CriticReview)}
    assert stored == {f"https://{site}/{key}" for site in sites for key in critics}


def test_a_reader_sees_what_was_finished_while_a_crawl_writes(engine, reader):
    with engine.begin() as connection:
        store(connection, "Ann")
    with engine.begin() as connection:
        store(connection, "Bob")
        assert authors(reader) == ["Ann"]
    assert authors(reader) == ["Ann", "Bob"]


def test_a_reader_sees_one_state_of_all_kinds_of_record(engine, reader):
    with reader.connect() as reading_one_state:
        assert list(reading.read(reading_one_state, CriticReview)) == []
        with engine.begin() as connection:
            store(connection, "Ann")
        assert list(reading.read(reading_one_state, UserReview)) == []
    assert authors(reader) == ["Ann"]


def test_runs_that_start_at_once_get_different_ids(engine, second):
    ids = []

    def start(one):
        with one.begin() as connection:
            ids.append(begin(connection))

    threads = [threading.Thread(target=start, args=(one,)) for one in (engine, second) * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
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


def test_what_is_committed_is_on_the_disk_and_readers_do_not_wait(sqlite_url):
    engine = connect(sqlite_url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2, "FULL"
    engine.dispose()


def test_what_an_error_says_has_no_texts_and_no_names(engine):
    values = {"key": "her/canary", "movie_slug": "her", "author": "canary", "layout": "", "source_url": ""}
    values |= {"text": "canary", "seen_run": 1}
    USER_REVIEWS.drop(engine)
    with pytest.raises(DBAPIError) as error, engine.begin() as connection:
        connection.execute(sa.insert(USER_REVIEWS).values(values))
    assert "INSERT INTO user_reviews" in str(error.value)
    assert "canary" not in str(error.value)
