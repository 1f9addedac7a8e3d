"""`Retry-After`, obeyed by all requests to the server that asks for it."""

import asyncio
import datetime as dt
import logging
import random
from collections import Counter
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar, Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.http import Response

from metacrawl.frontier import hosts
from metacrawl.frontier.quiet import Quiet, host_of
from metacrawl.frontier.run import Run
from metacrawl.items import iso_timestamp
from metacrawl.outcome import Outcome, Problem

logger = logging.getLogger(__name__)

# How a server says that it has had too much.
BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
# In seconds: what a run waits for.
MOST = 900.0
# By how much a pause is longer by chance, so that those who were refused together do not come back together.
JITTER = 0.1
# How often a page is asked for again.
RETRIES = 3


class RetryAfterMiddleware:
    """Holds back all requests to a host while its server wants none, whatever downloader slot they are of.

    All workers of the database hold back, and those who come later. A wait that is too long for a run is not cut: it
    ends the run.

    Must stand outside of the shared delay, so that turns are taken after the wait. It lets no more requests pass than
    a slot sends at a time: those that have come into Scrapy's queue could not be held back.
    """

    UNIT: ClassVar[float] = 60.0
    """Seconds of the first pause where a server does not say how long; each further one is twice as long."""

    def __init__(
        self, crawler: Crawler, run: Run | None, concurrency: int, slots: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self.crawler, self.run, self.concurrency, self.slots = crawler, run, concurrency, slots
        self.quiet = run.quiet if run else Quiet()
        # Of each host, how often in a row it has refused without saying for how long.
        self.refusals: Counter[str] = Counter()
        self.retries = RETRIES if crawler.settings.getbool("RETRY_ENABLED") else 0
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
        await self.recall(host_of(request))
        await self.quiet.wait(host_of(request))

    async def recall(self, host: str) -> None:
        """Learn, before a host is first asked, of a pause that others were told of."""
        if self.run and host not in self.quiet.until:
            wait = await self.run.ledger.write(partial(hosts.pause_of, host=host))
            self.quiet.hold_back(host, wait)
            end_if_too_long(self.run, host, wait)

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        """Let the next request pass; have this one repeated, and all wait, where the server asks for it."""
        self.end(request)
        host = host_of(request)
        if response.status not in BUSY or self.crawler.spider is None:
            self.refusals.pop(host, None)
            return response
        wait = self.wait_after(host, response)
        logger.warning("%s: HTTP %d, no more requests to %s for %d s", request.url, response.status, host, wait)
        await self.hold_back(host, wait)
        if wait > MOST:
            if self.run:
                end_if_too_long(self.run, host, wait, outcome_of_refusal(response))
            return response
        reason = f"HTTP {response.status}"
        again = get_retry_request(request, spider=self.crawler.spider, reason=reason, max_retry_times=self.retries)
        return again or response

    def wait_after(self, host: str, response: Response) -> float:
        """Tell how many seconds to ask nothing after a refusal."""
        said = wait_of(response)
        if said is not None:
            return said
        # Requests that were under way together are refused together: once.
        if not (self.refusals[host] and self.quiet.is_held_back(host)):
            self.refusals[host] += 1
        jitter = 1 + random.uniform(0, JITTER)  # noqa: S311 - nothing is kept secret by it
        return float(self.UNIT * 2 ** (self.refusals[host] - 1) * jitter)

    async def hold_back(self, host: str, wait: float) -> None:
        """Have nobody ask a host for some time."""
        self.quiet.hold_back(host, wait)
        if self.run:
            await self.run.ledger.write(partial(hosts.hold_back, host=host, seconds=wait))

    def process_exception(self, request: Request, exception: Exception) -> None:  # noqa: ARG002 - Scrapy gives it by name
        """Let the next request pass."""
        self.end(request)

    def end(self, request: Request) -> None:
        # One that never came here, for robots.txt or another middleware stopped it, holds nothing.
        if gate := self.passed.pop(request, None):
            self.quiet.asked(host_of(request))
            gate.release()


def slot_of(request: Request) -> str:
    """Tell whose turn a request takes: Scrapy has written it down for one that is repeated."""
    return request.meta.get("download_slot") or host_of(request)


def end_if_too_long(run: Run, host: str, wait: float, outcome: Outcome = Outcome.RATE_LIMITED) -> None:
    """End a run where a server wants no requests for longer than it can wait."""
    if wait > MOST:
        until = iso_timestamp(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=wait))
        run.halt(Problem(outcome, f"{host} wants no requests until {until}"))


def outcome_of_refusal(response: Response) -> Outcome:
    """Tell what it says of a site that it is busy: 503 without a time is what one says that is down, too."""
    too_many = response.status == HTTPStatus.TOO_MANY_REQUESTS or wait_of(response) is not None
    return Outcome.RATE_LIMITED if too_many else Outcome.SITE_DOWN


def wait_of(response: Response) -> float | None:
    """Tell for how many seconds a busy server says that it wants no requests; none where it does not say it."""
    return seconds((response.headers.get("Retry-After") or b"").decode("latin-1"), dt.datetime.now(dt.UTC))


def seconds(value: str, now: dt.datetime) -> float | None:
    """Read the header's value: seconds, or a time as in HTTP; a month at most.

    >>> now = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    >>> seconds("120", now), seconds("Thu, 01 Jan 2026 12:00:30 GMT", now), seconds("soon", now)
    (120.0, 30.0, None)
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value), hosts.LONGEST)
    try:
        time = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    # RFC 5322: without a zone (`-0000`) it is UTC.
    wait = (time if time.tzinfo else time.replace(tzinfo=dt.UTC)) - now
    return min(max(wait.total_seconds(), 0.0), hosts.LONGEST)
