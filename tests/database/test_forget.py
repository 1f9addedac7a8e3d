"""An author is removed from every table, stays away, and is no lack; a database has one policy and one key."""

import datetime as dt
import sqlite3

import pytest
import sqlalchemy as sa

from metacrawl.authors import Authors, LeftOut
from metacrawl.completeness import LIST, Total
from metacrawl.database import authors as policies
from metacrawl.database import changes, completeness, pages, reading, records, runs
from metacrawl.database.connection import connect
from metacrawl.database.forget import forget, purge
from metacrawl.database.schema import AUTHORS, PROBLEMS, RUNS, TOTALS
from metacrawl.frontier import queue
from metacrawl.items import UserReview
from metacrawl.outcome import ConfigError, LockedError, Outcome, Problem
from metacrawl.urls import PageKind

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
KEY = "a key that is long enough"
POLICIES = [Authors(), Authors("pseudonym", KEY), Authors("drop", KEY)]
NAME = "Canary Author 7f3a"
by_policy = pytest.mark.parametrize("authors", POLICIES, ids=lambda authors: authors.policy)
# On the other backend the one that is most unlike the others will do.
EVERYWHERE = pytest.mark.parametrize(
    ("engine", "authors"),
    [*(("sqlite", authors) for authors in POLICIES), ("postgresql", POLICIES[2])],
    ids=["sqlite-keep", "sqlite-pseudonym", "sqlite-drop", "postgresql-drop"],
    indirect=["engine"],
)


