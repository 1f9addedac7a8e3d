"""The PostgreSQL server of the tests, and crawls that write into it."""

import hashlib
import re
import shutil
import signal
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from tests.conftest import lack
from tests.postgres import PASSWORD, Postgres

PAGES = Path(__file__).parent / "fixtures/2016"


@pytest.fixture
def table(postgresql_url):
    """An engine, and a table in its database."""
    engine = sa.create_engine(postgresql_url)
    table = sa.Table("notes", sa.MetaData(), sa.Column("note", sa.Text))
    table.create(engine)
    yield engine, table
    engine.dispose()


# --- The server


def test_the_server_sorts_otherwise_than_by_bytes_so_that_a_wrong_order_shows(postgres, table):
    if not postgres.collates:
        lack("this machine cannot make a locale: localedef or what it reads is missing")
    engine, notes = table
    with engine.begin() as connection:
        connection.execute(sa.insert(notes), [{"note": note} for note in ("B", "a", "Z")])
        assert connection.execute(sa.select(notes).order_by(notes.c.note)).scalars().all() == ["a", "B", "Z"]


@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGKILL])
def test_a_crash_ends_connections_and_keeps_what_was_committed(postgres, table, how):
    engine, notes = table
    with engine.begin() as connection:
        connection.execute(sa.insert(notes).values(note="kept"))
    with engine.connect() as connection:
        connection.execute(sa.insert(notes).values(note="lost"))
        postgres.restart(how)
        with pytest.raises(OperationalError) as ended:
            connection.commit()
    assert ended.value.connection_invalidated
    with engine.connect() as connection:
        assert connection.execute(sa.select(notes)).scalars().all() == ["kept"]


def test_a_server_that_is_stopped_refuses_until_it_is_started(postgres, postgresql_url):
    url = postgresql_url.replace("+psycopg", "")
    postgres.stop()
    try:
        with pytest.raises(psycopg.OperationalError, match="refused"):
            psycopg.connect(url)
    finally:
        postgres.start()
    psycopg.connect(url).close()


def test_two_servers_do_not_know_each_other_and_leave_nothing_behind(postgres):
    with Postgres() as other:
        assert other.port != postgres.port
        other.create("films")
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            psycopg.connect(postgres.url("films").replace("+psycopg", ""))
    assert not other.folder.exists()


# --- Crawls


@pytest.fixture
def pages(tmp_path):
    """Four saved pages of one film, to be changed at will."""
    folder = tmp_path / "pages"
    folder.mkdir()
    for name in ("critic-reviews", "details", "movie-with-everything", "user-reviews"):
        shutil.copy(PAGES / f"{name}.html", folder)
    return folder


@pytest.fixture
def crawl(scrapy, pages, tmp_path):
    """Crawl them into a database; gives the process and, by file, what is exported."""

    def run(url):
        given = ("-a", "source=files", "-a", f"path={pages}", "-a", "captured_at=2017-07-16T12:00:00Z")
        done = scrapy("crawl", "movies", *given, METACRAWL_DATABASE_URL=url)
        print(done.stdout, done.stderr)  # noqa: T201 - shown if the test fails
        written = scrapy("export", "--to", tmp_path / "out", "--partial", METACRAWL_DATABASE_URL=url)
        assert PASSWORD not in done.stdout + done.stderr + written.stdout + written.stderr
        assert written.returncode == 0, written.stderr
        files = {path.name: path.read_bytes() for path in (tmp_path / "out").glob("*.jsonl")}
        # When something was stored is another time in each.
        return done, {name: re.sub(rb'"first_seen_at":"[^"]*"', b"", text) for name, text in files.items()}

    return run


def change(page, old, new):
    text = page.read_text(encoding="utf-8")
    assert old in text
    page.write_text(text.replace(old, new), encoding="utf-8")


def test_both_backends_hold_the_same_byte_for_byte(crawl, sqlite_url, postgresql_url):
    done, there = crawl(postgresql_url)
    assert done.returncode == 0, done.stderr
    assert there == crawl(sqlite_url)[1]
    assert there == crawl(postgresql_url)[1]
    assert {name for name, text in there.items() if not text} == {"changes.jsonl"}


@pytest.mark.parametrize(
    ("page", "old", "new"),
    [
        ("critic-reviews", "/publication/gamesradar+", "/publication/games%00radar"),
        ("details", "/person/", "/person/%00"),
        ("user-reviews", "OldTimer", "".join(hashlib.sha256(bytes([part])).hexdigest() for part in range(80))),
    ],
    ids=["NUL in a key", "NUL in lists", "a key too long for an index"],
)
def test_a_value_that_postgresql_refuses_costs_no_other_records(crawl, pages, postgresql_url, page, old, new):
    """It may be dropped or written otherwise; what stands beside it is kept."""
    change(pages / f"{page}.html", old, new)
    done, files = crawl(postgresql_url)
    assert done.returncode in {0, 10}, done.stdout + done.stderr
    assert files["movies.jsonl"].count(b"\n") == 1
    assert files["critic_reviews.jsonl"].count(b"\n") == 4
    # Two of the four are by the author whose name is changed.
    assert files["user_reviews.jsonl"].count(b"\n") >= 2
