"""A progress bar for people who watch; where nobody does, there are plain log lines."""

import asyncio
import logging
import sys
import time
from contextlib import suppress
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured
from sqlalchemy.exc import SQLAlchemyError

from metacrawl.frontier.run import run_of
from metacrawl.spiders.base import FilmSpider, film_spider

FIGURES = "{task.fields[pages]:,} pages · {task.fields[records]:,} records · {task.fields[rate]:.1f} pages/s"

# Seconds between counts of what is done, at least.
REFRESH = 1.0


class ProgressBar:
    """Shows films (of saved pages: files) done of known, pages, records and pages a second."""

    def __init__(self, crawler: Crawler, console: Console) -> None:
        self.crawler = crawler
        self.records = 0
        self.refresh_at = 0.0
        self.refreshing: asyncio.Task[None] | None = None
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(FIGURES),
            TimeElapsedColumn(),
            console=console,
        )
        self.task = self.bar.add_task("films", total=None, pages=0, records=0, rate=0.0)
        crawler.signals.connect(self.start, signals.spider_opened)
        crawler.signals.connect(self.count_record, signals.item_scraped)
        crawler.signals.connect(self.refresh, signals.response_received)
        crawler.signals.connect(self.stop, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the bar; raises `NotConfigured` where nobody watches, or the setting says no."""
        console = Console(stderr=True)
        wanted = console.is_terminal and crawler.settings.getbool("METACRAWL_PROGRESS")
        if not wanted or not issubclass(crawler.spidercls, FilmSpider):
            raise NotConfigured
        return cls(crawler, console)

    def start(self) -> None:
        """Draw the bar, with the log above it."""
        self.show()
        self.bar.start()
        self.move_log(sys.__stderr__, sys.stderr)

    def stop(self) -> None:
        """Draw the bar a last time."""
        self.show()
        self.move_log(sys.stderr, sys.__stderr__)
        self.bar.stop()

    def move_log(self, old: object, new: object) -> None:
        """Let the log's lines go through what draws the bar: it has taken the place of standard error."""
        for handler in logging.root.handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream is old:
                handler.setStream(new)

    def count_record(self) -> None:
        """Count a record."""
        self.records += 1

    def refresh(self) -> None:
        """Count what was asked for, now and then, and show it."""
        if time.monotonic() > self.refresh_at and not (self.refreshing and not self.refreshing.done()):
            self.refreshing = asyncio.create_task(self.count_asked_for())
        self.show()

    async def count_asked_for(self) -> None:
        began = time.monotonic()
        # Whatever is wrong with the database, the run tells.
        with suppress(SQLAlchemyError, RuntimeError):
            await run_of(self.crawler).refresh()
        # It takes the longer the more there is: never more than a fiftieth of the time.
        self.refresh_at = time.monotonic() + max(REFRESH, 50 * (time.monotonic() - began))

    def show(self) -> None:
        """Bring the figures up to date."""
        spider, run = film_spider(self.crawler), run_of(self.crawler)
        if not run.id:
            return
        elapsed = self.bar.tasks[0].elapsed or 0
        total, done = run.asked_for
        self.bar.update(
            self.task,
            description="files" if spider.arguments.source == "files" else "films",
            total=total or None,
            completed=done,
            pages=run.ledger.pages,
            records=self.records,
            rate=run.ledger.pages / elapsed if elapsed else 0,
        )
