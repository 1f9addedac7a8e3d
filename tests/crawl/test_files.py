"""Saved pages as the source of a crawl."""

import datetime as dt
import gzip
import json
import os
import re
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from metacrawl.demo.compare import differences
from metacrawl.demo.truth import expected_records
from metacrawl.items import CriticReview, Movie, UserReview
from metacrawl.sources.warc import places
from tests.warcs import HTML, Answer, chunked, write_warc

FIXTURES = Path(__file__).parents[1] / "fixtures"
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


def test_the_time_of_a_saved_page_is_its_files_whose_name_need_be_no_text(scrapy, fixture_page, stored):
    page = fixture_page("movie-with-everything.html")
    page = page.rename(page.with_name(os.fsdecode(b"film-\xff.html")))
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


# --- what pages are saved in


def crawl_files(scrapy, path, *more, **settings):
    return scrapy("crawl", "movies", "-a", "source=files", "-a", f"path={path}", *more, **settings)


def saved_site(site_pages, folder):
    """Save the demo's pages under the names that `wget --adjust-extension` gives them."""
    for path, body in site_pages.items():
        file = folder / "www.metacritic.com" / f"{path.removeprefix('/')}.html"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)


def as_truth(world, records):
    return sorted(differences(expected_records(world), records))


@pytest.fixture
def in_a_folder(site_pages, tmp_path):
    saved_site(site_pages, tmp_path / "saved")
    return tmp_path / "saved"


@pytest.fixture
def packed_one_by_one(in_a_folder):
    for file in in_a_folder.rglob("*.html"):
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    return in_a_folder


@pytest.fixture(params=[True, False], ids=["packed", "plain"])
def in_a_warc(request, site_pages, tmp_path):
    pictures = [Answer(b"\x89PNG", "https://static.metacritic.com/a.png", headers=(("Content-Type", "image/png"),))]
    headers = (*HTML, ("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked"))
    answers = [
        Answer(chunked(gzip.compress(body)), f"https://www.metacritic.com{path}", headers=headers)
        for path, body in site_pages.items()
    ]
    name = "crawl.warc.gz" if request.param else "crawl.warc"
    return write_warc(tmp_path / name, pictures + answers, packed=request.param)


@pytest.mark.parametrize("folder", ["in_a_folder", "packed_one_by_one"])
def test_a_saved_site_gives_what_the_site_has(request, scrapy, world, stored, folder):
    run = crawl_files(scrapy, request.getfixturevalue(folder), "-a", "captured_at=2026-01-01")
    assert run.returncode == 0, run.stdout + run.stderr
    assert as_truth(world, stored()) == []


def test_a_recorded_site_gives_what_the_site_has(scrapy, world, stored, in_a_warc):
    run = crawl_files(scrapy, in_a_warc)
    assert run.returncode == 0, run.stdout + run.stderr
    assert as_truth(world, stored()) == []


def test_the_newest_capture_of_a_page_wins(scrapy, fixture_page, tmp_path, stored):
    body = fixture_page("movie-with-everything.html").read_bytes()
    url = "https://www.metacritic.com/movie/the-glass-orchard"
    captures = {"2020-01-01T00:00:00Z": b"72", "2022-01-01T00:00:00Z": b"73", "2018-01-01T00:00:00Z": b"71"}
    answers = [
        Answer(re.sub(rb"(metascore_w larger[^>]*>)71<", rb"\g<1>%s<" % score, body), url, date=date)
        for date, score in captures.items()
    ]
    run = crawl_files(scrapy, write_warc(tmp_path / "a.warc.gz", answers, packed=True))
    assert run.returncode == 0, run.stdout
    [film] = [record for record in stored() if isinstance(record, Movie)]
    assert (film.metascore, film.captured_at) == (73, dt.datetime(2022, 1, 1, tzinfo=dt.UTC))


def test_a_crawl_of_a_warc_that_was_cut_short_goes_on(scrapy, world, in_a_warc, stored):
    given = ("-a", "captured_at=2026-01-01")
    first = crawl_files(scrapy, in_a_warc, *given, CLOSESPIDER_PAGECOUNT=5)
    assert first.returncode == 10
    assert "run the same command again to go on" in first.stdout
    second = crawl_files(scrapy, in_a_warc, *given)
    assert second.returncode == 0, second.stdout
    assert second.stdout.startswith("resuming run 1: ")
    read = [int(re.search(r"'response_received_count': (\d+)", run.stderr)[1]) for run in (first, second)]
    with in_a_warc.open("rb") as file:
        assert sum(read) == len(list(places(file, Counter())))
    assert as_truth(world, stored()) == []


# --- broken and hostile


