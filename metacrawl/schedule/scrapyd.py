"""Crawls that a Scrapyd does: it is asked to, and watched; how they ended is read from the database."""

import base64
import http.client
import json
import threading
import time
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

from scrapy.settings import BaseSettings

from metacrawl.database.account import Ended, ending_of
from metacrawl.database.connection import make_engine, only_to_read, told_of
from metacrawl.database.lock import is_taken
from metacrawl.database.patience import PatientDatabase
from metacrawl.notify import is_url
from metacrawl.outcome import ConfigError, Outcome, RefusedError, printable
from metacrawl.schedule.model import Crawl, Result, StoppedError

# As scrapy.cfg names it.
PROJECT = "metacrawl"
# Seconds between two looks, those that an answer may take, and those for which a Scrapyd that is away is waited for.
INTERVAL, ANSWER, PATIENCE = 3.0, 10.0, 60.0
# The longest answer that is read, in bytes, and the most of a message that is told.
LONGEST, TOLD = 2**20, 500


class AwayError(Exception):
    """Nobody answers, or nobody that is a Scrapyd; it may be one again soon."""


class WrongError(Exception):
    """Scrapyd has answered that it cannot do it."""


class Scrapyd:
    """The JSON interface of a Scrapyd: without proxies, and without following anywhere."""

    def __init__(self, url: str, username: str, password: str) -> None:
        if not is_url(url, "http", "https"):
            raise ConfigError("METACRAWL_SCRAPYD_URL is no URL with http or https")
        self.parts = urlsplit(url)
        if self.parts.username is not None:
            raise ConfigError("METACRAWL_SCRAPYD_URL has a user in it: set SCRAPYD_USERNAME and SCRAPYD_PASSWORD")
        self.name = f"Scrapyd at {self.parts.scheme}://{self.parts.netloc}"
        token = base64.b64encode(f"{username}:{password}".encode()).decode()
        self.headers = {"Authorization": f"Basic {token}"} if username else {}

    @classmethod
    def of(cls, settings: BaseSettings) -> "Scrapyd":
        """Give the one of the settings. Raises `ConfigError`."""
        return cls(*(settings[name] for name in ("METACRAWL_SCRAPYD_URL", "SCRAPYD_USERNAME", "SCRAPYD_PASSWORD")))

    def state(self, job_id: str) -> str | None:
        """Tell whether a job is `pending`, `running` or `finished`; None where it is unknown. Raises `AwayError`."""
        try:
            return self.ask("GET", "status.json", {"job": job_id}).get("currstate")
        except WrongError as error:
            # It has no reason to, and may be well again soon.
            raise AwayError(str(error)) from None

    def schedule(self, crawl: Crawl, job_id: str) -> None:
        """Have a crawl done. Raises `AwayError` and `WrongError`."""
        # No settings: Scrapyd would put them on a command line, and into its log.
        asked = {"project": PROJECT, "spider": crawl.spider, "jobid": job_id}
        self.ask("POST", "schedule.json", {**crawl.arguments, **asked})

    def ask(self, method: str, name: str, given: dict[str, str]) -> dict[str, Any]:
        """Ask for something. Raises `AwayError`, `WrongError`, and `ConfigError` where the credentials are refused."""
        make = http.client.HTTPSConnection if self.parts.scheme == "https" else http.client.HTTPConnection
        connection = make(self.parts.hostname or "", self.parts.port, timeout=ANSWER)
        target, form = f"{self.parts.path.rstrip('/')}/{name}", urlencode(given)
        try:
            if method == "GET":
                connection.request(method, f"{target}?{form}", headers=self.headers)
            else:
                headers = {**self.headers, "Content-Type": "application/x-www-form-urlencoded"}
                connection.request(method, target, form, headers)
            response = connection.getresponse()
            body = response.read(LONGEST + 1)
        except (OSError, http.client.HTTPException) as error:
            raise AwayError(f"cannot be reached: {says(error)}") from None
        finally:
            connection.close()
        return self.read(response.status, body)

    def read(self, status: int, body: bytes) -> dict[str, Any]:
        """Read an answer, which may tell of an error with any status."""
        if status in {401, 403}:
            raise ConfigError(f"{self.name} refuses SCRAPYD_USERNAME and SCRAPYD_PASSWORD (HTTP {status})")
        try:
            found = json.loads(body) if len(body) <= LONGEST else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or "status" not in found:
            raise AwayError(f"gives an answer (HTTP {status}) that is not Scrapyd's")
        if found["status"] != "ok":
            # Of a traceback what it ends with.
            raise WrongError(last_line(str(found.get("message"))))
        return found


