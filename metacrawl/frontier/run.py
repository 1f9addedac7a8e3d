"""The record of a run: entered before the first request, closed with the outcome."""

import asyncio
import logging
import signal
from collections.abc import Mapping
from functools import partial
from typing import Self

import sqlalchemy as sa
from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from scrapy.http import Response
from sqlalchemy.exc import SQLAlchemyError
from twisted.python.failure import Failure

from metacrawl import runfile
from metacrawl.database import account, authors, runs
from metacrawl.database.connection import connect, first_line, full, is_full, shown
from metacrawl.database.lock import Held, take
from metacrawl.database.patience import PatientDatabase, is_away
from metacrawl.evidence import Evidence
from metacrawl.figures import Figures
from metacrawl.frontier import queue
from metacrawl.frontier.beginning import NothingToJoinError, begin, capacity, enlist
from metacrawl.frontier.ending import end, read_again
from metacrawl.frontier.ledger import Ledger
from metacrawl.frontier.page import Page
from metacrawl.frontier.quiet import Quiet, host_of
from metacrawl.frontier.stop import Stop, end_process
from metacrawl.frontier.streaks import Streaks
from metacrawl.frontier.turn import reclaim
from metacrawl.outcome import Ending, Outcome, Problem, Problems, RefusedError, conclude, printable, told
from metacrawl.pipelines.deduplicate import DeduplicatePipeline
from metacrawl.spiders.base import FilmSpider, film_spider

logger = logging.getLogger(__name__)

# Why a spider is closed that can store nothing any more.
FAILED = "failed"


