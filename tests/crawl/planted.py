"""Defects to plant in a crawl."""

import asyncio
import logging
import os
import threading
import time

from scrapy import Request

from metacrawl.extensions import watchdog
from metacrawl.frontier.middleware import FrontierMiddleware
from metacrawl.items import CriticReview, UserReview
from metacrawl.spiders.movies import MoviesSpider


class TooBigPipeline:
    """Puts a number into reviews, behind their validation, that no database holds."""

    def process_item(self, item):
        if isinstance(item, UserReview):
            item.total_votes = 2**70
        return item


class FailingPipeline:
    """Fails on every record, with a message as long as a page and fit to forge a line of log."""

    def process_item(self, _item):
        raise RuntimeError("no\nsuch thing" + " at all" * 10_000)


class HostilePipeline:
    """Logs, and fails with, what a page might say: codes for a terminal, and lines like those of the log."""

    TEXT = "\x1b[2J\x9b31m\u202e\x07\r\n2026-01-01 00:00:00 [scrapy] CRITICAL: forged"

    def process_item(self, item):
        logger = logging.getLogger("scrapy.planted")
        logger.warning("A page says %s", self.TEXT)
        logger.warning("A page says %(text)s", {"text": self.TEXT})
        logger.warning(f"A page says {self.TEXT}")  # noqa: G004 - as some libraries do
        if isinstance(item, CriticReview) and item.source_url.endswith("/critic-reviews"):
            raise RuntimeError(self.TEXT)
        return item


class HangingPipeline:
    """Blocks the event loop for good at the first record, in a process that nobody has patience with."""

    def __init__(self):
        watchdog.GRACE = 0.5

    def process_item(self, _item):
        threading.Event().wait()


class FailingOnUsersPipeline:
    """Fails on the page of users' reviews."""

    def process_item(self, item):
        if type(item) is UserReview and "/user-reviews" in item.source_url:
            raise LookupError("no such user")
        return item


class OnePageFailsPipeline:
    """Fails on the last records of one saved page, and lets no other page's through before that is known."""

    def __init__(self, crawler):
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler)

    async def process_item(self, item):
        if item.source_url.endswith("/critic-reviews"):
            while not self.crawler.stats.get_value("metacrawl/frontier/discarded"):  # noqa: ASYNC110 - no sign is given
                await asyncio.sleep(0.01)
        return item


class FailingOnFilmPagePipeline:
    """Fails on a user's review, after the critics' on the same page have come through."""

    def process_item(self, item):
        if type(item) is UserReview and not item.source_url.endswith("-reviews"):
            raise LookupError("no such user")
        return item


class DeadlyPipeline:
    """Ends the process at the first record of the film `DEADLY`."""

    def __init__(self, crawler):
        self.crawler, self.film = crawler, crawler.settings["DEADLY"]

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler)

    def process_item(self, item):
        if item.key.partition("/")[0] == self.film:
            os._exit(9)
        return item


class DeadlyAtSecondFilmPipeline:
    """Ends the process at the second film, when the first one is stored."""

    def __init__(self, crawler):
        self.crawler, self.first = crawler, ""

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler)

    async def process_item(self, item):
        film = item.key.partition("/")[0]
        self.first = self.first or film
        if film != self.first:
            while not self.crawler.stats.get_value("metacrawl/stored/new"):  # noqa: ASYNC110 - no sign is given
                await asyncio.sleep(0.01)
            os._exit(9)
        return item


class BlockingPipeline:
    """Stops the whole process at a critic's review, and says so."""

    def process_item(self, item):
        if isinstance(item, CriticReview):
            os.write(2, b"BLOCKED\n")
            time.sleep(60)
        return item


class RaisingSpider(MoviesSpider):
    """Fails on the page of critic reviews, after its first record."""

    name = "raising"

    def records(self, page):
        yield from page.movies
        if page.ref.path.endswith("/critic-reviews"):
            raise LookupError("no such critic")
        yield from super().records(page)


class TwiceSpider(MoviesSpider):
    """Asks for each page that a film's leads to once more, whether it is known or not."""

    name = "twice"

    def parse(self, response):
        for output in super().parse(response):
            yield output
            if isinstance(output, Request):
                yield output.replace(dont_filter=True)


class CallbackSpider(MoviesSpider):
    """Asks for pages in a way that could not be gone on with after a crash."""

    name = "callback"

    def parse(self, response):
        for output in super().parse(response):
            yield output.replace(callback=self.records) if isinstance(output, Request) else output


class CredulousMiddleware(FrontierMiddleware):
    """Stores what was read, whatever it looks like."""

    def __init__(self, crawler):
        super().__init__(crawler)
        self.watch.is_live = False
