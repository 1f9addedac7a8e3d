"""Nothing that a crawl keeps is a pickle: whoever can write it could have anything run."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from metacrawl.demo.truth import expected_records
from tests.faults.crawls import ROOT, AtRequest, Crawl, Site, crawl_movies, names_of, python, some_films
from tests.faults.subjects import LEASE_SECONDS, judge, stored

AUDIT = ROOT / "tests" / "audit"
CONCURRENCY = 2


@pytest.fixture
def unpickled(tmp_path):
    """Where the processes of a test note what they unpickle."""
    return tmp_path / "unpickled"


@pytest.fixture
def watched(unpickled):
    """Have a command watched."""
    return lambda command: [
        "/usr/bin/env",
        f"PYTHONPATH={AUDIT}{os.pathsep}{ROOT}",
        f"UNPICKLED={unpickled}",
        *command,
    ]


@pytest.fixture
def site():
    """A site of two films."""
    with Site(some_films(2)) as site:
        yield site


@pytest.fixture
def films(site, tmp_path):
    """The file that names them."""
    path = tmp_path / "films.txt"
    path.write_text(names_of(site.world), encoding="utf-8")
    return path


def test_a_crawl_that_is_killed_and_goes_on_unpickles_nothing(watched, unpickled, site, films, database_url, tmp_path):
    settings = {"METACRAWL_LEASE_SECONDS": LEASE_SECONDS}
    command = watched(python("-m", "scrapy", *crawl_movies(site.url, films, database_url, CONCURRENCY, **settings)))
    crawl = Crawl(command, site.requests, tmp_path)
    assert crawl.kill_at(AtRequest(6)) is None
    end = crawl.run()
    assert crawl.resumed
    assert end.complete, end
    assert judge(expected_records(site.world), stored(database_url)).flawless
    assert not unpickled.exists(), unpickled.read_text()


def test_the_watch_sees_what_stock_scrapy_unpickles(watched, unpickled, site, films, tmp_path):
    places = ("--job", tmp_path / "job", "--feed", tmp_path / "items.jsonl")
    options = ("--site", site.url, "--films", films, "--concurrency", CONCURRENCY)
    crawl = Crawl(watched(python("-m", "tests.faults.stock", *options, *places)), site.requests, tmp_path)
    assert crawl.run().complete
    assert "scrapy/squeues.py" in unpickled.read_text()


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("import pickle; pickle.loads(DATA)", "pickle.loads: <string>:1"),
        ("import io, pickle; pickle.load(io.BytesIO(DATA))", "pickle.load: <string>:1"),
        ("import io, pickle; pickle.Unpickler(io.BytesIO(DATA)).load()", "Unpickler.load: <string>:1"),
        ("import _pickle; _pickle.loads(CLASS)", "pickle.find_class builtins.print: <string>:1"),
        ("import marshal; marshal.loads(marshal.dumps(1))", "marshal.loads: <string>:1"),
    ],
)
def test_the_watch_sees(watched, unpickled, code, seen):
    data = f"DATA = {pickle.dumps({1: [2]})!r}; CLASS = {pickle.dumps(print)!r}; "
    subprocess.run(watched([sys.executable, "-c", data + code]), check=True)
    assert seen in unpickled.read_text()


def test_the_watch_says_nothing_of_imports(watched, unpickled):
    subprocess.run(watched([sys.executable, "-c", "import json, scrapy, sqlalchemy, pickle"]), check=True)
    assert not Path(unpickled).exists()