@pytest.fixture
def engine(request):
    opened = connect(request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_url"))
    yield opened
    opened.dispose()


class Page:
    def __init__(self, *reviews):
        self.user_reviews = list(reviews)


def by(author, film, review_id=None):
    key = "/".join(filter(None, (film, author, review_id)))
    return UserReview(key=key, movie_slug=film, author=author, review_id=review_id, text=f"on {film}", captured_at=NOON)


REVIEWS = by(NAME, "her", "1"), by(NAME, "her", "2"), by(NAME, "him"), by("canary", "her"), by("Canary", "him")


def crawl(engine, authors, **edited):
    """Store the reviews as a run does that the site tells of three in each list; returns the run and its verdicts."""
    with engine.begin() as connection:
        policies.claim(connection, authors)
        run = runs.enter(connection, "job", "movies", {})
        forgotten = policies.forgotten(connection)
        page = Page(*(UserReview(**vars(review) | edited) for review in REVIEWS))
        authors.hide(page)
        kept = [review for review in page.user_reviews if not forgotten.has(review.author)]
        records.save(connection, run, [authors.published(review) for review in kept])
        left_out = [forgotten.left_out(review) for review in page.user_reviews if forgotten.has(review.author)]
        policies.count_left_out(connection, run, left_out)
        policies.count_left_out(connection, run, left_out)
        totals = [
            Total(film, PageKind.USER_REVIEWS, LIST, number, captured_at=NOON)
            for film, number in (("her", 3), ("him", 2))
        ]
        completeness.keep(connection, run, 1, "", totals)
        ledger = completeness.settle(connection, run, [PageKind.USER_REVIEWS])
        runs.finish(connection, run, Outcome.COMPLETE, "all")
    return run, [(found.verdict, found.stored) for found in ledger.verdicts.values()]


def remove(engine, authors, name, *, elsewhere=False):
    with engine.begin() as connection:
        return forget(connection, authors, name, elsewhere=elsewhere)


def texts(engine):
    with engine.connect() as connection:
        return sorted((review.movie_slug, review.review_id or "") for review in reading.read(connection, UserReview))


def edit(engine, authors, text):
    """Crawl again when all reviews have been edited; returns the films of those that are known to have changed."""
    crawl(engine, authors, text=text, captured_at=dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
    with engine.connect() as connection:
        return [change["movie_slug"] for change in changes.read(connection) if change["new"] == f'"{text}"']


def everything(engine):
    """All that is in all tables."""
    with engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        tables = [sa.Table(name, sa.MetaData(), autoload_with=connection) for name in names]
        return "\n".join(str(row) for table in tables for row in connection.execute(sa.select(table)))


@EVERYWHERE
class TestAnAuthor:
    def test_is_removed_and_nobody_else(self, engine, authors):
        crawl(engine, authors)
        assert remove(engine, authors, NAME) == {"user review": 3, "message": 0}
        assert texts(engine) == [("her", ""), ("him", "")]
        assert NAME not in everything(engine)

    def test_is_not_stored_again_and_is_no_lack(self, engine, authors):
        first, complete = crawl(engine, authors)
        remove(engine, authors, NAME)
        second, verdicts = crawl(engine, authors)
        assert second > first
        assert verdicts == complete == [("complete", 3), ("complete", 2)]
        assert texts(engine) == [("her", ""), ("him", "")]
        with engine.connect() as connection:
            # The run of before has met them, too.
            assert completeness.count_stored(connection, first, PageKind.USER_REVIEWS) == {"her": 3, "him": 2}
            assert completeness.count_stored(connection, second + 1, PageKind.USER_REVIEWS) == {}

    def test_would_come_back_if_it_were_not_remembered(self, engine, authors):
        crawl(engine, authors)
        remove(engine, authors, NAME)
        with engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM forgotten"))
        crawl(engine, authors)
        assert len(texts(engine)) == 5

    def test_can_be_forgotten_twice(self, engine, authors):
        crawl(engine, authors)
        remove(engine, authors, NAME)
        assert remove(engine, authors, NAME) == {"user review": 0, "message": 0}

    def test_who_is_not_there_is_not_remembered(self, engine, authors):
        crawl(engine, authors)
        before = everything(engine)
        for other in (NAME.lower(), f"{NAME} ", "Canary Author"):
            assert remove(engine, authors, other) is None
        assert everything(engine) == before
        assert remove(engine, authors, "Nobody", elsewhere=True) == {"user review": 0, "message": 0}
        assert everything(engine) != before

    def test_has_films_whose_pages_are_read_anew(self, engine, authors):
        crawl(engine, authors)
        with engine.begin() as connection:
            memory = pages.Memory(NOON, {}, [], {"user_reviews": [f"her/{NAME}/1"]}, "", [], [], {}, [])
            for film in ("her", "other"):
                pages.keep(connection, f"https://x/{film}", film, "", memory)
        remove(engine, authors, NAME)
        with engine.connect() as connection:
            found = connection.execute(sa.text("SELECT film FROM pages")).scalars().all()
        assert found == ["other"]

    def test_has_changed_nothing(self, engine, authors):
        crawl(engine, authors)
        assert edit(engine, authors, "Edited.") == ["her", "her", "him", "her", "him"]
        assert authors.hidden == (NAME not in everything(engine))
        remove(engine, authors, NAME)
        with engine.connect() as connection:
            assert [change["movie_slug"] for change in changes.read(connection)] == ["her", "him"]
        assert edit(engine, authors, "Edited again.") == ["her", "him"]
        for name in (NAME, authors.alias(NAME), authors.key_part("her", authors.alias(NAME))):
            assert name not in everything(engine)

    def test_is_taken_out_of_messages(self, engine, authors):
        run, _ = crawl(engine, authors)
        told = f"https://x/user/Canary%20Author%207f3a: {NAME}s, and {NAME}"
        with engine.begin() as connection:
            runs.note(connection, run, [Problem(Outcome.PARTIAL, told)])
            record = {"message": told, "spider": NAME, "problems": {"partial": {"number": 1, "first": [told]}}}
            connection.execute(sa.update(RUNS).values(message=told, record=record))
        assert remove(engine, authors, NAME)["message"] == 3
        cleaned = f"https://x/user/[forgotten]: {NAME}s, and [forgotten]"
        with engine.connect() as connection:
            assert connection.execute(sa.select(PROBLEMS.c.message)).scalar() == cleaned
            [row] = connection.execute(sa.select(RUNS.c.message, RUNS.c.record))
        assert row.message == row.record["message"] == row.record["problems"]["partial"]["first"][0] == cleaned
        assert row.record["spider"] == NAME, "what is no message is a film's name, or a number"


def test_a_pseudonym_is_as_good_as_the_name(engine):
    authors = POLICIES[1]
    crawl(engine, authors)
    assert remove(engine, authors, authors.alias(NAME))["user review"] == 3
    crawl(engine, authors)
    assert len(texts(engine)) == 2


def test_a_review_that_is_left_out_is_counted_by_the_last_run_that_met_it(engine):
    with engine.begin() as connection:
        for run in (7, 5):
            policies.count_left_out(connection, run, [LeftOut("her", "1")])
        assert completeness.count_stored(connection, 6, PageKind.USER_REVIEWS) == {"her": 1}
        assert completeness.count_stored(connection, 6, PageKind.CRITIC_REVIEWS) == {}


# --- The file, and those who use it


def test_nothing_is_left_in_the_file(sqlite_url, tmp_path):
    engine = connect(sqlite_url)
    crawl(engine, Authors())
    remove(engine, Authors(), NAME)

    def is_there():
        return any(NAME.encode() in path.read_bytes() for path in tmp_path.glob("metacrawl.db*"))

    assert is_there(), "a row that is deleted stays until something takes its place"
    purge(engine)
    assert not is_there()
    engine.dispose()


def test_a_file_that_is_being_read_is_told(sqlite_url, tmp_path):
    engine = connect(f"{sqlite_url}?timeout=0.1")
    crawl(engine, Authors())
    reader = sqlite3.connect(tmp_path / "metacrawl.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM user_reviews").fetchone()
    remove(engine, Authors(), NAME)
    with pytest.raises(LockedError, match="run the same command again when nobody reads it"):
        purge(engine)
    reader.close()
    purge(engine)
    assert NAME.encode() not in (tmp_path / "metacrawl.db").read_bytes()
    engine.dispose()


def test_a_worker_that_has_leased_something_is_waited_for(postgresql_url):
    engine = connect(postgresql_url)
    with engine.begin() as connection:
        run = runs.enter(connection, "job", "movies", {})
        worker = queue.Worker(runs.enlist(connection, run), run, 60)
        queue.add(connection, run, [queue.Row("key", "https://x", "https://x", 0, "")])
        assert queue.keep_out(connection)
    with engine.begin() as connection:
        assert queue.lease(connection, worker, 1, alone=True)
    with engine.begin() as connection:
        assert not queue.keep_out(connection)
        connection.execute(sa.text("UPDATE frontier SET lease_until = 0"))
        assert queue.keep_out(connection), "it is dead"
        with engine.begin() as other:
            other.execute(sa.text("SET LOCAL lock_timeout = '100ms'"))
            with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
                queue.give_back(other, worker)
    engine.dispose()


# --- One policy


@by_policy
def test_a_database_is_of_the_policy_that_it_was_first_crawled_with(engine, authors):
    with engine.begin() as connection:
        policies.check(connection, authors)
        policies.claim(connection, authors)
        policies.claim(connection, authors)
        for other in POLICIES:
            if other != authors:
                with pytest.raises(
                    ConfigError, match=rf"METACRAWL_AUTHORS={other.policy}, but .* METACRAWL_AUTHORS={authors.policy}: "
                ):
                    policies.claim(connection, other)


@pytest.mark.parametrize("policy", ["pseudonym", "drop"])
def test_another_key_is_refused_and_neither_is_told(engine, policy):
    with engine.begin() as connection:
        policies.claim(connection, Authors(policy, KEY))
        with pytest.raises(ConfigError, match="METACRAWL_AUTHORS_KEY is not the one that") as error:
            policies.claim(connection, Authors(policy, "another key, and long enough"))
    assert "long enough" not in str(error.value)
    assert KEY not in everything(engine)


def test_a_database_from_before_there_was_a_choice_has_names(engine):
    with engine.begin() as connection:
        runs.enter(connection, "job", "movies", {})
        with pytest.raises(ConfigError, match="was first crawled with METACRAWL_AUTHORS=keep"):
            policies.claim(connection, POLICIES[2])
        policies.claim(connection, Authors())
        assert connection.execute(sa.select(AUTHORS.c.policy)).scalars().all() == ["keep"]


def test_nothing_of_an_author_is_in_what_lists_say(engine):
    """Of what a run keeps until its next: numbers and addresses of lists."""
    crawl(engine, Authors())
    with engine.connect() as connection:
        assert NAME not in str(connection.execute(sa.select(TOTALS)).all())
