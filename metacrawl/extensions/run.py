"""The record of a run: opened before the first request, closed with the outcome."""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import FrameType
from typing import Self

import sqlalchemy as sa
from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from sqlalchemy.exc import SQLAlchemyError
from twisted.python.failure import Failure

from metacrawl.database import records, runs
from metacrawl.database.connection import connect, first_line
from metacrawl.database.lock import lock
from metacrawl.items import CriticReview, Movie, Record, UserReview
from metacrawl.outcome import Outcome, conclude
from metacrawl.spiders.base import FilmSpider, film_spider

logger = logging.getLogger(__name__)

NOUNS = {Movie: "film", CriticReview: "critic review", UserReview: "user review"}


class Run:
    """One run of a spider: its row in the database, the records that it stores, and how it ends.

    Leaves `metacrawl/outcome` (a name of `Outcome`) and `metacrawl/message` in the stats.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.engine = connect(crawler.settings["METACRAWL_DATABASE_URL"])
        self.lock = lock(self.engine)
        self.id = 0
        self.signal = 0
        self.closing: asyncio.Task[None] | None = None
        crawler.signals.connect(self.spider_opened, signals.spider_opened)
        crawler.signals.connect(self.note_exception, signals.spider_error)
        crawler.signals.connect(self.note_exception, signals.item_error)
        crawler.signals.connect(self.spider_closed, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Open and take the database. Raises `RefusedError`; `NotConfigured` for a spider of another make."""
        if not issubclass(crawler.spidercls, FilmSpider):
            raise NotConfigured
        return cls(crawler)

    @property
    def spider(self) -> FilmSpider:
        """The spider of this run."""
        return film_spider(self.crawler)

    def spider_opened(self) -> None:
        """Note that the run starts."""
        self.remember_signal()
        self.write(self.start)

    def start(self, connection: sa.Connection) -> None:
        self.id = runs.start(connection, self.spider.name, self.spider.given)

    def save(self, batch: Sequence[Record]) -> None:
        """Store records, all or none."""
        self.write(lambda connection: self.count(records.save(connection, self.id, batch)))

    def count(self, counts: Mapping[str, int]) -> None:
        """Count what storing brought: `metacrawl/stored/{new,changed,unchanged}`, `metacrawl/Movie/<field>/missing`."""
        for name, number in counts.items():
            change, _, field = name.partition("/")
            stat = f"metacrawl/Movie/{field}/{change}" if field else f"metacrawl/stored/{change}"
            self.crawler.stats.inc_value(stat, number)

    def write(self, action: Callable[[sa.Connection], object]) -> None:
        """Do something in one transaction; a database that fails ends the run."""
        if self.closing:
            return
        try:
            with self.engine.begin() as connection:
                action(connection)
        except SQLAlchemyError as error:
            self.fail(Outcome.DATABASE, f"{self.engine.url}: {first_line(error)}")
        except Exception as error:  # whatever it is, records were lost, and the run must say so
            self.fail(Outcome.INTERNAL, told(error))
            logger.exception("Records could not be stored")

    def fail(self, outcome: Outcome, message: str) -> None:
        self.spider.account.note(outcome, message)
        # Not awaited: the engine waits for the very page that brought us here.
        self.closing = asyncio.create_task(self.crawler.engine.close_spider_async(reason=outcome.label))

    def note_exception(self, failure: Failure) -> None:
        """Note an exception in a spider or a pipeline."""
        self.spider.account.note(Outcome.INTERNAL, told(failure.value))

    def remember_signal(self) -> None:
        """Learn which signal stops the run; Scrapy, which handles it, does not tell."""
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            # Only the main thread may handle signals; a crawl elsewhere is stopped by its own program.
            if callable(handler) and threading.current_thread() is threading.main_thread():
                signal.signal(number, partial(self.receive, handler))

    def receive(self, handler: Callable[[int, FrameType | None], object], number: int, frame: FrameType | None) -> None:
        self.signal = number
        handler(number, frame)

    def note_reason(self, reason: str) -> None:
        """Note why the spider was closed, unless it was at its end."""
        if reason == "shutdown":
            outcome = Outcome.TERMINATED if self.signal == signal.SIGTERM else Outcome.INTERRUPTED
            self.spider.account.note(outcome, "stopped by a signal")
        elif reason != "finished" and not self.closing:
            self.spider.account.note(Outcome.PARTIAL, f"stopped early: {reason}")
        elif reason == "finished" and (lost := self.spider.account.unanswered):
            self.spider.account.note(
                Outcome.PARTIAL, f"{lost[0]}: {len(lost)} of the pages asked for led elsewhere or nowhere"
            )

    def spider_closed(self, reason: str) -> None:
        """Work out how the run ended, and note it."""
        self.note_reason(reason)
        met: dict[type[Record], int] = {}
        self.write(lambda connection: met.update(runs.counts(connection, self.id)))
        outcome, message = self.conclude(met)
        self.write(lambda connection: runs.finish(connection, self.id, outcome.label, message))
        # Once more, for the database may have failed only now.
        outcome, message = self.conclude(met)
        self.crawler.stats.set_value("metacrawl/outcome", outcome.name)
        self.crawler.stats.set_value("metacrawl/message", message)
        self.engine.dispose()
        if self.lock:
            self.lock.release()

    def conclude(self, met: Mapping[type[Record], int]) -> tuple[Outcome, str]:
        amounts = {NOUNS[kind]: number for kind, number in met.items()}
        return conclude(self.spider.account.problems, self.spider.account.pages_read, amounts, str(self.engine.url))


def told(error: BaseException | None) -> str:
    """Name an exception in a few words: its message may hold a whole page."""
    return f"{type(error).__name__}: {error}"[:200]
