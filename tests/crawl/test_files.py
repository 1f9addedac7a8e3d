"""Saved pages as the source of a crawl."""

import datetime as dt
import json
import os
import shutil

import pytest

from metacrawl.items import CriticReview, Movie, UserReview

NOT_IN_EXPECTATIONS = {"captured_at"}


def test_a_saved_film_page_gives_the_film_and_its_reviews(scrapy, shared_pages, tmp_path):
    page = shared_pages / "2016/her.html"
    run = scrapy("crawl", "movies", "-a", "source=files", "-a", f"path={page}")
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("complete: 1 film, 7 critic reviews, 7 user reviews in sqlite:///")
    assert scrapy("export", "--to", tmp_path / "out").returncode == 0
    found = {}
    for name in ("movies", "critic_reviews", "user_reviews"):
        lines = (tmp_path / "out" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        found |= {(name, line["key"]): line for line in map(json.loads, lines)}
    expected = map(json.loads, page.with_suffix(".expected.jsonl").read_text(encoding="utf-8").splitlines())
    names = {"Movie": "movies", "CriticReview": "critic_reviews", "UserReview": "user_reviews"}
    for line in expected:
        record = found.pop((names[line.pop("record")], line["key"]))
        assert {field: record[field] for field in line} == line
    assert not found


def test_the_time_of_a_saved_page_is_its_files(scrapy, fixture_page, stored):
    page = fixture_page("movie-with-everything.html")
    os.utime(page, (0, dt.datetime(2019, 5, 6, 7, 8, 9, tzinfo=dt.UTC).timestamp()))
    assert scrapy("crawl", "movies", "-a", "source=files", "-a", f"path={page}").returncode == 0
    assert {record.captured_at for record in stored()} == {dt.datetime(2019, 5, 6, 7, 8, 9, tzinfo=dt.UTC)}


def test_the_time_of_a_saved_page_can_be_given(scrapy, fixture_page, stored):
    page = fixture_page("movie-with-everything.html")
    time = "2014-03-02T01:00:00+02:00"
    run = scrapy("crawl", "movies", "-a", "source=files", "-a", f"path={page}", "-a", f"captured_at={time}")
    assert run.returncode == 0, run.stderr
    assert {record.captured_at for record in stored()} == {dt.datetime(2014, 3, 1, 23, tzinfo=dt.UTC)}


def test_pages_of_one_film_become_one_record(scrapy, fixture_page, stored):
    folder = fixture_page("movie-with-everything.html").parent
    for name in ("details.html", "critic-reviews.html", "user-reviews.html"):
        fixture_page(name)
    run = scrapy("crawl", "movies", "-a", "source=files", "-a", f"path={folder}")
    assert run.returncode == 0, run.stderr
    [film] = [record for record in stored() if isinstance(record, Movie)]
    assert film.release_year == 2019, "from the film's page"
    assert film.summary == "An orchard made of glass & a gardener\nwho must not sneeze.", "the film's page knows better"
    assert [credit.role for credit in film.cast] == ["Gardener", "Neighbour"], "the details page knows better"
    keys = [record.key for record in stored()]
    assert len([key for key in keys if key.startswith("the-glass-orchard/the-unlinked-gazette/-")]) == 2


def test_a_spider_of_one_kind_takes_no_other_reviews(scrapy, fixture_page, stored):
    page = fixture_page("movie-with-everything.html")
    assert scrapy("crawl", "user_reviews", "-a", "source=files", "-a", f"path={page}").returncode == 0
    assert {type(record) for record in stored()} == {Movie, UserReview}
    assert CriticReview not in {type(record) for record in stored()}


def test_the_limit_counts_films_not_files(scrapy, fixture_page, stored):
    folder = fixture_page("details.html").parent
    for name in ("critic-reviews.html", "movie-without-scores.html"):
        fixture_page(name)
    run = scrapy("crawl", "movies", "-a", "source=files", "-a", f"path={folder}", "-a", "limit=1")
    assert run.returncode == 0, run.stderr
    assert len({record.key.split("/")[0] for record in stored()}) == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no canonical link"),
        ("<html><body>A shopping list</body></html>", "no canonical link"),
        (
            '<html><head><link rel="canonical" href="https://www.metacritic.com/game/elden-ring"></head></html>',
            "no page of a film",
        ),
        ('<html><head><link rel="canonical" href="https://example.org/movie/her"></head></html>', "is no URL of"),
        (
            '<html><head><link rel="canonical" href="https://www.metacritic.com/movie/her"></head></html>',
            "no known page design",
        ),
    ],
)
def test_a_file_that_is_no_film_page_is_named(scrapy, tmp_path, stored, content, says):
    page = tmp_path / "page.html"
    page.write_text(content, encoding="utf-8")
    run = scrapy("crawl", "movies", "-a", "source=files", "-a", f"path={page}")
    assert run.returncode == 14
    assert run.stdout.startswith(f"layout: {page.as_uri()}: ")
    assert says in run.stdout
    assert stored() == []


def test_links_of_a_saved_page_are_not_followed(scrapy, fixture_page):
    page = fixture_page("user-reviews.html")
    run = scrapy("crawl", "user_reviews", "-a", "source=files", "-a", f"path={page}")
    assert run.returncode == 0, run.stderr
    assert "'downloader/request_count': 1," in run.stderr


def test_a_page_saved_twice_is_one_page(scrapy, fixture_page, stored):
    page = fixture_page("user-reviews.html")
    shutil.copy(page, page.with_name("copy.html"))
    run = scrapy("crawl", "user_reviews", "-a", "source=files", "-a", f"path={page.parent}")
    assert run.returncode == 0, run.stdout
    assert len(stored()) == 4
