"""The delay between two requests to a host, and the pauses it asks for, shared by all workers of a database."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from metacrawl.frontier.hosts import may_ask
from metacrawl.frontier.quiet import host_of
from metacrawl.frontier.run import Run
from metacrawl.middlewares.retry_after import end_if_too_long, slot_of


class SharedDelayMiddleware:
    """Holds each request back until its host may be asked again, by whichever worker.

    Must stand next to the network, so that retries, redirects and robots.txt wait as well. One process alone has
    Scrapy's own delay, which holds here, too.
    """

    def __init__(self, run: Run, delay: float, slots: Mapping[str, Mapping[str, Any]]) -> None:
        self.run, self.delay, self.slots = run, delay, slots

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware; raises `NotConfigured` where there is nobody to share with."""
        settings, run = crawler.settings, crawler.get_extension(Run)
        if run is None or run.alone:
            raise NotConfigured
        return cls(run, settings.getfloat("DOWNLOAD_DELAY"), settings.getdict("DOWNLOAD_SLOTS"))

    async def process_request(self, request: Request) -> None:
        """Wait for the host or slot. Whoever is first when its time has come goes; others wait for the next time."""
        host, slot, quiet = host_of(request), slot_of(request), self.run.quiet
        delay = max(self.slots.get(slot, {}).get("delay", self.delay), quiet.delays.get(host, 0))
        turn = partial(may_ask, host=host, slot=slot, delay=delay)
        while any(waits := await self.run.ledger.write(turn)):
            pause, wait = waits
            end_if_too_long(self.run, host, pause)
            await quiet.pause(pause or wait)
        # It may have ended while the database was asked.
        quiet.check()
