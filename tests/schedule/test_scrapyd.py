"""Crawls that a Scrapyd does: asked for once, watched through faults of all kinds, and told how they ended."""

import base64
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest
import sqlalchemy as sa
from scrapy.settings import Settings

from metacrawl.database import account, runs
from metacrawl.database.connection import connect
from metacrawl.database.lock import alone
from metacrawl.outcome import Outcome, Problems
from metacrawl.schedule import scrapyd
from metacrawl.schedule.model import Crawl, StoppedError
from tests.postgres import free_port
from tests.serving import Serving

HER = Crawl("movies", {"movie": "her", "limit": "5"})
ID = "night-20261123T023000Z-1-1"
USERNAME, PASSWORD = "operator", "secret-of-scrapyd"
Answer = tuple[int, bytes]
Fault = Callable[[str], Answer | None]


def ok(**told: object) -> Answer:
    return 200, json.dumps({"status": "ok", "node_name": "here", **told}).encode()


def error(message: str) -> Answer:
    return 200, json.dumps({"status": "error", "message": message}).encode()


class StandIn(Serving):
    """What a Scrapyd says, as far as it is asked here; `fault` may answer instead, or end the connection."""

    def __init__(self) -> None:
        self.states: list[str | None] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.credentials: set[str | None] = set()
        self.fault: Fault = lambda path: None
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(urlsplit(self.path).query)

            def do_POST(self) -> None:
                self.answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

            def answer(self, form: str) -> None:
                path = urlsplit(self.path).path
                stand_in.asked.append((path, dict(parse_qsl(form))))
                stand_in.credentials.add(self.headers["Authorization"])
                # A client that has read enough goes away.
                with suppress(ConnectionError):
                    status, body = stand_in.fault(path) or stand_in.say(path)
                    self.send_response(status)
                    if status == 302:
                        self.send_header("Location", "/elsewhere")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep the test's output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def say(self, path: str) -> Answer:
        """Answer as Scrapyd does: of a job the next of its states, and the last one from then on."""
        if path == "/schedule.json":
            return ok(jobid=ID)
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return ok(currstate=state)

    def of(self, path: str) -> list[dict[str, str]]:
        """Tell with what something was asked for."""
        return [given for asked, given in self.asked if asked == path]


class Night:
    """A database in which crawls are noted, and the settings to ask for them."""

    def __init__(self, url: str, server: str) -> None:
        self.engine = connect(url)
        given = {"METACRAWL_DATABASE_URL": url, "METACRAWL_DATABASE_TIMEOUT": 1, "METACRAWL_SCRAPYD_URL": server}
        self.settings = Settings(given | {"SCRAPYD_USERNAME": USERNAME, "SCRAPYD_PASSWORD": PASSWORD})
        self.stopping = threading.Event()

    def crawl(self, job_id: str = ID) -> tuple[str, str, bool]:
        """Have the crawl done; gives its outcome by name, what is told of it, and whether it is to be done again."""
        result = scrapyd.crawl(self.settings, HER, job_id, self.stopping)
        assert PASSWORD not in result.message
        assert result.message.isprintable()
        return result.outcome.name, result.message, result.crashed

    def begin(self, job_id: str = ID) -> int:
        """Note that a crawl has begun."""
        with self.engine.begin() as connection:
            run = runs.enter(connection, "job", "movies", {})
            runs.enlist(connection, run, job_id)
        return run

    def end(self, run: int, outcome: Outcome) -> None:
        """Note how it has ended."""
        unfinished = outcome in {Outcome.INTERRUPTED, Outcome.TERMINATED}
        leaving = account.Leaving(outcome, f"it is {outcome.name}", Problems(), unfinished)
        with self.engine.begin() as connection:
            account.close(connection, run, leaving)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(scrapyd, "INTERVAL", 0.01)
    with StandIn() as started:
        yield started


@pytest.fixture
def night(server, sqlite_url):
    opened = Night(sqlite_url, server.url)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def impatient(monkeypatch):
    """A Scrapyd that is away is not waited for."""
    monkeypatch.setattr(scrapyd, "PATIENCE", 0)


# --- what goes well


