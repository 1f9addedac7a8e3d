"""The delay between two requests to a host, shared by all workers of a database."""

import asyncio
from functools import partial
from typing import Self
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from metacrawl.frontier.hosts import claim
from metacrawl.frontier.run import Run


class SharedDelayMiddleware:
    """Holds each request back until its host may be asked again, by whichever worker.

    Must stand next to the network, so that retries, redirects and robots.txt wait as well. One process alone has
    Scrapy's own delay, which holds here, too.
    """

    def __init__(self, run: Run, delay: float) -> None:
        self.run, self.delay = run, delay

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware; raises `NotConfigured` where there is no delay, or nobody to share it with."""
        delay, run = crawler.settings.getfloat("DOWNLOAD_DELAY"), crawler.get_extension(Run)
        if not delay or run is None or run.alone:
            raise NotConfigured
        return cls(run, delay)

    async def process_request(self, request: Request) -> None:
        """Wait for the host. Whoever is first when its time has come goes; the others wait for the next time."""
        host = urlsplit(request.url).hostname or ""
        while wait := await self.run.ledger.write(partial(claim, host=host, delay=self.delay)):  # noqa: ASYNC110
            await asyncio.sleep(wait)