def test_what_stands_before_a_broken_place_in_a_warc_is_stored(scrapy, fixture_page, tmp_path, stored):
    url = "https://www.metacritic.com/movie/the-glass-orchard"
    pages = [fixture_page(name).read_bytes() for name in ("movie-with-everything.html", "details.html")]
    warc = write_warc(tmp_path / "a.warc", [Answer(pages[0], url), Answer(pages[1], f"{url}/details")], packed=False)
    warc.write_bytes(warc.read_bytes()[:-100])
    run = crawl_files(scrapy, warc)
    assert run.returncode == 14
    assert re.match(
        rf"layout: {warc.as_uri()}\?offset=(\d+)&length=0: broken WARC at byte [\d,]+: cut off; 1 film", run.stdout
    )
    assert [record.title for record in stored() if isinstance(record, Movie)] == ["The Glass Orchard"]


def test_a_page_that_unpacks_without_end_is_refused_and_the_others_are_stored(scrapy, fixture_page, stored):
    folder = fixture_page("details.html").parent
    (folder / "bomb.html.gz").write_bytes(gzip.compress(b"\0" * 200_000_000, compresslevel=9))
    (folder / "cut.html.gz").write_bytes(gzip.compress(fixture_page("user-reviews.html").read_bytes())[:-20])
    run = crawl_files(scrapy, folder)
    assert run.returncode == 14
    assert "bomb.html.gz: larger than 5,242,880 bytes" in run.stdout
    assert "cut.html.gz: broken gzip: " in run.stdout
    assert {type(record) for record in stored()} == {Movie, UserReview}


def test_a_saved_page_leads_nowhere(scrapy, fixture_page, serve, tmp_path):
    """Not to a site, not to another file: whatever it says, and whatever a WARC calls its pages."""
    site = serve({})
    secret = tmp_path / "secret.html"
    secret.write_bytes(fixture_page("details.html").read_bytes())
    page = fixture_page("movie-with-everything.html")
    body = page.read_bytes()
    bait = "".join(
        f'<meta http-equiv="refresh" content="0; url={url}"><base href="{url}"><link rel="next" href="{url}">'
        f'<iframe src="{url}"></iframe><img src="{url}"><script src="{url}"></script>'
        for url in (f"{site.url}/movie/her", secret.as_uri())
    )
    hostile = body.replace(b"</title>", b"</title>" + bait.encode())
    assert hostile != body
    page.write_bytes(hostile)
    targets = [
        f"{site.url}/movie/her",
        secret.as_uri(),
        "https://www.metacritic.com@example.org/movie/a",
        "ftp://a/movie/b",
    ]
    own = "https://www.metacritic.com/movie/the-glass-orchard"
    moved = (("Location", f"{site.url}/movie/her"), ("Refresh", f"0; url={site.url}/movie/her"), *HTML)
    answers = [Answer(hostile, url, headers=moved) for url in (*targets, own)]
    write_warc(
        page.with_name("a.warc.gz"), [*answers, Answer(b"", own, status="302 Found", headers=moved)], packed=True
    )
    (page.with_name("details.html")).unlink()
    run = crawl_files(scrapy, page.parent)
    assert run.returncode == 0, run.stdout
    assert site.requests == []
    assert secret.name not in run.stderr
    assert "'downloader/request_count': 2," in run.stderr


def test_no_file_is_read_that_was_not_named(scrapy, fixture_page, tmp_path, stored):
    """Even if somebody has put a request for it into the database."""
    page = fixture_page("details.html")
    secret, folder = shutil.copy(page, tmp_path / "secret.html"), page.parent
    for number in range(9):
        shutil.copy(page, folder / f"{number}.html")
    stopped = crawl_files(scrapy, folder, CLOSESPIDER_PAGECOUNT=1)
    assert stopped.returncode == 10, stopped.stdout
    with closing(sqlite3.connect(tmp_path / "metacrawl.db")) as database, database:
        changed = database.execute(
            "UPDATE frontier SET request = json_object('url', ?) WHERE state <> 'done'", [secret.as_uri()]
        )
        assert changed.rowcount > 1
    run = crawl_files(scrapy, folder)
    assert run.returncode == 10
    assert f"{secret.as_uri()}: not asked for: it is not at a named file" in run.stdout


def test_a_saved_list_of_films_gives_its_rows_and_leads_nowhere(scrapy, tmp_path, stored):
    """Its films' pages may not have been saved, nor its next page."""
    shutil.copy(FIXTURES / "api/finder.json", tmp_path)
    run = scrapy("crawl", "movies", "-a", "source=files", "-a", f"path={tmp_path}/*.json")
    assert run.returncode == 0, run.stderr
    rows = json.loads((FIXTURES / "api/finder.json").read_text(encoding="utf-8"))["data"]["items"]
    assert {movie.slug for movie in stored()} <= {row["slug"] for row in rows}
    assert len(stored()) > 1
    assert "'downloader/request_count': 1," in run.stderr
