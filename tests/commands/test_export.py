"""`scrapy export`, the command; what it writes is tested with `metacrawl.export`."""

import argparse
import csv
import json
import resource
from pathlib import Path

import pytest
from scrapy.settings import Settings

from metacrawl.commands.export import Command
from metacrawl.database.connection import connect
from metacrawl.dataset.export import FORMS
from metacrawl.outcome import DiskFullError
from tests import datasets

pytestmark = pytest.mark.measured

FIXTURES = Path(__file__).parent.parent / "fixtures/2016"


def test_a_file_for_each_kind_of_record(scrapy, tmp_path):
    crawl = scrapy("crawl", "movies", "-a", "source=files", "-a", f"path={FIXTURES / 'movie-with-everything.html'}")
    assert crawl.returncode == 0, crawl.stderr
    for form, file in (("jsonl", "movies.jsonl"), ("parquet", "movies.parquet"), ("sqlite", "metacrawl.sqlite")):
        run = scrapy("export", "--to", tmp_path / form, "--format", form)
        assert run.returncode == 0, run.stderr
        assert str(tmp_path / form / file) in run.stdout
    run = scrapy("export", "--to", tmp_path / "csv", "--format", "csv", "--year", "1900-2100", "--since", "2001-01-01")
    assert run.returncode == 0, run.stderr
    [film] = map(json.loads, (tmp_path / "jsonl/movies.jsonl").read_text(encoding="utf-8").splitlines())
    with (tmp_path / "csv/movies.csv").open(encoding="utf-8", newline="") as file:
        [row] = csv.DictReader(file)
    assert (row["title"], row["metascore"], row["tagline"]) == ("The Glass Orchard", "71", "")
    assert film["genres"] == ["Drama", "Mystery"]
    described = json.loads((tmp_path / "csv/datapackage.json").read_text(encoding="utf-8"))
    assert described["metacrawl"]["filters"] == {"year": "1900-2100", "since": "2001-01-01T00:00:00Z"}


def test_without_a_database_it_says_what_to_do(scrapy, tmp_path):
    run = scrapy("export", "--to", tmp_path / "out")
    assert run.returncode == 18
    assert "crawl first" in run.stderr
    assert run.stderr.count("\n") == 1
    assert not (tmp_path / "metacrawl.db").exists()


def test_an_empty_database_is_a_failure(scrapy, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("nothing", encoding="utf-8")
    assert scrapy("crawl", "movies", "-a", "source=files", "-a", f"path={page}").returncode == 14
    run = scrapy("export", "--to", tmp_path / "out")
    assert run.returncode == 15
    assert run.stderr.startswith("metacrawl: there is nothing in sqlite:///")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_named(scrapy, tmp_path):
    assert scrapy("crawl", "movies", "-a", "source=files", "-a", f"path={FIXTURES / 'details.html'}").returncode == 0
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    run = scrapy("export", "--to", tmp_path / "taken")
    assert run.returncode == 2
    assert run.stderr == f"metacrawl: --to {tmp_path / 'taken'} cannot be written: File exists\n"


@pytest.mark.parametrize("form", FORMS)
def test_a_full_disk_is_said_and_nothing_is_shown(sqlite_url, tmp_path, form):
    engine = connect(sqlite_url)
    datasets.store(engine)
    command, folder = Command(), tmp_path / "dataset"
    command.settings = Settings({"METACRAWL_DATABASE_URL": sqlite_url})
    asked = argparse.Namespace(to=folder, format=form, movie=None, year=None, since=None, partial=False)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # While it is open, what lies beside the database need not grow.
    with engine.connect():
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
            with pytest.raises(DiskFullError, match=r"--to .*dataset cannot be written: .*: make room on its disk"):
                command.export([], asked, sqlite_url)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    engine.dispose()
    assert not folder.exists()
    assert [path.name for path in (tmp_path / ".dataset.versions").iterdir()] == ["lock"]
