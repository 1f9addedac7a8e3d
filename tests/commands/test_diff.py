"""`scrapy diff`: since when, of which films, and how it is shown."""

import argparse
import datetime as dt
import doctest
from collections import Counter
from io import StringIO

import pytest
import sqlalchemy as sa
from rich.console import Console
from scrapy.settings import Settings

from metacrawl import diff
from metacrawl.commands import diff as command
from metacrawl.database.connection import connect
from metacrawl.database.difference import NEW, Difference, unknown
from metacrawl.database.schema import CHANGES, MOVIES, RUNS, USER_REVIEWS

DAY = dt.timedelta(days=1)
START = dt.datetime(2026, 1, 10, tzinfo=dt.UTC)
HERE, THERE, LATER = "2026-01-08", "2026-01-11", "2026-01-12T12:00:00+02:00"


def change(day, key, field, old, new, kind="user_reviews"):
    return {"run": day, "seen_at": START + day * DAY, "kind": kind, "key": key, "field": field, "old": old, "new": new}


def record(key, day, **fields):
    kept = {"seen_run": 1, "first_seen_at": START + day * DAY}
    film = {"movie_slug": key.partition("/")[0]} if "/" in key else {"slug": key, "url": ""}
    return {"key": key, "layout": "2026", "source_url": ""} | kept | film | fields


MOVIE_LISTS = {column.name: [] for column in MOVIES.c if isinstance(column.type, sa.JSON)}


@pytest.fixture
def filled(database_url):
    """A database of a few days: her with reviews that change, vanish and return, and a film that is new."""
    engine = connect(database_url)
    run = {"job": "1", "spider": "movies", "arguments": {}, "started_at": START, "seeded": True}
    with engine.begin() as connection:
        connection.execute(sa.insert(RUNS).values(run))
        films = [record("her", 0, **MOVIE_LISTS), record("heretic", 2, **MOVIE_LISTS)]
        connection.execute(sa.insert(MOVIES), films)
        connection.execute(sa.insert(USER_REVIEWS), [record(f"her/{name}", 0) for name in "abc"])
        connection.execute(sa.insert(USER_REVIEWS), [record("her/d", 2), record("heretic/a", 2)])
        connection.execute(
            sa.insert(CHANGES),
            [
                change(1, "her/a", "score", "1", "2"),
                change(1, "her/b", "vanished_at", "null", '"2026-01-11T00:00:00Z"'),
                change(2, "her/a", "score", "2", "3"),
                change(2, "her/a", "text", '"One."', '"Two."'),
                change(2, "her/b", "vanished_at", '"2026-01-11T00:00:00Z"', "null"),
                change(2, "her", "metascore", "null", "90", "movies"),
            ],
        )
    engine.dispose()


@pytest.fixture
def run(database_url, capsys, monkeypatch):
    """Run the command; gives its exit code and the lines that it printed."""
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments):
        made, parser = command.Command(), argparse.ArgumentParser()
        made.settings = Settings({"METACRAWL_DATABASE_URL": database_url})
        made.add_options(parser)
        options, rest = parser.parse_known_args(arguments)
        try:
            made.run(rest, options)
        except SystemExit as end:
            return end.code, capsys.readouterr().err
        return 0, [" ".join(line.split()) for line in capsys.readouterr().out.splitlines() if line.strip(" ─")]

    return run


@pytest.mark.usefixtures("filled")
def test_what_is_different_is_shown_the_newest_first(run):
    code, lines = run("--since", THERE)
    assert (code, lines) == (
        0,
        [
            "Since 2026-01-11T00:00:00Z: 3 new, 2 changed, 1 vanished, 1 returned, of 2 films",
            "film new changed vanished returned",
            "her 1 2 1 1",
            "heretic 2",
            "seen record field was is",
            "2026-01-12 00:00 her metascore – 90",
            "2026-01-12 00:00 her/b returned",
            '2026-01-12 00:00 her/a text "One." "Two."',
            "2026-01-12 00:00 her/a score 2 3",
            "2026-01-11 00:00 her/b vanished",
            "2026-01-11 00:00 her/a score 1 2",
        ],
    )


@pytest.mark.usefixtures("filled")
def test_films_are_chosen(run):
    _, lines = run("--since", THERE, "--movie", "https://www.metacritic.com/movie/heretic")
    assert lines[2:] == ["heretic 2"]
    assert len(run("--since", THERE, "--movie", "heretic,her")[1]) == 11


@pytest.mark.usefixtures("filled")
def test_a_time_of_before_the_database_is_told(run):
    _, lines = run("--since", HERE)
    assert lines[0] == "The database begins at 2026-01-10T00:00:00Z: all that is in it is new since then"
    assert lines[1] == "Since 2026-01-08T00:00:00Z: 7 new, 2 changed, 1 vanished, 1 returned, of 2 films"


@pytest.mark.usefixtures("filled")
def test_that_nothing_has_changed_is_told(run):
    assert run("--since", LATER) == (0, ["Nothing has changed since 2026-01-12T10:00:00Z"])


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "since when? for instance --since 7d"),
        (["--since", "yesterday"], "since=yesterday is no day"),
        (["--since", "7x"], "since=7x is no day"),
        (["--since", "2999-01-01"], "since=2999-01-01 is in the future: it is 2"),
        (["--since", "7d", "--movie", "him"], "there is no film him in "),
        (["--since", "7d", "--movie", "a b"], "movie=a b: "),
        (["her"], "diff takes no her"),
    ],
    ids=["none", "word", "unit", "future", "film", "slug", "argument"],
)
def test_what_is_wrong_is_named(run, arguments, says):
    code, told = run(*arguments)
    assert (code, told.count("\n")) == (2, 1)
    assert told.startswith(f"metacrawl: {says}")


def test_days_are_counted_from_now():
    assert doctest.testmod(command).attempted
    assert doctest.testmod(diff).attempted
    assert not doctest.testmod(command).failed + doctest.testmod(diff).failed


# --- However much there is


def shown(found, width=100):
    console = Console(width=width, file=StringIO())
    for part in diff.show_difference(found):
        console.print(part)
    return console.file.getvalue().splitlines()


def found_of(number):
    films = {f"film-{n:03}": Counter({NEW: n}) for n in range(number)}
    newest = [change(1, f"film-{n:03}/somebody", "text", '"' + "x" * 300, '"' + "y" * 300) for n in range(5)]
    return Difference(START, START, films, number, newest)


@pytest.mark.parametrize("width", [80, 200])
def test_it_is_bounded_and_says_what_more_there_is(width):
    lines = shown(found_of(1000), width)
    assert max(map(len, lines)) <= width
    assert "and 980 more films" in lines
    assert lines[-1].startswith("and 995 more changes: scrapy export has all of them")
    assert not any("film-005" in line for line in lines)
    assert [line.split()[1] for line in lines if line.startswith(" film-")][:2] == ["999", "998"]


def test_long_values_are_cut_where_they_differ():
    old, new = diff.shortened('"' + "a" * 500 + "b" * 500, '"' + "a" * 500 + "c" * 500)
    assert (old, new) == (f"…{'a' * 20}{'b' * 60}…", f"…{'a' * 20}{'c' * 60}…")
    assert diff.shortened('"' + "a" * 500, '"a') == (f'"{"a" * 79}…', '"a')


@pytest.mark.usefixtures("filled")
def test_any_number_of_films_may_be_asked_for(database_url):
    engine = connect(database_url)
    with engine.connect() as connection:
        assert unknown(connection, ["her", *(f"film-{number}" for number in range(100_000))])[0] == "film-0"
    engine.dispose()
