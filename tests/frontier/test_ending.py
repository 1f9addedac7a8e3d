"""How a run begins and ends, as the database has it: what is tried again, what is short, what is forgiven."""

import datetime as dt
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from metacrawl.completeness import FILM_PAGE, Total
from metacrawl.database import completeness, runs
from metacrawl.database.account import Leaving, close
from metacrawl.database.records import save
from metacrawl.database.schema import FRONTIER, TOTALS
from metacrawl.figures import Figures
from metacrawl.frontier import beginning, queue
from metacrawl.frontier.ending import end
from metacrawl.outcome import Outcome, Problem, Problems
from metacrawl.urls import PageKind
from tests.frontier.parts import WHEN, Database, review

ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
USERS = PageKind.USER_REVIEWS
DAY = dt.timedelta(days=1)
FAILED = Problem(Outcome.SITE_DOWN, "HTTP 503")
PARTLY = Leaving(Outcome.PARTIAL, "HTTP 503", Problems(), unfinished=False)


def says(database, number, captured_at=WHEN):
    total = Total("her", USERS, FILM_PAGE, number, captured_at=captured_at)
    database.do(completeness.keep, database.run, 1, "asked-for", [total])


def settle(database):
    return database.do(completeness.settle, database.run, {USERS})


def fail(database, name="a"):
    """Have a page of the list of users' reviews fail for good; gives its id."""
    worker = database.worker()
    database.add(name)
    [leased] = database.lease(worker)
    database.do(queue.settle, worker, [leased.id], "dead")
    database.do(runs.note, database.run, [FAILED], page=leased.id, about={"film": "her", "kind": "user-reviews"})
    return leased.id


def spider(source="site", joins=""):
    asked = SimpleNamespace(fresh=False, source=source)
    return SimpleNamespace(job="job", name="movies", given={}, joins=joins, arguments=asked)


@pytest.mark.parametrize(("number", "follows", "told"), [(9, True, 0), (9, False, 1), (1, True, 0), (1, False, 0)])
def test_a_page_that_failed_is_explained_by_what_is_short_only_where_that_counts(database, number, follows, told):
    """What an archive does not have makes no run partial: what it has and does not give must."""
    database.do(save, database.run, [review("Ada")])
    says(database, number)
    fail(database)
    found = []

    def conclude(problems, *_, **__):
        found.append(problems)
        return Outcome.COMPLETE, ""

    crawl = SimpleNamespace(reviews={USERS}, source=SimpleNamespace(follows=follows))
    ledger = SimpleNamespace(worker=database.worker(), figures=Figures())
    run = SimpleNamespace(id=database.run, spider=crawl, ledger=ledger, conclude=conclude)
    database.do(runs.set_seeded, database.run)
    database.do(end, run)
    assert found[0].count.total() == told


def test_an_older_run_that_meets_the_same_reviews_later_takes_nothing_from_a_newer_one(database):
    newer = Database(database.engine, database.do(runs.enter, "other", "movies", {}))
    for one in (newer, database):
        says(one, 1)
        database.do(save, one.run, [review("Ada")])
    assert [row.stored for row in (*settle(database).verdicts.values(), *settle(newer).verdicts.values())] == [1, 1]


def test_of_captures_in_any_order_the_last_of_the_site_counts(database):
    says(database, 50, WHEN)
    says(database, 10, WHEN - DAY)
    assert settle(database).verdicts["her", USERS].total == 50
    says(database, 49, WHEN)
    assert settle(database).verdicts["her", USERS].total == 49


def test_what_is_forgiven_is_what_the_run_itself_could_not_have(database):
    other = Database(database.engine, database.do(runs.enter, "other", "movies", {}))
    mine, others = fail(database), fail(other, "b")
    # Ids of requests that are forgotten are given again.
    database.do(runs.note, database.run, [FAILED], page=others, about={"film": "her", "kind": "user-reviews"})
    says(database, 0)
    ledger = settle(database)
    assert ledger.verdicts["her", USERS].verdict == "complete"
    database.do(completeness.forgive, database.run, ledger)
    states = dict(database.do(lambda connection: connection.execute(sa.select(FRONTIER.c.id, FRONTIER.c.state)).all()))
    assert states == {mine: "done", others: "dead"}


@ON_POSTGRESQL
def test_however_many_pages_failed_they_are_tried_again(database):
    """More than a statement has room for in its parameters."""
    number = 70_000
    dead = """INSERT INTO frontier (run, key, url, asked_for, priority, state, crashes)
        SELECT :run, key, '', '', 0, 'dead', 0 FROM generate_series(1, :number) AS key"""
    given = {"run": database.run, "number": number}
    database.do(lambda connection: connection.execute(sa.text(dead), given))
    database.do(runs.note, database.run, [FAILED], page=1)
    assert database.do(queue.retry, database.run) == number
    assert database.problems() == {}


def test_a_run_that_was_tried_again_is_no_fresher_for_it(database, monkeypatch):
    """Who asks more often than every twelve hours gets all anew in the end."""
    fail(database)
    start, begun = runs.now(), []
    for hours in (0, 8, 16):
        monkeypatch.setattr(runs, "now", lambda hours=hours: start + dt.timedelta(hours=hours))
        if hours:
            begun.append(database.do(beginning.begin, spider()))
            [page] = database.lease(database.worker()) or [None]
            if page:
                database.do(lambda connection: connection.execute(sa.update(FRONTIER).values(state="dead")))
        database.do(close, database.run, PARTLY)
    assert begun == [database.run, database.run + 1]


def test_only_an_open_run_of_the_same_job_that_nobody_has_left_is_joined(database):
    run = str(database.run)
    assert database.do(beginning.begin, spider(joins=run)) == database.run
    for wanted in (str(database.run + 1), f"0{run}", "-"):
        with pytest.raises(beginning.NothingToJoinError):
            database.do(beginning.begin, spider(joins=wanted))
    other = database.do(runs.enter, "other", "movies", {})
    with pytest.raises(beginning.NothingToJoinError):
        database.do(beginning.begin, spider(joins=str(other)))
    database.do(runs.pause, database.run, Outcome.INTERRUPTED, "")
    with pytest.raises(beginning.NothingToJoinError, match=f"run {run} is over, or not of this crawl"):
        database.do(beginning.begin, spider(joins=run))
    database.do(runs.resume, database.run)
    database.do(runs.finish, database.run, Outcome.COMPLETE, "")
    with pytest.raises(beginning.NothingToJoinError):
        database.do(beginning.begin, spider(joins=run))
    # Whoever is not there to join begins anew.
    assert database.do(beginning.begin, spider()) == other + 1


def test_saved_pages_are_all_read_again_for_they_may_be_others_by_now(database):
    fail(database)
    database.do(close, database.run, PARTLY)
    assert database.do(beginning.begin, spider("files")) == database.run + 1


@pytest.mark.parametrize(("hours", "kept"), [(11, 1), (13, 0)])
def test_what_nobody_goes_on_with_any_more_is_forgotten(database, monkeypatch, hours, kept):
    fail(database)
    says(database, 9)
    database.do(close, database.run, PARTLY)
    later = runs.now() + dt.timedelta(hours=hours)
    monkeypatch.setattr(runs, "now", lambda: later)
    database.do(runs.forget, "of another job")
    for table in (FRONTIER, TOTALS):
        assert database.do(lambda connection, table=table: len(connection.execute(sa.select(table)).all())) == kept
