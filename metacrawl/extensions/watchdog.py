"""A run that does not get on is ended, from a thread of its own: what hangs may be the event loop."""

import asyncio
import faulthandler
import threading
import time
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from metacrawl.frontier.run import FAILED, run_of
from metacrawl.frontier.stop import end_process
from metacrawl.outcome import Outcome, Problem
from metacrawl.spiders.base import FilmSpider

# Seconds that a run has to end in good order.
GRACE = 10.0


class Watchdog:
    """Ends the run as `stalled` when no download has ended, well or badly, and no page was stored for `seconds`."""

    def __init__(self, crawler: Crawler, seconds: float) -> None:
        self.crawler, self.seconds = crawler, seconds
        self.pages, self.seen_at = 0, time.monotonic()
        self.over = threading.Event()
        self.giving_up: asyncio.Task[None] | None = None
        crawler.signals.connect(self.start, signals.spider_opened)
        crawler.signals.connect(self.see, signals.request_left_downloader)
        crawler.signals.connect(self.over.set, signals.engine_stopped)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the watchdog; raises `NotConfigured` for a spider of another make."""
        if not issubclass(crawler.spidercls, FilmSpider):
            raise NotConfigured
        return cls(crawler, crawler.settings.getfloat("METACRAWL_STALL_SECONDS"))

    def start(self) -> None:
        """Begin to watch."""
        self.run, self.loop = run_of(self.crawler), asyncio.get_running_loop()
        self.see()
        if self.run.id:
            threading.Thread(target=self.watch, name="watchdog", daemon=True).start()

    def see(self) -> None:
        """Take in that the run gets on."""
        self.seen_at = time.monotonic()

    def watch(self) -> None:
        """Look now and then, until the run is over or stands still; then have it ended, or end it."""
        while not self.over.wait(self.seconds / 10):
            if self.run.ledger.waiting or self.run.ledger.pages > self.pages:
                self.pages = self.run.ledger.pages
                self.see()
            if time.monotonic() > self.seen_at + self.seconds:
                break
        else:
            return
        self.loop.call_soon_threadsafe(self.halt)
        if not self.over.wait(GRACE):
            faulthandler.dump_traceback()
            end_process(f"stalled: {self.says}", Outcome.STALLED.value)

    @property
    def says(self) -> str:
        return f"nothing has come and nothing was stored for {self.seconds:g} s"

    def halt(self) -> None:
        """End the run in good order, without those pages that hang."""
        self.run.halt(Problem(Outcome.STALLED, self.says))
        self.giving_up = self.loop.create_task(self.run.give_up(FAILED))