class Run:
    """One run of a spider, as this process works on it: its frontier, its row in the database, and how it ends.

    Leaves `metacrawl/outcome` (a name of `Outcome`) and `metacrawl/message` in the stats.
    """

    ledger: Ledger
    stop: Stop
    evidence: Evidence
    before: Figures
    """What earlier processes have counted."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.url = sa.make_url(crawler.settings["METACRAWL_DATABASE_URL"])
        self.lock: Held | None = None
        self.database: PatientDatabase | None = None
        self.id = 0
        self.seeded = False
        self.asked_for = 0, 0
        self.problems: list[Problem] = []
        self.gone = self.concluded = False
        self.idle = ""
        self.stopped: Outcome | None = None
        self.closed: account.Closed | None = None
        self.closing: asyncio.Task[None] | None = None
        self.quiet = Quiet()
        self.streaks = Streaks(crawler.settings.getfloat("DOWNLOAD_DELAY"), self.quiet, self.halt)
        crawler.signals.connect(self.note_exception, signals.spider_error)
        crawler.signals.connect(self.spider_closed, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the record; raises `NotConfigured` for a spider of another make."""
        if not issubclass(crawler.spidercls, FilmSpider):
            raise NotConfigured
        return cls(crawler)

    @property
    def spider(self) -> FilmSpider:
        """The spider of this run."""
        return film_spider(self.crawler)

    @property
    def alone(self) -> bool:
        """Whether no other process can use the database: a file is locked, and memory nobody else's."""
        return self.url.get_backend_name() == "sqlite"

    def key_of(self, request: Request) -> str:
        """Give what is the same for all requests of the same page."""
        return self.crawler.request_fingerprinter.fingerprint(request).hex()

    def do_without(self, page: Page, problem: Problem) -> None:
        """Give a page up, for what can stand in for it."""
        page.fail(problem)
        self.streaks.failed(host_of(page.request), problem)
        for request in self.spider.instead(page.request):
            page.follow(request, self.key_of(request))

    async def enter(self) -> None:
        """Take the database, and go on with the run of this job, or start one.

        What stands against it is noted, and the run stays without an id.
        """
        self.stop = Stop(self.hurry, self.give_up)
        settings = self.crawler.settings
        try:
            self.evidence = Evidence.of(settings)
            self.lock = await asyncio.to_thread(take, self.url, self.spider.job if self.spider.job_id else "")
            engine = await asyncio.to_thread(connect, settings["METACRAWL_DATABASE_URL"])
            self.database = PatientDatabase(engine, settings.getfloat("METACRAWL_DATABASE_TIMEOUT"))
            worker = await asyncio.to_thread(self.database.write, self.enlist)
        except RefusedError as error:
            self.note(Problem(error.outcome, str(error)))
            return
        except NothingToJoinError as error:
            self.idle = printable(str(error))
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the run must end with it
            self.note_failure(error)
            return
        self.ledger = Ledger(self.database, worker, capacity(settings), self.count, self.fail)
        self.ledger.refresh = self.refresh_forgotten
        self.ledger.reconcile = partial(read_again, run=worker.run, spider=self.spider, key_of=self.key_of)
        self.id = worker.run
        self.evidence.expire()

    def hurry(self) -> None:
        """Wait no more, for a database that is away or a host that is left in peace."""
        self.quiet.end()
        if self.database:
            self.database.hurry()

    def refresh_forgotten(self, connection: sa.Connection) -> None:
        self.spider.forgotten = authors.forgotten(connection)

    def enlist(self, connection: sa.Connection) -> queue.Worker:
        authors.claim(connection, self.spider.authors)
        run = begin(connection, self.spider)
        worker = enlist(connection, run, self.spider, self.crawler.settings)
        self.before = runs.earlier_figures(connection, worker.id)
        # Who is alone need not wait for leases to run out: they belong to the dead.
        reclaim(connection, worker, everything=self.alone)
        self.seeded = runs.seeded(connection, run)
        if self.spider.arguments.limit:
            self.spider.films_met |= runs.films(connection, run)
        return worker

    async def refresh(self) -> None:
        """Bring the count of what was asked for up to date, all of it and what is done."""
        total = self.asked_for[0] or await self.ledger.write(partial(queue.asked_for, run=self.id, still=False))
        still = await self.ledger.write(partial(queue.asked_for, run=self.id, still=True))
        self.asked_for = total, total - still

    def count(self, counts: Mapping[str, int]) -> None:
        """Count what a transaction brought.

        As `metacrawl/stored/{new,changed,unchanged}`, `metacrawl/frontier/{known,late,discarded}` and
        `metacrawl/Movie/<field>/missing`.
        """
        for name, number in counts.items():
            if name.startswith("met/"):
                continue
            change, _, field = name.partition("/")
            group = "frontier" if name in {"known", "late", "discarded"} else "stored"
            stat = f"metacrawl/Movie/{field}/{change}" if field else f"metacrawl/{group}/{change}"
            if number:
                self.crawler.stats.inc_value(stat, number)
            if group == "stored" and not field:
                self.ledger.figures.count("stored", change, number)
        if counts.get("late"):
            logger.warning("%d pages came too late: another worker has taken them over", counts["late"])
        if counts.get("discarded") and (pipeline := self.crawler.get_item_pipeline(DeduplicatePipeline)):
            pipeline.forget()

    def note(self, problem: Problem) -> None:
        """Note what went wrong with this process, not with a page; once, however many meet it."""
        if problem not in self.problems:
            logger.error("%s", problem.message)
            self.problems.append(problem)

    def note_failure(self, error: Exception) -> None:
        """Note that nothing can be stored any more."""
        if is_full(error):
            self.note(Problem(Outcome.DISK_FULL, full(self.url, error)))
        elif is_away(error):
            self.note(Problem(Outcome.DATABASE, f"{shown(self.url)}: {first_line(error)}"))
        else:
            logger.error("Nothing can be stored any more", exc_info=error)
            self.note(Problem(Outcome.INTERNAL, told(error)))

    def note_exception(self, failure: Failure, response: Response | None) -> None:
        """Note an exception that is not for a page: that of the spider's start."""
        if response is None and isinstance(failure.value, Exception):
            self.note_failure(failure.value)

    def note_reason(self, reason: str) -> None:
        """Note why the spider was closed, unless it was at its end."""
        if reason == "shutdown":
            self.stopped = Outcome.TERMINATED if self.stop.signal == signal.SIGTERM else Outcome.INTERRUPTED
        elif reason not in {"finished", FAILED, "start_error"}:
            self.note(Problem(Outcome.PARTIAL, f"stopped early: {reason}"))

    def fail(self, error: Exception) -> None:
        """End the crawl, for nothing can be stored any more."""
        if self.closing:
            return
        if isinstance(error, TimeoutError):
            # Its thread cannot be ended, and would hold up the end of the process.
            end_process(f"{shown(self.url)} does not answer", Outcome.DATABASE.value)
        self.note_failure(error)
        self.close()

    def halt(self, problem: Problem) -> None:
        """End the crawl in good order, for a reason that is the run's outcome; it stays open."""
        if not self.closing:
            self.note(problem)
            self.close()

    def close(self) -> None:
        self.quiet.end()
        # Not awaited: the engine waits for the very page that brought us here.
        self.closing = asyncio.create_task(self.crawler.engine.close_spider_async(reason=FAILED))

    async def leave(self) -> None:
        """Store what is done and give back the rest, as far as the database is there."""
        if self.gone or not self.id:
            return
        self.gone = True
        try:
            await self.ledger.close()
            if self.ledger.over:
                self.asked_for = self.asked_for[0], self.asked_for[0]
        except SQLAlchemyError as error:
            self.note_failure(error)

    async def give_up(self, reason: str = "shutdown") -> None:
        """End the run while pages are still on their way."""
        await self.leave()
        await self.spider_closed(reason)

    async def spider_closed(self, reason: str) -> None:
        """Work out how the run ended, and note it."""
        if self.concluded:
            return
        self.concluded = True
        self.note_reason(reason)
        try:
            if self.database and self.id:
                outcome, message, closed = await asyncio.to_thread(self.database.write, partial(end, run=self))
                self.closed = closed
                await asyncio.to_thread(runfile.keep, self.crawler.settings["METACRAWL_RUNS"], closed.account)
            elif self.idle:
                outcome, message = Outcome.COMPLETE, self.idle
            else:
                outcome, message = self.conclude(Problems(), {}, unfinished=False)
        except Exception as error:  # noqa: BLE001 - whatever it is, how the run ended must be said
            self.note_failure(error)
            outcome, message = self.conclude(Problems(), {}, unfinished=True)
        self.crawler.stats.set_value("metacrawl/outcome", outcome.name)
        self.crawler.stats.set_value("metacrawl/message", message)
        self.release()

    def release(self) -> None:
        """Let go of the database."""
        self.stop.over()
        if self.database:
            self.database.engine.dispose()
        if self.lock:
            self.lock.release()

    def conclude(
        self, problems: Problems, met: Mapping[str, int], short: str = "", not_due: str = "", *, unfinished: bool
    ) -> tuple[Outcome, str]:
        """Say how the run ends, with what is wrong with this process beside what was wrong with pages."""
        for problem in self.problems:
            problems.put_first(problem)
        if self.stopped and unfinished:
            problems.add(Problem(self.stopped, "stopped by a signal"))
        halted = frozenset(problem.outcome for problem in self.problems)
        # A place that leads nowhere has what it has, and all of that was read.
        missing = (short, "") if self.spider.source.follows else ("", short)
        ending = Ending(unfinished, halted, *missing, not_due)
        return conclude(problems, met, shown(self.url), ending)


def run_of(crawler: Crawler) -> Run:
    """Give the run of a crawl. Raises `RuntimeError` where the extension is switched off."""
    run = crawler.get_extension(Run)
    if run is None:
        raise RuntimeError("the frontier needs the extension metacrawl.frontier.run.Run")
    return run
