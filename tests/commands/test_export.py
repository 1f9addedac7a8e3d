"""`scrapy export`, the command; what it writes is tested with `metacrawl.export`."""

import csv
import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.measured

FIXTURES = Path(__file__).parent.parent / "fixtures/2016"


def test_a_file_for_each_kind_of_record(scrapy, tmp_path):
    crawl = scrapy("crawl", "movies", "-a", "source=files", "-a", f"path={FIXTURES / 'movie-with-everything.html'}")
    assert crawl.returncode == 0, crawl.stderr
    for form in ("jsonl", "csv"):
        run = scrapy("export", "--to", tmp_path / "out", "--format", form)
        assert run.returncode == 0, run.stderr
        assert "records" in run.stdout
        assert str(tmp_path / f"out/critic_reviews.{form}") in run.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("critic_reviews.csv", "critic_reviews.jsonl", "movies.csv", "movies.jsonl"),
        *("user_reviews.csv", "user_reviews.jsonl"),
    ]
    [film] = map(json.loads, (tmp_path / "out/movies.jsonl").read_text(encoding="utf-8").splitlines())
    with (tmp_path / "out/movies.csv").open(encoding="utf-8", newline="") as file:
        [row] = csv.DictReader(file)
    assert list(row) == list(film)
    assert (row["title"], row["metascore"], row["tagline"]) == ("The Glass Orchard", "71", "")
    assert json.loads(row["genres"]) == film["genres"] == ["Drama", "Mystery"]


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