def says(error: Exception) -> str:
    """Tell what the network says."""
    return printable(str(getattr(error, "strerror", None) or error or type(error).__name__))[:TOLD]


def last_line(text: str) -> str:
    return printable(text.strip().rpartition("\n")[2])[:TOLD]


def crawl(settings: BaseSettings, crawl: Crawl, job_id: str, stopping: threading.Event) -> Result:
    """Have a crawl done under a job's id, or watch the one that has this id, until it has ended.

    Raises `StoppedError` when `stopping` is set; the crawl goes on then, and can be watched again by its id.
    """
    engine = None
    try:
        server = Scrapyd.of(settings)
        engine = make_engine(settings["METACRAWL_DATABASE_URL"])
        database = PatientDatabase(only_to_read(engine), settings.getfloat("METACRAWL_DATABASE_TIMEOUT"))
        with told_of(engine, "read"):
            return Watch(server, database, crawl, job_id).wait(stopping)
    except RefusedError as error:
        return Result(error.outcome, str(error))
    finally:
        if engine:
            engine.dispose()


class Watch:
    """Follows a crawl from where it stands to its end."""

    def __init__(self, server: Scrapyd, database: PatientDatabase, crawl: Crawl, job_id: str) -> None:
        self.server, self.database, self.crawl, self.job_id = server, database, crawl, job_id
        self.began = self.look() is not None

    def wait(self, stopping: threading.Event) -> Result:
        """Look again and again. Raises `StoppedError`."""
        patient_until = time.monotonic() + PATIENCE
        while True:
            try:
                result = self.advance()
                patient_until = time.monotonic() + PATIENCE
            except WrongError as error:
                return Result(Outcome.INTERNAL, f"{self.server.name}: {error}")
            except AwayError as error:
                late = time.monotonic() > patient_until
                result = self.result_without(f"{self.server.name} {error}") if late else None
            if result:
                return result
            if stopping.wait(INTERVAL):
                raise StoppedError

    def advance(self) -> Result | None:
        """See how far the crawl is, and have it begun where nobody has; gives its result when it has ended."""
        state = self.server.state(self.job_id)
        if state is None and not self.began:
            self.server.schedule(self.crawl, self.job_id)
            state = "pending"
        self.began = True
        return None if state in {"pending", "running"} else self.result(known=state is not None)

    def look(self) -> Ended | None:
        """See what the database tells of the crawl."""
        return self.database.write(partial(ending_of, job_id=self.job_id))

    def result(self, *, known: bool) -> Result | None:
        """Tell how a crawl ended that Scrapyd has not, or has not even `known`; None where it goes on all the same."""
        found = self.look()
        if found and not found.outcome and not known:
            # When Scrapyd is killed, its crawls are not.
            if self.database.write(partial(is_taken, what=found.job)):
                return None
            # It may have ended between the two looks.
            found = self.look()
        return result_of(found, known=known)

    def result_without(self, why: str) -> Result:
        """Tell how the crawl ended as far as that can be told without Scrapyd."""
        found = self.look()
        return result_of(found, known=True) if found and found.outcome else Result(Outcome.INTERNAL, why)


def result_of(found: Ended | None, *, known: bool) -> Result:
    """Tell how a crawl ended that nobody is at any more; `known` to Scrapyd, or lost with an earlier one."""
    if found is None and known:
        return Result(Outcome.INTERNAL, "the crawl has left no run: Scrapyd's own log says why")
    if found is None:
        return Result(Outcome.INTERNAL, "the crawl was lost before it began: Scrapyd was restarted", crashed=True)
    if found.outcome is None:
        return Result(Outcome.INTERNAL, "the crawl has ended without a word: it was killed", crashed=True)
    # A person who cancels a crawl has Scrapyd send it SIGINT; it gets SIGTERM when Scrapyd itself is to end.
    return Result(found.outcome, found.message, crashed=found.outcome is Outcome.TERMINATED)
