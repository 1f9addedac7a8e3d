"""A backup is what the crawl was at when it was made: the commands of docs/deploy.md, on databases of real crawls."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from metacrawl.demo.content import build_world
from metacrawl.demo.site import DemoSite
from metacrawl.demo.world import World
from tests.conftest import ROOT, lack
from tests.crawl.waiting import wait_for
from tests.deploy.told import stand_in, type_in
from tests.postgres import PASSWORD

SMALL, LARGE = "nightjar", "the-cartographers-daughter"
# Stands in for Docker: what is to be done in the container of the database is done here, the rest is noted.
DOCKER = """#!/bin/sh
case "$*" in
    "compose exec -T postgres "*) shift 4; exec "{programs}/$@" ;;
    *) echo "$*" >> "{log}" ;;
esac
"""


@pytest.fixture(scope="module")
def site():
    """The demo site with two films."""
    world = build_world()
    with DemoSite(World(films=[world.film(slug) for slug in (SMALL, LARGE)])) as site:
        site.page_size.most_users = 10
        yield site


@pytest.fixture
def compose_url(postgres):
    """The URL of an empty database that is called as in docker-compose.yml."""
    yield postgres.create("metacrawl")
    postgres.drop("metacrawl")


@pytest.fixture
def docker(postgres, tmp_path):
    """Type commands of docs/deploy.md where PostgreSQL's own and `docker` are at hand; gives what Docker was told."""
    log = tmp_path / "docker.log"
    log.touch()
    stand_in(tmp_path, "docker", DOCKER.format(programs=postgres.bin, log=log))

    def type_for(mark):
        run = type_in(mark, tmp_path, PGHOST="127.0.0.1", PGPORT=str(postgres.port), PGPASSWORD=PASSWORD)
        assert run.returncode == 0, run.stderr
        return log.read_text("utf-8").splitlines()

    return type_for


class Crawls:
    """Crawls into a database, and what `scrapy` tells of it."""

    def __init__(self, scrapy, site, url, folder):
        self.scrapy, self.site, self.url, self.folder = scrapy, site, url, folder
        self.settings = {"METACRAWL_SITE_URL": site.url, "METACRAWL_API_URL": site.api_url}
        self.settings |= {"METACRAWL_DATABASE_URL": url, "METACRAWL_LEASE_SECONDS": "1"}

    def crawl(self, film):
        self.site.requests.clear()
        run = self.scrapy("crawl", "movies", "-a", f"movie={film}", DOWNLOAD_DELAY=0, **self.settings)
        assert run.returncode == 0, run.stdout + run.stderr

    def kill_one(self, film):
        """Begin a crawl, and kill it after some pages."""
        self.site.requests.clear()
        command = [sys.executable, "-m", "scrapy", "crawl", "movies", "-a", f"movie={film}"]
        environment = os.environ | self.settings | {"METACRAWL_RUNS": str(self.folder / "runs")}
        with (self.folder / "killed.log").open("wb") as log:
            crawl = subprocess.Popen(
                [*command, "-s", "DOWNLOAD_DELAY=0.1"], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        wait_for(lambda: len(self.site.requests) >= 8, seconds=60)
        crawl.kill()
        crawl.wait(timeout=30)

    def status(self):
        """All that `scrapy status` tells."""
        run = self.scrapy("status", "--films", **self.settings)
        assert run.returncode == 0, run.stderr
        return run.stdout

    def records(self):
        """All that is exported, table by table."""
        to = self.folder / "dataset"
        run = self.scrapy("export", "--to", to, "--format", "jsonl", "--partial", **self.settings)
        assert run.returncode == 0, run.stderr
        return {file.name: file.read_bytes() for file in to.glob("*.jsonl")}


def kill_back_up_and_lose(crawls, back_up, lose_and_restore):
    """Hold what there is after the restore against what there was at the backup; gives what going on asks for."""
    crawls.kill_one(LARGE)
    status, records = crawls.status(), crawls.records()
    assert "Run 1 is open" in status
    back_up()
    # It has gone on since: what is restored is the backup, and not what was there anyway.
    crawls.crawl(LARGE)
    asked = set(crawls.site.requests)
    assert crawls.status() != status
    lose_and_restore()
    assert (crawls.status(), crawls.records()) == (status, records)
    return asked


def test_a_database_on_postgresql_comes_back_as_it_was_and_the_crawl_goes_on(
    scrapy, site, compose_url, docker, tmp_path
):
    crawls = Crawls(scrapy, site, compose_url, tmp_path)

    def lose_and_restore():
        done = docker("restore")
        # Nobody writes meanwhile, and all are started again.
        assert done == ["compose --profile scale stop scheduler worker scrapyd", "compose up --detach"]

    asked = kill_back_up_and_lose(crawls, lambda: docker("backup"), lose_and_restore)
    crawls.crawl(LARGE)
    assert set(crawls.site.requests) == asked
    assert re.search(r"^ +1 .* complete ", crawls.status(), re.MULTILINE)


def test_a_backup_that_is_cut_off_replaces_nothing(scrapy, site, compose_url, docker, tmp_path):
    crawls = Crawls(scrapy, site, compose_url, tmp_path)
    crawls.crawl(SMALL)
    status, dump = crawls.status(), tmp_path / "metacrawl.dump"
    docker("backup")
    whole = dump.read_bytes()
    dump.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AssertionError, match="pg_restore: error"):
        docker("restore")
    assert crawls.status() == status
    # Nor does what is left of it stand in the way of a whole one.
    dump.write_bytes(whole)
    docker("restore")
    assert crawls.status() == status


def test_a_database_on_sqlite_comes_back_as_it_was(scrapy, site, sqlite_url, tmp_path):
    if not shutil.which("sqlite3"):
        lack("the program sqlite3 is missing")
    crawls = Crawls(scrapy, site, sqlite_url, tmp_path)

    def type_here(mark):
        run = type_in(mark, tmp_path)
        assert (run.returncode, run.stderr) == (0, "")

    kill_back_up_and_lose(crawls, lambda: type_here("backup: sqlite"), lambda: type_here("restore: sqlite"))
    with closing(sqlite3.connect(tmp_path / "metacrawl.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
