"""The real scheduler with a clock that is moved to half past two, and real crawls of the demo site."""

import datetime as dt
import json
import os
import signal
import sqlite3
import threading
from contextlib import closing, suppress
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from metacrawl.database import schedule
from metacrawl.database.connection import connect
from metacrawl.demo.content import build_world
from metacrawl.demo.site import DemoSite
from metacrawl.demo.world import World
from tests.conftest import lack
from tests.crawl.waiting import wait_for
from tests.schedule.clock import LIBRARIES, Clock, Clocked

CRAWL = "crawl movies -a movie=nightjar -a reviews=none"
JOB = """
[{name}]
when = "30 2 * * *"
run = {steps}
"""


@pytest.fixture(scope="module")
def whole_world():
    return build_world()


@pytest.fixture
def site(whole_world):
    """The demo site with one film."""
    with DemoSite(World(films=[deepcopy(whole_world.film("nightjar"))]), design="2016") as site:
        yield site


class Gate:
    """Holds the answer to a film's page while it is closed; nobody else is answered meanwhile."""

    def __init__(self):
        self.asked, self.opened = threading.Semaphore(0), threading.Event()

    def pass_through(self, path, response):
        if path.startswith("/movie/"):
            self.asked.release()
            self.opened.wait(timeout=60)
        return response


@pytest.fixture
def gate(site):
    """One before the demo site."""
    gate = Gate()
    site.fault = gate.pass_through
    yield gate
    gate.opened.set()


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path / "clock")


@pytest.fixture
def start(tmp_path, sqlite_url, site, clock):
    """Start a scheduler of jobs at a time; those that still run at the end of the test are killed, with their steps."""
    if not LIBRARIES:
        lack("faketime is missing: apt-get install faketime")
    started = []

    def run(*, webhook="", **jobs):
        file = tmp_path / "schedule.toml"
        file.write_text("".join(JOB.format(name=name, steps=steps) for name, steps in jobs.items()), encoding="utf-8")
        environment = {
            "METACRAWL_DATABASE_URL": sqlite_url,
            "METACRAWL_RUNS": str(tmp_path / "runs"),
            "METACRAWL_SCHEDULE": str(file),
            "METACRAWL_SITE_URL": site.url,
            "METACRAWL_WEBHOOK_URL": webhook,
        }
        started.append(Clocked(clock, tmp_path / f"log-{len(started)}", environment))
        return started[-1]

    yield run
    for scheduler in started:
        scheduler.stop(signal.SIGKILL)
    for pid, _ in query(tmp_path, "SELECT pid, id FROM workers"):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def webhook():
    """A receiver on loopback, and what it got."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            """Keep the test's output clean."""

    got = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", got
        server.shutdown()
        thread.join()


def query(folder, sql):
    with closing(sqlite3.connect(folder / "metacrawl.db")) as connection:
        return connection.execute(sql).fetchall()


def jobs(folder):
    """Read the schedule of the test's database: by name when a job was due, how it ended, and when it is due next."""
    with suppress(sqlite3.OperationalError):
        rows = query(folder, "SELECT name, due_at, outcome, next_at FROM schedule WHERE started_at IS NOT NULL")
        return {name: rest for name, *rest in rows}
    return {}


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_jobs_are_done_when_they_are_due(start, scrapy, tmp_path, webhook, clock):
    """One that ends well, and one that does not, of which somebody is told; and nobody else may keep the schedule."""
    url, got = webhook
    clock.stand_at("2026-11-23 02:29:58")
    scheduler = start(webhook=url, good=[CRAWL], bad=["report --to /"])
    scheduler.wait_to_say("Job bad (30 2 * * *): due next at 2026-11-23 02:30:00")
    second = scrapy("schedule", METACRAWL_SCHEDULE=tmp_path / "schedule.toml")
    assert second.returncode == 3
    assert "another process does schedule already" in second.stderr
    assert jobs(tmp_path) == {}
    clock.go_on_from("2026-11-23 02:30:00")
    for name in ("good", "bad"):
        wait_for(lambda name=name: jobs(tmp_path).get(name, [None, None])[1] is not None, seconds=120)
    assert scheduler.stop() == 0
    due, due_next = "2026-11-23T02:30:00Z", "2026-11-24T02:30:00Z"
    assert jobs(tmp_path) == {"good": [due, "complete", due_next], "bad": [due, "config", due_next]}, scheduler.said()
    assert query(tmp_path, "SELECT job_id FROM workers") == [("good-20261123T023000Z-1-1",)]
    [message] = got
    assert message["job"] == {"name": "bad", "due_at": due, "outcome": "config"}
    assert [step["outcome"] for step in message["steps"]] == ["config"]


def test_a_job_is_neither_lost_nor_done_twice(start, tmp_path, sqlite_url, gate, clock):
    """It was missed; it is still at it when it is due again; its scheduler is killed; then stopped; then it ends."""
    engine = connect(sqlite_url)
    with engine.begin() as connection:
        missed = dt.datetime(2026, 11, 20, 2, 30, tzinfo=dt.UTC)
        schedule.plan(connection, "night", "30 2 * * *", missed)
    engine.dispose()

    clock.stand_at("2026-11-23 02:29:58")
    first = start(night=[CRAWL])
    first.wait_to_say("Job night was missed, and is done now")
    first.wait_to_say("Job night begins, which was due at 2026-11-20 02:30:00")
    clock.go_on_from("2026-11-23 02:30:00")
    assert gate.asked.acquire(timeout=120), first.said()
    first.wait_to_say("Job night is left out this time, next at 2026-11-24 02:30:00")
    assert first.stop(signal.SIGKILL) == -signal.SIGKILL
    [(crawl,)] = query(tmp_path, "SELECT pid FROM workers")
    os.kill(crawl, signal.SIGKILL)
    gate.opened.set()

    gate.opened = threading.Event()
    clock.go_on_from("2026-11-23 03:00:00")
    second = start(night=[CRAWL])
    second.wait_to_say("Job night was not finished, and is done again")
    assert gate.asked.acquire(timeout=120), second.said()
    assert second.stop() == 0
    [_, (crawl,)] = query(tmp_path, "SELECT pid FROM workers ORDER BY id")
    assert not is_alive(crawl)
    assert jobs(tmp_path) == {"night": ["2026-11-20T02:30:00Z", None, "2026-11-24T02:30:00Z"]}

    gate.opened.set()
    clock.go_on_from("2026-11-23 03:10:00")
    third = start(night=[CRAWL])
    third.wait_to_say("Job night ended as complete")
    assert third.stop() == 0
    assert jobs(tmp_path) == {"night": ["2026-11-20T02:30:00Z", "complete", "2026-11-24T02:30:00Z"]}
    assert query(tmp_path, "SELECT DISTINCT job_id FROM workers") == [("night-20261120T023000Z-1-1",)]
    assert len(query(tmp_path, "SELECT id FROM runs")) == 1
