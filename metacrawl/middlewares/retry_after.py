"""`Retry-After`, obeyed by all requests to the server that asks for it."""

import asyncio
import datetime as dt
import logging
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.http import Response

from metacrawl.frontier.quiet import Quiet, host_of
from metacrawl.frontier.run import Run
from metacrawl.items import iso_timestamp
from metacrawl.outcome import Outcome, Problem

logger = logging.getLogger(__name__)

# In seconds: when a server that has had too much does not say how long, and what a run waits for.
DEFAULT, MOST = 60.0, 900.0
# A time that is further away may be too far for a clock.
TEN_YEARS = 10 * 365 * 86_400.0
# How often a page is asked for again.
RETRIES = 3


class RetryAfterMiddleware:
    """Holds back all requests to a host while its server wants none, whatever downloader slot they are of.

    A wait that is too long for a run is not cut: it ends the run.

    Must stand outside of the shared delay, so that turns are taken after the wait. It lets no more requests pass than
    a slot sends at a time: those that have come into Scrapy's queue could not be held back.
    """

    def __init__(
        self, crawler: Crawler, run: Run | None, concurrency: int, slots: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self.crawler, self.run, self.concurrency, self.slots = crawler, run, concurrency, slots
        self.quiet = run.quiet if run else Quiet()
        self.gates: dict[str, asyncio.Semaphore] = {}
        self.passed: dict[Request, asyncio.Semaphore] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Make the middleware."""
        settings, run = crawler.settings, crawler.get_extension(Run)
        return cls(crawler, run, settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN"), settings.getdict("DOWNLOAD_SLOTS"))

    async def process_request(self, request: Request) -> None:
        """Wait until the slot is free, and the server may be asked."""
        slot = slot_of(request)
        if slot not in self.gates:
            self.gates[slot] = asyncio.Semaphore(self.slots.get(slot, {}).get("concurrency", self.concurrency))
        gate = self.gates[slot]
        await gate.acquire()
        self.passed[request] = gate
        await self.quiet.wait(host_of(request))

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Let the next request pass; have this one repeated, and all wait, where the server asks for it."""
        self.end(request)
        wait = wait_of(response)
        if wait is None or self.crawler.spider is None:
            return response
        host = host_of(request)
        logger.warning("%s: HTTP %d, no more requests to %s for %d s", request.url, response.status, host, wait)
        self.quiet.hold_back(host, wait)
        if wait > MOST:
            self.halt(host, wait)
            return response
        reason = f"HTTP {response.status}"
        return (
            get_retry_request(request, spider=self.crawler.spider, reason=reason, max_retry_times=RETRIES) or response
        )

    def halt(self, host: str, wait: float) -> None:
        """End the run, for a server wants no requests for longer than it can wait."""
        until = iso_timestamp(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=wait))
        if self.run:
            self.run.halt(Problem(Outcome.RATE_LIMITED, f"{host} wants no requests until {until}"))

    def process_exception(self, request: Request, exception: Exception) -> None:  # noqa: ARG002 - Scrapy gives it by name
        """Let the next request pass."""
        self.end(request)

    def end(self, request: Request) -> None:
        # One that never came here, for robots.txt or another middleware stopped it, holds nothing.
        if gate := self.passed.pop(request, None):
            gate.release()


def slot_of(request: Request) -> str:
    """Tell whose turn a request takes: Scrapy has written it down for one that is repeated."""
    return request.meta.get("download_slot") or host_of(request)


def wait_of(response: Response) -> float | None:
    """Tell how many seconds a server wants no requests; none where it says nothing of it."""
    if response.status not in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        return None
    said = seconds((response.headers.get("Retry-After") or b"").decode("latin-1"), dt.datetime.now(dt.UTC))
    return DEFAULT if said is None and response.status == HTTPStatus.TOO_MANY_REQUESTS else said


def seconds(value: str, now: dt.datetime) -> float | None:
    """Read the header's value: seconds, or a time as in HTTP; ten years at most.

    >>> now = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    >>> seconds("120", now), seconds("Thu, 01 Jan 2026 12:00:30 GMT", now), seconds("soon", now)
    (120.0, 30.0, None)
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value), TEN_YEARS)
    try:
        time = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    # RFC 5322: without a zone (`-0000`) it is UTC.
    wait = (time if time.tzinfo else time.replace(tzinfo=dt.UTC)) - now
    return min(max(wait.total_seconds(), 0.0), TEN_YEARS)
