"""What a person gives wrong is named in one line, with its exit code, before anything is done."""

import json
from pathlib import Path

import pytest

FILES = ("-a", "source=files")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["crawl", "movies", "-a", "foo=1"], "unknown argument foo=1: this spider takes "),
        (["crawl", "movies", "-a", "movi=her"], "unknown argument movi=her: did you mean movie?"),
        (["crawl", "user_reviews", "-a", "reviews=all"], "unknown argument reviews=all"),
        (["crawl", "movies"], "no film asked for"),
        (["crawl", "movies", "-a", "movie=../etc"], "movie=../etc: '../etc' is no film's slug"),
        (["crawl", "movies", "-a", "movie=https://example.org/movie/her"], "is no URL of https://www.metacritic.com"),
        (["crawl", "movies", "-a", "movie=/person/her"], "is no page of a film (person)"),
        (["crawl", "movies", "-a", "movie=@nowhere.txt"], "movie=@nowhere.txt cannot be read: No such file"),
        (["crawl", "movies", "-a", "movie=her", "-a", "limit=none"], "limit=none is no number of films"),
        (["crawl", "movies", "-a", "movie=her", "-a", "reviews=some"], "reviews=some is none of all, critics, users"),
        (["crawl", "movies", "-a", "movie=her", "-a", "source=tape"], "source=tape is none of site, archive, files"),
        (["crawl", "movies", *FILES], "source=files needs saved pages"),
        (["crawl", "movies", *FILES, "-a", "path="], "path=: no such file"),
        (["crawl", "movies", *FILES, "-a", "path=nowhere.html"], "path=nowhere.html: no such file"),
        (["crawl", "movies", *FILES, "-a", "path=nowhere/*.html"], "path=nowhere/*.html: matches no file"),
        (["crawl", "movies", *FILES, "-a", "path=README.md", "-a", "movie=her"], "movie=her goes with source=site"),
        (["crawl", "movies", *FILES, "-a", "path=README.md", "-a", "captured_at=then"], "captured_at=then is no time"),
        (["crawl", "movies", "-a", "movie=her"], "METACRAWL_CONTACT is not set: www.metacritic.com must"),
        (["crawl", "films"], "no spider films; there are critic_reviews, movies, user_reviews"),
        (["export"], "where to? for instance --to dataset"),
        (["export", "--to", "out", "--format", "xls"], "--format xls is none of jsonl, csv"),
        (["export", "out"], "export takes no out"),
        (["demo", "out"], "demo takes no out"),
    ],
)
def test_it_is_named_in_one_line(scrapy, arguments, says):
    run = scrapy(*arguments)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("metacrawl: ")
    assert says in run.stderr
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize("url", ["movies.db", "sqlite//movies.db", "postgresql://me:secret@host:port/db"])
def test_a_database_url_that_is_none_is_wrong_input(scrapy, url):
    run = scrapy("crawl", "movies", *FILES, "-a", "path=README.md", METACRAWL_DATABASE_URL=url)
    assert run.returncode == 2
    assert run.stderr.startswith("metacrawl: METACRAWL_DATABASE_URL is no database URL: ")
    assert "secret" not in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_site_url_that_is_none_is_wrong_input(scrapy):
    run = scrapy("crawl", "movies", "-a", "movie=her", METACRAWL_SITE_URL="metacritic")
    assert (run.returncode, run.stderr) == (2, "metacrawl: METACRAWL_SITE_URL=metacritic is no URL of a site\n")


def test_a_database_that_cannot_be_written_is_named(scrapy, tmp_path):
    url = f"sqlite:///{tmp_path / 'missing' / 'metacrawl.db'}"
    run = scrapy("crawl", "movies", *FILES, "-a", "path=README.md", METACRAWL_DATABASE_URL=url)
    assert run.returncode == 18
    assert run.stderr == f"metacrawl: cannot write the database {url}: unable to open database file\n"


def test_a_file_that_is_no_database_is_named(scrapy, tmp_path):
    path = tmp_path / "notes.db"
    path.write_text("not a database, and longer than a database's header must be" * 10, encoding="utf-8")
    run = scrapy("crawl", "movies", *FILES, "-a", "path=README.md", METACRAWL_DATABASE_URL=f"sqlite:///{path}")
    assert run.returncode == 18
    assert run.stderr == f"metacrawl: cannot write the database sqlite:///{path}: file is not a database\n"


def test_help_tells_the_arguments(scrapy):
    text = " ".join(scrapy("crawl", "--help").stdout.split())
    for argument in ("movie=", "reviews=", "limit=", "source=", "path=", "captured_at="):
        assert argument in text


def test_nothing_that_scrapyd_adds_is_refused(scrapy):
    run = scrapy("crawl", "movies", "-a", "_job=2026", *FILES, "-a", "path=nowhere.html")
    assert run.stderr == "metacrawl: path=nowhere.html: no such file\n"


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://localhost:99999999", "http://localhost/?page=1", "ftp://localhost"]
)
def test_a_site_url_that_cannot_be_asked_is_wrong_input(scrapy, url):
    run = scrapy("crawl", "movies", "-a", "movie=her", METACRAWL_SITE_URL=url)
    assert (run.returncode, run.stderr) == (2, f"metacrawl: METACRAWL_SITE_URL={url} is no URL of a site\n")


def test_a_switch_that_is_neither_on_nor_off_is_wrong_input(scrapy):
    run = scrapy("crawl", "movies", *FILES, "-a", "path=README.md", METACRAWL_PROGRESS="perhaps")
    assert (run.returncode, run.stderr) == (2, "metacrawl: METACRAWL_PROGRESS=perhaps is neither 0 nor 1\n")


def test_a_table_of_days_that_is_none_is_refused_before_anything_starts(scrapy):
    run = scrapy("crawl", "movies", *FILES, "-a", "path=README.md", METACRAWL_REVISIT_DAYS="often")
    assert run.returncode == 2
    assert run.stderr.startswith("metacrawl: METACRAWL_REVISIT_DAYS=often is no table such as ")


def test_records_for_a_program_come_alone(scrapy):
    page = Path(__file__).parent.parent / "fixtures/2016/user-reviews.html"
    run = scrapy("crawl", "user_reviews", *FILES, "-a", f"path={page}", "-O", "-:jsonl")
    assert [type(json.loads(line)) for line in run.stdout.splitlines()] == [dict] * 4
    assert run.stderr.splitlines()[-1].startswith("complete: ")
