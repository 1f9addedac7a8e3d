"""`scrapy report`, the command; the page is tested in `tests/report`."""

from pathlib import Path

import pytest
from scrapy.settings import Settings

from metacrawl.commands.report import Command
from metacrawl.items import Movie
from metacrawl.outcome import ConfigError
from tests.report.parts import SITE, Page, as_read, store


@pytest.fixture
def stored(sqlite_url):
    store(sqlite_url, [as_read(Movie(key="a", slug="a", url=f"{SITE}/movie/a", title="Amber", metascore=71))])


@pytest.mark.measured
def test_the_page_is_where_it_was_wanted(scrapy, stored, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("an older one", encoding="utf-8")
    run = scrapy("report", "--to", page)
    assert (run.returncode, run.stdout, run.stderr) == (0, f"{page}\n", "")
    assert Page(page.read_text(encoding="utf-8")).glance()["Films"] == "1"
    assert not list(tmp_path.glob("*unfinished*"))


def test_a_place_that_cannot_be_written_is_named(scrapy, stored, tmp_path):
    (tmp_path / "notes").touch()
    run = scrapy("report", "--to", tmp_path / "notes" / "page.html")
    assert run.returncode == 2
    assert run.stderr == f"metacrawl: --to {tmp_path}/notes/page.html cannot be written: File exists\n"


def test_a_folder_that_is_missing_is_made(stored, sqlite_url, tmp_path):
    command = Command()
    command.settings = Settings({"METACRAWL_DATABASE_URL": sqlite_url})
    command.report([], tmp_path / "published" / "today" / "report.html")
    assert (tmp_path / "published" / "today" / "report.html").is_file()


@pytest.mark.parametrize("place", ["/", "."])
def test_a_folder_is_no_place(stored, sqlite_url, place):
    command = Command()
    command.settings = Settings({"METACRAWL_DATABASE_URL": sqlite_url})
    with pytest.raises(ConfigError, match=f"--to {place} is a folder"):
        command.report([], Path(place))


def test_without_a_database_it_says_what_to_do(scrapy, tmp_path):
    run = scrapy("report", "--to", tmp_path / "page.html")
    assert run.returncode == 18
    assert "crawl first" in run.stderr
    assert not (tmp_path / "page.html").exists()
