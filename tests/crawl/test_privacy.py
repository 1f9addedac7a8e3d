"""Whole crawls with authors whose names can be looked for: in every file, every table, and all that is printed."""

import gzip
import json
import sqlite3
from contextlib import closing

import pytest
from aiohttp import web

from metacrawl.database.connection import connect_to_read
from metacrawl.dataset.export import FORMS, export
from metacrawl.demo.designs import designs
from metacrawl.demo.site import DemoSite

KEY = "canary-key-7f3a, and long enough"
# Of an author without an account, and of one with one.
PLAIN, ACCOUNT = "Canary Author 7f3a", "canary7f3a"
WITH_NAMES = "nightjar", "tin-orchestra"


@pytest.fixture
def site(world):
    for slug in WITH_NAMES:
        one, other = world.film(slug).user_reviews[:2]
        one.author, one.account, other.author, other.account = PLAIN, False, ACCOUNT, True
    with DemoSite(world) as opened:
        yield opened


def broken(path, response):
    """Cut off one film's page, and refuse part of a list, with the same page that is refused."""
    if path == "/movie/nightjar":
        return web.Response(text=response.text[:-100], content_type="text/html")
    if path.startswith("/backend/reviews/metacritic/user/movies/tin-orchestra"):
        return web.Response(status=403, text=response.text, content_type="application/json")
    return response


@pytest.fixture
def crawl(scrapy, site, films):
    """Crawl the site, all that happens told."""

    def run(*arguments, **settings):
        quick = {"DOWNLOAD_DELAY": 0, "RETRY_TIMES": 0, "LOG_LEVEL": "DEBUG"}
        places = {"METACRAWL_SITE_URL": site.url, "METACRAWL_API_URL": site.api_url}
        return scrapy("crawl", "movies", "-a", films, *arguments, **quick | places | settings)

    return run


@pytest.fixture
def names(tmp_path):
    """Tell the files that have a name, or the key, in them, and what else that was given has."""

    def find(*printed):
        contents = {
            str(path.relative_to(tmp_path)): gzip.decompress(path.read_bytes())
            if path.suffix == ".gz"
            else path.read_bytes()
            for path in tmp_path.rglob("*")
            if path.is_file() and path.suffix != ".html"
        }
        contents |= {f"printed {number}": text.encode() for number, text in enumerate(printed)}
        return {name for name, content in contents.items() if b"canary" in content.lower()}

    return find


@pytest.fixture
def exported(sqlite_url, tmp_path):
    """Export in all forms."""

    def run():
        engine = connect_to_read(sqlite_url)
        for form in FORMS:
            export(engine, tmp_path / f"out-{form}", form, partial=True)
        engine.dispose()

    return run


@pytest.fixture
def query(tmp_path):
    def ask(statement):
        with closing(sqlite3.connect(tmp_path / "metacrawl.db")) as connection, connection:
            return connection.execute(statement).fetchall()

    return ask


def test_where_names_are_kept_they_are_found(crawl, site, names, tmp_path):
    """What the others are to be held against."""
    site.fault = broken
    run = crawl("-O", tmp_path / "all.jsonl")
    assert run.returncode == 14
    found = names(run.stderr)
    assert {"metacrawl.db", "all.jsonl", "printed 0"} <= found
    assert any(name.startswith("runs/evidence/") for name in found)


