"""`scrapy status`: on any width, for people and for programs."""

import json
from io import StringIO

import pytest
import sqlalchemy as sa
from rich.console import Console

from metacrawl.database import runs
from metacrawl.database.account import Leaving, close
from metacrawl.database.connection import connect, connect_to_read
from metacrawl.database.overview import expressions, overview
from metacrawl.database.records import save
from metacrawl.database.schema import COMPLETENESS
from metacrawl.frontier import queue
from metacrawl.frontier.queue import Row
from metacrawl.outcome import Outcome, Problem, Problems
from metacrawl.status import show_overview
from tests.database.parts import a_list
from tests.frontier.parts import review

pytestmark = pytest.mark.measured

NEVER = "2016/movie/Movie/title/"
# Longer than any terminal is wide.
FOLDER = "folder/" * 40


def fill(url):
    """Leave a run that ended as partial, and an open one that failed with a page and has two to go."""
    engine = connect(url)
    problems = Problems()
    problems.add(Problem(Outcome.PARTIAL, "http://x/movie/her: HTTP 404"))
    rule = next(name for name in expressions() if name.startswith(NEVER))
    with engine.begin() as connection:
        first = runs.enter(connection, "job", "movies", {"movie": "her"})
        worker = runs.enlist(connection, first)
        runs.count_met(connection, worker, save(connection, first, [review("ann"), review("bob")]))
        runs.set_figures(connection, worker, {"pages": {"2016/movie": 3}, "tried": {rule: 20}})
        lists = [a_list(first, f"film-{n:02}", "short", missing=n) for n in range(1, 26)]
        connection.execute(sa.insert(COMPLETENESS), [*lists, a_list(first, "whole", "complete")])
        close(connection, first, Leaving(Outcome.PARTIAL, "1 page could not be had", problems, unfinished=False))
        second = runs.enter(connection, "other", "user_reviews", {"movie": f"@{FOLDER}my films.txt", "limit": "3"})
        worker = queue.Worker(runs.enlist(connection, second), second, 60)
        queue.add(connection, second, [Row(name, f"http://x/{name}", "http://x", 0, "{}") for name in "abc"])
        [leased] = queue.lease(connection, worker, 1, alone=False)
        queue.settle(connection, worker, [leased.id], "dead")
    engine.dispose()


@pytest.fixture
def database(sqlite_url):
    """The database of `scrapy`, with these runs."""
    fill(sqlite_url)


def test_runs_and_what_is_missing_are_shown(scrapy, database_url):
    fill(database_url)
    run = scrapy("status", METACRAWL_DATABASE_URL=database_url)
    assert (run.returncode, run.stderr) == (0, "")
    lines = run.stdout.splitlines()
    assert lines[0] == "In the database: 0 films, 0 critic reviews, 2 user reviews"
    [first] = [line.split() for line in lines if line.startswith("   1")]
    assert first[1:3] == ["movies", "movie=her"]
    assert first[6:] == ["partial", "0", "2", "3"]
    says = "Run 2 is open, 2 pages to go, 0 at work, 1 failed; to go on: scrapy crawl user_reviews "
    assert f"{says}-a 'movie=@{FOLDER}my films.txt' -a limit=3" in lines
    assert "Completeness: 1 of 26 lists of 26 films are complete, 25 short (325 reviews missing), 0 unknown" in lines
    shown = [line.split()[0] for line in lines if "  list, first page: HTTP 500" in line]
    assert shown == [f"film-{n:02}" for n in range(1, 21)]
    assert lines[-1] == "and 5 more: scrapy status --films"
    assert "whole" not in run.stdout
    assert "\x1b" not in run.stdout


@pytest.mark.parametrize("width", [80, 100, 200])
def test_nothing_is_wider_than_the_terminal(database, sqlite_url, width):
    engine = connect_to_read(sqlite_url)
    with engine.connect() as connection:
        found = overview(connection)
    engine.dispose()
    console = Console(width=width, file=StringIO())
    for part in show_overview(found, all_films=False):
        console.print(part)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    [first] = [line.split() for line in lines if line.startswith("   1")]
    assert first[-3:] == ["0", "2", "3"]
    assert any("movie=her" in line for line in lines)
    assert any("film-01" in line and "HTTP 500" in line for line in lines)


def test_all_films_are_shown_on_demand(scrapy, database):
    lines = scrapy("status", "--films").stdout.splitlines()
    assert len([line for line in lines if line.startswith((" film-", " whole"))]) == 26


def test_one_run_is_shown_in_full(scrapy, database):
    run = scrapy("status", "1")
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("Run 1: scrapy crawl movies -a movie=her\n")
    assert "partial (10): 1 page could not be had" in run.stdout
    assert "http://x/movie/her: HTTP 404" in run.stdout
    assert "2016/movie 3" in run.stdout


def test_rules_that_never_match_are_named(scrapy, database):
    found = json.loads(scrapy("status", "--rules", "--json").stdout)
    [unmatched] = found["unmatched"]
    assert (unmatched["record"], unmatched["field"], unmatched["tried"]) == ("Movie", "title", 20)
    assert found["untried"] == found["expressions"] - 1
    shown = scrapy("status", "--rules").stdout
    assert "1 were tried often and never matched" in shown
    assert unmatched["expression"] in shown


def test_a_program_gets_json(scrapy, database):
    found = json.loads(scrapy("status", "--json").stdout)
    assert [run["run"] for run in found["runs"]] == [2, 1]
    assert found["records"]["user_reviews"] == 2
    assert found["completeness"]["missing"] == 325
    assert len(found["completeness"]["lists"]) == 26
    one = json.loads(scrapy("status", "2", "--json").stdout)
    assert one["requests"] == {"failed": 1, "queued": 2, "at_work": 0}


@pytest.mark.parametrize(
    ("arguments", "says"), [(["x"], "status takes the number of a run, not x"), (["99"], "there is no run 99")]
)
def test_what_is_no_run_is_wrong_input(scrapy, sqlite_url, arguments, says):
    connect(sqlite_url).dispose()
    run = scrapy("status", *arguments)
    assert (run.returncode, run.stdout, run.stderr) == (2, "", f"metacrawl: {says}\n")


def test_without_a_database_it_says_what_to_do(scrapy):
    run = scrapy("status")
    assert run.returncode == 18
    assert "crawl first" in run.stderr
    assert run.stderr.count("\n") == 1