def test_a_crawl_is_asked_for_once_and_watched_to_its_end(server, night):
    server.states = [None, "pending", "running", "finished"]

    def begin(path):
        if server.states == ["running", "finished"]:
            night.end(night.begin(), Outcome.COMPLETE)

    server.fault = begin
    assert night.crawl() == ("COMPLETE", "it is COMPLETE", False)
    # Scrapyd would put a setting on a command line.
    [asked] = server.of("/schedule.json")
    assert asked == {"project": "metacrawl", "spider": "movies", "jobid": ID, "movie": "her", "limit": "5"}
    assert server.of("/status.json") == [{"job": ID}] * 4
    token = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    assert server.credentials == {f"Basic {token}"}


@pytest.mark.parametrize("state", ["pending", "running"])
def test_one_that_scrapyd_has_already_is_only_watched(server, night, state):
    server.states = [state, "finished"]
    night.end(night.begin(), Outcome.PARTIAL)
    assert night.crawl() == ("PARTIAL", "it is PARTIAL", False)
    assert server.of("/schedule.json") == []


def test_one_whose_answer_was_lost_is_not_asked_for_twice(server, night):
    server.states = ["finished"]

    def lose(path):
        if server.of("/schedule.json"):
            night.end(night.begin(), Outcome.COMPLETE)
            server.fault = lambda path: None
            raise ConnectionError
        return ok(currstate=None) if path == "/status.json" else None

    server.fault = lose
    assert night.crawl() == ("COMPLETE", "it is COMPLETE", False)
    assert len(server.of("/schedule.json")) == 1


def test_whoever_stops_the_scheduler_does_not_stop_the_crawl(server, night):
    server.states = ["running"]
    night.stopping.set()
    with pytest.raises(StoppedError):
        night.crawl()
    assert {path for path, _ in server.asked} == {"/status.json"}


# --- how a crawl may end


def test_one_that_was_cancelled_is_over_and_one_that_ended_with_scrapyd_is_to_be_gone_on_with(server, night):
    server.states = ["finished"]
    night.end(night.begin("cancelled"), Outcome.INTERRUPTED)
    assert night.crawl("cancelled") == ("INTERRUPTED", "it is INTERRUPTED", False)
    night.end(night.begin("ended"), Outcome.TERMINATED)
    assert night.crawl("ended") == ("TERMINATED", "it is TERMINATED", True)


@pytest.mark.parametrize("state", ["finished", None])
def test_one_that_was_killed_has_crashed(server, night, state):
    """And it is not asked for again by the same id: Scrapyd may know it again."""
    server.states = [state]
    night.begin()
    assert night.crawl() == ("INTERNAL", "the crawl has ended without a word: it was killed", True)
    assert server.of("/schedule.json") == []


def test_one_that_left_no_run_was_refused(server, night):
    server.states = [None, "running", "finished"]
    assert night.crawl() == ("INTERNAL", "the crawl has left no run: Scrapyd's own log says why", False)


def test_one_that_was_lost_before_it_began_is_asked_for_again(server, night):
    server.states = [None, "running", None]
    assert night.crawl() == ("INTERNAL", "the crawl was lost before it began: Scrapyd was restarted", True)


def test_one_that_goes_on_without_scrapyd_is_waited_for(server, postgresql_url, monkeypatch):
    """Scrapyd was killed, its crawl was not: one that holds its job is no crash."""
    server.states = [None]
    night = Night(postgresql_url, server.url)
    run, held = night.begin(), alone(sa.make_url(postgresql_url), "job")

    def end_late(path):
        if len(server.asked) == 3:
            night.end(run, Outcome.COMPLETE)
            held.release()

    server.fault = end_late
    assert night.crawl() == ("COMPLETE", "it is COMPLETE", False)
    # The control: whoever does not ask for the lock takes it for dead.
    run = night.begin("again")
    held = alone(sa.make_url(postgresql_url), "job")
    monkeypatch.setattr(scrapyd, "is_taken", lambda *_, **__: False)
    assert night.crawl("again")[2]
    held.release()
    night.engine.dispose()


# --- a Scrapyd that is not well

