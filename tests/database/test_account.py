"""The account of a run: of all its processes, from its beginning to its end and beyond."""

import pytest
import sqlalchemy as sa

from metacrawl.database import account, runs
from metacrawl.database.account import Leaving, close, give
from metacrawl.database.connection import connect
from metacrawl.database.schema import COMPLETENESS, RUNS
from metacrawl.figures import Figures
from metacrawl.frontier import queue
from metacrawl.frontier.queue import Row
from metacrawl.outcome import Outcome, Problem, Problems
from tests.database.parts import a_list

DONE = Leaving(Outcome.COMPLETE, "1 film", Problems(), unfinished=False)
STOPPED = Leaving(Outcome.TERMINATED, "stopped by a signal", Problems(), unfinished=True)


@pytest.fixture
def engine(database_url):
    opened = connect(database_url)
    yield opened
    opened.dispose()


def start(connection, job="job"):
    return runs.enter(connection, job, "movies", {"movie": "her"})


def work(connection, run, **counts):
    """Enlist a process that has counted something."""
    worker = runs.enlist(connection, run)
    figures = Figures()
    for name, number in counts.items():
        group, _, name_of = name.partition("__")
        figures.count(group, name_of, number)
    runs.set_figures(connection, worker, figures.as_json())
    return worker


def stored(connection, run):
    return connection.execute(sa.select(RUNS.c.record).where(RUNS.c.id == run)).scalar()


def test_what_all_processes_counted_is_in_it(engine):
    with engine.begin() as connection:
        run = start(connection)
        work(connection, run, pages__movie=2, responses__200=3)
        work(connection, run, pages__movie=1)
        closed = close(connection, run, DONE)
        assert closed.account["pages"] == {"movie": 3}
        assert closed.account["responses"] == {"200": 3}
        assert len(closed.account["processes"]) == 2
        assert closed.account == stored(connection, run) == give(connection, run)


def test_the_first_process_says_how_a_run_ended_and_the_last_adds_what_it_counted(engine):
    with engine.begin() as connection:
        run = start(connection)
        work(connection, run, pages__movie=2)
        assert close(connection, run, DONE).first
        ended = stored(connection, run)
        work(connection, run, pages__movie=1)
        second = close(connection, run, Leaving(Outcome.PARTIAL, "other", Problems(), unfinished=False))
        assert not second.first
        assert stored(connection, run) == {**ended, "pages": {"movie": 3}}


def test_a_run_that_was_stopped_is_open_and_tells_what_is_left(engine):
    with engine.begin() as connection:
        run = start(connection)
        worker = queue.Worker(work(connection, run), run, 60)
        queue.add(connection, run, [Row(name, f"http://x/{name}", "http://x", 0, "{}") for name in "abc"])
        [leased] = queue.lease(connection, worker, 1, alone=False)
        queue.settle(connection, worker, [leased.id], "dead")
        found = close(connection, run, STOPPED).account
        assert (found["finished_at"], found["outcome"], found["exit_code"]) == (None, "interrupted", 143)
        assert found["requests"] == {"failed": 1, "queued": 2, "at_work": 0}
        assert give(connection, run) == found


def test_what_went_wrong_is_counted_and_the_first_of_it_told(engine):
    problems = Problems()
    for number in range(5):
        problems.add(Problem(Outcome.SITE_DOWN, f"page {number}"))
    with engine.begin() as connection:
        run = start(connection)
        close(connection, run, Leaving(Outcome.PARTIAL, "5 pages", problems, unfinished=False))
        assert give(connection, run)["problems"] == {
            "site_down": {"number": 5, "first": ["page 0", "page 1", "page 2"]}
        }


def test_a_field_that_was_looked_for_and_never_found_is_told(engine):
    figures = {
        "records": {"2016/movie/Movie": 4},
        "filled": {"2016/movie/Movie/title": 4, "2016/movie/Movie/genres": 3},
        "tried": {
            "2016/movie/Movie/title/h1": 4,
            "2016/movie/Movie/tagline/div/span": 4,
            "2016/movie/Credit/name/a": 9,
        },
    }
    with engine.begin() as connection:
        run = start(connection)
        runs.set_figures(connection, runs.enlist(connection, run), figures)
        found = give(connection, run)["fields"]
    assert found == {"2016/movie/Movie": {"of": 4, "filled": {"genres": 3, "tagline": 0, "title": 4}}}


def test_the_lists_that_are_not_complete_are_named_up_to_a_number(engine, monkeypatch):
    monkeypatch.setattr(account, "NAMED", 1)
    with engine.begin() as connection:
        run = start(connection)
        lists = [a_list(run, "a", "complete"), a_list(run, "b", "short", missing=3), a_list(run, "c", "unknown")]
        connection.execute(sa.insert(COMPLETENESS), [*lists, a_list(run + 1, "d", "short", missing=1)])
        found = give(connection, run)["completeness"]
    assert [one["film"] for one in found.pop("wanting")] == ["b"]
    assert found == {
        "films": 3, "lists_read": 3, "complete": 1, "short": 1, "unknown": 1, "stored": 27, "missing": 3,
    }  # fmt: skip


def test_it_is_compared_with_the_last_complete_runs_of_the_same_job(engine):
    partial = Leaving(Outcome.PARTIAL, "", Problems(), unfinished=False)
    with engine.begin() as connection:
        endings = [("job", DONE)] * 7 + [("job", partial), ("another job", DONE), ("job", DONE)]
        closed = [close(connection, start(connection, job), leaving) for job, leaving in endings]
    assert [one["run"] for one in closed[-1].earlier] == [7, 6, 5, 4, 3]