@pytest.mark.parametrize(
    ("policy", "other", "refusal"),
    [
        ("pseudonym", {"METACRAWL_AUTHORS": "keep"}, "was first crawled with METACRAWL_AUTHORS=pseudonym: set it back"),
        ("drop", {"METACRAWL_AUTHORS_KEY": KEY + "!"}, "METACRAWL_AUTHORS_KEY is not the one that"),
    ],
    ids=["pseudonym", "drop"],
)
def test_where_names_are_hidden_none_is_left_anywhere(
    crawl, site, scrapy, exported, names, query, tmp_path, policy, other, refusal
):
    settings = {"METACRAWL_AUTHORS": policy, "METACRAWL_AUTHORS_KEY": KEY}
    site.fault = broken
    first = crawl("-O", tmp_path / "all.jsonl", **settings)
    assert first.returncode == 14
    assert query("SELECT count(*) FROM problems")[0][0] > 0
    keys = {key for (key,) in query("SELECT key FROM user_reviews")}
    exported()
    shown = scrapy("status", "--json")
    assert list((tmp_path / "runs").glob("*.json"))
    assert names(first.stdout, first.stderr, shown.stdout, shown.stderr) == set()

    # To read the same again changes nothing but what was edited, and what is new comes but once.
    site.fault = None
    site.world.film("tin-orchestra").user_reviews[1].text = "Edited."
    second = crawl("-a", "fresh=1", **settings)
    assert second.returncode == 0, second.stdout
    assert "metacrawl/stored/unchanged" in second.stderr
    assert "'metacrawl/stored/changed': 1" in second.stderr
    assert query("SELECT kind, field, new FROM changes") == [("user_reviews", "text", '"Edited."')]
    rows = query("SELECT review_id, author, key FROM user_reviews")
    assert keys < {key for *_, key in rows}
    assert len(rows) == site.world.user_review_count
    assert names(second.stdout, second.stderr) == set()

    ids = {site.world.film(slug).user_reviews[1].uuid for slug in WITH_NAMES}
    [(author, part), (other_author, other_part)] = [
        (author, key.partition("/")[2]) for review_id, author, key in rows if review_id in ids
    ]
    if policy == "pseudonym":
        assert author == part == other_author == other_part
    else:
        assert (author, other_author) == (None, None)
        assert part != other_part

    # Another policy, or another key, is refused before anything is asked for.
    asked = len(site.requests)
    refused = crawl(**settings | other)
    assert (refused.returncode, refused.stdout, len(site.requests)) == (2, "", asked)
    assert refusal in refused.stderr


def test_pages_of_every_design(scrapy, site, names, query, tmp_path):
    """As they were saved by somebody."""
    (tmp_path / "saved").mkdir()
    for name, design in designs(site.world).items():
        page = design.answer("/movie/tin-orchestra/user-reviews", {})
        assert PLAIN in page or ACCOUNT in page
        (tmp_path / "saved" / f"{name}.html").write_text(page, encoding="utf-8")
    run = scrapy(
        *("crawl", "movies", "-a", "source=files", "-a", f"path={tmp_path / 'saved'}"),
        LOG_LEVEL="DEBUG",
        METACRAWL_AUTHORS="pseudonym",
        METACRAWL_AUTHORS_KEY=KEY,
    )
    assert query("SELECT count(DISTINCT layout) FROM user_reviews")[0][0] >= 1
    assert run.stderr.count("Scraped from") > 3, run.stderr
    assert names(run.stdout, run.stderr) == set()


def test_an_author_who_is_forgotten_stays_forgotten(crawl, site, scrapy, exported, names, query, tmp_path):
    site.fault = broken
    assert crawl().returncode == 14
    query(f"UPDATE problems SET message = message || ' {PLAIN}'")  # noqa: S608
    query(
        "INSERT INTO changes (run, seen_at, kind, key, field, old, new) "
        "SELECT 1, first_seen_at, 'user_reviews', key, 'text', '1', '2' FROM user_reviews"
    )
    exported()
    # Parquet is compressed.
    exports = {f"out-{form}" for form in ("csv", "jsonl", "sqlite")}
    assert exports <= {name.partition("/")[0].lstrip(".").removesuffix(".versions") for name in names()}
    assert any(name.startswith("runs/evidence/") for name in names())
    for author in (PLAIN, ACCOUNT):
        datasets = [part for form in FORMS for part in ("--dataset", tmp_path / f"out-{form}")]
        run = scrapy("forget", "--author", author, *datasets)
        assert run.returncode == 0, run.stderr
        assert run.stdout.startswith("forgotten: "), run.stdout
        assert run.stdout.endswith("4 datasets\n"), run.stdout
    assert names() == set()

    site.fault = None
    run = crawl("-a", "fresh=1")
    assert run.returncode == 0, run.stdout
    assert names(run.stdout, run.stderr) == set()
    assert query("SELECT DISTINCT verdict FROM completeness") == [("complete",)]
    assert query("SELECT count(*) FROM changes") > [(0,)], "those of others stay"
    exported()
    told = [json.loads(line) for line in (tmp_path / "out-jsonl/user_reviews.jsonl").read_text("utf-8").splitlines()]
    assert len(told) == site.world.user_review_count - 4
    assert names() == set()