FAULTS = {
    "garbage": (200, b"\x00not JSON\xff"),
    "a list": (200, b"[]"),
    "deep": (200, b"[" * 100_000),
    "no status": (200, b'{"currstate": null}'),
    "huge": (200, b'{"status": "ok", "currstate": "' + b"x" * 2**20 + b'"}'),
    "a proxy": (502, b"<html>Bad gateway</html>"),
    "a redirect": (302, b""),
    "not here": (404, b"<html>No such resource</html>"),
    "an error": error("database is locked\x1b[31m"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_that_is_well_again_does_no_harm(server, night, fault):
    server.states = ["running", "finished"]
    night.end(night.begin(), Outcome.COMPLETE)
    server.fault = lambda path: FAULTS[fault] if len(server.asked) in {2, 3} else None
    assert night.crawl() == ("COMPLETE", "it is COMPLETE", False)
    assert len(server.asked) == 4


@pytest.mark.parametrize("fault", FAULTS)
def test_one_that_is_not_is_told_of(server, night, impatient, fault):
    server.fault = lambda path: FAULTS[fault]
    outcome, message, crashed = night.crawl()
    assert (outcome, crashed) == ("INTERNAL", False)
    says = "database is locked\\x1b[31m" if fault == "an error" else "gives an answer (HTTP "
    assert message.startswith(f"Scrapyd at {server.url} {says}")
    assert {path for path, _ in server.asked} == {"/status.json"}


def test_one_that_says_nothing_is_not_waited_for_for_ever(server, night, impatient, monkeypatch):
    monkeypatch.setattr(scrapyd, "ANSWER", 0.2)
    server.states = ["running"]
    said = threading.Event()
    server.fault = lambda path: said.wait(10) and None
    assert night.crawl() == ("INTERNAL", f"Scrapyd at {server.url} cannot be reached: timed out", False)
    said.set()


def test_one_that_is_not_there_is_told_of(night, impatient):
    url = f"http://127.0.0.1:{free_port()}"
    night.settings["METACRAWL_SCRAPYD_URL"] = url
    assert night.crawl() == ("INTERNAL", f"Scrapyd at {url} cannot be reached: Connection refused", False)
    # How the crawl ended is told all the same.
    night.end(night.begin(), Outcome.COMPLETE)
    assert night.crawl() == ("COMPLETE", "it is COMPLETE", False)


@pytest.mark.parametrize("status", [401, 403])
def test_one_that_refuses_the_credentials_is_asked_once(server, night, status):
    server.fault = lambda path: (status, b"")
    refused = f"Scrapyd at {server.url} refuses SCRAPYD_USERNAME and SCRAPYD_PASSWORD (HTTP {status})"
    assert night.crawl() == ("CONFIG", refused, False)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("project 'metacrawl' not found", "project 'metacrawl' not found"),
        ("Traceback:\n  ...\nImportError: no module\n", "ImportError: no module"),
        ("x" * 10_000, "x" * 500),
    ],
)
def test_one_that_cannot_do_it_says_why(server, night, message, told):
    server.states = [None]
    server.fault = lambda path: error(message) if path == "/schedule.json" else None
    assert night.crawl() == ("INTERNAL", f"Scrapyd at {server.url}: {told}", False)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("scrapyd:6800", "METACRAWL_SCRAPYD_URL is no URL with http or https"),
        ("ftp://127.0.0.1", "METACRAWL_SCRAPYD_URL is no URL with http or https"),
        ("http://127.0.0.1:port", "METACRAWL_SCRAPYD_URL is no URL with http or https"),
        ("http://[::1", "METACRAWL_SCRAPYD_URL is no URL with http or https"),
        (f"http://me:{PASSWORD}@127.0.0.1", "METACRAWL_SCRAPYD_URL has a user in it: set SCRAPYD_USERNAME and SC"),
    ],
)
def test_a_url_that_is_none_is_named(night, url, why):
    night.settings["METACRAWL_SCRAPYD_URL"] = url
    outcome, message, _ = night.crawl()
    assert outcome == "CONFIG"
    assert message.startswith(why)


def test_a_database_that_cannot_be_read_is_named(server, night, tmp_path):
    night.settings["METACRAWL_DATABASE_URL"] = f"sqlite:///{tmp_path / 'nowhere' / 'metacrawl.db'}"
    outcome, message, _ = night.crawl()
    assert (outcome, server.asked) == ("DATABASE", [])
    assert "nowhere" in message
