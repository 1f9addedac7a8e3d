"""Scrapy's scheduler, on the frontier."""

import asyncio
from collections import deque

from scrapy import Request, Spider, signals
from scrapy.core.scheduler import BaseScheduler, Scheduler
from scrapy.crawler import Crawler
from scrapy.spidermiddlewares.httperror import HttpError
from scrapy.utils.defer import deferred_from_coro
from sqlalchemy.exc import SQLAlchemyError
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from metacrawl.barriers import is_barrier
from metacrawl.frontier.failures import count_refusal, problem_of
from metacrawl.frontier.page import META, Page, page_of
from metacrawl.frontier.quiet import LeftError
from metacrawl.frontier.run import run_of
from metacrawl.outcome import Outcome, Problem
from metacrawl.spiders.base import FilmSpider, film_spider


class FrontierScheduler(BaseScheduler):
    """Hands out what the frontier has leased, and takes in what becomes of it on the way: retries and redirects.

    Pages are settled by `metacrawl.frontier.middleware`; here only those that never come so far.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.run = run_of(crawler)
        self.waiting: deque[Request] = deque()
        self.settling: set[asyncio.Task[None]] = set()
        crawler.signals.connect(self.request_scheduled, signals.request_scheduled)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> BaseScheduler:  # type: ignore[override]
        """Make the scheduler; for a spider of another make Scrapy's own."""
        return cls(crawler) if issubclass(crawler.spidercls, FilmSpider) else Scheduler.from_crawler(crawler)

    def open(self, _spider: Spider) -> Deferred[None]:
        """Enter the run."""
        return deferred_from_coro(self.run.enter())

    def close(self, _reason: str) -> Deferred[None]:
        """Give back what was not done."""
        return deferred_from_coro(self.run.leave())

    def has_pending_requests(self) -> bool:
        """Tell whether any request waits for the engine."""
        return bool(self.waiting)

    def next_request(self) -> Request | None:
        """Give the next request."""
        return self.waiting.popleft() if self.waiting else None

    def enqueue_request(self, request: Request) -> bool:
        """Take a leased request, the same again after a failure, or where it was redirected to."""
        page = page_of(request)
        if page is None:
            raise ValueError(f"{request.url} is no request of the frontier: yield it from the spider")
        page.scheduled = request
        if is_same(request, page.request):
            request.errback = self.failed
            self.waiting.append(request)
        else:
            self.redirect(page, request)
        return True

    def redirect(self, page: Page, request: Request) -> None:
        """End a page by the one that it leads to."""
        if problem := film_spider(self.crawler).problem_of_redirect(request):
            self.run.do_without(page, problem)
        else:
            self.follow(page, request)
        self.settle(page)

    def follow(self, page: Page, request: Request) -> None:
        """Go where a page leads to."""
        try:
            page.follow(request, self.run.key_of(request))
        except ValueError as error:
            page.fail(Problem(Outcome.INTERNAL, str(error)))

    def request_scheduled(self, request: Request) -> None:
        """See whether a request comes through to here: whoever stops it at this signal does not tell."""
        if page := page_of(request):
            asyncio.get_running_loop().call_soon(self.check, page, request)

    def check(self, page: Page, request: Request) -> None:
        if page.scheduled is not request:
            outcome = Outcome.BLOCKED if is_barrier(request.url) else Outcome.PARTIAL
            self.run.do_without(page, Problem(outcome, f"{page.request.url}: leads off the site, to {request.url}"))
            self.settle(page)

    async def failed(self, failure: Failure) -> None:
        """Give up the page of a request that failed (its errback)."""
        request: Request = failure.request  # type: ignore[attr-defined] # Scrapy puts it there
        if isinstance(failure.value, SQLAlchemyError):
            # The page is not to blame; it stays leased.
            self.run.fail(failure.value)
            return
        if isinstance(failure.value, LeftError):
            # It stays leased, too.
            return
        page: Page = request.meta[META]
        if page.recalled and isinstance(failure.value, HttpError):
            # Its answer comes through the spider middlewares.
            return
        count_refusal(self.crawler.stats, failure.value)
        problem = problem_of(request, failure.value)
        if isinstance(failure.value, HttpError) and problem.outcome is Outcome.BLOCKED:
            self.run.evidence.keep(self.run.id, "blocked", failure.value.response.body)
        self.run.do_without(page, problem)
        # One that has an answer comes through the spider middlewares, too.
        if not isinstance(failure.value, HttpError):
            await self.run.ledger.commit(page)

    def settle(self, page: Page) -> None:
        """Have a page stored for which nobody waits."""
        task = asyncio.create_task(self.run.ledger.commit(page))
        self.settling.add(task)
        task.add_done_callback(self.settling.discard)


def is_same(request: Request, other: Request) -> bool:
    """Tell whether a request asks again for what the other one asks for, and has not come back by a redirect."""
    one, two = ((r.url, r.method, r.meta.get("redirect_times", 0)) for r in (request, other))
    return one == two
