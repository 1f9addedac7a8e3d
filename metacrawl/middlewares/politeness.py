"""The delay between two requests to a host, shared by all workers of a database."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from metacrawl.frontier.hosts import claim
from metacrawl.frontier.run import Run
from metacrawl.middlewares.retry_after import slot_of


class SharedDelayMiddleware:
    """Holds each request back until its host may be asked again, by whichever worker.

    Must stand next to the network, so that retries, redirects and robots.txt wait as well. One process alone has
    Scrapy's own delay, which holds here, too.
    """

    def __init__(self, run: Run, delay: float, slots: Mapping[str, Mapping[str, Any]]) -> None:
        self.run, self.delay, self.slots = run, delay, slots

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware; raises `NotConfigured` where there is no delay, or nobody to share it with."""
        delay, run = crawler.settings.getfloat("DOWNLOAD_DELAY"), crawler.get_extension(Run)
        slots = crawler.settings.getdict("DOWNLOAD_SLOTS")
        if not (delay or any(slot.get("delay") for slot in slots.values())) or run is None or run.alone:
            raise NotConfigured
        return cls(run, delay, slots)

    async def process_request(self, request: Request) -> None:
        """Wait for the host or slot. Whoever is first when its time has come goes; others wait for the next time."""
        slot = slot_of(request)
        delay = self.slots.get(slot, {}).get("delay", self.delay)
        while delay and (wait := await self.run.ledger.write(partial(claim, host=slot, delay=delay))):  # noqa: ASYNC110
            await asyncio.sleep(wait)
